//! HMAC-SHA-1 with a key that is prepared once for many messages, on the compression function of the `sha1` crate.
//!
//! The blocks that end a hash are put together 16 bytes at a time, because the compression function reads them so: a processor waits
//! where it reads what has just been written in other pieces. With the `hmac` crate, which copies what is left of the message and then
//! the padding, a short data message takes a twelfth longer. The tests compare the two.

use std::fmt;

use hmac::digest::array::Array;
use hmac::digest::typenum::U64;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{BLOCK, sha1_key_block};
use crate::stack::{self, HASH_STACK};

/// A key of HMAC-SHA-1, prepared once for many messages: this saves two blocks of SHA-1 for each. Wiped on drop.
///
/// The state after the first three blocks of the last message is kept. Data messages begin with the same bytes until a DH key
/// changes, because the next public key is in them. This saves another three blocks for each of them.
pub struct HmacSha1Key {
    inner: State,
    outer: State,
    /// The beginning of the last message, and the state after it. Boxed to save stack space where a key is made.
    begun: Option<Box<([u8; BEGINNING], State)>>,
}

/// After how many bytes of a message an [`HmacSha1Key`] keeps the state: the whole blocks before the counter of a data message.
pub const BEGINNING: usize = 3 * BLOCK;

/// Sixteen bytes of a block.
type Word = [u8; 16];

/// How many of them a block has.
const WORDS: usize = BLOCK / size_of::<Word>();

impl HmacSha1Key {
    /// Prepares a key of any length.
    pub fn new(key: &[u8]) -> Self {
        let key = sha1_key_block(key);
        let key = Self {
            inner: State::keyed(&key, 0x36),
            outer: State::keyed(&key, 0x5c),
            begun: None,
        };
        stack::note::<HASH_STACK>();
        key
    }

    /// The MAC of a message. Its beginning must not be secret: the time depends on whether it is that of the last message.
    pub fn authenticate(&mut self, message: &[u8]) -> [u8; 20] {
        let mut outer = self.outer.clone();
        let (state, rest) = match message.split_first_chunk() {
            Some((beginning, rest)) => (self.after(beginning), rest),
            None => (&self.inner, message),
        };
        let mut inner = state.clone();
        inner.update(rest);
        let mut end = [Word::default(); 2 * WORDS];
        inner.update(end_of(message, &mut end));
        outer.update(&inner.as_last_block());
        stack::note::<HASH_STACK>();
        outer.digest()
    }

    /// The state after the beginning of a message.
    #[inline(never)]
    fn after(&mut self, beginning: &[u8; BEGINNING]) -> &State {
        let is_new = !matches!(&self.begun, Some(last) if last.0 == *beginning);
        let begun = self
            .begun
            .get_or_insert_with(|| Box::new((*beginning, self.inner.clone())));
        let (last, state) = &mut **begun;
        if is_new {
            last.copy_from_slice(beginning);
            state.clone_from(&self.inner);
            state.update(beginning);
        }
        state
    }
}

impl ZeroizeOnDrop for HmacSha1Key {}

impl fmt::Debug for HmacSha1Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacSha1Key(secret)")
    }
}

/// What ends the inner hash of a message (FIPS 180-4, section 5.1.1): the bytes after its last whole block, the bit 1, zeros, and the
/// number of bits with the block of the key: one block or two. `words` are zeros, and not returned as a value, which would be copied.
fn end_of<'w>(message: &[u8], words: &'w mut [Word; 2 * WORDS]) -> &'w [u8] {
    let length = message.len() % BLOCK;
    let whole = message.len().saturating_sub(length);
    let tail = message.get(whole..).unwrap_or_default().chunks_exact(16);
    let place = length / 16;
    let part = tail.remainder().len();
    for (to, from) in words.iter_mut().zip(tail) {
        to.copy_from_slice(from);
    }
    let last = match message.last_chunk() {
        Some(last) => u128::from_be_bytes(*last),
        None => number(message),
    };
    // Of the last bytes only those that are not in a whole word stay.
    let last = (last << 8 | 0x80) << (8 * (15 - part));
    if let Some(word) = words.get_mut(place) {
        *word = last.to_be_bytes();
    }
    // The bit 1 and the length take nine bytes.
    let count = if length + 9 <= BLOCK {
        WORDS
    } else {
        2 * WORDS
    };
    let bits = 8 * (BLOCK + message.len()) as u64;
    if let Some(word) = words.get_mut(count - 1) {
        *word = (u128::from_be_bytes(*word) | u128::from(bits)).to_be_bytes();
    }
    words.as_flattened().get(..16 * count).unwrap_or_default()
}

/// The big-endian number of less than 16 bytes.
fn number(bytes: &[u8]) -> u128 {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | u128::from(*byte))
}

/// SHA-1 between two blocks. Wiped on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
struct State([u32; 5]);

impl State {
    /// FIPS 180-4, section 5.3.1.
    const INITIAL: [u32; 5] = [
        0x6745_2301,
        0xefcd_ab89,
        0x98ba_dcfe,
        0x1032_5476,
        0xc3d2_e1f0,
    ];

    /// The state after the block of a key, in which each byte is changed by `pad` (RFC 2104).
    fn keyed(key: &[u8; BLOCK], pad: u8) -> Self {
        let mut state = Self(Self::INITIAL);
        state.update(&key.map(|byte| byte ^ pad));
        state
    }

    /// Takes in the whole blocks of these bytes.
    fn update(&mut self, bytes: &[u8]) {
        let (blocks, _) = Array::<u8, U64>::slice_as_chunks(bytes);
        sha1::block_api::compress(&mut self.0, Array::cast_slice_to_core(blocks));
    }

    /// The digest, of a message that was taken in with its end.
    fn digest(&self) -> [u8; 20] {
        let mut digest = [0; 20];
        for (to, from) in digest.chunks_exact_mut(4).zip(self.0) {
            to.copy_from_slice(&from.to_be_bytes());
        }
        digest
    }

    /// The digest as the last block of an outer hash, with the bit 1 and the number of bits of this and the key's block.
    fn as_last_block(&self) -> [u8; BLOCK] {
        let [a, b, c, d, e] = self.0;
        let bits = 8 * (BLOCK as u32 + 20);
        let words = [a, b, c, d, e, 1 << 31, 0, 0, 0, 0, 0, 0, 0, 0, 0, bits];
        let mut block = [0; BLOCK];
        for (to, from) in block.chunks_exact_mut(4).zip(words) {
            to.copy_from_slice(&from.to_be_bytes());
        }
        block
    }
}
