//! Private DH keys that wait for an answer, and the timer that wipes them in time.

use std::ffi::{c_uint, c_void};

use crate::abi::context::Ctx;
use crate::abi::message::call::{Call, Client};
use crate::abi::message::clock::now;
use crate::abi::message::expiry::{expire_one, is_waiting};
use crate::abi::types::*;

/// How often the client should poll, in seconds.
pub(crate) const POLL_INTERVAL: c_uint = 70;

/// Sees to it that the client's timer runs, if it has one.
pub(crate) fn watch(call: &mut Call<'_>, interval: c_uint) {
    let us = call.client().us;
    // SAFETY: the user state is NULL or live, as `Call` demands, and stays until the call ends.
    unsafe {
        if !us.is_null() && (*us).timer_running == 0 && call.timer_control(interval) {
            (*us).timer_running = 1;
        }
    }
}

/// Wipes the private DH values of exchanges that nobody has answered in time. To be called every
/// [`otrl_message_poll_get_default_interval`] seconds, or as `timer_control` asks.
///
/// # Safety
/// `us` is NULL or live, `ops` NULL or live.
#[unsafe(no_mangle)]
#[allow(unreachable_pub, reason = "C calls it")]
pub unsafe extern "C-unwind" fn otrl_message_poll(
    us: OtrlUserState,
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
) {
    if us.is_null() {
        return;
    }
    // SAFETY: the caller's promise; the user state is not NULL.
    unsafe {
        Call::about_contexts(Client { us, ops, opdata }, |call| {
            let now = now();
            let mut still_waiting = false;
            for ctx in call.first().into_iter().flat_map(Ctx::and_next) {
                expire_one(ctx, now);
                still_waiting |= is_waiting(ctx);
            }
            if !still_waiting {
                (*us).timer_running = 0;
                call.timer_control(0);
            }
        });
    }
}

/// How often [`otrl_message_poll`] should be called, in seconds.
///
/// # Safety
/// None: the user state is not looked at.
#[unsafe(no_mangle)]
#[allow(unreachable_pub, reason = "C calls it")]
pub unsafe extern "C-unwind" fn otrl_message_poll_get_default_interval(
    _us: OtrlUserState,
) -> c_uint {
    POLL_INTERVAL
}
