//! A correspondent has one context, and unreadable messages are reported in a line of text.

use std::ffi::CStr;

use super::notify::displayed_or_inline;
use crate::abi::context::Ctx;
use crate::abi::message::call::Call;
use crate::abi::message::receiving::Arrival;
use crate::abi::text::CText;
use otr_protocol::effects::Notice;
use otr_protocol::wire::error_message::from_mark;

/// Does nothing: not used in this interface.
pub(crate) fn note_heard(_ctx: Ctx<'_>) {}

/// Always `None`: version 2 has no instances.
pub(crate) fn enter(_call: &mut Call<'_>, _arrival: &mut Arrival<'_>, _tag: u32) -> Option<bool> {
    None
}

/// Always true: the user is warned.
pub(crate) fn is_told_of_plaintext(_call: &Call<'_>) -> bool {
    true
}

/// Shows plaintext that should have been encrypted, with a warning.
pub(crate) fn show_unexpected(call: &mut Call<'_>, arrival: &Arrival<'_>, text: &CStr) {
    displayed_or_inline(call, arrival.from, Notice::ReceivedUnencrypted, Some(text));
}

/// Displays an error message; whether the client has displayed it. If not, the message itself is shown.
pub(crate) fn show_error(call: &mut Call<'_>, arrival: &Arrival<'_>, message: &[u8]) -> bool {
    if call.get(arrival.from).is_none() {
        return true;
    }
    let words = CText::up_to_nul(from_mark(message));
    let displayed = words
        .c_str()
        .is_some_and(|words| call.display(arrival.from, words));
    words.free();
    displayed
}
