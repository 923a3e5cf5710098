//! Big-endian bytes to numbers of a fixed size and back.

use crate::uint::{Uint, Word};
use zeroize::Zeroizing;

// None is inlined: otherwise the stack frames of their callers would contain the encoding as well.

/// Reads big-endian bytes of any length. None if the value does not fit.
#[inline(never)]
pub(super) fn read<const LIMBS: usize>(big_endian: &[u8]) -> Option<Uint<LIMBS>> {
    let mut value = Uint::ZERO;
    read_into(big_endian, &mut value)?;
    Some(value)
}

/// The same into a variable of the caller.
#[inline(never)]
pub(super) fn read_into<const LIMBS: usize>(
    big_endian: &[u8],
    value: &mut Uint<LIMBS>,
) -> Option<()> {
    let excess = big_endian.len().saturating_sub(Uint::<LIMBS>::BYTES);
    let (excess, low) = big_endian.split_at_checked(excess)?;
    if excess.iter().any(|byte| *byte != 0) {
        return None;
    }
    let mut pieces = low.rchunks(size_of::<Word>());
    for word in value.as_mut_words() {
        let piece = pieces.next().unwrap_or_default();
        *word = match piece.try_into() {
            Ok(whole) => Word::from_be_bytes(whole),
            Err(_) => piece
                .iter()
                .fold(0, |word, byte| word << 8 | Word::from(*byte)),
        };
    }
    Some(())
}

/// Writes a number without leading zeros. Zero is the empty string.
#[inline(never)]
pub(super) fn write<const LIMBS: usize>(value: &Uint<LIMBS>) -> Zeroizing<Vec<u8>> {
    let mut encoded = Zeroizing::new(vec![0; Uint::<LIMBS>::BYTES]);
    write_padded(value, &mut encoded);
    Zeroizing::new(strip(&encoded).to_vec())
}

/// Writes as many of its lowest bytes as there are places for, and zeros before them.
#[inline(never)]
pub(super) fn write_padded<const LIMBS: usize>(value: &Uint<LIMBS>, big_endian: &mut [u8]) {
    let excess = big_endian.len().saturating_sub(Uint::<LIMBS>::BYTES);
    let Some((excess, low)) = big_endian.split_at_mut_checked(excess) else {
        return;
    };
    excess.fill(0);
    let mut words = value.as_words().iter();
    let mut pieces = low.rchunks_exact_mut(size_of::<Word>());
    for (piece, word) in pieces.by_ref().zip(words.by_ref()) {
        piece.copy_from_slice(&word.to_be_bytes());
    }
    let rest = pieces.into_remainder();
    let next = words.next().copied().unwrap_or(0).to_be_bytes();
    if let Some(low) = next.get(size_of::<Word>() - rest.len()..) {
        rest.copy_from_slice(low);
    }
}

/// The same number without leading zeros.
pub(super) fn strip(big_endian: &[u8]) -> &[u8] {
    big_endian
        .get(leading_zeros(big_endian)..)
        .unwrap_or_default()
}

/// How many bytes in front are zero. OTR writes numbers without them, and hashes shared secrets in this form, so the length of
/// a secret reveals this. Not inlined, so that the constant-time test can exempt it and nothing else.
#[inline(never)]
pub fn leading_zeros(big_endian: &[u8]) -> usize {
    big_endian.iter().take_while(|byte| **byte == 0).count()
}

/// Hexadecimal test vectors.
#[cfg(test)]
pub(super) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_digit(16).expect("a hexadecimal digit"))
        .collect();
    assert!(digits.len() % 2 == 0, "whole bytes");
    digits
        .chunks(2)
        .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    type U128 = Uint<2>;
    const MAX: U128 = U128::from_words([Word::MAX; 2]);

    #[test]
    fn reads_any_length_that_fits() {
        assert_eq!(read(b""), Some(U128::ZERO));
        assert_eq!(read(b"\0"), Some(U128::ZERO));
        assert_eq!(read(b"\x01\x02"), Some(U128::from(0x102)));
        let digits = hex("0123456789abcdef02");
        assert_eq!(
            read(&digits),
            Some(U128::from_words([0x2345_6789_abcd_ef02, 1]))
        );
        assert_eq!(read(&[0xff; 16]), Some(MAX));
        let mut long = vec![0; 100];
        long.extend([0xff; 16]);
        assert_eq!(read(&long), Some(MAX));
        assert_eq!(
            read::<{ U128::LIMBS }>(&[&[1], &[0; 16][..]].concat()),
            None
        );
        assert_eq!(read::<{ U128::LIMBS }>(&[0xff; 17]), None);
    }

    #[test]
    fn writes_without_leading_zeros() {
        assert_eq!(write(&U128::ZERO).as_slice(), b"");
        assert_eq!(write(&U128::from(0x1_0000)).as_slice(), b"\x01\0\0");
        assert_eq!(write(&MAX).as_slice(), [0xff; 16]);
        assert_eq!(strip(b"\0\0\x01\0"), b"\x01\0");
        assert_eq!(strip(b"\0\0"), b"");
    }

    #[test]
    fn writes_with_leading_zeros() {
        let value = U128::from_words([0x2345_6789_abcd_ef02, 1]);
        for length in 0..20 {
            let mut bytes = vec![0xaa; length];
            write_padded(&value, &mut bytes);
            let all = [&[0; 11], &hex("0123456789abcdef02")[..]].concat();
            assert_eq!(bytes, all[20 - length..], "{length}");
        }
    }
}
