//! Products of powers modulo a number, sharing their squarings (Straus), and combs for bases that are raised more than once.
//!
//! Numbers are boxed: those of the vector kernel have 256 bytes, and callers may have little stack.

use super::montgomery::Modulus;
use crate::uint::{Uint, Word};
use zeroize::{Zeroize, Zeroizing};

/// Bits of the exponent that one multiplication consumes: the best choice for bases that are used once.
const WINDOW: u32 = 5;
/// Bits between two teeth of a comb, and of one for exponents of at most `SHORT` bits, whose table stays small with more teeth.
/// Both divide 256, 320 and 1536: the lengths of exponents that occur.
const TOOTH: u32 = 64;
const SHORT_TOOTH: u32 = 32;
pub(super) const SHORT: u32 = 320;
/// Teeth that share a table, and so a multiplication at each place between two of them.
const TEETH: u32 = 5;

/// The product of base^exponent over all powers. The exponents are secret, their bit lengths are not: the time depends only on
/// these. An exponent is below 2^length.
pub(super) fn product<M: Modulus, const LIMBS: usize>(
    modulus: &M,
    powers: &[(Box<M::Number>, &Uint<LIMBS>, u32)],
) -> Box<M::Number> {
    let tables: Vec<_> = powers
        .iter()
        .map(|(base, exponent, length)| {
            (
                powers_of(modulus, base),
                exponent.as_words(),
                length.div_ceil(WINDOW),
            )
        })
        .collect();
    let windows = tables.iter().map(|(_, _, windows)| *windows).max();
    let windows = windows.unwrap_or(0);
    let mut result = Box::new(modulus.one());
    let mut factor = Box::new(modulus.one());
    for window in (0..windows).rev() {
        if window + 1 < windows {
            for _ in 0..WINDOW {
                modulus.square(&mut result);
            }
        }
        for (table, exponent, windows) in &tables {
            // Which exponents have begun is public, like their lengths.
            if window < *windows {
                modulus.select(&mut factor, table, digit(*exponent, window * WINDOW));
                modulus.multiply(&mut result, &factor);
            }
        }
    }
    factor.zeroize();
    result
}

/// base^0 to base^(2^WINDOW - 1).
#[inline(never)]
fn powers_of<M: Modulus>(modulus: &M, base: &M::Number) -> Zeroizing<Vec<M::Number>> {
    let mut table = ones(modulus);
    if let Some(first) = table.get_mut(1) {
        first.clone_from(base);
    }
    multiply_along(modulus, table.get_mut(1..).unwrap_or_default(), base);
    table
}

// Not inlined: its stack frame has a number in it, and no longer exists when there is a multiplication.
#[inline(never)]
fn ones<M: Modulus>(modulus: &M) -> Zeroizing<Vec<M::Number>> {
    Zeroizing::new(vec![modulus.one(); 1 << WINDOW])
}

/// Each entry but the first becomes the one before it times `by`.
// Otherwise the compiler would unroll it for each entry of a table.
#[inline(never)]
fn multiply_along<M: Modulus>(modulus: &M, table: &mut [M::Number], by: &M::Number) {
    let mut entries = table.iter_mut();
    let Some(mut before) = entries.next() else {
        return;
    };
    for entry in entries {
        entry.clone_from(before);
        modulus.multiply(entry, by);
        before = entry;
    }
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

/// The product of base^exponent over all powers, in a time that depends on the exponents but not on the bases.
pub(super) fn product_public<M: Modulus, const LIMBS: usize>(
    modulus: &M,
    powers: &[(Box<M::Number>, &Uint<LIMBS>)],
) -> Box<M::Number> {
    let plans: Vec<_> = powers
        .iter()
        .map(|(base, exponent)| (odd_powers_of(modulus, base), sliding_windows(exponent)))
        .collect();
    let bits = plans.iter().map(|(_, digits)| digits.len()).max();
    let mut result = Box::new(modulus.one());
    // The 1 at the start is not squared.
    let mut begun = false;
    for bit in (0..bits.unwrap_or(0)).rev() {
        if begun {
            modulus.square(&mut result);
        }
        for (table, digits) in &plans {
            let factor = digits
                .get(bit)
                .filter(|digit| **digit != 0)
                .and_then(|digit| table.get(usize::from(digit / 2)));
            if let Some(factor) = factor {
                modulus.multiply(&mut result, factor);
                begun = true;
            }
        }
    }
    result
}

/// base^1, base^3, ... base^(2^WINDOW - 1).
#[inline(never)]
fn odd_powers_of<M: Modulus>(modulus: &M, base: &M::Number) -> Zeroizing<Vec<M::Number>> {
    let mut table = Zeroizing::new(Vec::with_capacity(1 << (WINDOW - 1)));
    for _ in 0..1 << (WINDOW - 1) {
        table.extend_from_slice(std::slice::from_ref(base));
    }
    // The square is stored in the last entry until the others are calculated.
    if let Some((step, others)) = table.split_last_mut() {
        modulus.square(step);
        multiply_along(modulus, others, step);
        if let Some(before) = others.last() {
            modulus.multiply(step, before);
        }
    }
    table
}

/// The exponent as a sum of odd digits below 2^WINDOW, each at the bit where it starts; zero elsewhere.
fn sliding_windows<const LIMBS: usize>(exponent: &Uint<LIMBS>) -> Vec<u8> {
    let length = exponent.bits();
    let mut digits = Vec::new();
    let mut bit = 0;
    while bit < length {
        if exponent.bit(bit) {
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

/// The powers of one base that make other powers fast: base^(2^0), base^(2^64), base^(2^128) and so on (for short exponents
/// base^(2^32), base^(2^64) and so on), and their products.
/// Making it costs about as much as a power, each power afterwards a fifth.
pub(super) struct Comb<N: Zeroize> {
    /// Bits between two teeth.
    tooth: u32,
    /// For each group of `TEETH` teeth the products of all its subsets.
    tables: Vec<Zeroizing<Vec<N>>>,
}

impl<N: Clone + Zeroize> Comb<N> {
    /// For exponents below 2^length.
    pub(super) fn new<M: Modulus<Number = N>>(modulus: &M, base: &N, length: u32) -> Self {
        let tooth = if length <= SHORT { SHORT_TOOTH } else { TOOTH };
        let teeth = length.div_ceil(tooth);
        let mut tables = Vec::new();
        let mut power = Box::new(base.clone());
        for number in 0..teeth {
            if number > 0 {
                for _ in 0..tooth {
                    modulus.square(&mut power);
                }
            }
            if number % TEETH == 0 {
                let rest = (teeth - number).min(TEETH);
                let mut table = Zeroizing::new(Vec::with_capacity(1 << rest));
                table.push(modulus.one());
                tables.push(table);
            }
            let Some(table) = tables.last_mut() else {
                break;
            };
            // Entries do not move: the capacity is that of the whole table.
            for entry in 0..table.len() {
                table.extend_from_within(entry..=entry);
                if let Some(product) = table.last_mut() {
                    match entry {
                        0 => product.clone_from(&power),
                        _ => modulus.multiply(product, &power),
                    }
                }
            }
        }
        power.zeroize();
        Self { tooth, tables }
    }

    /// base^exponent, for a secret exponent below 2^length, which is at most that of the comb. The time depends only on the length.
    pub(super) fn power<M: Modulus<Number = N>, const LIMBS: usize>(
        &self,
        modulus: &M,
        exponent: &Uint<LIMBS>,
        length: u32,
    ) -> Box<N> {
        // Found without a division: the checks that look for divisions of secrets cannot tell that this one is of public numbers.
        let group_bits = self.tooth * TEETH;
        let groups = (0..).take_while(|group| group * group_bits < length);
        let mut result = Box::new(modulus.one());
        let mut factor = Box::new(modulus.one());
        for place in (0..self.tooth).rev() {
            if place + 1 < self.tooth {
                modulus.square(&mut result);
            }
            for (table, group) in self.tables.iter().zip(groups.clone()) {
                let bits = (0..TEETH).fold(0, |bits, tooth| {
                    let bit = place + self.tooth * (group * TEETH + tooth);
                    bits | (digit(exponent.as_words(), bit) & 1) << tooth
                });
                modulus.select(&mut factor, table, bits);
                modulus.multiply(&mut result, &factor);
            }
        }
        factor.zeroize();
        result
    }
}
