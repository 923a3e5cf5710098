//! Ending sessions with one instance, or all.

use std::ffi::{c_char, c_void};
use std::ptr;

use super::instance::find;
use crate::abi::context::{Handle, Names};
use crate::abi::in_use;
use crate::abi::message::client::Client;
use crate::abi::message::disconnect::disconnect;
use crate::abi::types::*;

/// Ends the session with one instance (or meta tag) of a correspondent.
///
/// # Safety
/// `us` is NULL or live; strings are NULL or C strings; `ops` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn otrl_message_disconnect(
    us: OtrlUserState,
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
    accountname: *const c_char,
    protocol: *const c_char,
    username: *const c_char,
    instance: OtrlInstag,
) {
    let client = Client::new(us, ops, opdata);
    let names = Names {
        user: username,
        account: accountname,
        protocol,
        near: ptr::null_mut(),
    };
    // SAFETY: the caller's promise.
    unsafe {
        if let Some(ctx) = find(client, names, instance) {
            in_use::during(us, || disconnect(client, Handle::of(ctx)));
        }
    }
}

/// Ends the sessions with all instances of a correspondent.
///
/// # Safety
/// As for [`otrl_message_disconnect`].
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn otrl_message_disconnect_all_instances(
    us: OtrlUserState,
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
    accountname: *const c_char,
    protocol: *const c_char,
    username: *const c_char,
) {
    let client = Client::new(us, ops, opdata);
    let names = Names {
        user: username,
        account: accountname,
        protocol,
        near: ptr::null_mut(),
    };
    // SAFETY: the caller's promise. A callback may forget any context: then the walk ends.
    unsafe {
        let Some(master) = find(client, names, INSTAG_MASTER) else {
            return;
        };
        in_use::during(us, || {
            let mut ctx = master;
            while !ctx.is_null() && (*ctx).m_context == master {
                let handle = Handle::of(ctx);
                disconnect(client, handle);
                ctx = match handle.get(us) {
                    Some(ctx) => (*ctx).next,
                    None => return,
                };
            }
        });
    }
}
