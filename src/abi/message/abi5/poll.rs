//! Private DH keys that wait for an answer, and the timer that wipes them in time.

use std::ffi::{c_uint, c_void};

use crate::abi::context::Ctx;
use crate::abi::entry::entry;
use crate::abi::message::call::{Call, Client};
use crate::abi::message::clock::now;
use crate::abi::message::expiry::{expire_one, is_waiting};
use crate::abi::types::*;

/// How often the client should poll, in seconds.
pub(crate) const POLL_INTERVAL: c_uint = 70;

/// Makes sure that the client's timer runs, if it has one.
pub(crate) fn watch(call: &mut Call<'_>, interval: c_uint) {
    let is_running = |call: &Call<'_>| call.us().is_none_or(|us| us.timer_running().get() != 0);
    if !is_running(call) && call.timer_control(interval) {
        note_timer(call, true);
    }
}

/// Notes in the user state whether the client's timer runs.
fn note_timer(call: &Call<'_>, is_running: bool) {
    if let Some(us) = call.us() {
        us.timer_running().set(is_running.into());
    }
}

entry! {
    /// Wipes the private DH values of exchanges that nobody has answered in time. To be called every
    /// [`otrl_message_poll_get_default_interval`] seconds, or as `timer_control` asks.
    ///
    /// # Safety
    /// `us` is NULL or live, `ops` NULL or live.
    calls back;
    pub fn otrl_message_poll(us: OtrlUserState, ops: *const OtrlMessageAppOps, opdata: *mut c_void)
    where client = Client::new(us, ops, opdata) {
        if us.is_null() {
            return;
        }
        Call::about_contexts(client, |call| {
            let now = now();
            let mut still_waiting = false;
            for ctx in call.first().into_iter().flat_map(Ctx::and_next) {
                expire_one(ctx, now);
                still_waiting |= is_waiting(ctx);
            }
            if !still_waiting {
                note_timer(call, false);
                call.timer_control(0);
            }
        });
    }
}

entry! {
    /// How often [`otrl_message_poll`] should be called, in seconds.
    ///
    /// # Safety
    /// None: the user state is not looked at.
    on panic POLL_INTERVAL;
    pub fn otrl_message_poll_get_default_interval(_us: OtrlUserState) -> c_uint {
        POLL_INTERVAL
    }
}
