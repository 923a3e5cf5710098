//! Private DH values that have waited long enough, and the record of the sessions that others have opened.

use crate::abi::auth_info;
use crate::abi::context::{master_of, members};
use crate::abi::context_priv::private_of;
use crate::abi::exchange;
use crate::abi::message::clock::now;
use crate::abi::types::*;
use otr_protocol::ake::Auth;

/// Wipes what has waited too long in the exchanges with this correspondent, all instances included: clients that never poll
/// must not keep it for ever, and a message that comes too late must not find it.
///
/// # Safety
/// `ctx` is live, and so is its master.
pub unsafe fn expire(ctx: *mut ConnContext) {
    // SAFETY: the caller's promise; no callback runs while the list is walked.
    unsafe {
        let master = master_of(ctx);
        let now = now();
        members(master).for_each(|member| expire_one(member, now));
        forget_unheld(master);
    }
}

/// [`expire`] for one context.
///
/// # Safety
/// `ctx` is live.
pub unsafe fn expire_one(ctx: *mut ConnContext, now: i64) {
    // SAFETY: the caller's promise.
    unsafe {
        let Some(private) = private_of(ctx) else {
            return;
        };
        if let Some(secrets) = (*private).secrets.as_mut() {
            secrets.crossed.take_if(|crossed| crossed.is_over(now));
            secrets.expire_fragments(now);
        }
        let Some(mut auth) = waiting_exchange(ctx) else {
            return;
        };
        if !auth.expire(now) {
            return;
        }
        (*private).exchange.keep(&auth);
        let info = &raw mut (*ctx).auth;
        // Without memory there is no exchange afterwards, which is as good.
        if !auth.is_under_way() || exchange::store(info, &auth).is_err() {
            auth_info::clear(info);
        }
    }
}

/// Whether anything waits in this context that will be wiped in time.
///
/// # Safety
/// `ctx` is live.
#[cfg(feature = "abi5")]
pub unsafe fn is_waiting(ctx: *mut ConnContext) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let secrets = private_of(ctx).and_then(|private| (*private).secrets.as_ref());
        let crossed = secrets.is_some_and(|secrets| secrets.crossed.is_some());
        crossed || waiting_exchange(ctx).is_some_and(|auth| auth.waits_for().is_some())
    }
}

/// The exchange of a context, if a message of it has been waiting for an answer since some time.
unsafe fn waiting_exchange(ctx: *mut ConnContext) -> Option<Auth> {
    // SAFETY: the caller vouches for the context.
    unsafe {
        let info = &raw const (*ctx).auth;
        if auth_info::commit_sent(info) <= 0 || (*info).authstate == AUTHSTATE_NONE {
            return None;
        }
        let extras = private_of(ctx).map(|private| &(*private).exchange);
        Some(exchange::load(info, extras))
    }
}

/// Forgets the sessions whose private value of the exchange is nowhere any more: nothing can open another with it.
unsafe fn forget_unheld(master: *mut ConnContext) {
    // SAFETY: the caller vouches for the master and the list.
    unsafe {
        let Some(private) =
            private_of(master).filter(|private| !(**private).shared.opened.is_empty())
        else {
            return;
        };
        let mut held = Vec::new();
        for member in members(master) {
            let extras = private_of(member).map(|private| &(*private).exchange);
            held.extend(exchange::load(&raw const (*member).auth, extras).held_values());
            if let Some(member) = private_of(member) {
                let secrets = (*member).secrets.as_ref();
                let crossed = secrets.and_then(|secrets| secrets.crossed.as_ref());
                held.extend(crossed.map(|crossed| crossed.our_value()));
            }
        }
        (*private).shared.opened.forget_all_but(&held);
    }
}
