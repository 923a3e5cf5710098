//! Private DH keys that wait for an answer, and the timer that wipes them in time.

use std::ffi::{c_uint, c_void};

use crate::abi::auth_info;
use crate::abi::context::is_master;
use crate::abi::message::client::Client;
use crate::abi::message::clock::now;
use crate::abi::types::*;
use crate::protocol::conversation::COMMIT_LIFETIME;

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

/// Wipes the commit of this master context if nobody has answered it in time: clients that never poll
/// must not keep the key for ever.
///
/// # Safety
/// `ctx` is live.
pub unsafe fn expire(ctx: *mut ConnContext) {
    // SAFETY: the caller's promise.
    unsafe {
        if waits(ctx) && (*ctx).auth.commit_sent_time < now().saturating_sub(COMMIT_LIFETIME) {
            auth_info::clear(&raw mut (*ctx).auth);
        }
    }
}

/// [`expire`] for the master of this context.
///
/// # Safety
/// `ctx` is live.
pub unsafe fn expire_master(ctx: *mut ConnContext) {
    // SAFETY: the caller's promise.
    unsafe {
        let master = (*ctx).m_context;
        if !master.is_null() {
            expire(master);
        }
    }
}

/// Whether a master context waits for the answer to a version 3 DH-commit.
unsafe fn waits(ctx: *const ConnContext) -> bool {
    // SAFETY: the caller vouches for the context.
    unsafe {
        is_master(ctx)
            && (*ctx).auth.authstate == AUTHSTATE_AWAITING_DHKEY
            && (*ctx).auth.protocol_version == 3
            && (*ctx).auth.commit_sent_time > 0
    }
}

/// Wipes DH keys that nobody has answered for a minute. To be called every
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
        let mut still_waiting = false;
        let mut ctx = (*us).context_root;
        while !ctx.is_null() {
            expire(ctx);
            still_waiting |= waits(ctx);
            ctx = (*ctx).next;
        }
        if !still_waiting {
            let client = Client::new(us, ops, opdata);
            (*us).timer_running = 0;
            client.timer_control(0);
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
