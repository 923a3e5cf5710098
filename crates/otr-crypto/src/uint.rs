//! Numbers of a fixed size, and their operations other than modular multiplication (`montgomery`).
//!
//! Whatever is not said to be for public numbers takes the same time for all values.

use std::cmp::Ordering;
use std::fmt;
use std::hint::black_box;
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroize;

/// A part of a number: 64 bits, on every machine.
pub(crate) type Word = u64;

/// A number of `LIMBS` words, the lowest first.
#[derive(Clone, Copy)]
pub struct Uint<const LIMBS: usize>([Word; LIMBS]);

pub(crate) type U256 = Uint<4>;
pub(crate) type U1024 = Uint<16>;
pub(crate) type U1536 = Uint<24>;
pub(crate) type U3072 = Uint<48>;

impl<const LIMBS: usize> Uint<LIMBS> {
    pub(crate) const LIMBS: usize = LIMBS;
    pub(crate) const BYTES: usize = LIMBS * size_of::<Word>();
    pub(crate) const ZERO: Self = Self([0; LIMBS]);

    /// The number of these words, the lowest first.
    pub(crate) const fn from_words(words: [Word; LIMBS]) -> Self {
        Self(words)
    }

    pub(crate) fn as_words(&self) -> &[Word; LIMBS] {
        &self.0
    }

    pub(crate) fn as_mut_words(&mut self) -> &mut [Word; LIMBS] {
        &mut self.0
    }

    /// The lowest bit.
    pub(crate) fn parity(&self) -> Word {
        self.0.first().map_or(0, |lowest| lowest & 1)
    }

    pub(crate) fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }

    pub(crate) fn is_below(&self, other: &Self) -> bool {
        let mut borrow = 0;
        for (word, by) in self.0.iter().zip(&other.0) {
            (_, borrow) = subtract(*word, *by, borrow);
        }
        borrow == 1
    }

    /// self += other; the carry out.
    pub(crate) fn add(&mut self, other: &Self) -> Word {
        self.add_masked(other, Word::MAX)
    }

    /// self += other if the condition is 1 and not 0; the carry out.
    pub(crate) fn add_if(&mut self, other: &Self, condition: Word) -> Word {
        self.add_masked(other, mask_of(condition))
    }

    fn add_masked(&mut self, other: &Self, mask: Word) -> Word {
        let mut carry = 0;
        for (word, by) in self.0.iter_mut().zip(&other.0) {
            let (sum, first) = word.overflowing_add(by & mask);
            let (sum, second) = sum.overflowing_add(carry);
            (*word, carry) = (sum, Word::from(first | second));
        }
        carry
    }

    /// self -= other; the borrow out.
    pub(crate) fn subtract(&mut self, other: &Self) -> Word {
        let mut borrow = 0;
        for (word, by) in self.0.iter_mut().zip(&other.0) {
            (*word, borrow) = subtract(*word, *by, borrow);
        }
        borrow
    }

    /// Takes the modulus off once, if the number is not below it. `carry` is the bit above the number, which is below twice the
    /// modulus if that is 1.
    pub(crate) fn reduce_once(&mut self, modulus: &Self, carry: Word) {
        let borrow = self.subtract(modulus);
        self.add_if(modulus, borrow & !carry);
    }

    /// How long a public number is.
    pub(crate) fn bits(&self) -> u32 {
        let length = |(word, below): (&Word, u32)| match word {
            0 => 0,
            _ => below + Word::BITS - word.leading_zeros(),
        };
        let words = self.0.iter().zip((0..).step_by(64));
        words.map(length).max().unwrap_or(0)
    }

    /// A bit of a public number.
    pub(crate) fn bit(&self, number: u32) -> bool {
        let word = place(number).and_then(|place| self.0.get(place));
        word.is_some_and(|word| word >> (number % Word::BITS) & 1 == 1)
    }

    /// Makes a bit 1.
    pub(crate) fn set_bit(&mut self, number: u32) {
        if let Some(word) = place(number).and_then(|place| self.0.get_mut(place)) {
            *word |= 1 << (number % Word::BITS);
        }
    }

    /// self >>= bits, of which there may be any number; it is public.
    pub(crate) fn shift_right(&mut self, bits: u32) {
        let (skipped, offset) = (place(bits).unwrap_or(LIMBS), bits % Word::BITS);
        for at in 0..LIMBS {
            let word = |at: usize| self.0.get(at + skipped).copied().unwrap_or(0);
            // Two shifts: one by the whole width of a word would overflow.
            let shifted = word(at) >> offset | word(at + 1) << 1 << (Word::BITS - 1 - offset);
            if let Some(place) = self.0.get_mut(at) {
                *place = shifted;
            }
        }
    }

    /// Its lowest words, or all of them and zeros above.
    pub(crate) fn resize<const TO: usize>(&self) -> Uint<TO> {
        let mut resized = Uint::ZERO;
        for (to, from) in resized.0.iter_mut().zip(&self.0) {
            *to = *from;
        }
        resized
    }

    /// The order of public numbers.
    pub(crate) fn cmp_public(&self, other: &Self) -> Ordering {
        self.0.iter().rev().cmp(other.0.iter().rev())
    }
}

/// In which word a bit is.
fn place(bit: u32) -> Option<usize> {
    usize::try_from(bit / Word::BITS).ok()
}

/// a - b - borrow, and the new borrow.
#[inline(always)]
pub(crate) fn subtract(a: Word, b: Word, borrow: Word) -> (Word, Word) {
    let (difference, first) = a.overflowing_sub(b);
    let (difference, second) = difference.overflowing_sub(borrow);
    (difference, Word::from(first | second))
}

/// All ones for 1, zero for 0. The compiler is not told that there are only these two.
#[inline(always)]
pub(crate) fn mask_of(condition: Word) -> Word {
    black_box(condition.wrapping_neg())
}

impl<const LIMBS: usize> From<Word> for Uint<LIMBS> {
    fn from(word: Word) -> Self {
        let mut value = Self::ZERO;
        if let Some(lowest) = value.0.first_mut() {
            *lowest = word;
        }
        value
    }
}

impl<const LIMBS: usize> ConstantTimeEq for Uint<LIMBS> {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.as_slice().ct_eq(other.0.as_slice())
    }
}

impl<const LIMBS: usize> PartialEq for Uint<LIMBS> {
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl<const LIMBS: usize> Eq for Uint<LIMBS> {}

impl<const LIMBS: usize> Default for Uint<LIMBS> {
    fn default() -> Self {
        Self::ZERO
    }
}

impl<const LIMBS: usize> Zeroize for Uint<LIMBS> {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

/// Hexadecimal, with all leading zeros. For what may be printed.
impl<const LIMBS: usize> fmt::Debug for Uint<LIMBS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = self.0.iter().rev();
        words.try_for_each(|word| write!(f, "{word:016x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigUint;
    use proptest::prelude::*;

    fn big<const LIMBS: usize>(value: &Uint<LIMBS>) -> BigUint {
        let words = value.0.iter().rev();
        words.fold(BigUint::ZERO, |sum, word| (sum << 64) + *word)
    }

    /// Numbers in which carries travel far, too.
    fn number() -> impl Strategy<Value = U256> {
        let word = prop_oneof![Just(0), Just(1), Just(Word::MAX), any::<Word>()];
        prop::array::uniform4(word).prop_map(Uint)
    }

    proptest! {
        #[test]
        fn sums_and_differences(a in number(), b in number(), condition in 0..=1_u64) {
            let r = BigUint::from(1_u32) << 256;
            let mut sum = a;
            let carry = sum.add(&b);
            prop_assert_eq!(big(&sum) + &r * carry, big(&a) + big(&b));
            let mut sum = a;
            let carry = sum.add_if(&b, condition);
            prop_assert_eq!(big(&sum) + &r * carry, big(&a) + big(&b) * condition);
            let mut difference = a;
            let borrow = difference.subtract(&b);
            prop_assert_eq!(big(&difference) + big(&b), big(&a) + &r * borrow);
        }

        #[test]
        fn reduction(a in number(), b in number(), modulus in number()) {
            // Any two numbers below a modulus other than 0.
            let m = big(&modulus).max(1_u32.into());
            let modulus = crate::bignum::read(&m.to_bytes_be()).unwrap();
            let [a, b]: [U256; 2] = [a, b].map(|value| {
                crate::bignum::read(&(big(&value) % &m).to_bytes_be()).unwrap()
            });
            let mut sum = a;
            let carry = sum.add(&b);
            sum.reduce_once(&modulus, carry);
            prop_assert_eq!(big(&sum), (big(&a) + big(&b)) % m);
        }

        #[test]
        fn comparisons(a in number(), b in number()) {
            for (a, b) in [(a, b), (a, a), (b, a)] {
                prop_assert_eq!(a.is_below(&b), big(&a) < big(&b));
                prop_assert_eq!(a == b, big(&a) == big(&b));
                prop_assert_eq!(a.cmp_public(&b), big(&a).cmp(&big(&b)));
                prop_assert_eq!(a.is_zero(), big(&a) == BigUint::ZERO);
                prop_assert_eq!(a.parity() == 1, big(&a).bit(0));
            }
        }

        #[test]
        fn bits(a in number(), number in 0..600_u32) {
            prop_assert_eq!(u64::from(a.bits()), big(&a).bits());
            prop_assert_eq!(a.bit(number), big(&a).bit(number.into()));
            let mut shifted = a;
            shifted.shift_right(number);
            prop_assert_eq!(big(&shifted), big(&a) >> number);
            let mut set = a;
            set.set_bit(number);
            let expected = BigUint::from(u32::from(number < 256)) << number;
            prop_assert_eq!(big(&set), big(&a) | expected);
        }

        #[test]
        fn other_sizes(a in number()) {
            prop_assert_eq!(big(&a.resize::<16>()), big(&a));
            prop_assert_eq!(big(&a.resize::<1>()), big(&a) % (BigUint::from(1_u32) << 64));
            prop_assert_eq!(format!("{a:?}"), format!("{:0>64}", big(&a).to_str_radix(16)));
        }
    }
}
