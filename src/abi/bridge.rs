//! The bridge between the public structs and the core: what a step needs is read from the struct, the step runs without a
//! borrow of C memory, and the result is written back before the client hears of it.
//!
//! The public struct is authoritative for every public member: clients write some of them at any time.

use super::context::Ctx;
use super::context_priv::private_members;
use super::entry::{guard, may_panic};
use super::error::GcryError;
use super::exchange;
use super::numbers::{c_time, half_number, time_from, version_from, version_number};
use super::private::Private;
use super::reserve;
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
use std::mem;

#[cfg(feature = "abi2")]
mod abi2;
#[cfg(feature = "abi5")]
mod abi5;

#[cfg(feature = "abi2")]
use abi2 as interface;
#[cfg(feature = "abi5")]
use abi5 as interface;

pub(crate) use interface::DIALECT;

// The steps are not inlined: a function with several of them would need stack space for all of them at once.

/// Runs a step on a conversation. After a panic the conversation has no session any more, and sending is refused until it is
/// reset.
///
/// # Errors
/// `INV_VALUE` for a context that a client made itself; `INTERNAL` after a panic.
#[inline(never)]
pub(crate) fn with_conversation<T>(
    ctx: Ctx<'_>,
    step: impl FnOnce(&mut Conversation) -> T,
) -> Result<T, GcryError> {
    let private = ctx.private().ok_or(GcryError::INV_VALUE)?;
    // It stays where `load` puts it. After a panic it is dropped, with the session that was taken out of the private part.
    let mut loaded = load(ctx, private);
    let conversation = loaded.as_mut().map_err(|error| *error)?;
    let outcome = guard(|| {
        let outcome = step(conversation);
        may_panic();
        outcome
    })?;
    store(ctx, conversation);
    loaded.map(|conversation| private.put_secrets(conversation.secrets))?;
    Ok(outcome)
}

/// Runs a step on nothing but the private part of a conversation.
///
/// # Errors
/// As for [`with_conversation`].
pub(crate) fn with_secrets<T>(
    ctx: Ctx<'_>,
    step: impl FnOnce(&mut Secrets) -> T,
) -> Result<T, GcryError> {
    let private = ctx.private().ok_or(GcryError::INV_VALUE)?;
    let mut secrets = private.take_secrets();
    let outcome = guard(|| step(&mut secrets))?;
    private.put_secrets(secrets);
    Ok(outcome)
}

/// Runs a step on what a message that arrives needs of a conversation: its private part, its state and its offer.
///
/// # Errors
/// As for [`with_conversation`].
pub(crate) fn with_arrival<T>(
    ctx: Ctx<'_>,
    step: impl FnOnce(&mut Secrets, MessageState, &mut Offer) -> T,
) -> Result<T, GcryError> {
    let before = offer_of(ctx);
    let mut offer = before;
    let outcome = with_secrets(ctx, |secrets| step(secrets, ctx.state(), &mut offer))?;
    if offer != before {
        show_offer(ctx, offer);
    }
    Ok(outcome)
}

/// Runs a step on a conversation and on what all instances of the correspondent share.
///
/// # Errors
/// As for [`with_conversation`].
pub(crate) fn with_correspondent<T>(
    ctx: Ctx<'_>,
    step: impl FnOnce(&mut Conversation, &mut Correspondent) -> T,
) -> Result<T, GcryError> {
    // It stays after a panic too: a pair that has opened a session must stay on record.
    let mut shared = ctx.shared().ok_or(GcryError::INV_VALUE)?;
    with_conversation(ctx, |conversation| step(conversation, &mut shared))
}

/// Runs a step on a conversation, its key exchange, and what all instances of the correspondent share.
///
/// # Errors
/// As for [`with_conversation`]; `ENOMEM`: the exchange is discarded.
#[inline(never)]
pub(crate) fn with_exchange<T>(
    ctx: Ctx<'_>,
    step: impl FnOnce(&mut Conversation, &mut Auth, &mut Correspondent) -> T,
) -> Result<T, GcryError> {
    if ctx.private().is_none() {
        return Err(GcryError::INV_VALUE);
    }
    let mut auth = exchange::load_of(ctx);
    let sent_before = ctx.last_sent();
    let outcome = with_correspondent(ctx, |conversation, shared| {
        step(conversation, &mut auth, shared)
    })?;
    interface::note_exchange(ctx, sent_before);
    // On an error the step's effects are dropped: their exchange no longer exists.
    exchange::store_of(ctx, &auth)?;
    Ok(outcome)
}

/// Runs a step of a key exchange on a conversation. Whether its messages count as sent depends on the interface.
///
/// # Errors
/// As for [`with_conversation`].
pub(crate) fn with_exchanging<T>(
    ctx: Ctx<'_>,
    step: impl FnOnce(&mut Conversation) -> T,
) -> Result<T, GcryError> {
    let sent_before = ctx.last_sent();
    let outcome = with_conversation(ctx, step)?;
    interface::note_exchange(ctx, sent_before);
    Ok(outcome)
}

/// Runs a step on a conversation and its SMP.
///
/// # Errors
/// As for [`with_conversation`]; `INV_VALUE` also for a context without an SMP state.
#[inline(never)]
pub(crate) fn with_smp<T>(
    ctx: Ctx<'_>,
    step: impl FnOnce(&mut Conversation, &mut Smp) -> T,
) -> Result<T, GcryError> {
    let mut smp = smp_numbers::load_of(ctx).ok_or(GcryError::INV_VALUE)?;
    let outcome = with_conversation(ctx, |conversation| {
        smp.bases = mem::take(&mut conversation.secrets.smp_bases);
        let outcome = step(conversation, &mut smp);
        // Nothing that is kept may lie in the reserve.
        if !reserve::is_in_use() {
            conversation.secrets.smp_bases = mem::take(&mut smp.bases);
        }
        outcome
    })?;
    smp_numbers::store_of(ctx, &smp);
    Ok(outcome)
}

#[inline(never)]
fn load(ctx: Ctx<'_>, private: &Private) -> Result<Conversation, GcryError> {
    let context = ctx.borrowed();
    let members = private_members(context).ok_or(GcryError::INV_VALUE)?;
    let half = match context.sessionid_half().get() {
        SESSIONID_SECOND_HALF_BOLD => BoldHalf::Second,
        _ => BoldHalf::First,
    };
    Ok(Conversation {
        state: ctx.state(),
        version: version_from(ctx.protocol_version()),
        tags: ctx.tags(),
        is_master: ctx.is_master(),
        session_id: SessionId::from_padded(
            context.sessionid().get(),
            context.sessionid_len().get(),
            half,
        ),
        offer: offer_of(ctx),
        peer: active_peer(ctx),
        last_sent: time_from(members.lastsent().get()),
        generation: members.generation().get(),
        retransmit: match members.may_retransmit().get() {
            0 => Retransmit::No,
            _ => Retransmit::Again,
        },
        secrets: private.take_secrets(),
    })
}

#[inline(never)]
fn store(ctx: Ctx<'_>, conversation: &Conversation) {
    let context = ctx.borrowed();
    context.msgstate().set(match conversation.state {
        MessageState::Plaintext => MSGSTATE_PLAINTEXT,
        MessageState::Encrypted => MSGSTATE_ENCRYPTED,
        MessageState::Finished => MSGSTATE_FINISHED,
    });
    let version = version_number(interface::shown_version(conversation));
    context.protocol_version().set(version);
    show_offer(ctx, conversation.offer);
    if let Some(members) = private_members(context) {
        if members.generation().get() != conversation.generation {
            show_session(ctx, conversation);
        }
        let session = conversation.secrets.session.as_ref();
        members.lastsent().set(c_time(conversation.last_sent));
        members.generation().set(conversation.generation);
        members.may_retransmit().set(match conversation.retransmit {
            Retransmit::No => 0,
            Retransmit::Again => 1,
        });
        let our_keyid = session.map_or(0, |session| session.our_keyid());
        members.our_keyid().set(our_keyid);
        let their_keyid = session.map_or(0, |session| session.their_keyid());
        members.their_keyid().set(their_keyid);
    }
}

/// What only a new session changes.
fn show_session(ctx: Ctx<'_>, conversation: &Conversation) {
    let peer = conversation.peer.as_ref().map(|peer| &peer.fingerprint);
    if let Some(peer) = peer.filter(|peer| !ctx.is_active(peer)) {
        ctx.activate_fingerprint(peer);
    }
    let (context, id) = (ctx.borrowed(), &conversation.session_id);
    context.sessionid().set(*id.as_padded_bytes());
    context.sessionid_len().set(id.as_bytes().len());
    context.sessionid_half().set(half_number(id.half()));
}

fn offer_of(ctx: Ctx<'_>) -> Offer {
    match ctx.borrowed().otr_offer().get() {
        OFFER_SENT => Offer::Sent,
        OFFER_REJECTED => Offer::Rejected,
        OFFER_ACCEPTED => Offer::Accepted,
        _ => Offer::Not,
    }
}

fn show_offer(ctx: Ctx<'_>, offer: Offer) {
    ctx.borrowed().otr_offer().set(match offer {
        Offer::Not => OFFER_NOT,
        Offer::Sent => OFFER_SENT,
        Offer::Rejected => OFFER_REJECTED,
        Offer::Accepted => OFFER_ACCEPTED,
    });
}

fn active_peer(ctx: Ctx<'_>) -> Option<Peer> {
    let (fingerprint, trusted) = ctx.active_fingerprint()?;
    Some(Peer {
        fingerprint,
        trusted,
    })
}

/// A policy from its bits.
pub(crate) fn policy_from(bits: OtrlPolicy) -> Policy {
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
            // GPG_ERR_BAD_SIGNATURE, which libgcrypt itself reports in libotr.
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
    use crate::abi::borrowed::borrow;
    use crate::abi::context;
    use crate::abi::message::otrl_message_sending;
    use crate::abi::userstate::{otrl_userstate_create, otrl_userstate_free};
    use std::ptr;

    /// The result of sending a text: whether there was an error, and whether there is a message.
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
                let (account, protocol) = (c"alice".as_ptr(), c"prpl-test".as_ptr());
                let names = context::Names::new(name.as_ptr(), account, protocol).unwrap();
                context::find_or_add(
                    borrow(us),
                    &names,
                    INSTAG_MASTER,
                    context::NewContexts::QUIET,
                )
                .unwrap()
                .0
            });
            bob.msgstate().set(MSGSTATE_ENCRYPTED);
            let outcome = with_conversation(Ctx::from(bob), |conversation| {
                conversation.state = MessageState::Plaintext;
                assert!(
                    conversation.version.is_some(),
                    "this panic is part of a test"
                );
            });
            assert_eq!(outcome, Err(GcryError::INTERNAL));
            assert_eq!(bob.msgstate().get(), MSGSTATE_ENCRYPTED);
            assert_eq!(sent(us, c"bob"), (true, false));
            let (error, _) = sent(us, c"carol");
            assert!(!error);
            Ctx::from(bob).force_plaintext();
            let (error, _) = sent(us, c"bob");
            assert!(!error, "after a reset");
            otrl_userstate_free(us);
        }
    }
}
