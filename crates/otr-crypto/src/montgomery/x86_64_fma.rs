//! The kernel for x86-64 with AVX2 and FMA, modulo a number of 1536 bits: digits of 51 bits as floating-point numbers, four to a vector.
//!
//! The product of two digits is below 2^102. Added to 2^103, it is rounded to a multiple of 2^51: this is the high half, which stands
//! in the lowest bits of the sum. The rest is exact, and is the low half; it is negative where the high half was rounded up. Both are
//! added up as the integers that their bits are. What these bits have besides is known, and is taken off where the sum begins and ends.
//!
//! Otherwise it goes as in `x86_64_avx_ifma.rs`: numbers are kept below 3 p, four digits of a factor, a block, are multiplied at a time,
//! and the reduction is Orup's, here with k = -1/p modulo 2^204. High halves have a sum of their own, of which each digit belongs one
//! higher than in that of the low halves.
//!
//! No operand is ever too small for the usual form of such a number, and no operation depends on the rounding mode. A client may have
//! unmasked exceptions of floating-point arithmetic, and may look at its flags: see [`Environment`].
//!
//! This file contains `unsafe`: the instructions may only run on a CPU that has them, which the existence of a [`Modulus`] proves, and
//! they read and write memory through pointers. Rust 1.85 calls none of their functions without it.

mod environment;
mod sum;

use self::environment::Environment;
use self::sum::{
    LACKING, NEW, PRODUCTS, Part, Sum, VECTORS, add, move_and_add, spread, to_come, to_numbers,
};
use super::blocks::{Block, from_block, select, to_block};
use super::vectors::{moved_up, settled};
use super::{Modulus as Arithmetic, Transfer, digits, write_words};
use crate::uint::{Uint, Word};
use std::arch::x86_64::*;
use zeroize::Zeroize;

/// Bits of a digit.
const DIGIT: usize = 51;
/// The bits of 2^52. With those of a digit as its lowest ones, it is 2^52 and the digit.
const SHIFTED: u64 = (1023 + 52) << 52;

/// Vectors of a number. Its 1536 bits and two are 31 digits: the last vector has room for another one.
const V: usize = 8;
/// R = 2^`R`.
const R: usize = 4 * DIGIT * V;

/// Digits as integers.
type Digits = digits::Number<4, V, DIGIT>;

/// Numbers as they are multiplied.
pub(crate) type Number = Padded<V>;

/// A number in Montgomery form: the bits of its digits as floating-point numbers, with a block of zeros on either side.
#[derive(Clone, Copy)]
#[repr(C, align(32))]
pub(crate) struct Padded<const N: usize> {
    below: Block,
    digits: [Block; N],
    above: Block,
}

impl<const N: usize> Zeroize for Padded<N> {
    fn zeroize(&mut self) {
        self.below.zeroize();
        self.digits.as_flattened_mut().zeroize();
        self.above.zeroize();
    }
}

impl<const N: usize> Padded<N> {
    const ZERO: Self = Self {
        below: [0; 4],
        digits: [[0; 4]; N],
        above: [0; 4],
    };

    /// Becomes the number of these digits.
    fn set(&mut self, digits: &[Block; N]) {
        let places = self.digits.as_flattened_mut().iter_mut();
        for (place, digit) in places.zip(digits.as_flattened()) {
            let number = f64::from_bits(SHIFTED | digit) - f64::from_bits(SHIFTED);
            *place = number.to_bits();
        }
    }

    /// Its digits.
    fn digits(&self) -> Box<digits::Number<4, N, DIGIT>> {
        let mut digits = Box::new(digits::Number::ZERO);
        let places = digits.0.as_flattened_mut().iter_mut();
        for (place, bits) in places.zip(self.digits.as_flattened()) {
            let number = f64::from_bits(*bits) + f64::from_bits(SHIFTED);
            *place = number.to_bits() & Digits::LARGEST;
        }
        digits
    }

    /// The first digit, before and after which there are zeros.
    fn first(&self) -> *const f64 {
        std::ptr::from_ref(self)
            .cast::<f64>()
            .wrapping_add(self.below.len())
    }
}

/// A modulus with its highest bit set. That there is one proves that the CPU has the instructions.
pub(crate) struct Modulus {
    p: Number,
    /// (k p + 1) / 2^204.
    q: Number,
    /// k, which is -1/p modulo 2^204.
    inverse: Padded<1>,
    one: Number,
    r2: Number,
}

impl Modulus {
    /// For a modulus of 256 `B` bits. None if these are not 1536, or the CPU lacks the instructions.
    pub(super) fn new<const LIMBS: usize, const B: usize>(
        modulus: &Uint<LIMBS>,
    ) -> Option<Box<Self>> {
        // For measuring and testing the other kernels where this one would be taken.
        if cfg!(any(otr_portable, otr_adx)) {
            return None;
        }
        // ADX is not needed, but distinguishes CPUs (but for Haswell) from valgrind, which takes a hundred times as long for this
        // arithmetic as for integers.
        let here = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        let here = here && is_x86_feature_detected!("adx");
        // Numbers of 1024 bits would fill their last vector by a quarter, and take as long as with the kernel for ADX.
        (here && B == 6).then(|| Self::make::<LIMBS, B>(modulus))
    }

    #[inline(never)]
    fn make<const LIMBS: usize, const B: usize>(p: &Uint<LIMBS>) -> Box<Self> {
        let mut modulus = Box::new(Self {
            p: Number::ZERO,
            q: Number::ZERO,
            inverse: Padded::ZERO,
            one: Number::ZERO,
            r2: Number::ZERO,
        });
        let mut digits = Box::new(Digits::ZERO);
        digits.set(p.as_words());
        modulus.p.set(&digits.0);
        let (inverse, q) = Digits::quotient(digits.0.as_flattened());
        modulus.inverse.set(&[inverse]);
        modulus.q.set(&q.0);
        let power = |exponent| Box::new(Digits::power_of_two::<LIMBS, B>(p, exponent));
        modulus.one.set(&power(R).0);
        let mut two = Box::new(Number::ZERO);
        two.set(&power(R + 1).0);
        modulus.r2 = *digits::r_squared(&*modulus, &two, R);
        modulus
    }
}

impl Arithmetic for Modulus {
    type Number = Number;

    fn one(&self) -> Number {
        self.one
    }

    fn multiply(&self, a: &mut Number, b: &Number) {
        #[cfg(feature = "count")]
        crate::count::product(R);
        // SAFETY: who made this knows that there are the instructions.
        unsafe { multiply(self, a, Some(b)) }
    }

    fn square(&self, a: &mut Number) {
        #[cfg(feature = "count")]
        crate::count::square(R);
        // SAFETY: the same.
        unsafe { multiply(self, a, None) }
    }

    fn select(&self, into: &mut Number, table: &[Number], index: Word) {
        let table = table.iter().map(|entry| &entry.digits);
        // SAFETY: the same.
        unsafe { select(&mut into.digits, table, index) }
    }
}

impl<const LIMBS: usize> Transfer<LIMBS> for Modulus {
    #[inline(never)]
    fn enter(&self, value: &Uint<LIMBS>) -> Box<Number> {
        let mut digits = Box::new(Digits::ZERO);
        digits.set(value.as_words());
        let mut number = Box::new(Number::ZERO);
        number.set(&digits.0);
        digits.zeroize();
        self.multiply(&mut number, &self.r2);
        number
    }

    #[inline(never)]
    fn leave(&self, number: &Number, value: &mut Uint<LIMBS>) {
        // Not in the frame: KERNEL_STACK is for those of the products.
        let mut digits = Box::new(Digits::ZERO);
        digits.set(&[1]);
        let mut unit = Box::new(Number::ZERO);
        unit.set(&digits.0);
        // Below 2 p, since there is no more than a number of one block in each sum beside the multiples of q.
        self.multiply(&mut unit, number);
        let mut digits = unit.digits();
        unit.zeroize();
        digits.reduce_once(self.p.digits().0.as_flattened());
        write_words(value, digits.words());
        digits.zeroize();
    }
}

/// `number`, a, becomes a b / R. Without b, a is squared. The result is below 3 p, as both must be: see `x86_64_avx_ifma.rs`. The last
/// block of b is below 2^110.
///
/// # Safety
/// The CPU has the instructions.
#[target_feature(enable = "avx2,fma")]
unsafe fn multiply(modulus: &Modulus, number: &mut Number, b: Option<&Number>) {
    let environment = Environment::begin();
    let a = number.first();
    let [first, others @ ..] = &b.unwrap_or(number).digits;
    // All of it but what moves down into the highest vector is written before it is read.
    let mut sum: Sum = [Part::excess(-to_come(VECTORS)); VECTORS + 1];
    let place = sum.as_mut_ptr();
    // SAFETY: the CPU has the instructions. There are as many vectors and blocks, of those of `number` nine with the zeros after them.
    unsafe {
        let block = spread(first.map(f64::from_bits));
        add(NEW.as_ptr(), place, a, &block, VECTORS);
    }
    let mut carry = 0;
    for block in others {
        let [lowest, ..] = &sum;
        let m = to_numbers(lowest.carried(&mut carry));
        let numbers = [a, modulus.q.first()];
        // SAFETY: the same; the pointers are to the sum and to numbers.
        unsafe {
            let blocks = [spread(block.map(f64::from_bits)), spread(m)];
            move_and_add(sum.as_mut_ptr(), numbers, &blocks);
        }
    }
    let [lowest, ..] = &mut sum;
    let block = to_numbers(lowest.carried(&mut { carry }));
    let [digit, ..] = &mut lowest.lows;
    *digit = digit.wrapping_add(carry as u64);
    let mut product = [Part::excess(-PRODUCTS)];
    let place = product.as_mut_ptr();
    // SAFETY: the same; one vector, and a number of one block.
    unsafe { add(place, place, modulus.inverse.first(), &spread(block), 1) };
    let [product] = product;
    let m = to_numbers(product.carried(&mut 0));
    let place = sum.as_mut_ptr();
    // SAFETY: as for the first block.
    unsafe {
        add(place, place, modulus.p.first(), &spread(m), VECTORS);
        number.digits = normalised(&sum);
    }
    environment.end();
}

/// The digits of a sum to which, last, products with one number were added. The lowest block, zero then, is left out.
///
/// # Safety
/// The CPU has the instructions.
#[target_feature(enable = "avx2,fma")]
#[allow(unused_unsafe, reason = "safe in newer compilers")]
unsafe fn normalised(sum: &Sum) -> [Block; V] {
    /// Added to each lane, so that none is negative. What it carries is taken off the next lane, and left out of the last one.
    const LIFT: i64 = 1 << 58;
    const LIFT_OF_OTHERS: i64 = LIFT - (LIFT >> DIGIT);
    // SAFETY: the CPU has the instructions.
    unsafe {
        let largest = _mm256_set1_epi64x(Digits::LARGEST as i64);
        let (mut highs_below, mut carries_below) = (_mm256_setzero_si256(), _mm256_setzero_si256());
        let (mut lowest, mut others) = (_mm256_setzero_si256(), [_mm256_setzero_si256(); V]);
        let mut lift = _mm256_set_epi64x(LIFT_OF_OTHERS, LIFT_OF_OTHERS, LIFT_OF_OTHERS, LIFT);
        let places = std::iter::once(&mut lowest).chain(&mut others);
        for ((place, part), lacking) in places.zip(sum).zip(&LACKING) {
            let lows = _mm256_add_epi64(from_block(&part.lows), from_block(&lacking.lows));
            let highs = _mm256_add_epi64(from_block(&part.highs), from_block(&lacking.highs));
            let vector = _mm256_add_epi64(lows, moved_up(highs, &mut highs_below));
            let vector = _mm256_add_epi64(vector, lift);
            lift = _mm256_set1_epi64x(LIFT_OF_OTHERS);
            // Once, by which a digit overflows by one at most.
            let carries = _mm256_srli_epi64::<{ DIGIT as i32 }>(vector);
            let carry = moved_up(carries, &mut carries_below);
            *place = _mm256_add_epi64(_mm256_and_si256(vector, largest), carry);
        }
        let shifted = _mm256_set1_epi64x(SHIFTED as i64);
        let mut blocks = [[0; 4]; V];
        for (block, digits) in blocks.iter_mut().zip(settled(lowest, others, largest)) {
            let numbers = _mm256_castsi256_pd(_mm256_or_si256(digits, shifted));
            let numbers = _mm256_sub_pd(numbers, _mm256_castsi256_pd(shifted));
            *block = to_block(_mm256_castpd_si256(numbers));
        }
        blocks
    }
}
