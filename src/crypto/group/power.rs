//! Products of powers modulo p, sharing their squarings (Straus).

use super::field::Field;
use crypto_bigint::{U1536, Word};
use zeroize::{Zeroize, Zeroizing};

/// Bits of the exponent that one multiplication consumes: the best choice for bases that are used once.
const WINDOW: u32 = 5;

/// Bits of the largest exponent.
const DIGITS: usize = U1536::LIMBS * Word::BITS as usize;

/// The product of base^exponent over all powers. The exponents are secret, the bit lengths beside them are not:
/// the time depends on these and on nothing else. An exponent is below 2^length.
pub(super) fn product(powers: &[(Field, &U1536, u32)]) -> Field {
    let tables: Vec<_> = powers
        .iter()
        .map(|(base, exponent, length)| (powers_of(base), exponent, length.div_ceil(WINDOW)))
        .collect();
    let windows = tables
        .iter()
        .map(|(_, _, windows)| *windows)
        .max()
        .unwrap_or(0);
    let mut result = Field::ONE;
    for window in (0..windows).rev() {
        if window + 1 < windows {
            for _ in 0..WINDOW {
                result.square();
            }
        }
        for (table, exponent, windows) in &tables {
            // Which exponents have begun is public, as their lengths are.
            if window < *windows {
                let mut factor = Field::select(table, digit(exponent, window * WINDOW));
                result.multiply_by(&factor);
                factor.zeroize();
            }
        }
    }
    result
}

/// base^0 to base^(2^WINDOW - 1).
fn powers_of(base: &Field) -> Zeroizing<Vec<Field>> {
    let mut table = Zeroizing::new(Vec::with_capacity(1 << WINDOW));
    let mut power = Field::ONE;
    for _ in 0..1 << WINDOW {
        table.push(power);
        power.multiply_by(base);
    }
    power.zeroize();
    table
}

/// The WINDOW bits of the exponent from this bit on.
fn digit(exponent: &U1536, from: u32) -> Word {
    let words = exponent.as_words();
    let word = |number: u32| {
        usize::try_from(number)
            .ok()
            .and_then(|number| words.get(number))
            .copied()
            .unwrap_or(0)
    };
    let (number, offset) = (from / Word::BITS, from % Word::BITS);
    // Two shifts: one by the whole width of a word would overflow.
    let high = (word(number + 1) << 1) << (Word::BITS - 1 - offset);
    (word(number) >> offset | high) & ((1 << WINDOW) - 1)
}

/// The product of base^exponent over all powers, in a time that shows the exponents but not the bases.
pub(super) fn product_public(powers: &[(Field, U1536)]) -> Field {
    let plans: Vec<_> = powers
        .iter()
        .map(|(base, exponent)| (odd_powers_of(base), sliding_windows(exponent)))
        .collect();
    let bits = powers.iter().map(|(_, exponent)| exponent.bits_vartime());
    let mut result = Field::ONE;
    for bit in (0..bits.max().unwrap_or(0)).rev() {
        result.square();
        for (table, windows) in &plans {
            let factor = windows
                .get(usize::try_from(bit).unwrap_or(usize::MAX))
                .filter(|digit| **digit != 0)
                .and_then(|digit| table.get(usize::from(digit / 2)));
            if let Some(factor) = factor {
                result.multiply_by(factor);
            }
        }
    }
    result
}

/// base^1, base^3, ... base^(2^WINDOW - 1).
fn odd_powers_of(base: &Field) -> Zeroizing<Vec<Field>> {
    let mut table = Zeroizing::new(Vec::with_capacity(1 << (WINDOW - 1)));
    let mut step = *base;
    step.square();
    let mut power = *base;
    for _ in 0..1 << (WINDOW - 1) {
        table.push(power);
        power.multiply_by(&step);
    }
    step.zeroize();
    power.zeroize();
    table
}

/// The exponent as a sum of odd digits below 2^WINDOW, each at the bit at which it stands; zero elsewhere.
fn sliding_windows(exponent: &U1536) -> Vec<u8> {
    let mut digits = vec![0; DIGITS];
    let mut bit = 0;
    let length = exponent.bits_vartime();
    while bit < length {
        if exponent.bit_vartime(bit) {
            if let (Ok(at), Ok(value)) = (usize::try_from(bit), u8::try_from(digit(exponent, bit)))
                && let Some(place) = digits.get_mut(at)
            {
                *place = value;
            }
            bit += WINDOW;
        } else {
            bit += 1;
        }
    }
    digits
}
