//! The context of an instance that a message comes from, and what a client of libotr 4 is told of what can't be read.

use std::ffi::c_char;

use super::instance::{find, find_or_add};
use super::notify::notice;
use crate::abi::context::{self, Handle};
use crate::abi::memory::c_string;
use crate::abi::message::client::Client;
use crate::abi::message::clock::now;
use crate::abi::message::receiving::Arrival;
use crate::abi::numbers::c_time;
use crate::abi::types::*;
use otr_protocol::effects::Notice;
use otr_protocol::instances::{Admission, admit};
use otr_protocol::wire::error_message::text_of;

/// Our instance tag in this context.
///
/// # Safety
/// `ctx` is live.
pub unsafe fn our_tag(ctx: *const ConnContext) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { (*ctx).our_instance }
}

/// Notes that a message came from this context.
///
/// # Safety
/// `ctx` is live.
pub unsafe fn note_heard(ctx: *mut ConnContext) {
    // SAFETY: the caller's promise; a context that messages come from is the library's.
    unsafe {
        (*(*ctx).context_priv).lastrecv = c_time(now());
        context::update_recent_child(ctx, false);
    }
}

/// Goes on with the context of the instance that has this tag; whether it had to be made. `None`: there is none.
///
/// # Safety
/// As for [`receive`](super::super::receiving::receive).
pub unsafe fn enter(arrival: &mut Arrival, tag: OtrlInstag) -> Option<bool> {
    // SAFETY: the caller's promise; the contexts are looked up again after the callback of a new one.
    unsafe {
        let us = arrival.client.us;
        let master = arrival.master.get(us)?;
        if find(arrival.client, arrival.names, tag).is_none() {
            let instances = context::members(master).filter(|member| *member != master);
            match admit(instances.map(|member| context::describe(member))) {
                Admission::Added => {}
                Admission::Refused => return None,
                Admission::Replaces(old) => {
                    context::become_instance(us, old, tag);
                    (*old).our_instance = (*master).our_instance;
                    arrival.from = Handle::of(old);
                    return Some(true);
                }
            }
        }
        let found = find_or_add(arrival.client, arrival.names, tag, arrival.new)?;
        arrival.from = found.handle;
        let instance = arrival.from.get(us)?;
        if (*instance).our_instance == 0 {
            (*instance).our_instance = arrival.master.get(us).map_or(0, |it| (*it).our_instance);
        }
        Some(found.added)
    }
}

/// Whether the client decides itself how plaintext is shown that should have been encrypted.
///
/// # Safety
/// As for all callbacks.
pub unsafe fn is_told_of_plaintext(client: Client) -> bool {
    // SAFETY: the caller's promise.
    unsafe { client.handles_message_events() }
}

/// Tells the client of plaintext that should have been encrypted.
///
/// # Safety
/// As for all callbacks; `text` outlives the call.
pub unsafe fn show_unexpected(arrival: Arrival, text: *const c_char) {
    // SAFETY: the caller's promise.
    unsafe { event(arrival, Notice::ReceivedUnencrypted, text) }
}

/// Tells the client of an error message, whose text it shows; whether it was told. Without a callback for that the message
/// itself is shown.
///
/// # Safety
/// As for all callbacks.
pub unsafe fn show_error(arrival: Arrival, message: &[u8]) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let Some(text) = text_of(message).filter(|_| arrival.client.handles_message_events())
        else {
            return false;
        };
        let text = c_string(text);
        if text.is_null() {
            return false;
        }
        event(arrival, Notice::ReceivedError, text);
        libc::free(text.cast());
        true
    }
}

unsafe fn event(arrival: Arrival, what: Notice, text: *const c_char) {
    // SAFETY: the handle says whether the context is there.
    unsafe {
        if let Some(ctx) = arrival.from.get(arrival.client.us) {
            notice(arrival.client, ctx, what, text);
        }
    }
}
