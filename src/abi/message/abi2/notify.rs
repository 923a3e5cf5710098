//! Notices for a client of libotr 3: texts, in a line or a window or instead of the message, and some lines for its log.

use std::ffi::CStr;

use super::callbacks::Note;
use super::texts::{self, Window, Wording};
use crate::abi::bridge::with_secrets;
use crate::abi::context::{Ctx, Handle};
use crate::abi::error::GcryError;
use crate::abi::error_text::gcry_strerror;
use crate::abi::memory::bytes_of;
use crate::abi::message::call::Call;
use crate::abi::message::transmit::transmit;
use crate::abi::smp_numbers::expected_number;
use crate::abi::text::CText;
use crate::abi::types::*;
use otr_protocol::conversation::RESENT_PREFIX;
use otr_protocol::effects::{Effect, ErrorCode, Notice, unexpected_data};
use otr_protocol::wire::error_message::compose;

/// The mark of a text that was sent again.
const RESENT_MARK: &[u8] = b"[resent] ";

/// The texts of a notice: a line, and a window if there is one.
struct Words {
    line: CText,
    window: Option<Note>,
}

impl Words {
    fn new(wording: &Wording) -> Self {
        Self {
            line: CText::up_to_nul(&wording.line),
            window: wording.window.as_ref().map(note_of),
        }
    }

    fn free(self) {
        self.line.free();
        if let Some(note) = self.window {
            note.title.free();
            note.primary.free();
            note.secondary.free();
        }
    }
}

fn note_of(window: &Window) -> Note {
    Note {
        level: if window.is_error {
            NOTIFY_ERROR
        } else {
            NOTIFY_WARNING
        },
        title: CText::new(window.title.as_bytes()),
        primary: CText::up_to_nul(&window.primary),
        secondary: match window.secondary {
            "" => CText::NONE,
            words => CText::new(words.as_bytes()),
        },
    }
}

/// Tells the client about the effects that differ between the interfaces. Those that it learns from TLVs (the SMP) or not at
/// all (extra keys, timers) are skipped.
pub(crate) fn tell(call: &mut Call<'_>, handle: Handle, effect: &Effect) {
    match effect {
        Effect::Notify(what, text) => {
            let text = text.as_deref().map_or(CText::NONE, CText::up_to_nul);
            notice(call, handle, *what, text.c_str());
            text.free();
        }
        Effect::SetupFailed(error) => setup_failed(call, handle, GcryError::from(*error)),
        Effect::ReportError(ErrorCode::NotInPrivate) => report_unexpected_data(call, handle),
        Effect::ReportError(code) => {
            let message = error_text(call, handle, *code);
            let _ = transmit(call, handle, message.c_str(), FRAGMENT_SEND_ALL).map(CText::free);
            message.free();
        }
        Effect::SmpExpect(expected) => {
            if let Some(ctx) = call.get(handle) {
                ctx.expect_in_smp(expected_number(*expected));
            }
        }
        // The client gets its messages as TLVs, and from the second on it sets the expected message itself.
        _ => {}
    }
}

/// Tells the client what happened to a message; some notices have its text.
pub(crate) fn notice(call: &mut Call<'_>, handle: Handle, notice: Notice, text: Option<&CStr>) {
    let Some(user) = call.get(handle).map(Ctx::user) else {
        return;
    };
    if let Some(line) = texts::log_line(notice, user).map(|line| CText::up_to_nul(&line)) {
        if let Some(line) = line.c_str() {
            call.log(line);
        }
        line.free();
        return;
    }
    let message = text.map_or(&b""[..], CStr::to_bytes);
    let words = texts::wording(notice, user, message).map(|wording| Words::new(&wording));
    match words {
        Some(words) if words.window.is_some() => displayed_or_in_a_window(call, handle, words),
        Some(words) => displayed_or_answered(call, handle, words.line),
        None => {}
    }
}

/// Shows a notice in the conversation or else in a window. A context that the first callback forgets is not shown to the
/// second.
fn displayed_or_in_a_window(call: &mut Call<'_>, handle: Handle, words: Words) {
    let line = words.line.c_str();
    if line.is_some_and(|line| !call.display(handle, line)) {
        let note = words.window.as_ref();
        if let Some(note) = note.filter(|note| !note.title.is_null()) {
            call.notify(handle, note);
        }
    }
    words.free();
}

/// Shows a notice in the conversation, or else as the message that the client is about to get.
pub(crate) fn displayed_or_inline(
    call: &mut Call<'_>,
    handle: Handle,
    notice: Notice,
    text: Option<&CStr>,
) {
    let Some(user) = call.get(handle).map(Ctx::user) else {
        return;
    };
    let message = text.map_or(&b""[..], CStr::to_bytes);
    if let Some(wording) = texts::wording(notice, user, message) {
        let line = CText::up_to_nul(&wording.line);
        drop(wording);
        displayed_or_answered(call, handle, line);
    }
}

fn displayed_or_answered(call: &mut Call<'_>, handle: Handle, line: CText) {
    let Some(words) = line.c_str() else {
        return;
    };
    if call.display(handle, words) || !call.answer.takes_notices {
        line.free();
    } else {
        call.answer.text.replace(line);
    }
}

/// Tells the client that no session could be set up.
pub(crate) fn setup_failed(call: &mut Call<'_>, handle: Handle, error: GcryError) {
    let reason: &[u8] = if error.code() == GcryError::INV_VALUE.code() {
        b"a malformed message was received"
    } else {
        // SAFETY: a constant text.
        unsafe { bytes_of(gcry_strerror(error)) }.unwrap_or_default()
    };
    if let Some(words) = texts::setup_failed(reason).map(|words| Words::new(&words)) {
        displayed_or_in_a_window(call, handle, words);
    }
}

/// Called when an SMP message of the user does not fit into a data message. There is no event for it.
pub(crate) fn smp_not_sent(call: &mut Call<'_>, handle: Handle) {
    notice(call, handle, Notice::EncryptionError, None);
}

/// The message that tells the correspondent of an error.
pub(crate) fn error_text(_call: &mut Call<'_>, _handle: Handle, code: ErrorCode) -> CText {
    let message = compose(code.phrase().as_bytes());
    message.map_or(CText::NONE, |message| CText::up_to_nul(&message))
}

/// The prefix of a text that is sent again: none if it has the prefix already.
pub(crate) fn resent_prefix(call: &mut Call<'_>, handle: Handle) -> CText {
    let marked = call.get(handle).is_some_and(|ctx| {
        with_secrets(ctx, |secrets| secrets.last_message_begins(RESENT_MARK)).unwrap_or(false)
    });
    CText::new(if marked { b"" } else { RESENT_PREFIX })
}

/// Tells the correspondent that there is no session, in our account's name.
fn report_unexpected_data(call: &mut Call<'_>, handle: Handle) {
    if !call.can_inject() {
        return;
    }
    let name = call.account_name(handle);
    // SAFETY: NULL or a C string of the client, which lives until it is freed below.
    let ours = match unsafe { bytes_of(name) } {
        Some(name) => name,
        None => call.get(handle).map(Ctx::account).unwrap_or_default(),
    };
    let message = unexpected_data(ours)
        .and_then(|words| compose(&words))
        .map_or(CText::NONE, |message| CText::up_to_nul(&message));
    let _ = transmit(call, handle, message.c_str(), FRAGMENT_SEND_ALL).map(CText::free);
    message.free();
    call.free_account_name(name);
}
