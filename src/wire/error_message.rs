//! OTR error messages.

use super::search::find;

/// What we begin an error message with.
pub const ERROR_PREFIX: &[u8] = b"?OTR Error: ";

/// The error message that says `text`.
pub fn compose(text: &[u8]) -> Vec<u8> {
    [ERROR_PREFIX, text].concat()
}

/// What the error message says; one more blank after the prefix is dropped.
///
/// None if the whole prefix, its blank included, is nowhere in the message. Such a message is
/// still an error message if it has "?OTR Error:" in it: then it has no text to show.
pub fn text_of(message: &[u8]) -> Option<&[u8]> {
    let start = find(message, ERROR_PREFIX)?;
    let text = message.get(start + ERROR_PREFIX.len()..)?;
    Some(text.strip_prefix(b" ").unwrap_or(text))
}
