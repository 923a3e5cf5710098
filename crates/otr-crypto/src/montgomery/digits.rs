//! Numbers as digits: of 52 bits, which the instructions of AVX-512 IFMA and of AVX-IFMA multiply, or of 51.

use super::{Modulus, Portable, negative_inverse};
use crate::uint::Uint;
use std::hint::black_box;
use zeroize::Zeroize;

/// Bits of a digit for the instructions that multiply integers.
pub(super) const DIGIT: usize = 52;

/// R squared, which is the Montgomery form of R = 2^exponent, from that of 2.
#[inline(never)]
pub(super) fn r_squared<M: Modulus>(
    modulus: &M,
    two: &M::Number,
    exponent: usize,
) -> Box<M::Number> {
    let mut power = Box::new(modulus.one());
    for bit in (0..usize::BITS - exponent.leading_zeros()).rev() {
        modulus.square(&mut power);
        if exponent >> bit & 1 == 1 {
            modulus.multiply(&mut power, two);
        }
    }
    power
}

/// A number in Montgomery form: digits of `BITS` bits, the lowest first, in `K` vectors of `LANES`.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Number<const LANES: usize, const K: usize, const BITS: usize = DIGIT>(
    pub(super) [[u64; LANES]; K],
);

impl<const LANES: usize, const K: usize, const BITS: usize> Zeroize for Number<LANES, K, BITS> {
    fn zeroize(&mut self) {
        self.0.as_flattened_mut().zeroize();
    }
}

impl<const LANES: usize, const K: usize, const BITS: usize> Number<LANES, K, BITS> {
    pub(super) const ZERO: Self = Self([[0; LANES]; K]);
    /// The largest digit.
    pub(super) const LARGEST: u64 = (1 << BITS) - 1;

    /// The digits in another order: those that were the first of each vector are the first vector, and so on.
    #[cfg(otr_vectors)]
    pub(super) fn transposed(&self) -> Box<Number<K, LANES, BITS>> {
        let mut number = Box::new(Number::ZERO);
        for (lane, vector) in number.0.iter_mut().enumerate() {
            for (to, from) in vector.iter_mut().zip(&self.0) {
                *to = from.get(lane).copied().unwrap_or(0);
            }
        }
        number
    }

    /// Becomes the number of these words, the lowest first.
    pub(super) fn set(&mut self, words: &[u64]) {
        for (digit, at) in self.0.as_flattened_mut().iter_mut().zip(0..) {
            let (word, offset) = (at * BITS / 64, at * BITS % 64);
            let low = words.get(word).copied().unwrap_or(0);
            let high = words.get(word + 1).copied().unwrap_or(0);
            // Two shifts: one by the whole width of a word would overflow.
            *digit = (low >> offset | high << 1 << (63 - offset)) & Self::LARGEST;
        }
    }

    /// The words of the number, the lowest first, without end.
    pub(super) fn words(&self) -> impl Iterator<Item = u64> {
        let digit = |at: usize| self.0.as_flattened().get(at).copied().unwrap_or(0);
        (0..).map(move |word| {
            let (at, offset) = (word * 64 / BITS, word * 64 % BITS);
            let low = digit(at) >> offset | digit(at + 1) << (BITS - offset);
            // A word has bits of a third digit where it begins late in the first.
            low | digit(at + 2) << (BITS - 1) << (BITS + 1 - offset)
        })
    }

    /// 2^exponent modulo p. The exponent is at least 256 `B`.
    #[inline(never)]
    pub(super) fn power_of_two<const LIMBS: usize, const B: usize>(
        p: &Uint<LIMBS>,
        exponent: usize,
    ) -> Self {
        // What the portable R, 2^(256 B), lacks to this one.
        let power = Portable::<B>::beyond_r(p, exponent - 256 * B);
        let mut number = Self::ZERO;
        number.set(power.as_flattened());
        number
    }

    /// For Orup's reduction with blocks of `N` digits, modulo p, whose digits these are: k = -1/p modulo 2^(`BITS` N), and
    /// (k p + 1) / 2^(`BITS` N).
    #[inline(never)]
    pub(super) fn quotient<const N: usize>(p: &[u64]) -> ([u64; N], Box<Self>) {
        let negative = negative_inverse(p.first().copied().unwrap_or(1));
        let mut sum = Box::new(Self::ZERO);
        sum.set(&[1]);
        let mut inverse = [0; N];
        for factor in &mut inverse {
            *factor = sum.reduce_digit(p, negative);
        }
        (inverse, sum)
    }

    /// Adds the multiple of p, whose digits these are, that makes the lowest digit zero, and moves down by a digit. Returns by what p
    /// was multiplied. `negative` is -1/p modulo 2^64.
    pub(super) fn reduce_digit(&mut self, p: &[u64], negative: u64) -> u64 {
        let digits = self.0.as_flattened_mut();
        let lowest = digits.first().copied().unwrap_or(0);
        let factor = lowest.wrapping_mul(negative) & Self::LARGEST;
        let mut carry = 0;
        for (digit, p) in digits.iter_mut().zip(p) {
            carry += u128::from(factor) * u128::from(*p) + u128::from(*digit);
            *digit = carry as u64 & Self::LARGEST;
            carry >>= BITS;
        }
        // The lowest digit is zero.
        digits.rotate_left(1);
        if let Some(highest) = digits.last_mut() {
            *highest = carry as u64;
        }
        factor
    }

    /// Takes p off, whose digits these are, unless the number is below it.
    pub(super) fn reduce_once(&mut self, p: &[u64]) {
        let digits = self.0.as_flattened_mut();
        let mut borrow = 0;
        for (digit, p) in digits.iter_mut().zip(p) {
            let difference = digit.wrapping_sub(*p).wrapping_sub(borrow);
            (*digit, borrow) = (difference & Self::LARGEST, difference >> 63);
        }
        // It was below p already.
        let mask = black_box(borrow.wrapping_neg());
        let mut carry = 0;
        for (digit, p) in digits.iter_mut().zip(p) {
            let sum = *digit + (*p & mask) + carry;
            (*digit, carry) = (sum & Self::LARGEST, sum >> BITS);
        }
    }
}
