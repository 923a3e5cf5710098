//! AES-128 in counter mode. The counter is one 16-byte big-endian number that grows by one with each block and wraps.

use crate::stack::{self, CIPHER_STACK};
use aes::Aes128Enc;
use aes::cipher::{
    Array, BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser,
    KeyInit, ParBlocks, ParBlocksSizeUser, consts::U16, typenum::Unsigned,
};
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Encrypts or decrypts the data in place, from the start of the key stream.
pub fn apply(key: &[u8; 16], counter: &[u8; 16], data: &mut [u8]) {
    Key::new(key).apply(u128::from_be_bytes(*counter), data);
}

/// The round keys of a key, expanded once for many messages. Wiped on drop.
pub struct Key(Box<Aes128Enc>);

impl Key {
    /// Expands a key.
    pub fn new(key: &[u8; 16]) -> Self {
        let key = Self(Box::new(Aes128Enc::new(key.into())));
        stack::note::<CIPHER_STACK>();
        key
    }

    /// Encrypts or decrypts the data in place, with the key stream that begins with the block of this number. (The crate `ctr`
    /// takes two kilobytes of the stack.)
    pub fn apply(&self, counter: u128, data: &mut [u8]) {
        self.0.encrypt_with_backend(Stream { counter, data });
        stack::note::<CIPHER_STACK>();
    }
}

/// A block of AES.
type Block = Array<u8, U16>;

/// Data and the number of the block with which their key stream begins. They are encrypted here, and not by the cipher's own
/// `encrypt_blocks`, which reserves stack space for all implementations at once; the one for CPUs without AES needs 1700 bytes.
struct Stream<'a> {
    counter: u128,
    data: &'a mut [u8],
}

impl BlockSizeUser for Stream<'_> {
    type BlockSize = U16;
}

impl BlockCipherEncClosure for Stream<'_> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        /// How many blocks it encrypts at once: fewer than any other implementation.
        const WITHOUT_AES: usize = 4;
        if <B as ParBlocksSizeUser>::ParBlocksSize::USIZE == WITHOUT_AES {
            self.apply_apart(backend);
        } else {
            self.apply(backend);
        }
    }
}

impl Stream<'_> {
    #[inline(never)]
    fn apply_apart<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        self.apply(backend);
    }

    /// As many blocks at a time as the implementation encrypts at once. The next ones are made ready before these are encrypted: a
    /// processor waits where it reads 16 bytes that were just written in two halves.
    #[inline(always)]
    fn apply<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        let Self { mut counter, data } = self;
        let mut first = ParBlocks::<B>::default();
        let at_once = size_of_val(&first);
        if data.len() <= at_once {
            encrypt_needed(&mut first, data.len(), backend, |blocks| {
                count_up(blocks, &mut counter);
            });
            xor(data, &first);
            wipe(&mut first);
            return;
        }
        count_up(&mut first, &mut counter);
        let (mut now, mut next) = (&mut first, &mut ParBlocks::<B>::default());
        let mut pieces = data.chunks_exact_mut(at_once);
        for piece in &mut pieces {
            count_up(next, &mut counter);
            backend.encrypt_par_blocks((&mut *now).into());
            xor(piece, now);
            std::mem::swap(&mut now, &mut next);
        }
        let rest = pieces.into_remainder();
        encrypt_needed(now, rest.len(), backend, |_| ());
        xor(rest, now);
        wipe(now);
        wipe(next);
    }
}

/// Encrypts as many blocks as `length` bytes need, after `prepare` has filled them. To encrypt all at once takes less time than more
/// than half of them one after the other.
#[inline(always)]
fn encrypt_needed<B: BlockCipherEncBackend<BlockSize = U16>>(
    blocks: &mut ParBlocks<B>,
    length: usize,
    backend: &B,
    prepare: impl FnOnce(&mut [Block]),
) {
    let needed = length.div_ceil(16);
    if needed > blocks.len() / 2 {
        prepare(blocks);
        backend.encrypt_par_blocks((&mut *blocks).into());
    } else if let Some(needed) = blocks.get_mut(..needed) {
        prepare(needed);
        backend.encrypt_tail_blocks(needed.into());
    }
}

/// Fills blocks with the next numbers.
fn count_up(blocks: &mut [Block], counter: &mut u128) {
    for block in blocks {
        *block = counter.to_be_bytes().into();
        *counter = counter.wrapping_add(1);
    }
}

fn wipe(blocks: &mut [Block]) {
    Array::cast_slice_to_core_mut(blocks)
        .as_flattened_mut()
        .zeroize();
}

/// XORs the data with the key stream, which is at least as long.
fn xor(data: &mut [u8], stream: &[Block]) {
    let stream = Array::cast_slice_to_core(stream).as_flattened();
    for (byte, with) in data.iter_mut().zip(stream) {
        *byte ^= with;
    }
}

impl ZeroizeOnDrop for Key {}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::super::bignum::hex;
    use super::*;

    const KEY: &str = "2b7e151628aed2a6abf7158809cf4f3c";
    const COUNTER: &str = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
    const PLAIN: &str = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
                         30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";
    const CIPHER: &str = "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff\
                          5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee";

    fn block(text: &str) -> [u8; 16] {
        hex(text).try_into().unwrap()
    }

    #[test]
    fn sp_800_38a_f_5_1() {
        let mut data = hex(PLAIN);
        apply(&block(KEY), &block(COUNTER), &mut data);
        assert_eq!(data, hex(CIPHER));
        apply(&block(KEY), &block(COUNTER), &mut data);
        assert_eq!(data, hex(PLAIN));
    }

    #[test]
    fn fips_197_appendix_c_1() {
        // One block of key stream is the encryption of the counter.
        let mut data = [0; 16];
        apply(
            &block("000102030405060708090a0b0c0d0e0f"),
            &block("00112233445566778899aabbccddeeff"),
            &mut data,
        );
        assert_eq!(data[..], hex("69c4e0d86a7b0430d8cdb78070b4c55a"));
    }

    #[test]
    fn the_counter_wraps_over_all_sixteen_bytes() {
        let key = block(KEY);
        let mut two = [0; 32];
        apply(&key, &[0xff; 16], &mut two);
        let mut last = [0; 16];
        apply(&key, &[0xff; 16], &mut last);
        let mut first = [0; 16];
        apply(&key, &[0; 16], &mut first);
        assert_eq!(two[..16], last);
        assert_eq!(two[16..], first);
    }

    #[test]
    fn a_long_text_has_one_key_stream() {
        let key = Key::new(&block(KEY));
        let length = 5000;
        let mut whole = vec![0; length];
        key.apply(0, &mut whole);
        for (number, piece) in whole.chunks(16).enumerate() {
            let mut alone = vec![0; piece.len()];
            key.apply(u128::try_from(number).unwrap(), &mut alone);
            assert_eq!(piece, alone);
        }
    }

    #[test]
    fn a_short_text_has_the_same_key_stream() {
        let key = Key::new(&block(KEY));
        let mut whole = vec![0; 16 * 20];
        key.apply(u128::MAX, &mut whole);
        for length in 0..whole.len() {
            let mut start = vec![0; length];
            key.apply(u128::MAX, &mut start);
            assert_eq!(start, whole[..length], "{length}");
        }
    }

    #[test]
    fn the_key_schedule_is_wiped_on_drop() {
        fn wiped<T: ZeroizeOnDrop>() {}
        // Compiles only if the libraries' features for it are enabled.
        wiped::<Aes128Enc>();
    }

    #[test]
    fn debug_hides_the_key() {
        assert_eq!(format!("{:?}", Key::new(&[0xab; 16])), "Key(secret)");
    }
}
