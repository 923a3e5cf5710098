//! Base64 and the "?OTR:" ... "." around it.

use core::mem::MaybeUninit;

use base64_simd::{Base64, Out, STANDARD};

use super::error::{Malformed, Undecoded};
use super::search::{find, find_byte};
use crate::buffer::{self, OutOfMemory};

/// The start of every encoded message.
pub const PREFIX: &[u8] = b"?OTR:";

/// The end of every encoded message.
pub const END: &[u8] = b".";

/// Reads what usual senders write, and nothing that [`decode`] would read differently: whole blocks, padded, without other
/// bytes. Uses the CPU's vector instructions; its time may vary, because armoured data is public.
const STRICT: Base64 = STANDARD;

/// Base64 with padding and without line breaks (RFC 4648, section 4), piece by piece.
pub fn encode(bytes: &[u8], mut write: impl FnMut(&[u8])) {
    let mut space = [0; 4096];
    for whole_blocks in bytes.chunks(4096 / 4 * 3) {
        write(STRICT.encode(whole_blocks, Out::from_slice(&mut space)));
    }
}

/// Reads base64 leniently: bytes outside the alphabet are skipped, the first "=" ends the text, and an unfinished block without
/// "=" is dropped. Never allocates more than the text can decode to.
pub fn decode(text: &[u8]) -> Result<Vec<u8>, OutOfMemory> {
    let mut bytes = Vec::new();
    decode_into(text, &mut bytes)?;
    Ok(bytes)
}

fn decode_into(text: &[u8], bytes: &mut Vec<u8>) -> Result<(), OutOfMemory> {
    buffer::reserve(bytes, text.len() / 4 * 3 + 3)?;
    if STRICT.decode_append(text, bytes).is_err() {
        let mut decoder = Decoder::default();
        text.iter()
            .for_each(|byte| decoder.take(*byte, |byte| bytes.push(byte)));
    }
    Ok(())
}

/// The first bytes that [`decode`] would return, and how many they are: less than `N` if there are no more.
pub fn decode_start<const N: usize>(text: &[u8]) -> ([u8; N], usize) {
    const { assert!(N <= 14, "a block more must fit into the number") };
    let (mut number, mut count, mut rest) = (0_u128, 0, text);
    // Whole blocks as long as there is nothing else: everything that a well-behaved sender writes.
    while let Some((block, behind)) = rest.split_first_chunk().filter(|_| count < N) {
        let Some(three) = whole_block(block) else {
            break;
        };
        number = number << 24 | u128::from(three);
        (count, rest) = (count + 3, behind);
    }
    let mut decoder = Decoder::default();
    for &character in rest {
        if count >= N {
            break;
        }
        decoder.take(character, |byte| {
            number = number << 8 | u128::from(byte);
            count += 1;
        });
    }
    let bytes = number.checked_shl(8 * (16 - count as u32)).unwrap_or(0);
    let mut start = [0; N];
    for (to, from) in start.iter_mut().zip(bytes.to_be_bytes()) {
        *to = from;
    }
    (start, count.min(N))
}

/// [`decode`], character by character.
#[derive(Debug, Default)]
pub struct Decoder {
    block: u32,
    /// How many characters are in the block.
    held: usize,
    has_ended: bool,
}

impl Decoder {
    /// Takes the next character; `give` is called with each complete byte.
    pub fn take(&mut self, character: u8, mut give: impl FnMut(u8)) {
        if self.has_ended {
            return;
        }
        if character == b'=' {
            self.has_ended = true;
            // 2 characters contain one whole byte, 3 contain two, a single one none.
            let [_, first, second, _] = (self.block << (6 * (4 - self.held))).to_be_bytes();
            let whole = self.held.saturating_sub(1);
            [first, second].into_iter().take(whole).for_each(give);
            return;
        }
        let Some(bits) = sextet(character) else {
            return;
        };
        self.block = self.block << 6 | u32::from(bits);
        self.held += 1;
        if self.held == 4 {
            let [_, first, second, third] = self.block.to_be_bytes();
            [first, second, third].into_iter().for_each(&mut give);
            (self.block, self.held) = (0, 0);
        }
    }
}

/// The three bytes of four characters, as a big-endian number. `None` if one of them is not in the alphabet.
fn whole_block(characters: &[u8; 4]) -> Option<u32> {
    let [a, b, c, d] = characters.map(|character| u32::from(sextet_or_none(character)));
    ((a | b | c | d) & u32::from(NONE) == 0).then_some(a << 18 | b << 12 | c << 6 | d)
}

/// The six bits that a character of the alphabet stands for.
fn sextet(byte: u8) -> Option<u8> {
    Some(sextet_or_none(byte)).filter(|bits| *bits != NONE)
}

fn sextet_or_none(byte: u8) -> u8 {
    SEXTETS.get(usize::from(byte)).copied().unwrap_or(NONE)
}

/// Not the value of any character.
const NONE: u8 = 0x80;

static SEXTETS: [u8; 256] = {
    let mut table = [NONE; 256];
    let (mut value, mut rest) = (0, ALPHABET.as_slice());
    while let [character, after @ ..] = rest {
        // The index is a byte; `get_mut` is not for constants in Rust 1.85.
        #[allow(clippy::indexing_slicing)]
        {
            table[*character as usize] = value;
        }
        (value, rest) = (value + 1, after);
    }
    table
};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The encoded message: "?OTR:", the base64 of `bytes`, ".".
pub fn armour(bytes: &[u8]) -> Result<Vec<u8>, OutOfMemory> {
    let length = base64_len(bytes).saturating_add(PREFIX.len() + END.len());
    let mut text = buffer::with_capacity(length)?;
    buffer::append(&mut text, PREFIX)?;
    STRICT.encode_append(bytes, &mut text);
    buffer::append(&mut text, END)?;
    Ok(text)
}

/// How long the base64 of these bytes is.
pub fn base64_len(bytes: &[u8]) -> usize {
    bytes.len().div_ceil(3).saturating_mul(4)
}

/// The base64 of these bytes in memory of the caller, which has room for [`base64_len`]; nothing if it has not.
pub fn base64_into<'m>(bytes: &[u8], memory: &'m mut [MaybeUninit<u8>]) -> &'m mut [u8] {
    if memory.len() < base64_len(bytes) {
        return &mut [];
    }
    STRICT.encode(bytes, Out::from_uninit_slice(memory))
}

/// The bytes between the first "?OTR:" in `message` and the next ".".
///
/// With `need_end`, as for the messages of a key exchange, a missing "." is an error; without it,
/// as for data messages, everything to the end is read.
pub fn dearmour(message: &[u8], need_end: bool) -> Result<Vec<u8>, Undecoded> {
    let mut bytes = Vec::new();
    dearmour_into(message, need_end, &mut bytes)?;
    Ok(bytes)
}

/// [`dearmour`] in memory that may be there already: `bytes` must be empty.
pub fn dearmour_into(message: &[u8], need_end: bool, bytes: &mut Vec<u8>) -> Result<(), Undecoded> {
    let text = after_prefix(message)?;
    // A well-formed message has its only "." at the end, so it need not be searched for.
    if let Some(text) = text.strip_suffix(END) {
        buffer::reserve(bytes, text.len() / 4 * 3)?;
        if STRICT.decode_append(text, bytes).is_ok() {
            return Ok(());
        }
    }
    let text = match find_byte(text, b'.') {
        Some(end) => text.get(..end).unwrap_or_default(),
        None if need_end => return Err(Malformed::NoEnd.into()),
        None => text,
    };
    Ok(decode_into(text, bytes)?)
}

/// The first bytes that [`dearmour`] without `need_end` would return; see [`decode_start`].
pub fn dearmour_start<const N: usize>(message: &[u8]) -> Result<([u8; N], usize), Malformed> {
    let text = after_prefix(message)?;
    let end = find_byte(text, b'.').unwrap_or(text.len());
    Ok(decode_start(text.get(..end).unwrap_or_default()))
}

fn after_prefix(message: &[u8]) -> Result<&[u8], Malformed> {
    let start = find(message, PREFIX).ok_or(Malformed::NoArmour)?;
    Ok(message.get(start + PREFIX.len()..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::classify::{MessageKind, message_kind};
    use crate::wire::messages::data::data_flags;
    use crate::wire::messages::{Data, DhCommit};

    /// The decoder alone, character by character.
    fn decode_lenient(text: &[u8]) -> Vec<u8> {
        let (mut decoder, mut bytes) = (Decoder::default(), Vec::new());
        for &character in text {
            decoder.take(character, |byte| bytes.push(byte));
        }
        bytes
    }

    fn decoded(text: &[u8]) -> Vec<u8> {
        decode(text).unwrap()
    }

    fn encoded(bytes: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        encode(bytes, |piece| text.extend_from_slice(piece));
        text
    }

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
            assert_eq!(encoded(bytes), text.as_bytes());
            assert_eq!(decoded(text.as_bytes()), bytes);
            assert_eq!(decode_lenient(text.as_bytes()), bytes);
        }
        assert_eq!(decoded(b"+/+/"), [0xfb, 0xff, 0xbf]);
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
            assert_eq!(decoded(text), bytes, "{}", text.escape_ascii());
            assert_eq!(decode_lenient(text), bytes, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn finds_the_armour_anywhere() {
        assert_eq!(armour(b"foob").unwrap(), b"?OTR:Zm9vYg==.");
        assert_eq!(
            dearmour(b"Hi. ?OTR:Zm9v. ?OTR:YmFy.", true),
            Ok(b"foo".to_vec())
        );
        assert_eq!(dearmour(b"?OTR:.", true), Ok(Vec::new()));
        assert_eq!(
            dearmour(b"?OTR Zm9v.", true),
            Err(Malformed::NoArmour.into())
        );
        assert_eq!(dearmour(b"", false), Err(Malformed::NoArmour.into()));
    }

    #[test]
    fn nothing_is_written_where_it_would_not_fit() {
        for length in 0..20 {
            let mut memory = vec![MaybeUninit::uninit(); length];
            let expected: &[u8] = if length < 8 { b"" } else { b"Zm9vYg==" };
            assert_eq!(base64_into(b"foob", &mut memory), expected);
        }
    }

    #[test]
    fn only_data_messages_may_lack_the_end() {
        assert_eq!(dearmour(b"?OTR:Zm9v", true), Err(Malformed::NoEnd.into()));
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

    /// Text that is base64 except for a few bytes, so that both ways of decoding are used.
    fn nearly_base64() -> impl Strategy<Value = Vec<u8>> {
        let bytes = prop::collection::vec(any::<u8>(), 0..40);
        let damage = (
            any::<prop::sample::Index>(),
            prop::sample::select(b"=.A/ \xc3".as_slice()),
        );
        let damages = prop::collection::vec(damage, 0..3);
        (bytes, damages, any::<bool>()).prop_map(|(bytes, damages, insert)| {
            let mut text = encoded(&bytes);
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
            prop_assert_eq!(decoded(&text), decode_lenient(&text));
        }

        #[test]
        fn the_fast_path_changes_nothing_for_any_blocks(text in "[A-Da-d0-3+/=]{0,16}") {
            prop_assert_eq!(decoded(text.as_bytes()), decode_lenient(text.as_bytes()));
        }

        #[test]
        fn the_armour_ends_at_its_first_dot(text in nearly_base64(), ends in any::<bool>()) {
            let end: &[u8] = if ends { b"." } else { b"" };
            let message = [b"?OTR:", text.as_slice(), end].concat();
            let mut parts = text.split(|&byte| byte == b'.');
            let bytes = decode_lenient(parts.next().unwrap());
            prop_assert_eq!(dearmour(&message, false), Ok(bytes.clone()));
            let closed = ends || parts.next().is_some();
            prop_assert_eq!(dearmour(&message, true), closed.then_some(bytes).ok_or(Malformed::NoEnd.into()));
        }

        #[test]
        fn decoding_undoes_encoding(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            prop_assert_eq!(&decoded(&encoded(&bytes)), &bytes);
            prop_assert_eq!(&decode_lenient(&encoded(&bytes)), &bytes);
            let message = armour(&bytes).unwrap();
            let mut memory = vec![MaybeUninit::uninit(); base64_len(&bytes)];
            let base64 = message.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(END));
            prop_assert_eq!(Some(&*base64_into(&bytes, &mut memory)), base64);
            prop_assert_eq!(&dearmour(&message, true), &Ok(bytes));
        }

        #[test]
        fn pieces_are_encoded_as_a_whole(length in 3000..13_000_usize) {
            let bytes: Vec<u8> = (0..=255).cycle().take(length).collect();
            prop_assert_eq!(encoded(&bytes), STRICT.encode_to_string(&bytes).into_bytes());
        }

        #[test]
        fn the_start_is_that_of_the_whole(text in nearly_base64()) {
            let whole = decode_lenient(&text);
            let (start, count) = decode_start::<12>(&text);
            prop_assert_eq!(&start[..count], &whole[..whole.len().min(12)]);
            let message = [b"?OTR:", text.as_slice()].concat();
            let whole = dearmour(&message, false).unwrap();
            let (start, count) = dearmour_start::<12>(&message).unwrap();
            prop_assert_eq!(&start[..count], &whole[..whole.len().min(12)]);
        }

        #[test]
        fn no_more_is_allocated_than_the_text_warrants(text in prop::collection::vec(any::<u8>(), 0..600)) {
            prop_assert!(decoded(&text).capacity() <= text.len() / 4 * 3 + 3);
        }
    }
}
