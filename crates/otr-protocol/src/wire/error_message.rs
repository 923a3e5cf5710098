//! OTR error messages.

use super::search::find;
use crate::buffer::{self, OutOfMemory};

/// The beginning of our error messages.
pub const ERROR_PREFIX: &[u8] = b"?OTR Error: ";

/// The error message that says `text`.
pub fn compose(text: &[u8]) -> Result<Vec<u8>, OutOfMemory> {
    buffer::concat(&[ERROR_PREFIX, text])
}

/// The text of the error message; one more blank after the prefix is dropped.
///
/// None if the whole prefix, its blank included, is nowhere in the message. Such a message is
/// still an error message if it has "?OTR Error:" in it: then it has no text to show.
pub fn text_of(message: &[u8]) -> Option<&[u8]> {
    let start = find(message, ERROR_PREFIX)?;
    let text = message.get(start + ERROR_PREFIX.len()..)?;
    Some(text.strip_prefix(b" ").unwrap_or(text))
}

/// The message from "OTR Error:" on, as libotr 3 shows it; all of it if that is not found.
pub fn from_mark(message: &[u8]) -> &[u8] {
    let start = find(message, b"?OTR Error:").map_or(0, |at| at + 1);
    message.get(start..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{compose, from_mark, text_of};

    #[test]
    fn the_mark_may_stand_anywhere_and_have_nothing_after_it() {
        assert_eq!(from_mark(b"> ?OTR Error:  x "), b"OTR Error:  x ");
        assert_eq!(from_mark(b"?OTR Error:"), b"OTR Error:");
        assert_eq!(from_mark(b"OTR Error"), b"OTR Error");
    }

    #[test]
    fn composed_text_is_found_again() {
        assert_eq!(
            compose(b"You are late.").unwrap(),
            b"?OTR Error: You are late."
        );
        assert_eq!(
            text_of(b"?OTR Error: You are late."),
            Some(b"You are late.".as_slice())
        );
    }

    #[test]
    fn the_prefix_may_stand_anywhere_and_one_more_blank_goes() {
        assert_eq!(text_of(b"> ?OTR Error:  x "), Some(b"x ".as_slice()));
        assert_eq!(text_of(b"?OTR Error:   x"), Some(b" x".as_slice()));
        assert_eq!(text_of(b"?OTR Error: "), Some(b"".as_slice()));
        assert_eq!(text_of(b"?OTR Error:x?OTR Error: y"), Some(b"y".as_slice()));
    }

    #[test]
    fn without_the_blank_there_is_no_text() {
        assert_eq!(text_of(b"?OTR Error:x"), None);
        assert_eq!(text_of(b"?OTR Error:"), None);
        assert_eq!(text_of(b"plain"), None);
    }
}
