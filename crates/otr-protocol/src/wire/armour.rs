//! Base64 and the "?OTR:" ... "." around it.

use base64_simd::{Base64, STANDARD};

use super::error::Malformed;
use super::search::{find, find_byte};

/// What every encoded message starts with.
pub const PREFIX: &[u8] = b"?OTR:";

/// Reads what an orderly sender writes, and nothing on which [`decode_lenient`] would differ:
/// whole blocks, padded, with no other byte in them. By the vector instructions of the CPU: the armour hides nothing.
const STRICT: Base64 = STANDARD;

/// Base64 with padding and without line breaks (RFC 4648, section 4).
pub fn encode(bytes: &[u8]) -> String {
    STRICT.encode_to_string(bytes)
}

/// Reads base64 leniently: bytes outside the alphabet are skipped, the first "=" ends the text,
/// and an unfinished block without "=" is dropped. Never allocates more than the text warrants.
pub fn decode(text: &[u8]) -> Vec<u8> {
    STRICT
        .decode_to_vec(text)
        .unwrap_or_else(|_| decode_lenient(text))
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
    let mut text = Vec::with_capacity(
        (bytes.len() / 3)
            .saturating_add(1)
            .saturating_mul(4)
            .saturating_add(6),
    );
    text.extend_from_slice(PREFIX);
    STRICT.encode_append(bytes, &mut text);
    text.push(b'.');
    text
}

/// The bytes between the first "?OTR:" in `message` and the next ".".
///
/// With `need_end`, as for the messages of a key exchange, a missing "." is an error; without it,
/// as for data messages, everything to the end is read.
pub fn dearmour(message: &[u8], need_end: bool) -> Result<Vec<u8>, Malformed> {
    let start = find(message, PREFIX).ok_or(Malformed::NoArmour)?;
    let text = message.get(start + PREFIX.len()..).unwrap_or_default();
    // An orderly message has its only "." at the end, which spares us looking for it.
    if let Some(Ok(bytes)) = text
        .strip_suffix(b".")
        .map(|text| STRICT.decode_to_vec(text))
    {
        return Ok(bytes);
    }
    match find_byte(text, b'.') {
        Some(end) => Ok(decode(text.get(..end).unwrap_or_default())),
        None if need_end => Err(Malformed::NoEnd),
        None => Ok(decode(text)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::kind::{MessageKind, message_kind};
    use crate::wire::messages::data::data_flags;
    use crate::wire::messages::{Data, DhCommit};

    /// RFC 4648, section 10.
    const RFC_4648: [(&[u8], &str); 7] = [
        (b"", ""),
        (b"f", "Zg=="),
        (b"fo", "Zm8="),
        (b"foo", "Zm9v"),
        (b"foob", "Zm9vYg=="),
        (b"fooba", "Zm9vYmE="),
        (b"foobar", "Zm9vYmFy"),
    ];

    #[test]
    fn agrees_with_rfc_4648() {
        for (bytes, text) in RFC_4648 {
            assert_eq!(encode(bytes), text);
            assert_eq!(decode(text.as_bytes()), bytes);
            assert_eq!(decode_lenient(text.as_bytes()), bytes);
        }
        assert_eq!(decode(b"+/+/"), [0xfb, 0xff, 0xbf]);
    }

    #[test]
    fn decodes_what_is_not_quite_base64() {
        let cases: [(&[u8], &[u8]); 13] = [
            (b" Z m\r\n9\tv", b"foo"),
            (b"Z,m-9.v", b"foo"),
            (b"Zm\x809\xffv", b"foo"),
            (b"Z:m@9[v`{|}~", b"foo"),
            (b"Zm9vYm", b"foo"),   // a short block without "=" is dropped
            (b"Zm9vYg=", b"foob"), // one "=" is as good as two
            (b"Zm9vYmE", b"foo"),
            (b"Zh==", b"f"), // bits beyond the byte are not looked at
            (b"Zm9=", b"fo"),
            (b"Zm9vZ=", b"foo"),  // six bits are no byte
            (b"Zm8=Zm9v", b"fo"), // nothing counts after "="
            (b"Zm9v=Zm9v", b"foo"),
            (b"====", b""),
        ];
        for (text, bytes) in cases {
            assert_eq!(decode(text), bytes, "{}", text.escape_ascii());
            assert_eq!(decode_lenient(text), bytes, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn finds_the_armour_anywhere() {
        assert_eq!(armour(b"foob"), b"?OTR:Zm9vYg==.");
        assert_eq!(
            dearmour(b"Hi. ?OTR:Zm9v. ?OTR:YmFy.", true),
            Ok(b"foo".to_vec())
        );
        assert_eq!(dearmour(b"?OTR:.", true), Ok(Vec::new()));
        assert_eq!(dearmour(b"?OTR Zm9v.", true), Err(Malformed::NoArmour));
        assert_eq!(dearmour(b"", false), Err(Malformed::NoArmour));
    }

    #[test]
    fn only_data_messages_may_lack_the_end() {
        assert_eq!(dearmour(b"?OTR:Zm9v", true), Err(Malformed::NoEnd));
        assert_eq!(dearmour(b"?OTR:Zm9v", false), Ok(b"foo".to_vec()));
        assert_eq!(dearmour(b"?OTR:", false), Ok(Vec::new()));
    }

    #[test]
    fn cve_2012_3461_padding_without_data() {
        for message in [
            b"?OTR:===.".as_slice(),
            b"?OTR:=.",
            b"?OTR:.",
            b"?OTR:A=.",
            b"?OTR:===",
        ] {
            assert_eq!(dearmour(message, false), Ok(Vec::new()));
            assert_eq!(message_kind(message), MessageKind::Unknown);
            assert_eq!(data_flags(message), None);
        }
        assert_eq!(Data::parse(b""), Err(Malformed::Truncated));
        assert_eq!(DhCommit::parse(b""), Err(Malformed::Truncated));
    }

    /// Text that is base64 up to a few bytes, so that both ways of decoding are taken.
    fn nearly_base64() -> impl Strategy<Value = Vec<u8>> {
        let bytes = prop::collection::vec(any::<u8>(), 0..40);
        let damage = (
            any::<prop::sample::Index>(),
            prop::sample::select(b"=.A/ \xc3".as_slice()),
        );
        let damages = prop::collection::vec(damage, 0..3);
        (bytes, damages, any::<bool>()).prop_map(|(bytes, damages, insert)| {
            let mut text = encode(&bytes).into_bytes();
            for (place, byte) in damages {
                let at = place.index(text.len() + 1);
                match text.get_mut(at) {
                    Some(here) if !insert => *here = byte,
                    _ => text.insert(at, byte),
                }
            }
            text
        })
    }

    proptest! {
        #[test]
        fn the_fast_path_changes_nothing(text in nearly_base64()) {
            prop_assert_eq!(decode(&text), decode_lenient(&text));
        }

        #[test]
        fn the_fast_path_changes_nothing_for_any_blocks(text in "[A-Da-d0-3+/=]{0,16}") {
            prop_assert_eq!(decode(text.as_bytes()), decode_lenient(text.as_bytes()));
        }

        #[test]
        fn the_armour_ends_at_its_first_dot(text in nearly_base64(), ends in any::<bool>()) {
            let end: &[u8] = if ends { b"." } else { b"" };
            let message = [b"?OTR:", text.as_slice(), end].concat();
            let mut parts = text.split(|&byte| byte == b'.');
            let bytes = decode_lenient(parts.next().unwrap());
            prop_assert_eq!(dearmour(&message, false), Ok(bytes.clone()));
            let closed = ends || parts.next().is_some();
            prop_assert_eq!(dearmour(&message, true), closed.then_some(bytes).ok_or(Malformed::NoEnd));
        }

        #[test]
        fn decoding_undoes_encoding(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            prop_assert_eq!(&decode(encode(&bytes).as_bytes()), &bytes);
            prop_assert_eq!(&decode_lenient(encode(&bytes).as_bytes()), &bytes);
            prop_assert_eq!(&dearmour(&armour(&bytes), true), &Ok(bytes));
        }

        #[test]
        fn no_more_is_allocated_than_the_text_warrants(text in prop::collection::vec(any::<u8>(), 0..600)) {
            prop_assert!(decode(&text).capacity() <= text.len() / 4 * 3 + 3);
        }
    }
}
