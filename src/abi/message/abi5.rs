//! `message.h` of libotr 4: instances, events, and the client's words.

mod callbacks;
mod disconnect;
mod instance;
mod notify;
mod poll;
mod routing;
mod symkey;

pub use callbacks::has_max_message_size;
#[cfg(test)]
pub use disconnect::otrl_message_disconnect_all_instances;
pub use instance::{ensure_our_tag as ready, find_best};
pub use notify::{error_text, notice, resent_prefix, setup_failed, smp_not_sent, tell};
pub use routing::{enter, is_told_of_plaintext, note_heard, our_tag, show_error, show_unexpected};

use std::borrow::Cow;
use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use super::arguments::Arguments;
use super::client::Client;
use super::lost::tell_lost_from;
use super::receiving::{self, Out};
use super::sending::{self, Text};
use super::transmit::transmit;
use crate::abi::context::{Handle, Names, NewContexts};
use crate::abi::error::GcryError;
use crate::abi::in_use;
use crate::abi::memory::put;
use crate::abi::reserve;
use crate::abi::types::*;
use otr_protocol::wire::tlv::Tlv;

/// Handles a message that the user sends. `*messagep` becomes what to send instead, or stays NULL: send
/// the original. An error means: send nothing.
///
/// # Safety
/// `us` is live; strings are NULL or C strings; out-parameters are NULL or writable; `ops` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn otrl_message_sending(
    us: OtrlUserState,
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
    accountname: *const c_char,
    protocol: *const c_char,
    recipient: *const c_char,
    their_instag: OtrlInstag,
    original_msg: *const c_char,
    tlvs: *mut OtrlTLV,
    messagep: *mut *mut c_char,
    frag_policy: OtrlFragmentPolicy,
    contextp: *mut *mut ConnContext,
    add_appdata: AddAppData,
    data: *mut c_void,
) -> GcryError {
    // SAFETY: the caller's promise.
    unsafe {
        put(messagep, ptr::null_mut());
        put(contextp, ptr::null_mut());
        let names = Names {
            user: recipient,
            account: accountname,
            protocol,
            near: ptr::null_mut(),
        };
        if us.is_null() || messagep.is_null() || names.any_is_null() || original_msg.is_null() {
            return GcryError::INV_VALUE;
        }
        if reserve::is_low() {
            return GcryError::ENOMEM;
        }
        let Some(arguments) = Arguments::copy(names, original_msg, tlvs) else {
            return GcryError::ENOMEM;
        };
        let client = Client::new(us, ops, opdata);
        let new_contexts = NewContexts { add_appdata, data };
        let text = Text {
            original: arguments.text,
            tlvs: arguments.tlvs,
        };
        // The client's place is written once and never read: a call inside a callback may have the same one.
        let mut message = ptr::null_mut();
        let place = &raw mut message;
        let sent = in_use::during(us, || {
            let found = instance::find_or_add(client, arguments.names, their_instag, new_contexts);
            let sent = found.ok_or(GcryError::ENOMEM).and_then(|found| {
                let ctx = sending::send(client, arguments.names, found, text, place, contextp)?;
                transmit_by_policy(client, ctx, place, frag_policy)
            });
            if in_use::is_freed(us) {
                put(contextp, ptr::null_mut());
            }
            sent
        });
        arguments.free();
        *messagep = message;
        sent.into()
    }
}

/// Handles a message that arrived. Returns 1 if there is nothing to show; else `*newmessagep` is what to
/// show, or stays NULL: show the original.
///
/// # Safety
/// As for [`otrl_message_sending`].
#[unsafe(no_mangle)]
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
    contextp: *mut *mut ConnContext,
    add_appdata: AddAppData,
    data: *mut c_void,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        put(newmessagep, ptr::null_mut());
        put(tlvsp, ptr::null_mut());
        put(contextp, ptr::null_mut());
        let names = Names {
            user: sender,
            account: accountname,
            protocol,
            near: ptr::null_mut(),
        };
        if us.is_null() || newmessagep.is_null() || names.any_is_null() || message.is_null() {
            return 0;
        }
        if reserve::is_low() {
            return 1;
        }
        let client = Client::new(us, ops, opdata);
        let Some(arguments) = Arguments::copy(names, message, ptr::null()) else {
            tell_lost_from(client, names);
            return 1;
        };
        let new_contexts = NewContexts { add_appdata, data };
        // As in sending.
        let (mut shown_text, mut chain) = (ptr::null_mut(), ptr::null_mut());
        let out = Out {
            newmessagep: &raw mut shown_text,
            tlvsp: if tlvsp.is_null() {
                ptr::null_mut()
            } else {
                &raw mut chain
            },
            contextp,
        };
        let shown = in_use::during(us, || {
            let (names, text) = (arguments.names, arguments.text);
            let shown = receiving::receive(client, names, new_contexts, text, out);
            if in_use::is_freed(us) {
                put(contextp, ptr::null_mut());
            }
            shown
        });
        arguments.free();
        *newmessagep = shown_text;
        put(tlvsp, chain);
        shown
    }
}

/// The user's text as the client wants it encrypted, malloc'ed; NULL to leave it as it is.
///
/// # Errors
/// `ENOMEM`: it is not to be sent as it is.
///
/// # Safety
/// As for all callbacks; `text` outlives the call.
pub unsafe fn convert_sending(
    client: Client,
    handle: Handle,
    text: *const c_char,
) -> Result<*mut c_char, GcryError> {
    // SAFETY: the caller's promise.
    unsafe {
        match handle.get(client.us) {
            Some(ctx) => client.convert(handle, ctx, CONVERT_SENDING, text),
            None => Ok(ptr::null_mut()),
        }
    }
}

/// A decrypted text as the client wants it shown, malloc'ed; NULL to leave it as it is, also without memory.
///
/// # Safety
/// As for all callbacks; `text` outlives the call.
pub unsafe fn convert_received(client: Client, handle: Handle, text: *const c_char) -> *mut c_char {
    // SAFETY: the caller's promise.
    unsafe {
        match handle.get(client.us) {
            Some(ctx) => client
                .convert(handle, ctx, CONVERT_RECEIVING, text)
                .unwrap_or(ptr::null_mut()),
            None => ptr::null_mut(),
        }
    }
}

/// Sends what is in `*messagep` as the client's fragment policy says; one piece may come back in its place.
///
/// # Safety
/// As for [`sending::send`].
unsafe fn transmit_by_policy(
    client: Client,
    handle: Handle,
    messagep: *mut *mut c_char,
    policy: OtrlFragmentPolicy,
) -> Result<(), GcryError> {
    // SAFETY: the caller's promise.
    unsafe {
        if policy == FRAGMENT_SEND_SKIP || (*messagep).is_null() {
            return Ok(());
        }
        let mut returned = ptr::null_mut();
        let outcome = transmit(client, handle, *messagep, policy, &raw mut returned);
        if !returned.is_null() {
            libc::free((*messagep).cast());
            *messagep = returned;
        }
        outcome
    }
}

/// Always: the core has counted everything that was sent.
///
/// # Safety
/// None: the context is not looked at.
pub unsafe fn heartbeat_is_due(_ctx: *mut ConnContext, _now: i64) -> bool {
    true
}

/// A record of SMP as it is handled: as it came.
pub fn smp_record(tlv: &Tlv) -> Cow<'_, Tlv> {
    Cow::Borrowed(tlv)
}
