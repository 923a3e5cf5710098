//! `message.h` of libotr 3.2: one context per correspondent, and the library's own words for the user.

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
use crate::abi::context::{self, Ctx, Handle, Names, NewContexts};
use crate::abi::error::GcryError;
use crate::abi::memory::put;
use crate::abi::text::CText;
use crate::abi::types::*;
use otr_protocol::conversation::HEARTBEAT_INTERVAL;
use otr_protocol::wire::messages::smp::{join_question, split_question};
use otr_protocol::wire::tlv::{self, Tlv};

/// Handles a message that the user sends. `*messagep` becomes what to send instead, or stays NULL: send
/// the original. An error means: send nothing.
///
/// # Safety
/// `us` is live; strings are NULL or C strings; out-parameters are NULL or writable; `ops` is NULL or live.
#[unsafe(no_mangle)]
#[allow(unreachable_pub, reason = "C calls it")]
pub unsafe extern "C-unwind" fn otrl_message_sending(
    us: OtrlUserState,
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
    accountname: *const c_char,
    protocol: *const c_char,
    recipient: *const c_char,
    message: *const c_char,
    tlvs: *mut OtrlTLV,
    messagep: *mut *mut c_char,
    add_appdata: AddAppData,
    data: *mut c_void,
) -> GcryError {
    let given = Given {
        names: Names::new(recipient, accountname, protocol),
        text: message,
        tlvs,
        new: NewContexts { add_appdata, data },
    };
    let places = Places {
        text: messagep,
        tlvs: ptr::null_mut(),
        context: ptr::null_mut(),
    };
    // SAFETY: the caller's promise.
    let sent = unsafe {
        Call::about_message(Client { us, ops, opdata }, given, places, |call| {
            let found = find_or_add(call).ok_or(GcryError::ENOMEM)?;
            sending::send(call, found)
        })
    };
    sent.unwrap_or_else(|refused| Err(refused.into())).into()
}

/// Handles a message that arrived. Returns 1 if there is nothing to show; else `*newmessagep` is what to
/// show, or stays NULL: show the original.
///
/// # Safety
/// As for [`otrl_message_sending`].
#[unsafe(no_mangle)]
#[allow(unreachable_pub, reason = "C calls it")]
pub unsafe extern "C-unwind" fn otrl_message_receiving(
    us: OtrlUserState,
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
    accountname: *const c_char,
    protocol: *const c_char,
    sender: *const c_char,
    message: *const c_char,
    newmessagep: *mut *mut c_char,
    tlvsp: *mut *mut OtrlTLV,
    add_appdata: AddAppData,
    data: *mut c_void,
) -> c_int {
    let client = Client { us, ops, opdata };
    let given = Given {
        names: Names::new(sender, accountname, protocol),
        text: message,
        tlvs: ptr::null(),
        new: NewContexts { add_appdata, data },
    };
    let places = Places {
        text: newmessagep,
        tlvs: tlvsp,
        context: ptr::null_mut(),
    };
    // SAFETY: the caller's promise.
    unsafe {
        receiving::call(client, given, places, |call| {
            call.answer.takes_notices = true;
            find_or_add(call)
        })
    }
}

/// Sends a message, in fragments if it is too long for the network. By `policy` one piece is not sent but put into
/// `*returned`, malloc'ed, for the client to send.
///
/// # Safety
/// `ops` is NULL or live; `context` is live and stays so; `message` is NULL or a C string; `returned` is NULL or writable.
#[unsafe(no_mangle)]
#[allow(unreachable_pub, reason = "C calls it")]
pub unsafe extern "C-unwind" fn otrl_message_fragment_and_send(
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
    context: *mut ConnContext,
    message: *const c_char,
    policy: OtrlFragmentPolicy,
    returned: *mut *mut c_char,
) -> GcryError {
    let client = Client {
        us: ptr::null_mut(),
        ops,
        opdata,
    };
    // SAFETY: the caller's promise.
    unsafe {
        put(returned, ptr::null_mut());
        let Some(handle) = Ctx::lend(context).map(Ctx::handle) else {
            return GcryError::INV_VALUE;
        };
        let message = (!message.is_null()).then(|| CStr::from_ptr(message));
        let sent = Call::about_contexts(client, |call| {
            let is_sent = message.is_some() && call.can_inject();
            if is_sent && policy != FRAGMENT_SEND_ALL && returned.is_null() {
                return Err(GcryError::INV_VALUE);
            }
            transmit(call, handle, message, policy)
        });
        sent.map(|piece| put(returned, piece.into_raw())).into()
    }
}

/// Ends the session with a correspondent.
///
/// # Safety
/// `us` is NULL or live; strings are NULL or C strings; `ops` is NULL or live.
#[unsafe(no_mangle)]
#[allow(unreachable_pub, reason = "C calls it")]
pub unsafe extern "C-unwind" fn otrl_message_disconnect(
    us: OtrlUserState,
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
    accountname: *const c_char,
    protocol: *const c_char,
    username: *const c_char,
) {
    let names = Names::new(username, accountname, protocol);
    // SAFETY: the caller's promise. The names are not read after the first callback.
    unsafe {
        Call::about_contexts(Client { us, ops, opdata }, |call| {
            let found = context::find_correspondent(us, names, ptr::null_mut(), None);
            if let Some(handle) = Ctx::lend(found).map(Ctx::handle) {
                disconnect(call, handle);
            }
        });
    }
}

/// Nothing: version 2 knows no instances.
pub(crate) fn ready(_call: &mut Call<'_>, _handle: Handle) {}

/// The context of the correspondent, made if there is none, and whether it is new. `None` without memory.
fn find_or_add(call: &mut Call<'_>) -> Option<(Handle, bool)> {
    let mut added: c_int = 0;
    let (us, new) = (call.client().us, Some(call.new_contexts()));
    // SAFETY: the user state is live and the names are C strings, as `Call` demands. A callback may run, and the call is
    // borrowed as `&mut`; what is given back was alive after it.
    unsafe {
        let ctx = context::find_correspondent(us, call.names(), &raw mut added, new);
        (!ctx.is_null()).then(|| (Handle::of(ctx), added != 0))
    }
}

/// The context of the correspondent, if there is one.
pub(crate) fn find_best<'a>(call: &'a Call<'_>) -> Option<Ctx<'a>> {
    // SAFETY: likewise; no callback runs.
    unsafe {
        let us = call.client().us;
        Ctx::lend(context::find_correspondent(
            us,
            call.names(),
            ptr::null_mut(),
            None,
        ))
    }
}

/// Whether a heartbeat, which the core has found due, is not too early after an exchange.
pub(crate) fn heartbeat_is_due(ctx: Ctx<'_>, now: i64) -> bool {
    ctx.exchange_sent() < now.saturating_sub(HEARTBEAT_INTERVAL)
}

/// A record of SMP as it is handled. To libotr 4 an empty one with a question comes at the wrong time, and the client is
/// told. Clients of libotr 3 look at the records themselves: they must see that this one proves nothing.
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
pub(crate) fn convert_received(_call: &mut Call<'_>, _handle: Handle, _text: &CStr) -> CText {
    CText::NONE
}
