//! `message.h` of libotr 3.2: one context per correspondent, and the library's own texts for the user.

mod callbacks;
mod notify;
mod routing;
mod texts;

pub(crate) use callbacks::has_max_message_size;
pub(crate) use notify::{error_text, notice, resent_prefix, setup_failed, smp_not_sent, tell};
pub(crate) use routing::{enter, is_told_of_plaintext, note_heard, show_error, show_unexpected};

use std::borrow::Cow;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;

use super::call::{Call, Client, Given, Places};
use super::disconnect::disconnect;
use super::receiving;
use super::sending;
use super::transmit::transmit;
use crate::abi::borrowed::{Borrowed, Char, Out};
use crate::abi::context::{self, Ctx, Handle, Names, NewContexts};
use crate::abi::entry::entry;
use crate::abi::error::GcryError;
use crate::abi::text::CText;
use crate::abi::types::*;
use otr_protocol::conversation::HEARTBEAT_INTERVAL;
use otr_protocol::wire::messages::smp::{join_question, split_question};
use otr_protocol::wire::tlv::{self, Tlv};

entry! {
    /// Handles a message that the user sends. `*messagep` is set to the message to send instead, or stays NULL: send the
    /// original. On an error nothing may be sent.
    ///
    /// # Safety
    /// `us` is live; strings are NULL or C strings; out-parameters are NULL or writable; `ops` is NULL or live.
    calls back;
    pub fn otrl_message_sending(
        us: OtrlUserState,
        ops: *const OtrlMessageAppOps,
        opdata: *mut c_void,
        accountname: *const c_char,
        protocol: *const c_char,
        recipient: *const c_char,
        message: *const c_char as Option<Borrowed<Char>>,
        tlvs: *mut OtrlTLV as Option<Borrowed<OtrlTLV>>,
        messagep: *mut *mut c_char as Out<*mut c_char>,
        add_appdata: AddAppData,
        data: *mut c_void,
    ) -> GcryError as Result<(), GcryError>
    where client = Client::new(us, ops, opdata), names = Names::new(recipient, accountname, protocol) {
        let given = Given { names, text: message, is_secret: true, tlvs, new: NewContexts { add_appdata, data } };
        let places = Places { text: messagep, tlvs: Out::NONE, context: Out::NONE };
        Call::about_message(client, &given, &places, |call| {
            let Some((handle, is_new)) = find_or_add(call) else {
                return Err(GcryError::ENOMEM);
            };
            sending::send(call, handle, is_new)
        })?
    }
}

entry! {
    /// Handles a message that arrived. Returns 1 if there is nothing to show; otherwise `*newmessagep` is set to the text to
    /// show, or stays NULL: show the original.
    ///
    /// # Safety
    /// As for [`otrl_message_sending`].
    calls back;
    pub fn otrl_message_receiving(
        us: OtrlUserState,
        ops: *const OtrlMessageAppOps,
        opdata: *mut c_void,
        accountname: *const c_char,
        protocol: *const c_char,
        sender: *const c_char,
        message: *const c_char as Option<Borrowed<Char>>,
        newmessagep: *mut *mut c_char as Out<*mut c_char>,
        tlvsp: *mut *mut OtrlTLV as Out<*mut OtrlTLV>,
        add_appdata: AddAppData,
        data: *mut c_void,
    ) -> c_int
    where client = Client::new(us, ops, opdata), names = Names::new(sender, accountname, protocol) {
        let given = Given { names, text: message, is_secret: false, tlvs: None, new: NewContexts { add_appdata, data } };
        let places = Places { text: newmessagep, tlvs: tlvsp, context: Out::NONE };
        receiving::call(client, &given, &places, |call| {
            call.answer.takes_notices = true;
            find_or_add(call)
        })
    }
}

entry! {
    /// Sends a message, in fragments if it is too long for the network. Depending on `policy` one piece is not sent but
    /// returned in `*returned`, malloc'ed, for the client to send.
    ///
    /// # Safety
    /// `ops` is NULL or live; `context` is live and not freed during the call; `message` is NULL or a C string that does not
    /// change; `returned` is NULL or writable.
    calls back;
    pub fn otrl_message_fragment_and_send(
        ops: *const OtrlMessageAppOps,
        opdata: *mut c_void,
        context: *mut ConnContext as Option<Borrowed<ConnContext>>,
        message: *const c_char as Option<&CStr>,
        policy: OtrlFragmentPolicy,
        returned: *mut *mut c_char as Out<*mut c_char>,
    ) -> GcryError as Result<(), GcryError>
    where client = Client::without_user_state(ops, opdata) {
        returned.put(ptr::null_mut());
        let handle = Handle::of(context.ok_or(GcryError::INV_VALUE)?);
        let piece = Call::about_contexts(client, |call| {
            let is_sent = message.is_some() && call.can_inject();
            if is_sent && policy != FRAGMENT_SEND_ALL && !returned.is_wanted() {
                return Err(GcryError::INV_VALUE);
            }
            transmit(call, handle, message, policy)
        })?;
        returned.put(piece.into_raw());
        Ok(())
    }
}

entry! {
    /// Ends the session with a correspondent.
    ///
    /// # Safety
    /// `us` is NULL or live; strings are NULL or C strings; `ops` is NULL or live.
    calls back;
    pub fn otrl_message_disconnect(
        us: OtrlUserState,
        ops: *const OtrlMessageAppOps,
        opdata: *mut c_void,
        accountname: *const c_char,
        protocol: *const c_char,
        username: *const c_char,
    )
    where client = Client::new(us, ops, opdata), names = Names::new(username, accountname, protocol) {
        // The names are not read after the first callback.
        Call::about_contexts(client, |call| {
            let found = call.us().zip(names);
            let found = found.and_then(|(us, names)| context::find(us, &names));
            if let Some(handle) = found.map(Handle::of) {
                disconnect(call, handle);
            }
        });
    }
}

/// Does nothing: version 2 has no instances.
pub(crate) fn ready(_call: &mut Call<'_>, _handle: Handle) {}

/// The context of the correspondent, made if there is none, and whether it is new. `None` if out of memory.
fn find_or_add(call: &mut Call<'_>) -> Option<(Handle, bool)> {
    let (names, new) = (call.names(), call.new_contexts());
    // SAFETY: a callback may run, but the call is borrowed as `&mut`, so no context is borrowed from it.
    let found = unsafe { context::find_correspondent(call.us()?, names, new) };
    found.map(|(context, is_new)| (Handle::of(context), is_new))
}

/// The context of the correspondent, if there is one.
pub(crate) fn find_best<'a>(call: &'a Call<'_>) -> Option<Ctx<'a>> {
    context::find(call.us()?, call.names()).map(Ctx::from)
}

/// Whether a heartbeat that the core considers due is not too soon after an exchange.
pub(crate) fn heartbeat_is_due(ctx: Ctx<'_>, now: i64) -> bool {
    ctx.exchange_sent() < now.saturating_sub(HEARTBEAT_INTERVAL)
}

/// The SMP record to handle. For libotr 4 an empty record with a question is an unexpected message, and the client is told.
/// Clients of libotr 3 look at the records themselves: they must see that this one is invalid.
pub(crate) fn smp_record(tlv: &Tlv) -> Cow<'_, Tlv> {
    if tlv.kind != tlv::SMP1Q || split_question(&tlv.value).is_some() {
        return Cow::Borrowed(tlv);
    }
    match join_question(&tlv.value, b"") {
        Ok(value) => Cow::Owned(Tlv {
            kind: tlv.kind,
            value,
        }),
        Err(_) => Cow::Borrowed(tlv),
    }
}

/// None: there is no such callback.
pub(crate) fn convert_sending(_call: &mut Call<'_>, _handle: Handle) -> Result<CText, GcryError> {
    Ok(CText::NONE)
}

/// None: there is no such callback.
pub(crate) fn convert_received(
    _call: &mut Call<'_>,
    _handle: Handle,
    _text: Borrowed<'_, Char>,
) -> CText {
    CText::NONE
}
