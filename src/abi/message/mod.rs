//! `message.h`: what a client calls for each message that its user sends or receives.
//!
//! These functions ask the client for what the core needs (policy, keys, texts), run the core's steps
//! and deliver their effects. What becomes of a message is decided in [`crate::protocol`].

mod client;
mod clock;
mod deliver;
mod disconnect;
mod instance;
mod poll;
mod receiving;
mod sending;
mod smp;
mod symkey;
mod transmit;

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

pub use receiving::REASSEMBLY_LIMIT;

use client::Client;

use super::error::GcryError;
use super::memory::put;
use super::reserve;
use super::types::*;

/// Frees a message of the library's: `free(message)`, whoever made it.
///
/// # Safety
/// `message` is NULL or came from malloc.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn otrl_message_free(message: *mut c_char) {
    // SAFETY: the caller's promise.
    unsafe { libc::free(message.cast()) };
}

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
        let some = |text: *const c_char| !text.is_null();
        let complete = some(accountname) && some(protocol) && some(recipient) && some(original_msg);
        if us.is_null() || messagep.is_null() || !complete {
            return GcryError::INV_VALUE;
        }
        if reserve::is_low() {
            return GcryError::ENOMEM;
        }
        let client = Client::new(us, ops, opdata);
        let correspondent = instance::Names {
            user: recipient,
            account: accountname,
            protocol,
        };
        let new_contexts = instance::NewContexts { add_appdata, data };
        let text = sending::Text {
            original: original_msg,
            tlvs,
        };
        sending::send(
            client,
            correspondent,
            their_instag,
            new_contexts,
            text,
            messagep,
            contextp,
        )
        .and_then(|ctx| sending::transmit_by_policy(client, ctx, messagep, frag_policy))
        .into()
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
        let some = |text: *const c_char| !text.is_null();
        let complete = some(accountname) && some(protocol) && some(sender) && some(message);
        if us.is_null() || newmessagep.is_null() || !complete {
            return 0;
        }
        if reserve::is_low() {
            return 1;
        }
        let client = Client::new(us, ops, opdata);
        let correspondent = instance::Names {
            user: sender,
            account: accountname,
            protocol,
        };
        let new_contexts = instance::NewContexts { add_appdata, data };
        let out = receiving::Out {
            newmessagep,
            tlvsp,
            contextp,
        };
        receiving::receive(client, correspondent, new_contexts, message, out).into()
    }
}
