//! The context of the instance that a message comes from, and what a client of libotr 4 is told of unreadable messages.

use std::ffi::CStr;

use super::instance::{find, find_or_add};
use super::notify::notice;
use crate::abi::context::{self, Ctx, Handle};
use crate::abi::message::call::Call;
use crate::abi::message::clock::now;
use crate::abi::message::receiving::Arrival;
use crate::abi::text::CText;
use crate::abi::types::*;
use otr_protocol::effects::Notice;
use otr_protocol::instances::{Admission, admit};
use otr_protocol::wire::error_message::text_of;

/// Notes that a message came from this context.
pub(crate) fn note_heard(ctx: Ctx<'_>) {
    ctx.note_heard(now());
}

/// Continues with the context of the instance that has this tag. Returns whether it had to be made; `None` if there is none.
#[inline(never)]
pub(crate) fn enter(
    call: &mut Call<'_>,
    arrival: &mut Arrival<'_>,
    tag: OtrlInstag,
) -> Option<bool> {
    let (handle, is_new) = match instance_of(call, *arrival.master, tag).map(Ctx::handle) {
        Some(handle) => (handle, false),
        None => {
            let master = call.get(*arrival.master)?;
            let instances = master.members().filter(|member| *member != master);
            match admit(instances.map(Ctx::describe)) {
                Admission::Added => find_or_add(call, tag)?,
                Admission::Refused => return None,
                Admission::Replaces(old) => {
                    context::become_instance(call.us()?, old.borrowed(), tag);
                    old.set_our_instance(master.our_instance());
                    arrival.from = old.handle();
                    return Some(true);
                }
            }
        }
    };
    arrival.from = handle;
    let instance = call.get(handle)?;
    if instance.our_instance() == 0 {
        instance.set_our_instance(call.get(*arrival.master).map_or(0, Ctx::our_instance));
    }
    Some(is_new)
}

/// The context of the instance that has this tag, if there is one. Instances follow their master in the list, so that names need
/// not be compared, unless the client has changed the list.
fn instance_of<'a>(call: &'a Call<'_>, master: Handle, tag: OtrlInstag) -> Option<Ctx<'a>> {
    let mut members = call.get(master).into_iter().flat_map(Ctx::members);
    members
        .find(|member| member.tags().theirs == tag)
        .or_else(|| find(call, tag))
}

/// Whether the client itself shows plaintext that should have been encrypted.
pub(crate) fn is_told_of_plaintext(call: &Call<'_>) -> bool {
    call.handles_message_events()
}

/// Tells the client of plaintext that should have been encrypted.
pub(crate) fn show_unexpected(call: &mut Call<'_>, arrival: &Arrival<'_>, text: &CStr) {
    notice(call, arrival.from, Notice::ReceivedUnencrypted, Some(text));
}

/// Tells the client of an error message, whose text it shows. Returns false if there is no callback for that: then the message
/// itself is shown.
pub(crate) fn show_error(call: &mut Call<'_>, arrival: &Arrival<'_>, message: &[u8]) -> bool {
    let Some(text) = text_of(message).filter(|_| call.handles_message_events()) else {
        return false;
    };
    let text = CText::up_to_nul(text);
    if text.is_null() {
        return false;
    }
    notice(call, arrival.from, Notice::ReceivedError, text.c_str());
    text.free();
    true
}
