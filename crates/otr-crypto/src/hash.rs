//! SHA-1 and SHA-256 (FIPS 180-4).

use crate::stack::{self, HASH_STACK};
use sha1::Sha1;
use sha2::digest::FixedOutputReset;
use sha2::{Digest, Sha256};

/// SHA-1 of the parts, as if they were one string.
pub fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    let mut digest = [0; 20];
    sha1_into(parts, &mut digest);
    digest
}

/// SHA-256 of the parts, as if they were one string.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut digest = [0; 32];
    sha256_into(parts, &mut digest);
    digest
}

/// [`sha1()`] into a buffer of the caller: returning a secret by value may leave copies behind.
pub fn sha1_into(parts: &[&[u8]], digest: &mut [u8; 20]) {
    digest_into::<Sha1>(parts, digest.into());
}

/// [`sha256`] into a buffer of the caller, likewise.
pub fn sha256_into(parts: &[&[u8]], digest: &mut [u8; 32]) {
    digest_into::<Sha256>(parts, digest.into());
}

fn digest_into<D: Digest + FixedOutputReset>(
    parts: &[&[u8]],
    digest: &mut sha2::digest::Output<D>,
) {
    let mut state = D::new();
    for part in parts {
        Digest::update(&mut state, part);
    }
    Digest::finalize_into_reset(&mut state, digest);
    stack::note::<HASH_STACK>();
}

#[cfg(test)]
mod tests {
    use super::super::bignum::hex;
    use super::*;

    // The examples of FIPS 180-2, appendices A and B, and the empty string.
    const TWO_BLOCKS: &[u8] = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

    #[test]
    fn sha1_known_answers() {
        for (input, expected) in [
            (&b""[..], "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            (b"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (TWO_BLOCKS, "84983e441c3bd26ebaae4aa1f95129e5e54670f1"),
            (
                &[b'a'; 1_000_000],
                "34aa973cd4c4daa4f61eeb2bdbad27316534016f",
            ),
        ] {
            assert_eq!(sha1(&[input])[..], hex(expected));
        }
    }

    #[test]
    fn sha256_known_answers() {
        for (input, expected) in [
            (
                &b""[..],
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ),
            (
                b"abc",
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
            (
                TWO_BLOCKS,
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            ),
            (
                &[b'a'; 1_000_000],
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
            ),
        ] {
            assert_eq!(sha256(&[input])[..], hex(expected));
        }
    }

    #[test]
    fn both_ways_give_the_same() {
        let (mut short, mut long) = ([0; 20], [0; 32]);
        sha1_into(&[b"a", b"bc"], &mut short);
        sha256_into(&[b"a", b"bc"], &mut long);
        assert_eq!((short, long), (sha1(&[b"abc"]), sha256(&[b"abc"])));
    }

    #[test]
    fn parts_are_hashed_as_one_string() {
        assert_eq!(sha1(&[]), sha1(&[b""]));
        assert_eq!(sha1(&[b"a", b"", b"bc"]), sha1(&[b"abc"]));
        assert_eq!(sha256(&[b"a", b"", b"bc"]), sha256(&[b"abc"]));
        assert_ne!(sha256(&[b"ac", b"b"]), sha256(&[b"abc"]));
    }
}
