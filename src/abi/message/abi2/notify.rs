//! What a client of libotr 3 is told: texts, in a line or a window or in place of the message, and some lines for its log.

use std::ffi::c_char;
use std::ptr;

use super::callbacks::Note;
use super::texts::{self, Window, Wording};
use crate::abi::bridge::with_secrets;
use crate::abi::context::Handle;
use crate::abi::error::GcryError;
use crate::abi::error_text::gcry_strerror;
use crate::abi::memory::{bytes_of, c_string, free_and_clear};
use crate::abi::message::client::Client;
use crate::abi::message::transmit::transmit;
use crate::abi::smp_numbers::expected_number;
use crate::abi::types::*;
use otr_protocol::conversation::RESENT_PREFIX;
use otr_protocol::effects::{Effect, ErrorCode, Notice, unexpected_data};
use otr_protocol::wire::error_message::compose;

/// What marks a text that was sent again.
const RESENT_MARK: &[u8] = b"[resent] ";

/// The texts of a notice, malloc'ed, so that a callback that never returns loses memory and nothing else.
#[derive(Clone, Copy)]
struct Words {
    line: *mut c_char,
    is_error: bool,
    title: *mut c_char,
    primary: *mut c_char,
    secondary: *mut c_char,
}

impl Words {
    fn new(wording: &Wording) -> Self {
        let line = c_string(&wording.line);
        let none = ptr::null_mut();
        match &wording.window {
            None => Self {
                line,
                is_error: false,
                title: none,
                primary: none,
                secondary: none,
            },
            Some(Window {
                is_error,
                title,
                primary,
                secondary,
            }) => Self {
                line,
                is_error: *is_error,
                title: c_string(title.as_bytes()),
                primary: c_string(primary),
                secondary: if secondary.is_empty() {
                    none
                } else {
                    c_string(secondary.as_bytes())
                },
            },
        }
    }

    /// # Safety
    /// The texts are used no more.
    unsafe fn free(mut self) {
        // SAFETY: the caller's promise; each is NULL or malloc'ed.
        unsafe {
            for text in [
                &raw mut self.line,
                &raw mut self.title,
                &raw mut self.primary,
                &raw mut self.secondary,
            ] {
                free_and_clear(text);
            }
        }
    }
}

/// Tells the effects that both interfaces tell in their own way. What is told by TLVs (the SMP) or not at all (extra keys,
/// timers) is passed over.
///
/// # Safety
/// `ctx` is the live context of `handle`, and nothing the client can reach is borrowed.
pub unsafe fn tell(client: Client, handle: Handle, ctx: *mut ConnContext, effect: &Effect) {
    // SAFETY: the caller's promise.
    unsafe {
        match effect {
            Effect::Notify(what, text) => {
                let mut text = text.as_deref().map_or(ptr::null_mut(), c_string);
                notice(client, ctx, *what, text);
                free_and_clear(&raw mut text);
            }
            Effect::SetupFailed(error) => setup_failed(client, ctx, GcryError::from(*error)),
            Effect::ReportError(ErrorCode::NotInPrivate) => {
                report_unexpected_data(client, handle, ctx);
            }
            Effect::ReportError(code) => {
                let message = error_text(client, ctx, *code);
                let _ = transmit(client, handle, message, FRAGMENT_SEND_ALL, ptr::null_mut());
                libc::free(message.cast());
            }
            Effect::SmpExpect(expected) => {
                if let Some(state) = (*ctx).smstate.as_mut() {
                    state.next_expected = expected_number(*expected);
                }
            }
            // Its messages come to the client as TLVs, and from the second on it counts by itself.
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
    unsafe {
        let user = bytes_of((*ctx).username).unwrap_or_default();
        if let Some(mut line) = texts::log_line(notice, user).map(|line| c_string(&line)) {
            if !line.is_null() {
                client.log(line);
            }
            free_and_clear(&raw mut line);
            return;
        }
        let message = bytes_of(text).unwrap_or_default();
        let Some(words) = texts::wording(notice, user, message).map(|wording| Words::new(&wording))
        else {
            return;
        };
        if words.title.is_null() {
            words.free();
            displayed_or_inline(client, ctx, notice, text);
        } else {
            displayed_or_in_a_window(client, ctx, words);
        }
    }
}

/// Shows a notice in the conversation or else in a window.
unsafe fn displayed_or_in_a_window(client: Client, ctx: *mut ConnContext, words: Words) {
    // SAFETY: the callers pass what their clients vouch for. A context that the first callback forgets is not shown to the
    // second.
    unsafe {
        let handle = Handle::of(ctx);
        if !words.line.is_null()
            && !client.display(ctx, words.line)
            && let Some(ctx) = handle.get(client.us)
        {
            let note = Note {
                level: if words.is_error {
                    NOTIFY_ERROR
                } else {
                    NOTIFY_WARNING
                },
                title: words.title,
                primary: words.primary,
                secondary: words.secondary,
            };
            client.notify(ctx, note);
        }
        words.free();
    }
}

/// Shows a notice in the conversation, or else as the message that the client is about to get.
///
/// # Safety
/// As for all callbacks; `text` is NULL or goes with the notice.
pub unsafe fn displayed_or_inline(
    client: Client,
    ctx: *mut ConnContext,
    notice: Notice,
    text: *const c_char,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let user = bytes_of((*ctx).username).unwrap_or_default();
        let message = bytes_of(text).unwrap_or_default();
        let line = texts::wording(notice, user, message)
            .map_or(ptr::null_mut(), |wording| c_string(&wording.line));
        if line.is_null() {
            return;
        }
        if client.display(ctx, line) || client.inline.is_null() {
            libc::free(line.cast());
        } else {
            free_and_clear(client.inline);
            *client.inline = line;
        }
    }
}

/// Tells that no session could be set up.
///
/// # Safety
/// As for all callbacks.
pub unsafe fn setup_failed(client: Client, ctx: *mut ConnContext, error: GcryError) {
    // SAFETY: the caller's promise.
    unsafe {
        let reason: &[u8] = if error.code() == GcryError::INV_VALUE.code() {
            b"a malformed message was received"
        } else {
            bytes_of(gcry_strerror(error)).unwrap_or_default()
        };
        if let Some(words) = texts::setup_failed(reason).map(|words| Words::new(&words)) {
            displayed_or_in_a_window(client, ctx, words);
        }
    }
}

/// Tells that an SMP message of the user's could not be sent: it does not fit into a message. There is no event for it.
///
/// # Safety
/// As for all callbacks.
pub unsafe fn smp_not_sent(client: Client, ctx: *mut ConnContext) {
    // SAFETY: the caller's promise.
    unsafe { notice(client, ctx, Notice::EncryptionError, ptr::null()) }
}

/// The message that tells the correspondent of an error, malloc'ed.
///
/// # Safety
/// None.
pub unsafe fn error_text(_client: Client, _ctx: *mut ConnContext, code: ErrorCode) -> *mut c_char {
    let message = compose(code.phrase().as_bytes());
    message.map_or(ptr::null_mut(), |message| c_string(&message))
}

/// What goes before a text that is sent again, malloc'ed: nothing, if it was sent again before.
///
/// # Safety
/// `ctx` is live.
pub unsafe fn resent_prefix(_client: Client, ctx: *mut ConnContext) -> *mut c_char {
    // SAFETY: the caller's promise.
    let marked = unsafe { with_secrets(ctx, |secrets| secrets.last_message_begins(RESENT_MARK)) };
    c_string(if marked.unwrap_or(false) {
        b""
    } else {
        RESENT_PREFIX
    })
}

/// Tells the correspondent that there is no session, in our account's name.
unsafe fn report_unexpected_data(client: Client, handle: Handle, ctx: *mut ConnContext) {
    // SAFETY: the caller vouches for the context.
    unsafe {
        if !client.can_inject() {
            return;
        }
        let name = client.account_name(ctx);
        let ours = match handle.get(client.us) {
            Some(ctx) if name.is_null() => (*ctx).accountname.cast_const(),
            _ => name,
        };
        let mut message = unexpected_data(bytes_of(ours).unwrap_or_default())
            .and_then(|words| compose(&words))
            .map_or(ptr::null_mut(), |message| c_string(&message));
        if !message.is_null() {
            let _ = transmit(client, handle, message, FRAGMENT_SEND_ALL, ptr::null_mut());
        }
        free_and_clear(&raw mut message);
        client.free_account_name(name);
    }
}
