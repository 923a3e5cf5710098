//! A correspondent has one context, and what can't be read is told in a line of text.

use std::ffi::c_char;

use super::notify::displayed_or_inline;
use crate::abi::memory::c_string;
use crate::abi::message::client::Client;
use crate::abi::message::receiving::Arrival;
use crate::abi::types::*;
use otr_protocol::effects::Notice;
use otr_protocol::wire::error_message::from_mark;

/// 0: version 2 has no instance tags.
///
/// # Safety
/// None.
pub unsafe fn our_tag(_ctx: *const ConnContext) -> u32 {
    0
}

/// Nothing: nobody asks when.
///
/// # Safety
/// None.
pub unsafe fn note_heard(_ctx: *mut ConnContext) {}

/// None: version 2 knows no instances.
///
/// # Safety
/// None.
pub unsafe fn enter(_arrival: &mut Arrival, _tag: u32) -> Option<bool> {
    None
}

/// Always: the user is warned.
///
/// # Safety
/// None.
pub unsafe fn is_told_of_plaintext(_client: Client) -> bool {
    true
}

/// Shows plaintext that should have been encrypted, with a warning.
///
/// # Safety
/// As for all callbacks; `text` outlives the call.
pub unsafe fn show_unexpected(arrival: Arrival, text: *const c_char) {
    // SAFETY: the caller's promise.
    unsafe {
        if let Some(ctx) = arrival.from.get(arrival.client.us) {
            displayed_or_inline(arrival.client, ctx, Notice::ReceivedUnencrypted, text);
        }
    }
}

/// Displays an error message; whether the client has. If not, it is shown as it is.
///
/// # Safety
/// As for all callbacks.
pub unsafe fn show_error(arrival: Arrival, message: &[u8]) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let words = c_string(from_mark(message));
        let Some(ctx) = arrival.from.get(arrival.client.us) else {
            libc::free(words.cast());
            return true;
        };
        let displayed = !words.is_null() && arrival.client.display(ctx, words);
        libc::free(words.cast());
        displayed
    }
}
