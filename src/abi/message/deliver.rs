//! Delivering the effects of a step: in order, each with the context looked up afresh, while nothing
//! of the core is borrowed and nothing with a destructor is alive.

use std::collections::VecDeque;
use std::mem::ManuallyDrop;
use std::ptr;

use super::super::bridge::{with_conversation, with_smp};
use super::super::context::{self, Handle};
use super::super::context_priv::private_of;
use super::super::error::GcryError;
use super::super::memory::{bytes_of, c_string};
use super::super::smp_numbers::expected_number;
use super::super::types::*;
use super::client::Client;
use super::clock::now;
use super::poll::{POLL_INTERVAL, watch};
use super::transmit::transmit_all;
use crate::protocol::conversation::RESENT_PREFIX;
use crate::protocol::effects::{Effect, ErrorCode, Notice, SmpEvent, Task};

/// Delivers `effects` and what follows from them. Stops when the context is gone or a session could not be opened.
///
/// # Safety
/// `handle` names a context of the client's user state, and nothing the client can reach is borrowed.
pub unsafe fn deliver(client: Client, handle: Handle, effects: Vec<Effect>) {
    // Should a callback never return, this memory is lost, and nothing else.
    let mut queue = ManuallyDrop::new(VecDeque::from(effects));
    while let Some(effect) = queue.pop_front() {
        let effect = ManuallyDrop::new(effect);
        // SAFETY: the caller's promise; the handle says whether the context is still there.
        unsafe {
            let Some(ctx) = handle.get(client.us) else {
                break;
            };
            match &*effect {
                Effect::Then(task) => {
                    let more = bring_back(client, handle, ctx, task);
                    for effect in more.into_iter().rev() {
                        queue.push_front(effect);
                    }
                }
                told => tell(client, handle, ctx, told),
            }
        }
        drop(ManuallyDrop::into_inner(effect));
    }
    drop(ManuallyDrop::into_inner(queue));
}

/// Delivers one effect that asks nothing more of the core.
unsafe fn tell(client: Client, handle: Handle, ctx: *mut ConnContext, effect: &Effect) {
    // SAFETY: the caller vouches for the context, which each arm uses before its first callback.
    unsafe {
        match effect {
            Effect::Inject(message) => {
                // The peer will ask again for what could not be sent.
                let _ = transmit_all(client, handle, message);
            }
            Effect::RecentlySent => context::update_recent_child(ctx, true),
            Effect::Notify(notice, text) => {
                let text = text.as_deref().map_or(ptr::null_mut(), c_string);
                // What is for another instance concerns the correspondent, not the instance that got it.
                let about = match notice {
                    Notice::ReceivedForOtherInstance if !(*ctx).m_context.is_null() => {
                        (*ctx).m_context
                    }
                    _ => ctx,
                };
                client.message_event(event_number(*notice), about, text, GcryError::NO_ERROR);
                libc::free(text.cast());
            }
            Effect::SetupFailed(error) => {
                client.message_event(
                    MSGEVENT_SETUP_ERROR,
                    ctx,
                    ptr::null(),
                    GcryError::from(*error),
                );
            }
            Effect::ReportError(code) => report_error(client, handle, ctx, *code),
            Effect::FingerprintSeen(fingerprint) => {
                let mut fingerprint = *fingerprint;
                let mut added = 0;
                context::find_fingerprint(ctx, fingerprint.as_mut_ptr(), true, &raw mut added);
                if added != 0 {
                    client.new_fingerprint(ctx, fingerprint.as_mut_ptr());
                    client.write_fingerprints();
                }
            }
            Effect::ContextListChanged => client.update_context_list(),
            Effect::GoneSecure => client.gone_secure(ctx),
            Effect::StillSecure(initiated) => client.still_secure(ctx, (*initiated).into()),
            Effect::Finish => context::force_finished(ctx),
            Effect::ExtraKey(purpose, data, key) => {
                client.received_symkey(ctx, *purpose, data.as_ptr(), data.len(), key.as_ptr());
            }
            Effect::Smp(event, percent, question) => {
                let question = question.as_deref().map_or(ptr::null_mut(), c_string);
                let aborted = *event == SmpEvent::Abort;
                mark_abort(ctx, aborted);
                client.smp_event(smp_event_number(*event), ctx, *percent, question);
                libc::free(question.cast());
                if aborted && let Some(ctx) = handle.get(client.us) {
                    mark_abort(ctx, false);
                }
            }
            Effect::SmpExpect(expected) => {
                if let Some(state) = (*ctx).smstate.as_mut() {
                    state.next_expected = expected_number(*expected);
                }
            }
            Effect::SmpReset => {
                if let Some(state) = (*ctx).smstate.as_mut() {
                    state.next_expected = SMP_EXPECT1;
                    state.sm_prog_state = SMP_PROG_OK;
                }
            }
            Effect::Trust(trusted) => {
                let trust = if *trusted { c"smp" } else { c"" };
                context::set_trust((*ctx).active_fingerprint, trust.as_ptr());
                client.write_fingerprints();
            }
            Effect::WatchCommit => watch(client, POLL_INTERVAL),
            Effect::Then(_) => {}
        }
    }
}

/// Brings a task back to the core.
unsafe fn bring_back(
    client: Client,
    handle: Handle,
    ctx: *mut ConnContext,
    task: &Task,
) -> Vec<Effect> {
    let now = now();
    // SAFETY: the caller vouches for the context.
    let outcome = unsafe {
        match task {
            Task::Activate(established, reply) => {
                super::super::exchange::show_their_side(&raw mut (*ctx).auth, established);
                with_conversation(ctx, |c| c.activate(established, reply.clone(), now))
            }
            Task::Resend => return resend(client, handle, ctx, now),
            Task::SmpMessages(tlvs) => with_smp(ctx, |c, smp| c.on_smp_messages(smp, tlvs)),
            Task::SmpMessage(tlv, expected) => {
                with_smp(ctx, |c, smp| c.on_smp_message(smp, tlv, *expected))
            }
            Task::SendTlv(tlv) => with_conversation(ctx, |c| c.send_tlv(tlv.clone())),
            Task::Heartbeat => with_conversation(ctx, |c| c.heartbeat(now)),
        }
    };
    // After a panic the conversation is closed already; there is nothing more to tell.
    outcome.unwrap_or_default()
}

unsafe fn resend(client: Client, handle: Handle, ctx: *mut ConnContext, now: i64) -> Vec<Effect> {
    // SAFETY: the caller vouches for the context; it is looked up again after the callback.
    unsafe {
        match with_conversation(ctx, |c| c.resend_is_due(now)) {
            Ok(Some(true)) => {}
            Ok(Some(false)) => {
                return with_conversation(ctx, |c| c.resend(None, now)).unwrap_or_default();
            }
            _ => return Vec::new(),
        }
        let prefix = client.resent_prefix(ctx);
        let effects = match handle.get(client.us) {
            Some(ctx) => {
                let words = bytes_of(prefix).unwrap_or(RESENT_PREFIX);
                with_conversation(ctx, |c| c.resend(Some(words), now)).unwrap_or_default()
            }
            None => Vec::new(),
        };
        libc::free(prefix.cast());
        effects
    }
}

unsafe fn report_error(client: Client, handle: Handle, ctx: *mut ConnContext, code: ErrorCode) {
    // SAFETY: the caller vouches for the context.
    unsafe {
        if !client.can_inject() {
            return;
        }
        let message = client.error_message(ctx, error_number(code));
        if !message.is_null() {
            let _ = super::transmit::transmit(
                client,
                handle,
                message,
                FRAGMENT_SEND_ALL,
                ptr::null_mut(),
            );
            libc::free(message.cast());
        }
    }
}

/// Notes that the correspondent's abort is being delivered, so that the client's own is not sent as an echo.
unsafe fn mark_abort(ctx: *mut ConnContext, delivering: bool) {
    // SAFETY: the caller vouches for the context.
    unsafe {
        if let Some(private) = private_of(ctx) {
            (*private).secrets.delivering_abort = delivering;
        }
    }
}

/// The event as the interface numbers it.
pub fn event_number(notice: Notice) -> OtrlMessageEvent {
    match notice {
        Notice::EncryptionRequired => MSGEVENT_ENCRYPTION_REQUIRED,
        Notice::EncryptionError => MSGEVENT_ENCRYPTION_ERROR,
        Notice::ConnectionEnded => MSGEVENT_CONNECTION_ENDED,
        Notice::MessageReflected => MSGEVENT_MSG_REFLECTED,
        Notice::MessageResent => MSGEVENT_MSG_RESENT,
        Notice::ReceivedNotInPrivate => MSGEVENT_RCVDMSG_NOT_IN_PRIVATE,
        Notice::ReceivedUnreadable => MSGEVENT_RCVDMSG_UNREADABLE,
        Notice::ReceivedMalformed => MSGEVENT_RCVDMSG_MALFORMED,
        Notice::HeartbeatReceived => MSGEVENT_LOG_HEARTBEAT_RCVD,
        Notice::HeartbeatSent => MSGEVENT_LOG_HEARTBEAT_SENT,
        Notice::ReceivedError => MSGEVENT_RCVDMSG_GENERAL_ERR,
        Notice::ReceivedUnencrypted => MSGEVENT_RCVDMSG_UNENCRYPTED,
        Notice::ReceivedUnrecognised => MSGEVENT_RCVDMSG_UNRECOGNIZED,
        Notice::ReceivedForOtherInstance => MSGEVENT_RCVDMSG_FOR_OTHER_INSTANCE,
    }
}

fn smp_event_number(event: SmpEvent) -> OtrlSmpEvent {
    match event {
        SmpEvent::Error => SMPEVENT_ERROR,
        SmpEvent::Abort => SMPEVENT_ABORT,
        SmpEvent::Cheated => SMPEVENT_CHEATED,
        SmpEvent::AskForAnswer => SMPEVENT_ASK_FOR_ANSWER,
        SmpEvent::AskForSecret => SMPEVENT_ASK_FOR_SECRET,
        SmpEvent::InProgress => SMPEVENT_IN_PROGRESS,
        SmpEvent::Success => SMPEVENT_SUCCESS,
        SmpEvent::Failure => SMPEVENT_FAILURE,
    }
}

/// The error as the interface numbers it.
pub fn error_number(code: ErrorCode) -> OtrlErrorCode {
    match code {
        ErrorCode::Encryption => ERRCODE_ENCRYPTION_ERROR,
        ErrorCode::Unreadable => ERRCODE_MSG_UNREADABLE,
        ErrorCode::Malformed => ERRCODE_MSG_MALFORMED,
    }
}
