//! What a client of libotr 4 is told: events with numbers, whose words it finds itself.

use std::ffi::c_char;
use std::ptr;

use super::poll::{POLL_INTERVAL, watch};
use crate::abi::context::{self, Handle};
use crate::abi::context_priv::private_of;
use crate::abi::error::GcryError;
use crate::abi::memory::c_string;
use crate::abi::message::client::Client;
use crate::abi::message::transmit::transmit;
use crate::abi::smp_numbers::expected_number;
use crate::abi::types::*;
use otr_protocol::effects::{Effect, ErrorCode, Notice, SmpEvent};

/// Tells the effects that both interfaces tell in their own way.
///
/// # Safety
/// `ctx` is the live context of `handle`, and nothing the client can reach is borrowed.
pub unsafe fn tell(client: Client, handle: Handle, ctx: *mut ConnContext, effect: &Effect) {
    // SAFETY: the caller vouches for the context, which each arm uses before its first callback.
    unsafe {
        match effect {
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
                self::notice(client, about, *notice, text);
                libc::free(text.cast());
            }
            Effect::SetupFailed(error) => {
                setup_failed(client, ctx, GcryError::from(*error));
            }
            Effect::ReportError(code) => report_error(client, handle, ctx, *code),
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
            Effect::SmpExpect(expected) | Effect::SmpAdvance(expected) => {
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
            Effect::WatchCommit => watch(client, POLL_INTERVAL),
            _ => {}
        }
    }
}

/// Tells what happened to a message. `text` is NULL or goes with it.
///
/// # Safety
/// As for all callbacks.
pub unsafe fn notice(client: Client, ctx: *mut ConnContext, notice: Notice, text: *const c_char) {
    // SAFETY: the caller's promise.
    unsafe { client.message_event(event_number(notice), ctx, text, GcryError::NO_ERROR) }
}

/// Tells that no session could be set up.
///
/// # Safety
/// As for all callbacks.
pub unsafe fn setup_failed(client: Client, ctx: *mut ConnContext, error: GcryError) {
    // SAFETY: the caller's promise.
    unsafe { client.message_event(MSGEVENT_SETUP_ERROR, ctx, ptr::null(), error) }
}

/// Tells that an SMP message of the user's could not be sent: it does not fit into a message.
///
/// # Safety
/// As for all callbacks.
pub unsafe fn smp_not_sent(client: Client, ctx: *mut ConnContext) {
    // SAFETY: the caller's promise.
    unsafe { client.smp_event(SMPEVENT_ERROR, ctx, 0, ptr::null_mut()) }
}

/// The message that tells the correspondent of an error, malloc'ed; NULL if the client has no words for it.
///
/// # Safety
/// As for all callbacks.
pub unsafe fn error_text(client: Client, ctx: *mut ConnContext, code: ErrorCode) -> *mut c_char {
    // SAFETY: the caller's promise.
    unsafe { client.error_message(ctx, error_number(code)) }
}

/// What goes before a text that is sent again, malloc'ed; NULL for the usual words.
///
/// # Safety
/// As for all callbacks.
pub unsafe fn resent_prefix(client: Client, ctx: *mut ConnContext) -> *mut c_char {
    // SAFETY: the caller's promise.
    unsafe { client.resent_prefix(ctx) }
}

/// Tells the correspondent of an error, in the client's words.
///
/// # Safety
/// `ctx` is the live context of `handle`, and nothing the client can reach is borrowed.
pub unsafe fn report_error(client: Client, handle: Handle, ctx: *mut ConnContext, code: ErrorCode) {
    // SAFETY: the caller vouches for the context.
    unsafe {
        if !client.can_inject() {
            return;
        }
        let message = error_text(client, ctx, code);
        if !message.is_null() {
            let _ = transmit(client, handle, message, FRAGMENT_SEND_ALL, ptr::null_mut());
            libc::free(message.cast());
        }
    }
}

/// Notes that the correspondent's abort is being delivered, so that the client's own is not sent as an echo.
unsafe fn mark_abort(ctx: *mut ConnContext, delivering: bool) {
    // SAFETY: the caller vouches for the context.
    unsafe {
        if let Some(private) = private_of(ctx)
            && let Some(secrets) = &mut (*private).secrets
        {
            secrets.delivering_abort = delivering;
        }
    }
}
fn event_number(notice: Notice) -> OtrlMessageEvent {
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

fn error_number(code: ErrorCode) -> OtrlErrorCode {
    match code {
        ErrorCode::Encryption => ERRCODE_ENCRYPTION_ERROR,
        ErrorCode::NotInPrivate => ERRCODE_MSG_NOT_IN_PRIVATE,
        ErrorCode::Unreadable => ERRCODE_MSG_UNREADABLE,
        ErrorCode::Malformed => ERRCODE_MSG_MALFORMED,
    }
}
