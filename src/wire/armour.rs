//! Base64 and the "?OTR:" ... "." around it.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::error::Malformed;
use super::search::find;

/// What every encoded message starts with.
pub const PREFIX: &[u8] = b"?OTR:";

/// Reads what an orderly sender writes, and nothing on which [`decode_lenient`] would differ:
/// whole blocks, padded, with no other byte in them. Bits beyond the last byte are not looked at.
const STRICT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// Base64 with padding and without line breaks (RFC 4648, section 4).
pub fn encode(bytes: &[u8]) -> String {
    STRICT.encode(bytes)
}

/// Reads base64 leniently: bytes outside the alphabet are skipped, the first "=" ends the text,
/// and an unfinished block without "=" is dropped. Never allocates more than the text warrants.
pub fn decode(text: &[u8]) -> Vec<u8> {
    STRICT.decode(text).unwrap_or_else(|_| decode_lenient(text))
}

fn decode_lenient(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let mut block = 0_u32;
    let mut held = 0_usize;
    for &byte in text {
        if byte == b'=' {
            // 2 characters hold one whole byte, 3 hold two; a single one holds none.
            let [_, first, second, _] = (block << (6 * (4 - held))).to_be_bytes();
            bytes.extend([first, second].iter().take(held.saturating_sub(1)));
            break;
        }
        let Some(bits) = sextet(byte) else { continue };
        block = block << 6 | u32::from(bits);
        held += 1;
        if held == 4 {
            let [_, first, second, third] = block.to_be_bytes();
            bytes.extend([first, second, third]);
            block = 0;
            held = 0;
        }
    }
    bytes
}

/// The six bits that a character of the alphabet stands for.
const fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

/// The encoded message: "?OTR:", the base64 of `bytes`, ".".
pub fn armour(bytes: &[u8]) -> Vec<u8> {
    let mut text = String::with_capacity(
        (bytes.len() / 3)
            .saturating_add(1)
            .saturating_mul(4)
            .saturating_add(6),
    );
    text.push_str("?OTR:");
    STRICT.encode_string(bytes, &mut text);
    text.push('.');
    text.into_bytes()
}

/// The bytes between the first "?OTR:" in `message` and the next ".".
///
/// With `need_end`, as for the messages of a key exchange, a missing "." is an error; without it,
/// as for data messages, everything to the end is read.
pub fn dearmour(message: &[u8], need_end: bool) -> Result<Vec<u8>, Malformed> {
    let start = find(message, PREFIX).ok_or(Malformed::NoArmour)?;
    let text = message.get(start + PREFIX.len()..).unwrap_or_default();
    match text.iter().position(|&byte| byte == b'.') {
        Some(end) => Ok(decode(text.get(..end).unwrap_or_default())),
        None if need_end => Err(Malformed::NoEnd),
        None => Ok(decode(text)),
    }
}
