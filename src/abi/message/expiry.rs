//! Private DH values that have waited long enough, and the record of the sessions that others have opened.

use crate::abi::auth_info;
use crate::abi::context::{master_of, members};
use crate::abi::gcry::mpi;
use crate::abi::hidden::private_of;
use crate::abi::message::clock::now;
use crate::abi::private::ExchangeExtras;
use crate::abi::types::*;
use otr_protocol::ake::expiry::Waiting;

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
        let auth = &raw mut (*ctx).auth;
        let since = auth_info::commit_sent(auth);
        if let Some(secrets) = private_of(ctx).and_then(|private| (*private).secrets.as_mut()) {
            secrets.crossed.take_if(|crossed| crossed.is_over(now));
            secrets.expire_fragments(now);
        }
        if !waits_for(ctx).is_some_and(|waiting| waiting.is_over(since, now)) {
            return;
        }
        let Some(private) = private_of(ctx) else {
            return;
        };
        if (*auth).authstate == AUTHSTATE_AWAITING_REVEALSIG {
            (*private).exchange.forget_begun();
            auth_info::note_commit_sent(auth, 0);
        } else {
            (*private).exchange = ExchangeExtras::default();
            auth_info::clear(auth);
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
        crossed || waits_for(ctx).is_some()
    }
}

/// What an exchange of version 3 waits for that has an end: the answers to the DH-commit of a master context, or the
/// signature that an instance awaits.
///
/// # Safety
/// `ctx` is live.
unsafe fn waits_for(ctx: *mut ConnContext) -> Option<Waiting> {
    // SAFETY: the caller's promise.
    unsafe {
        let auth = &raw const (*ctx).auth;
        if auth_info::commit_sent(auth) <= 0 {
            return None;
        }
        let is_v3 = (*auth).protocol_version == 3;
        match (*auth).authstate {
            AUTHSTATE_AWAITING_DHKEY if is_v3 => Some(Waiting::DhKey),
            AUTHSTATE_AWAITING_SIG if is_v3 => Some(Waiting::Signature),
            AUTHSTATE_AWAITING_REVEALSIG => (*private_of(ctx)?).exchange.begun_waits_for(),
            _ => None,
        }
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
            let value = (*member).auth.our_dh.public;
            if (*member).auth.authstate != AUTHSTATE_NONE && !value.is_null() {
                // As long as one is not known, none of them is forgotten.
                let Some(mut value) = mpi::bytes(value) else {
                    return;
                };
                held.push(std::mem::take(&mut *value));
            }
            if let Some(member) = private_of(member) {
                let secrets = (*member).secrets.as_ref();
                let crossed = secrets.and_then(|secrets| secrets.crossed.as_ref());
                held.extend((*member).exchange.held_values());
                held.extend(crossed.map(|crossed| crossed.our_value()));
            }
        }
        (*private).shared.opened.forget_all_but(&held);
    }
}
