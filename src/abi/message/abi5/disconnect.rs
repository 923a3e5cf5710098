//! Ending sessions with one instance, or all.

use std::ffi::{c_char, c_void};
use std::ptr;

use crate::abi::context::{self, Ctx, Names};
use crate::abi::message::call::{Call, Client};
use crate::abi::message::disconnect::disconnect;
use crate::abi::types::*;

/// Ends the session with one instance (or meta tag) of a correspondent.
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
    instance: OtrlInstag,
) {
    let names = Names::new(username, accountname, protocol);
    // SAFETY: the caller's promise. The names are not read after the first callback.
    unsafe {
        Call::about_contexts(Client { us, ops, opdata }, |call| {
            let found = context::find(us, names, instance, ptr::null_mut(), None);
            if let Some(handle) = Ctx::lend(found).map(Ctx::handle) {
                disconnect(call, handle);
            }
        });
    }
}

/// Ends the sessions with all instances of a correspondent.
///
/// # Safety
/// As for [`otrl_message_disconnect`].
#[unsafe(no_mangle)]
#[allow(unreachable_pub, reason = "C calls it")]
pub unsafe extern "C-unwind" fn otrl_message_disconnect_all_instances(
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
            let found = context::find(us, names, INSTAG_MASTER, ptr::null_mut(), None);
            let Some(master) = Ctx::lend(found) else {
                return;
            };
            let mut next = Some(master.handle());
            let master = master.as_ptr();
            // A callback may forget any context: then the walk ends.
            while let Some(handle) = next {
                disconnect(call, handle);
                let behind = call.get(handle).and_then(|ctx| ctx.and_next().nth(1));
                next = behind
                    .filter(|ctx| ptr::eq(ctx.master().as_ptr(), master))
                    .map(Ctx::handle);
            }
        });
    }
}
