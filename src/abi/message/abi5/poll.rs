//! Private DH keys that wait for an answer, and the timer that wipes them in time.

use std::ffi::{c_uint, c_void};

use crate::abi::in_use;
use crate::abi::message::client::Client;
use crate::abi::message::clock::now;
use crate::abi::message::expiry::{expire_one, is_waiting};
use crate::abi::types::*;

/// How often the client should poll, in seconds.
pub const POLL_INTERVAL: c_uint = 70;

/// Sees to it that the client's timer runs, if it has one.
///
/// # Safety
/// The client's user state is live.
pub unsafe fn watch(client: Client, interval: c_uint) {
    // SAFETY: the caller's promise.
    unsafe {
        if (*client.us).timer_running == 0 && client.timer_control(interval) {
            (*client.us).timer_running = 1;
        }
    }
}

/// Wipes the private DH values of exchanges that nobody has answered in time. To be called every
/// [`otrl_message_poll_get_default_interval`] seconds, or as `timer_control` asks.
///
/// # Safety
/// `us` is NULL or live, `ops` NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn otrl_message_poll(
    us: OtrlUserState,
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
) {
    if us.is_null() {
        return;
    }
    // SAFETY: the caller's promise; no callback runs while the list is walked.
    unsafe {
        let now = now();
        let mut still_waiting = false;
        let mut ctx = (*us).context_root;
        while !ctx.is_null() {
            expire_one(ctx, now);
            still_waiting |= is_waiting(ctx);
            ctx = (*ctx).next;
        }
        if !still_waiting {
            let client = Client::new(us, ops, opdata);
            (*us).timer_running = 0;
            in_use::during(us, || client.timer_control(0));
        }
    }
}

/// How often [`otrl_message_poll`] should be called, in seconds.
///
/// # Safety
/// None: the user state is not looked at.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn otrl_message_poll_get_default_interval(
    _us: OtrlUserState,
) -> c_uint {
    POLL_INTERVAL
}
