//! Products of powers modulo a number, sharing their squarings (Straus).

use crypto_bigint::{Choice, CtEq, Uint, Word};
use zeroize::{Zeroize, Zeroizing};

/// Bits of the exponent that one multiplication consumes: the best choice for bases that are used once.
const WINDOW: u32 = 5;

/// A number modulo something, in the form in which products are fast.
/// Each operation takes the same time for all values of one modulus.
pub(super) trait Form: Clone + Zeroize {
    /// self * by, in place.
    fn multiply_by(&mut self, by: &Self);
    /// self * self, in place.
    fn square(&mut self);
    /// Becomes the other value if the choice, a secret, is true.
    fn become_if(&mut self, other: &Self, choice: Choice);
}

/// The product of base^exponent over all powers. The exponents are secret, the bit lengths beside them are not:
/// the time depends on these and on nothing else. An exponent is below 2^length.
pub(super) fn product<F: Form, const LIMBS: usize>(
    one: &F,
    powers: &[(F, &Uint<LIMBS>, u32)],
) -> F {
    let tables: Vec<_> = powers
        .iter()
        .map(|(base, exponent, length)| {
            (
                powers_of(one, base),
                exponent.as_words(),
                length.div_ceil(WINDOW),
            )
        })
        .collect();
    let windows = tables.iter().map(|(_, _, windows)| *windows).max();
    let windows = windows.unwrap_or(0);
    let mut result = one.clone();
    for window in (0..windows).rev() {
        if window + 1 < windows {
            for _ in 0..WINDOW {
                result.square();
            }
        }
        for (table, exponent, windows) in &tables {
            // Which exponents have begun is public, as their lengths are.
            if window < *windows {
                let mut factor = select(one, table, digit(*exponent, window * WINDOW));
                result.multiply_by(&factor);
                factor.zeroize();
            }
        }
    }
    result
}

/// base^0 to base^(2^WINDOW - 1).
fn powers_of<F: Form>(one: &F, base: &F) -> Zeroizing<Vec<F>> {
    let mut table = Zeroizing::new(Vec::with_capacity(1 << WINDOW));
    let mut power = one.clone();
    for _ in 0..1 << WINDOW {
        table.push(power.clone());
        power.multiply_by(base);
    }
    power.zeroize();
    table
}

/// The entry of the table at a secret index.
fn select<F: Form>(one: &F, table: &[F], index: Word) -> F {
    let mut selected = one.clone();
    for (entry, at) in table.iter().zip(0..) {
        selected.become_if(entry, index.ct_eq(&at));
    }
    selected
}

/// The WINDOW bits of the exponent from this bit on.
fn digit(exponent: &[Word], from: u32) -> Word {
    let word = |number: u32| {
        usize::try_from(number)
            .ok()
            .and_then(|number| exponent.get(number))
            .copied()
            .unwrap_or(0)
    };
    let (number, offset) = (from / Word::BITS, from % Word::BITS);
    // Two shifts: one by the whole width of a word would overflow.
    let high = (word(number + 1) << 1) << (Word::BITS - 1 - offset);
    (word(number) >> offset | high) & ((1 << WINDOW) - 1)
}

/// The product of base^exponent over all powers, in a time that shows the exponents but not the bases.
pub(super) fn product_public<F: Form, const LIMBS: usize>(
    one: &F,
    powers: &[(F, Uint<LIMBS>)],
) -> F {
    let plans: Vec<_> = powers
        .iter()
        .map(|(base, exponent)| (odd_powers_of(base), sliding_windows(exponent)))
        .collect();
    let bits = plans.iter().map(|(_, digits)| digits.len()).max();
    let mut result = one.clone();
    for bit in (0..bits.unwrap_or(0)).rev() {
        result.square();
        for (table, digits) in &plans {
            let factor = digits
                .get(bit)
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
fn odd_powers_of<F: Form>(base: &F) -> Zeroizing<Vec<F>> {
    let mut table = Zeroizing::new(Vec::with_capacity(1 << (WINDOW - 1)));
    let mut step = base.clone();
    step.square();
    let mut power = base.clone();
    for _ in 0..1 << (WINDOW - 1) {
        table.push(power.clone());
        power.multiply_by(&step);
    }
    step.zeroize();
    power.zeroize();
    table
}

/// The exponent as a sum of odd digits below 2^WINDOW, each at the bit at which it stands; zero elsewhere.
fn sliding_windows<const LIMBS: usize>(exponent: &Uint<LIMBS>) -> Vec<u8> {
    let length = exponent.bits_vartime();
    let mut digits = Vec::new();
    let mut bit = 0;
    while bit < length {
        if exponent.bit_vartime(bit) {
            // Below 2^WINDOW, so it fits.
            digits.push(u8::try_from(digit(exponent.as_words(), bit)).unwrap_or(0));
            digits.extend([0; WINDOW as usize - 1]);
            bit += WINDOW;
        } else {
            digits.push(0);
            bit += 1;
        }
    }
    digits
}
