//! Between the public structs and the core: what a step needs is read from the struct, the step runs
//! on it without a borrow of C memory, and what it left is written back before the client hears of it.
//!
//! The public struct is the truth for every public member: clients write some of them at any time.

use std::ptr;

use super::context;
use super::context_priv::{hidden, private_of};
use super::entry::{guard, may_panic};
use super::error::GcryError;
use super::exchange;
use super::memory::bytes_of;
use super::numbers::{c_time, half_number, time_from, version_from, version_number};
use super::private::ExchangeExtras;
use super::smp_numbers;
use super::types::*;
use otr_protocol::ake::Auth;
use otr_protocol::buffer::OutOfMemory;
use otr_protocol::conversation::{Conversation, MessageState, Offer, Peer, Retransmit, Secrets};
use otr_protocol::correspondent::Correspondent;
use otr_protocol::error::ProtocolError;
use otr_protocol::policy::Policy;
use otr_protocol::session_id::{BoldHalf, SessionId};
use otr_protocol::smp::state::Smp;
use otr_protocol::wire::query::Versions;

#[cfg(feature = "abi2")]
mod abi2;
#[cfg(feature = "abi5")]
mod abi5;

#[cfg(feature = "abi2")]
use abi2 as interface;
#[cfg(feature = "abi5")]
use abi5 as interface;

pub use interface::DIALECT;

// The steps have frames of their own: one function that takes several of them would have room for the values of each.

/// Runs a step on a conversation. After a panic the conversation has no session any more: what it
/// sends is refused until it is reset.
///
/// # Safety
/// `ctx` is a live context with the library's private part, and the client does not run meanwhile.
#[inline(never)]
pub unsafe fn with_conversation<T>(
    ctx: *mut ConnContext,
    step: impl FnOnce(&mut Conversation) -> T,
) -> Result<T, GcryError> {
    // SAFETY: the caller's promise.
    unsafe {
        let mut conversation = load(ctx)?;
        // After a panic it is dropped, with the session that `load` has taken out of the private part.
        let outcome = guard(|| {
            let outcome = step(&mut conversation);
            may_panic();
            outcome
        })?;
        store(ctx, conversation);
        Ok(outcome)
    }
}

/// Runs a step on nothing but the private part of a conversation. The rest as for [`with_conversation`].
///
/// # Safety
/// As for [`with_conversation`].
pub unsafe fn with_secrets<T>(
    ctx: *mut ConnContext,
    step: impl FnOnce(&mut Secrets) -> T,
) -> Result<T, GcryError> {
    // SAFETY: the caller's promise.
    unsafe {
        let private = private_of(ctx).ok_or(GcryError::INV_VALUE)?;
        let mut secrets = (*private).secrets.take().unwrap_or_default();
        let outcome = guard(|| step(&mut secrets))?;
        (*private).secrets = Some(secrets);
        Ok(outcome)
    }
}

/// Runs a step on a conversation and on what all instances of the correspondent share.
///
/// # Safety
/// As for [`with_conversation`]; the context's master is live as well.
pub unsafe fn with_correspondent<T>(
    ctx: *mut ConnContext,
    step: impl FnOnce(&mut Conversation, &mut Correspondent) -> T,
) -> Result<T, GcryError> {
    // SAFETY: the caller's promise.
    unsafe {
        let private = private_of(ctx).ok_or(GcryError::INV_VALUE)?;
        let masters = private_of(context::master_of(ctx)).unwrap_or(private);
        let mut shared = std::mem::take(&mut (*masters).shared);
        let outcome = with_conversation(ctx, |conversation| step(conversation, &mut shared));
        // After a panic as well: what has opened a session has opened one.
        (*masters).shared = shared;
        outcome
    }
}

/// Runs a step on a conversation and its key exchange; the third is what all instances of the correspondent share.
///
/// # Safety
/// As for [`with_conversation`]; the context's master is live as well.
#[inline(never)]
pub unsafe fn with_exchange<T>(
    ctx: *mut ConnContext,
    step: impl FnOnce(&mut Conversation, &mut Auth, &mut Correspondent) -> T,
) -> Result<T, GcryError> {
    // SAFETY: the caller's promise.
    unsafe {
        let private = private_of(ctx).ok_or(GcryError::INV_VALUE)?;
        let info = &raw mut (*ctx).auth;
        let mut auth = exchange::load(info, Some(&(*private).exchange));
        let sent_before = time_from((*hidden(ctx)).lastsent);
        let outcome = with_correspondent(ctx, |conversation, shared| {
            step(conversation, &mut auth, shared)
        })?;
        interface::note_exchange(ctx, sent_before);
        (*private).exchange.keep(&auth);
        if let Err(error) = exchange::store(info, &auth) {
            // The step's effects go unheard: they would answer for an exchange that is not there.
            (*private).exchange = ExchangeExtras::default();
            return Err(error);
        }
        Ok(outcome)
    }
}

/// Runs a step of a key exchange on a conversation. What is sent in it counts as sent, or not, as the interface has it.
///
/// # Safety
/// As for [`with_conversation`].
pub unsafe fn with_exchanging<T>(
    ctx: *mut ConnContext,
    step: impl FnOnce(&mut Conversation) -> T,
) -> Result<T, GcryError> {
    // SAFETY: the caller's promise.
    unsafe {
        let sent_before = time_from((*hidden(ctx)).lastsent);
        let outcome = with_conversation(ctx, step)?;
        interface::note_exchange(ctx, sent_before);
        Ok(outcome)
    }
}

/// Runs a step on a conversation and its SMP.
///
/// # Safety
/// As for [`with_conversation`].
#[inline(never)]
pub unsafe fn with_smp<T>(
    ctx: *mut ConnContext,
    step: impl FnOnce(&mut Conversation, &mut Smp) -> T,
) -> Result<T, GcryError> {
    // SAFETY: the caller's promise; a context's smstate is NULL or live.
    unsafe {
        let state = (*ctx).smstate;
        if state.is_null() {
            return Err(GcryError::INV_VALUE);
        }
        let mut smp = smp_numbers::load(state);
        let outcome = with_conversation(ctx, |conversation| step(conversation, &mut smp))?;
        smp_numbers::store(state, &smp);
        Ok(outcome)
    }
}

#[inline(never)]
unsafe fn load(ctx: *mut ConnContext) -> Result<Conversation, GcryError> {
    // SAFETY: the caller of this private function vouches for the context.
    unsafe {
        let private = private_of(ctx).ok_or(GcryError::INV_VALUE)?;
        let hidden = hidden(ctx);
        let id_length = (*ctx).sessionid_len.min((*ctx).sessionid.len());
        let half = match (*ctx).sessionid_half {
            SESSIONID_SECOND_HALF_BOLD => BoldHalf::Second,
            _ => BoldHalf::First,
        };
        let id = (*ctx).sessionid;
        Ok(Conversation {
            state: context::message_state(ctx),
            version: version_from((*ctx).protocol_version),
            tags: context::tags_of(ctx),
            is_master: context::is_master(ctx),
            session_id: SessionId::new(id.get(..id_length).unwrap_or_default(), half),
            offer: match (*ctx).otr_offer {
                OFFER_SENT => Offer::Sent,
                OFFER_REJECTED => Offer::Rejected,
                OFFER_ACCEPTED => Offer::Accepted,
                _ => Offer::Not,
            },
            peer: active_peer(ctx),
            last_sent: time_from((*hidden).lastsent),
            generation: (*hidden).generation,
            retransmit: match (*hidden).may_retransmit {
                0 => Retransmit::No,
                _ => Retransmit::Again,
            },
            secrets: (*private).secrets.take().unwrap_or_default(),
        })
    }
}

#[inline(never)]
unsafe fn store(ctx: *mut ConnContext, conversation: Conversation) {
    // SAFETY: as in `load`, which has just found the private part.
    unsafe {
        let Some(private) = private_of(ctx) else {
            return;
        };
        let hidden = hidden(ctx);
        (*ctx).msgstate = match conversation.state {
            MessageState::Plaintext => MSGSTATE_PLAINTEXT,
            MessageState::Encrypted => MSGSTATE_ENCRYPTED,
            MessageState::Finished => MSGSTATE_FINISHED,
        };
        (*ctx).protocol_version = version_number(interface::shown_version(&conversation));
        let id = conversation.session_id.as_bytes();
        (*ctx).sessionid = [0; 20];
        ptr::copy_nonoverlapping(id.as_ptr(), (&raw mut (*ctx).sessionid).cast(), id.len());
        (*ctx).sessionid_len = id.len();
        (*ctx).sessionid_half = half_number(conversation.session_id.half());
        (*ctx).otr_offer = match conversation.offer {
            Offer::Not => OFFER_NOT,
            Offer::Sent => OFFER_SENT,
            Offer::Rejected => OFFER_REJECTED,
            Offer::Accepted => OFFER_ACCEPTED,
        };
        if let Some(peer) = conversation.peer
            && active_peer(ctx).is_none_or(|active| active.fingerprint != peer.fingerprint)
        {
            let mut fingerprint = peer.fingerprint;
            (*ctx).active_fingerprint =
                context::find_fingerprint(ctx, fingerprint.as_mut_ptr(), true, ptr::null_mut());
        }
        (*hidden).lastsent = c_time(conversation.last_sent);
        (*hidden).generation = conversation.generation;
        (*hidden).may_retransmit = match conversation.retransmit {
            Retransmit::No => 0,
            Retransmit::Again => 1,
        };
        let session = conversation.secrets.session.as_ref();
        (*hidden).our_keyid = session.map_or(0, |session| session.our_keyid());
        (*hidden).their_keyid = session.map_or(0, |session| session.their_keyid());
        (*private).secrets = Some(conversation.secrets);
    }
}

unsafe fn active_peer(ctx: *const ConnContext) -> Option<Peer> {
    // SAFETY: the caller vouches for the context; an active fingerprint is NULL or a live node.
    unsafe {
        let active = (*ctx).active_fingerprint;
        if active.is_null() || (*active).fingerprint.is_null() {
            return None;
        }
        let fingerprint = (*active).fingerprint.cast::<[u8; 20]>().read();
        let trusted = bytes_of((*active).trust).is_some_and(|trust| !trust.is_empty());
        Some(Peer {
            fingerprint,
            trusted,
        })
    }
}

/// A policy from its bits.
pub fn policy_from(bits: OtrlPolicy) -> Policy {
    let has = |bit| bits & bit != 0;
    Policy {
        versions: Versions {
            v1: has(POLICY_ALLOW_V1),
            v2: has(POLICY_ALLOW_V2),
            v3: interface::allows_v3(bits),
        },
        require_encryption: has(POLICY_REQUIRE_ENCRYPTION),
        send_whitespace_tag: has(POLICY_SEND_WHITESPACE_TAG),
        whitespace_start_ake: has(POLICY_WHITESPACE_START_AKE),
        error_start_ake: has(POLICY_ERROR_START_AKE),
        dialect: interface::DIALECT,
    }
}

impl From<ProtocolError> for GcryError {
    fn from(error: ProtocolError) -> Self {
        match error {
            ProtocolError::Invalid => Self::INV_VALUE,
            ProtocolError::Conflict => Self::CONFLICT,
            // GPG_ERR_BAD_SIGNATURE, from libgcrypt itself in the original.
            ProtocolError::BadSignature => Self::from_gcrypt(8),
            ProtocolError::UnusableKey => Self::UNUSABLE_SECKEY,
            ProtocolError::NoRandomness => Self::EIO,
            // GPG_ERR_TOO_LARGE
            ProtocolError::TooLong => Self::new(67),
            // GPG_ERR_LIMIT_REACHED
            ProtocolError::TooMany => Self::new(183),
            ProtocolError::OutOfMemory => Self::ENOMEM,
        }
    }
}

impl From<OutOfMemory> for GcryError {
    fn from(_: OutOfMemory) -> Self {
        Self::ENOMEM
    }
}

#[cfg(all(test, feature = "abi5"))]
mod tests {
    use super::*;
    use crate::abi::message::otrl_message_sending;
    use crate::abi::userstate::{otrl_userstate_create, otrl_userstate_free};

    /// What becomes of a text sent to somebody: the error, and whether there is a message.
    unsafe fn sent(us: OtrlUserState, to: &std::ffi::CStr) -> (bool, bool) {
        let mut message = ptr::null_mut();
        unsafe {
            let error = otrl_message_sending(
                us,
                ptr::null(),
                ptr::null_mut(),
                c"alice".as_ptr(),
                c"prpl-test".as_ptr(),
                to.as_ptr(),
                INSTAG_MASTER,
                c"a text".as_ptr(),
                ptr::null_mut(),
                &mut message,
                FRAGMENT_SEND_SKIP,
                ptr::null_mut(),
                None,
                ptr::null_mut(),
            );
            let there = !message.is_null();
            libc::free(message.cast());
            (error.is_error(), there)
        }
    }

    #[test]
    fn after_a_panic_a_conversation_refuses_to_send_and_no_other_does() {
        unsafe {
            let us = otrl_userstate_create();
            let [bob, _carol] = [c"bob", c"carol"].map(|name| {
                let names = context::Names {
                    user: name.as_ptr(),
                    account: c"alice".as_ptr(),
                    protocol: c"prpl-test".as_ptr(),
                    near: ptr::null_mut(),
                };
                let new = context::NewContexts {
                    add_appdata: None,
                    data: ptr::null_mut(),
                };
                context::find(us, names, INSTAG_MASTER, ptr::null_mut(), Some(new))
            });
            (*bob).msgstate = MSGSTATE_ENCRYPTED;
            let outcome = with_conversation(bob, |conversation| {
                conversation.state = MessageState::Plaintext;
                assert!(
                    conversation.version.is_some(),
                    "this panic is part of a test"
                );
            });
            assert_eq!(outcome, Err(GcryError::INTERNAL));
            assert_eq!((*bob).msgstate, MSGSTATE_ENCRYPTED);
            assert_eq!(sent(us, c"bob"), (true, false));
            let (error, _) = sent(us, c"carol");
            assert!(!error);
            context::force_plaintext(bob);
            let (error, _) = sent(us, c"bob");
            assert!(!error, "after a reset");
            otrl_userstate_free(us);
        }
    }
}
