//! Notices for a client of libotr 4: numbered events, whose texts are up to the client.

use std::ffi::CStr;

use super::poll::{POLL_INTERVAL, watch};
use crate::abi::context::{Ctx, Handle};
use crate::abi::error::GcryError;
use crate::abi::message::call::Call;
use crate::abi::message::transmit::transmit;
use crate::abi::smp_numbers::expected_number;
use crate::abi::text::CText;
use crate::abi::types::*;
use otr_protocol::effects::{Effect, ErrorCode, Notice, SmpEvent};

/// Tells the client about the effects that differ between the interfaces.
pub(crate) fn tell(call: &mut Call<'_>, handle: Handle, effect: &Effect) {
    let Some(ctx) = call.get(handle) else {
        return;
    };
    match effect {
        Effect::RecentlySent => ctx.note_written_to(),
        Effect::Notify(notice, text) => {
            // A message for another instance concerns the correspondent, not the instance that received it.
            let about = match notice {
                Notice::ReceivedForOtherInstance => ctx.master().handle(),
                _ => handle,
            };
            let text = text.as_deref().map_or(CText::NONE, CText::up_to_nul);
            self::notice(call, about, *notice, text.c_str());
            text.free();
        }
        Effect::SetupFailed(error) => setup_failed(call, handle, GcryError::from(*error)),
        Effect::ReportError(code) => report_error(call, handle, *code),
        Effect::ExtraKey(purpose, data, key) => call.received_symkey(handle, *purpose, data, key),
        Effect::Smp(event, percent, question) => {
            let mut question = question.as_deref().map_or(CText::NONE, CText::up_to_nul);
            let aborted = *event == SmpEvent::Abort;
            mark_abort(ctx, aborted);
            call.smp_event(smp_event_number(*event), handle, *percent, &mut question);
            question.free();
            if let Some(ctx) = call.get(handle).filter(|_| aborted) {
                mark_abort(ctx, false);
            }
        }
        Effect::SmpExpect(expected) | Effect::SmpAdvance(expected) => {
            ctx.expect_in_smp(expected_number(*expected));
        }
        Effect::SmpReset => ctx.reset_smp(),
        Effect::WatchCommit => watch(call, POLL_INTERVAL),
        _ => {}
    }
}

/// Tells the client what happened to a message; some notices have its text.
pub(crate) fn notice(call: &mut Call<'_>, handle: Handle, notice: Notice, text: Option<&CStr>) {
    call.message_event(event_number(notice), handle, text, GcryError::NO_ERROR);
}

/// Tells the client that no session could be set up.
pub(crate) fn setup_failed(call: &mut Call<'_>, handle: Handle, error: GcryError) {
    call.message_event(MSGEVENT_SETUP_ERROR, handle, None, error);
}

/// Tells the client that an SMP message of the user could not be sent, because it does not fit into a data message.
pub(crate) fn smp_not_sent(call: &mut Call<'_>, handle: Handle) {
    let mut no_question = CText::NONE;
    call.smp_event(SMPEVENT_ERROR, handle, 0, &mut no_question);
}

/// The message that tells the correspondent of an error; none if the client has no text for it.
pub(crate) fn error_text(call: &mut Call<'_>, handle: Handle, code: ErrorCode) -> CText {
    call.error_message(handle, error_number(code))
}

/// The prefix of a text that is sent again; none for the default prefix.
pub(crate) fn resent_prefix(call: &mut Call<'_>, handle: Handle) -> CText {
    call.prefix_of_resent(handle)
}

/// Tells the correspondent of an error, with the client's text.
fn report_error(call: &mut Call<'_>, handle: Handle, code: ErrorCode) {
    if !call.can_inject() {
        return;
    }
    let message = error_text(call, handle, code);
    if !message.is_null() {
        let _ = transmit(call, handle, message.c_str(), FRAGMENT_SEND_ALL).map(CText::free);
        message.free();
    }
}

/// Notes that the correspondent's abort is being delivered, so that the client's own is not sent as an echo.
fn mark_abort(ctx: Ctx<'_>, delivering: bool) {
    ctx.look_at_secrets(|secrets| secrets.delivering_abort = delivering);
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
