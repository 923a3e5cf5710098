//! Big-endian bytes to numbers of a fixed size and back.

use crypto_bigint::{Encoding, Uint};
use zeroize::{Zeroize, Zeroizing};

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
    let mut encoded = Uint::<LIMBS>::ZERO.to_be_bytes();
    let size = encoded.as_slice().len();
    let (excess, low) = big_endian.split_at_checked(big_endian.len().saturating_sub(size))?;
    if excess.iter().any(|byte| *byte != 0) {
        return None;
    }
    encoded
        .as_mut_slice()
        .get_mut(size.checked_sub(low.len())?..)?
        .copy_from_slice(low);
    *value = Uint::from_be_bytes(encoded);
    encoded.zeroize();
    Some(())
}

/// Writes a number without leading zeros. Zero is the empty string.
#[inline(never)]
pub(super) fn write<const LIMBS: usize>(value: &Uint<LIMBS>) -> Zeroizing<Vec<u8>> {
    let mut encoded = value.to_be_bytes();
    let minimal = Zeroizing::new(strip(encoded.as_slice()).to_vec());
    encoded.zeroize();
    minimal
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
    assert!(digits.len().is_multiple_of(2), "whole bytes");
    digits
        .chunks(2)
        .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crypto_bigint::U128;

    #[test]
    fn reads_any_length_that_fits() {
        assert_eq!(read(b""), Some(U128::ZERO));
        assert_eq!(read(b"\0"), Some(U128::ZERO));
        assert_eq!(read(b"\x01\x02"), Some(U128::from(0x102_u32)));
        assert_eq!(read(&[0xff; 16]), Some(U128::MAX));
        let mut long = vec![0; 100];
        long.extend([0xff; 16]);
        assert_eq!(read(&long), Some(U128::MAX));
        assert_eq!(
            read::<{ U128::LIMBS }>(&[&[1], &[0; 16][..]].concat()),
            None
        );
        assert_eq!(read::<{ U128::LIMBS }>(&[0xff; 17]), None);
    }

    #[test]
    fn writes_without_leading_zeros() {
        assert_eq!(write(&U128::ZERO).as_slice(), b"");
        assert_eq!(write(&U128::from(0x1_0000_u32)).as_slice(), b"\x01\0\0");
        assert_eq!(write(&U128::MAX).as_slice(), [0xff; 16]);
        assert_eq!(strip(b"\0\0\x01\0"), b"\x01\0");
        assert_eq!(strip(b"\0\0"), b"");
    }
}
