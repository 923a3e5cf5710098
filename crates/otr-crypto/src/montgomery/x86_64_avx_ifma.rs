//! The kernel for x86-64 with AVX-IFMA, on CPUs without AVX-512: digits of 52 bits, four to a vector.
//!
//! Numbers are kept below 3 p in `V` vectors. Four digits of a factor, a block, are multiplied at a time, so that a sum moves down by
//! whole vectors. What has to move by one digit is read from memory at that distance.
//!
//! The reduction is Orup's ("Simplifying quotient determination in high-radix modular multiplication", 1995). With
//! k = -1/p modulo 2^208, the multiple k p of p is 2^208 q - 1. So the block by which it must be multiplied to make the lowest block m of
//! a sum divisible is m itself: (sum + m k p) / 2^208 = (sum - m) / 2^208 + m q. Only carries stand between one block and the next.
//! The sum becomes 2^208 times as large as p that way, and the last block is reduced with k and p instead.
//!
//! This file contains `unsafe`: the instructions may only run on a CPU that has them, which the existence of a [`Modulus`]
//! proves, and vectors are read from and written to memory through pointers.

use super::blocks::{Block, select, to_block};
use super::digits::{self, DIGIT};
use super::vectors::{moved_up, settled};
use super::{Modulus as Arithmetic, Transfer, write_words};
use crate::uint::{Uint, Word};
use std::arch::x86_64::*;
use std::array;
use std::hint::black_box;
use zeroize::Zeroize;

/// A number in Montgomery form.
pub(crate) type Number<const V: usize> = digits::Number<4, V>;

/// A number with a block of zeros on either side.
#[repr(C, align(32))]
struct Padded<const V: usize> {
    below: Block,
    digits: [Block; V],
    above: Block,
}

impl<const V: usize> Padded<V> {
    fn new(digits: [Block; V]) -> Self {
        Self {
            below: [0; 4],
            digits,
            above: [0; 4],
        }
    }

    /// Four digits of the number, those of vector `k` moved up by `up` places. `k` is at most `V`, `up` at most 4.
    #[inline(always)]
    fn load(&self, k: usize, up: usize) -> __m256i {
        let first: *const u64 = std::ptr::from_ref(self).cast();
        // SAFETY: between the first digit of `below` and the last of `above`, with four digits from there on; any bits are a vector.
        unsafe { first.add(4 + 4 * k - up).cast::<__m256i>().read_unaligned() }
    }
}

/// A modulus with its highest bit set. That there is one proves that the CPU has the instructions.
pub(crate) struct Modulus<const V: usize> {
    p: Padded<V>,
    /// (k p + 1) / 2^208.
    q: Padded<V>,
    /// k, which is -1/p modulo 2^208.
    inverse: Padded<1>,
    one: Number<V>,
    r2: Number<V>,
}

impl<const V: usize> Modulus<V> {
    /// R = 2^`R`.
    const R: usize = 4 * DIGIT * V;
    /// Digits of a number. Those of 1536 bits fill the last vector only by half.
    const DIGITS: usize = if V == 8 { 30 } else { 4 * V };

    /// For a modulus of 256 `B` bits. None if the CPU lacks the instructions.
    pub(super) fn new<const LIMBS: usize, const B: usize>(
        modulus: &Uint<LIMBS>,
    ) -> Option<Box<Self>> {
        // For measuring and testing the other kernels where this one would be taken.
        if cfg!(any(otr_portable, otr_adx, otr_fma)) {
            return None;
        }
        if !is_x86_feature_detected!("avx2") || !is_x86_feature_detected!("avxifma") {
            return None;
        }
        // Numbers have two bits more than p.
        // SAFETY: the CPU has the instructions.
        (256 * B + 2 <= DIGIT * Self::DIGITS).then(|| unsafe { Self::make::<LIMBS, B>(modulus) })
    }

    /// # Safety
    /// The CPU has the instructions, or somebody catches the signal and does what they would.
    // A frame of its own, which nobody has on another CPU.
    #[inline(never)]
    pub(super) unsafe fn make<const LIMBS: usize, const B: usize>(p: &Uint<LIMBS>) -> Box<Self> {
        let mut modulus = Box::new(Self {
            p: Padded::new([[0; 4]; V]),
            q: Padded::new([[0; 4]; V]),
            inverse: Padded::new([[0; 4]]),
            one: Number::ZERO,
            r2: Number::ZERO,
        });
        let mut number = Box::new(Number::<V>::ZERO);
        number.set(p.as_words());
        modulus.p.digits = number.0;
        let (inverse, q) = Number::<V>::quotient(number.0.as_flattened());
        modulus.inverse.digits = [inverse];
        modulus.q.digits = q.0;
        modulus.one = Number::power_of_two::<LIMBS, B>(p, Self::R);
        let two = Box::new(Number::power_of_two::<LIMBS, B>(p, Self::R + 1));
        modulus.r2 = *digits::r_squared(&*modulus, &two, Self::R);
        modulus
    }
}

impl<const V: usize> Arithmetic for Modulus<V> {
    type Number = Number<V>;

    fn one(&self) -> Number<V> {
        self.one
    }

    fn multiply(&self, a: &mut Number<V>, b: &Number<V>) {
        #[cfg(feature = "count")]
        crate::count::product(4 * DIGIT * V);
        // SAFETY: who made this knows that there are the instructions.
        unsafe { multiply(self, a, Some(b)) }
    }

    fn square(&self, a: &mut Number<V>) {
        #[cfg(feature = "count")]
        crate::count::square(4 * DIGIT * V);
        // SAFETY: the same.
        unsafe { multiply(self, a, None) }
    }

    fn select(&self, into: &mut Number<V>, table: &[Number<V>], index: Word) {
        // SAFETY: the same.
        unsafe {
            let table = table.iter().map(|entry| &entry.0);
            select(&mut into.0, table, index);
        }
    }
}

impl<const V: usize, const LIMBS: usize> Transfer<LIMBS> for Modulus<V> {
    #[inline(never)]
    fn enter(&self, value: &Uint<LIMBS>) -> Box<Number<V>> {
        let mut number = Box::new(Number::ZERO);
        number.set(value.as_words());
        self.multiply(&mut number, &self.r2);
        number
    }

    #[inline(never)]
    fn leave(&self, number: &Number<V>, value: &mut Uint<LIMBS>) {
        // Not in the frame: KERNEL_STACK is for those of the products.
        let mut unit = Box::new(Number::ZERO);
        unit.set(&[1]);
        // Below 2 p, since there is no more than a number of one block in each sum beside the multiples of q.
        self.multiply(&mut unit, number);
        unit.reduce_once(self.p.digits.as_flattened());
        write_words(value, unit.words());
        unit.zeroize();
    }
}

/// A sum of products: in each lane a digit and, above its 52 bits, what carries to the next one.
struct Sum<const V: usize> {
    lowest: __m256i,
    others: [__m256i; V],
}

impl<const V: usize> Sum<V> {
    /// Adds the product of a number and a block.
    #[inline(always)]
    fn add(&mut self, number: &Padded<V>, block: &Block) {
        // The compiler would load all of the number before the loop over blocks, and have no registers for it.
        let number = black_box(number);
        // The next block waits for the lowest vector, so that comes first.
        for up in 0..4 {
            add_lows(&mut self.lowest, number.load(0, up), block, up);
            add_highs(&mut self.lowest, number.load(0, up), block, up);
        }
        for up in 1..4 {
            for (k, vector) in (1..).zip(&mut self.others) {
                if 4 * k - up < Modulus::<V>::DIGITS {
                    add_lows(vector, number.load(k, up), block, up);
                    add_highs(vector, number.load(k, up), block, up);
                }
            }
        }
        // The digits that are moved up by none or by a whole vector are the same.
        for k in 0..V {
            if let Some(vector) = self.others.get_mut(k) {
                add_highs(vector, number.load(k, 0), block, 4);
            }
            if let Some(vector) = self.others.get_mut(k.wrapping_sub(1)) {
                add_lows(vector, number.load(k, 0), block, 0);
            }
        }
    }

    /// Takes the lowest block out, with what carries into it, and moves the others down. What carries out of it is left in `carry`.
    #[inline(always)]
    fn take_block(&mut self, carry: &mut u64) -> Block {
        let block = carried(self.lowest, carry);
        self.lowest = at(&self.others, 0);
        self.others = array::from_fn(|k| at(&self.others, k + 1));
        block
    }
}

/// One vector of several. Beyond, all is zero.
#[inline(always)]
fn at<const V: usize>(vectors: &[__m256i; V], k: usize) -> __m256i {
    match vectors.get(k) {
        Some(vector) => *vector,
        // SAFETY: all zeros are a vector.
        None => unsafe { std::mem::zeroed() },
    }
}

/// Adds the low halves of products with digit `up` of the block.
#[inline(always)]
fn add_lows(sum: &mut __m256i, digits: __m256i, block: &Block, up: usize) {
    if let Some(digit) = block.get(up) {
        // SAFETY: only called where the CPU has the instructions.
        unsafe {
            let digit = _mm256_set1_epi64x(digit.cast_signed());
            *sum = _mm256_madd52lo_avx_epu64(*sum, digits, digit);
        }
    }
}

/// Adds the high halves of products with the digit below, if there is one.
#[inline(always)]
fn add_highs(sum: &mut __m256i, digits: __m256i, block: &Block, up: usize) {
    if let Some(digit) = block.get(up.wrapping_sub(1)) {
        // SAFETY: only called where the CPU has the instructions.
        unsafe {
            let digit = _mm256_set1_epi64x(digit.cast_signed());
            *sum = _mm256_madd52hi_avx_epu64(*sum, digits, digit);
        }
    }
}

/// The lanes of a vector, to each of which is added what carries out of the one below. There may be anything above their lowest 52 bits,
/// which are all that the instructions take.
#[inline(always)]
fn carried(vector: __m256i, carry: &mut u64) -> Block {
    let mut block = to_block(vector);
    for digit in &mut block {
        *digit += *carry;
        *carry = *digit >> DIGIT;
    }
    block
}

/// `number`, a, becomes a b / R. Without b, a is squared. The result is below 3 p, as both must be: each block but the last leaves a
/// sum below 2^208 p + 4 p. The last block of b is below 2^194, so the sum stays below 2^208 (p + p / 2^12). The last reduction
/// divides it by 2^208 and adds less than p.
///
/// # Safety
/// The CPU has the instructions.
#[target_feature(enable = "avx2,avxifma")]
fn multiply<const V: usize>(modulus: &Modulus<V>, number: &mut Number<V>, b: Option<&Number<V>>) {
    let zero = _mm256_setzero_si256();
    let a = Padded::new(number.0);
    let mut blocks = b.unwrap_or(number).0.iter();
    let mut sum = Sum {
        lowest: zero,
        others: [zero; V],
    };
    let mut carry = 0;
    if let Some(block) = blocks.next() {
        sum.add(&a, block);
    }
    for block in blocks {
        let m = sum.take_block(&mut carry);
        // Nothing of it waits for m.
        sum.add(&a, block);
        sum.add(&modulus.q, &m);
    }
    let block = carried(sum.lowest, &mut { carry });
    sum.lowest = _mm256_add_epi64(sum.lowest, _mm256_set_epi64x(0, 0, 0, carry.cast_signed()));
    // In two parts, which do not wait for each other.
    let (mut lows, mut highs) = (zero, zero);
    for (up, digit) in block.iter().enumerate() {
        let digit = _mm256_set1_epi64x(digit.cast_signed());
        lows = _mm256_madd52lo_avx_epu64(lows, modulus.inverse.load(0, up), digit);
        highs = _mm256_madd52hi_avx_epu64(highs, modulus.inverse.load(0, up + 1), digit);
    }
    let m = carried(_mm256_add_epi64(lows, highs), &mut 0);
    sum.add(&modulus.p, &m);
    number.0 = normalise(&sum);
}

/// Carries what is above the 52 bits of each digit to the next one. The lowest block, zero then, is left out.
///
/// # Safety
/// The CPU has the instructions.
#[target_feature(enable = "avx2,avxifma")]
fn normalise<const V: usize>(sum: &Sum<V>) -> [Block; V] {
    let largest = _mm256_set1_epi64x(Number::<V>::LARGEST.cast_signed());
    let mut below = _mm256_setzero_si256();
    // Once, by which a digit overflows by one at most.
    let mut carry_once = |vector| {
        let carries = _mm256_srli_epi64::<{ DIGIT as i32 }>(vector);
        // SAFETY: the CPU has the instructions.
        let carry = unsafe { moved_up(carries, &mut below) };
        _mm256_add_epi64(_mm256_and_si256(vector, largest), carry)
    };
    let lowest = carry_once(sum.lowest);
    let others = sum.others.map(carry_once);
    // SAFETY: the same.
    unsafe { settled(lowest, others, largest) }.map(to_block)
}
