//! HMAC (RFC 2104) with SHA-1 and SHA-256, and comparison in constant time.

use super::hash;
use super::stack::{self, HASH_STACK};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

mod prepared;

pub use prepared::{BEGINNING, HmacSha1Key};

/// Block size of both hashes, in bytes.
const BLOCK: usize = 64;

/// HMAC-SHA-1 of the parts, as if they were one string. The key may have any length.
pub fn hmac_sha1(key: &[u8], parts: &[&[u8]]) -> [u8; 20] {
    authenticate(Hmac::<Sha1>::new((&*sha1_key_block(key)).into()), parts).into()
}

/// HMAC-SHA-256 of the parts, as if they were one string. The key may have any length.
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let block = key_block(key, |long| Zeroizing::new(hash::sha256(&[long])));
    authenticate(Hmac::<Sha256>::new((&*block).into()), parts).into()
}

/// Whether two strings are equal, in a time that depends on their lengths only.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    // Four bytes at a time: MACs have 20 or 32.
    let (a, b) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest = a.remainder().iter().zip(b.remainder());
    let different = rest.fold(0, |sum, (a, b)| sum | u32::from(a ^ b));
    let word = |bytes: &[u8]| u32::from_ne_bytes(bytes.try_into().unwrap_or_default());
    let different = a
        .zip(b)
        .fold(different, |sum, (a, b)| sum | (word(a) ^ word(b)));
    different.ct_eq(&0).into()
}

fn sha1_key_block(key: &[u8]) -> Zeroizing<[u8; BLOCK]> {
    key_block(key, |long| Zeroizing::new(hash::sha1(&[long])))
}

/// The key as RFC 2104 pads it. With a key of this length the constructor of the MAC cannot fail.
fn key_block<const N: usize>(
    key: &[u8],
    shorten: impl Fn(&[u8]) -> Zeroizing<[u8; N]>,
) -> Zeroizing<[u8; BLOCK]> {
    let mut block = Zeroizing::new([0; BLOCK]);
    match block.get_mut(..key.len()) {
        Some(start) => start.copy_from_slice(key),
        None => {
            for (to, from) in block.iter_mut().zip(shorten(key).iter()) {
                *to = *from;
            }
        }
    }
    block
}

fn authenticate<M: Mac>(mut state: M, parts: &[&[u8]]) -> hmac::digest::Output<M> {
    for part in parts {
        state.update(part);
    }
    let mac = state.finalize().into_bytes();
    stack::note::<HASH_STACK>();
    mac
}

#[cfg(test)]
mod tests {
    use super::super::bignum::hex;
    use super::*;

    #[test]
    fn rfc_2202_hmac_sha1() {
        let cases: [(Vec<u8>, Vec<u8>, &str); 7] = [
            (
                vec![0x0b; 20],
                b"Hi There".to_vec(),
                "b617318655057264e28bc0b6fb378c8ef146be00",
            ),
            (
                b"Jefe".to_vec(),
                b"what do ya want for nothing?".to_vec(),
                "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
            ),
            (
                vec![0xaa; 20],
                vec![0xdd; 50],
                "125d7342b9ac11cd91a39af48aa17b4f63f175d3",
            ),
            (
                (1..=25).collect(),
                vec![0xcd; 50],
                "4c9007f4026250c6bc8414f9bf50c86c2d7235da",
            ),
            (
                vec![0x0c; 20],
                b"Test With Truncation".to_vec(),
                "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04",
            ),
            (
                vec![0xaa; 80],
                b"Test Using Larger Than Block-Size Key - Hash Key First".to_vec(),
                "aa4ae5e15272d00e95705637ce8a3b55ed402112",
            ),
            (
                vec![0xaa; 80],
                b"Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data"
                    .to_vec(),
                "e8e99d0f45237d786d6bbaa7965c7808bbff1a91",
            ),
        ];
        for (key, data, expected) in cases {
            assert_eq!(hmac_sha1(&key, &[&data])[..], hex(expected));
        }
    }

    #[test]
    fn rfc_4231_hmac_sha256() {
        let cases: [(Vec<u8>, Vec<u8>, &str); 5] = [
            (
                vec![0x0b; 20],
                b"Hi There".to_vec(),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                b"Jefe".to_vec(),
                b"what do ya want for nothing?".to_vec(),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                vec![0xaa; 20],
                vec![0xdd; 50],
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
            ),
            (
                (1..=25).collect(),
                vec![0xcd; 50],
                "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
            ),
            (
                vec![0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First".to_vec(),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ];
        for (key, data, expected) in cases {
            assert_eq!(hmac_sha256(&key, &[&data])[..], hex(expected));
        }
    }

    #[test]
    fn keys_around_the_block_size() {
        // RFC 2104: a key of a block or less is padded with zeros, a longer one is hashed first.
        let key = [7; BLOCK + 1];
        let mut padded = key;
        padded[60..].fill(0);
        assert_eq!(
            hmac_sha1(&key[..60], &[b"x"]),
            hmac_sha1(&padded[..BLOCK], &[b"x"])
        );
        assert_eq!(
            hmac_sha1(&key, &[b"x"]),
            hmac_sha1(&hash::sha1(&[&key]), &[b"x"])
        );
        assert_eq!(
            hmac_sha256(&key, &[b"x"]),
            hmac_sha256(&hash::sha256(&[&key]), &[b"x"])
        );
        assert_ne!(
            hmac_sha256(&key[..BLOCK], &[b"x"]),
            hmac_sha256(&hash::sha256(&[&key[..BLOCK]]), &[b"x"])
        );
    }

    #[test]
    fn parts_are_authenticated_as_one_string() {
        assert_eq!(
            hmac_sha1(b"k", &[b"ab", b"", b"c"]),
            hmac_sha1(b"k", &[b"abc"])
        );
        assert_eq!(
            hmac_sha256(b"k", &[b"ab", b"", b"c"]),
            hmac_sha256(b"k", &[b"abc"])
        );
    }

    #[test]
    fn a_key_made_ready_serves_many_messages() {
        let mut key = HmacSha1Key::new(&[0x0b; 20]);
        let message: Vec<u8> = (0..=255).cycle().take(400).collect();
        for length in (0..=message.len()).chain([192, 100]) {
            let message = &message[..length];
            assert_eq!(
                key.authenticate(message),
                hmac_sha1(&[0x0b; 20], &[message]),
                "{length}"
            );
        }
        for length in [0, 1, 20, BLOCK, BLOCK + 1] {
            let mut prepared = HmacSha1Key::new(&message[..length]);
            let expected = hmac_sha1(&message[..length], &[&message]);
            assert_eq!(prepared.authenticate(&message), expected, "{length}");
        }
        assert_eq!(format!("{key:?}"), "HmacSha1Key(secret)");
    }

    #[test]
    fn no_message_is_taken_for_another_that_begins_like_it() {
        let mut key = HmacSha1Key::new(b"key");
        let message = [7; 300];
        let expected = key.authenticate(&message);
        for place in 0..300 {
            let mut other = message;
            other[place] ^= 1;
            assert_eq!(key.authenticate(&other), hmac_sha1(b"key", &[&other]));
            assert_eq!(key.authenticate(&other), hmac_sha1(b"key", &[&other]));
            assert_eq!(key.authenticate(&message), expected, "{place}");
        }
    }

    #[test]
    fn the_states_are_wiped_on_drop() {
        fn wiped<T: zeroize::ZeroizeOnDrop>() {}
        // An HMAC is two states of its hash. Compiles only if the libraries' features for it are enabled.
        wiped::<Sha1>();
        wiped::<Sha256>();
        wiped::<HmacSha1Key>();
    }

    #[test]
    fn equality() {
        assert!(equal(b"", b""));
        assert!(equal(b"abc", b"abc"));
        assert!(!equal(b"abc", b"abd"));
        assert!(!equal(b"bbc", b"abc"));
        assert!(!equal(b"abc", b"ab"));
        assert!(!equal(b"", b"a"));
        for length in 0..30 {
            let bytes: Vec<u8> = (0..length).collect();
            assert!(equal(&bytes, &bytes.clone()));
            for place in 0..bytes.len() {
                let mut other = bytes.clone();
                other[place] ^= 0x10;
                assert!(!equal(&bytes, &other), "{length}, {place}");
            }
        }
    }
}
