//! AES-128 in counter mode. The counter is one 16-byte big-endian number that grows by one with each block and wraps.

use aes::Aes128Enc;
use ctr::cipher::{InnerIvInit, KeyInit, StreamCipher};
use ctr::{Ctr128BE, CtrCore, flavors};
use std::fmt;
use zeroize::{ZeroizeOnDrop, zeroize_stack};

/// Encrypts or decrypts the data in place, from the start of the key stream.
pub fn apply(key: &[u8; 16], counter: &[u8; 16], data: &mut [u8]) {
    Key::new(key).apply(counter, data);
}

/// A key made ready once for many messages: the round keys. Wiped on drop.
pub struct Key(Box<Aes128Enc>);

impl Key {
    /// Makes a key ready.
    pub fn new(key: &[u8; 16]) -> Self {
        let key = Self(Box::new(Aes128Enc::new(key.into())));
        // Expanding a key leaves it in the stack, from where it may get anywhere.
        zeroize_stack::<512>();
        key
    }

    /// Encrypts or decrypts the data in place, with the key stream that begins with the block of this counter.
    pub fn apply(&self, counter: &[u8; 16], data: &mut [u8]) {
        let core = CtrCore::<_, flavors::Ctr128BE>::inner_iv_init(&*self.0, counter.into());
        Ctr128BE::from_core(core).apply_keystream(data);
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
    fn the_key_schedule_is_wiped_on_drop() {
        fn wiped<T: ZeroizeOnDrop>() {}
        // Compiles only while the libraries' features for it are on.
        wiped::<Ctr128BE<Aes128Enc>>();
        wiped::<Aes128Enc>();
    }

    #[test]
    fn debug_hides_the_key() {
        assert_eq!(format!("{:?}", Key::new(&[0xab; 16])), "Key(secret)");
    }
}
