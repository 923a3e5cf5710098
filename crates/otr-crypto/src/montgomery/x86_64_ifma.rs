//! The kernel for x86-64 with AVX-512 IFMA: digits of 52 bits, eight to a vector.
//!
//! Numbers are kept below 2 p in `K` vectors. R = 2^(52 digits) is so much larger than p that products of such numbers stay below 2 p.
//!
//! This file contains `unsafe`: the instructions may only run on a CPU that has them, which the existence of a [`Modulus`]
//! proves, and vectors are read from and written to memory through pointers.

use super::digits52::{self, DIGIT, LARGEST};
use super::{Modulus as Arithmetic, Transfer, negative_inverse, write_words};
use crate::uint::{Uint, Word};
use std::arch::x86_64::*;
use std::array;
use std::hint::black_box;
use zeroize::Zeroize;

/// A number in Montgomery form.
pub(crate) type Number<const K: usize> = digits52::Number<8, K>;

/// A modulus with its highest bit set. That there is one proves that the CPU has the instructions.
pub(crate) struct Modulus<const K: usize> {
    p: Number<K>,
    /// How many digits a number has: with two bits more than p at least.
    digits: usize,
    /// -1/p modulo 2^52.
    inverse: u64,
    one: Number<K>,
    r2: Number<K>,
}

impl<const K: usize> Modulus<K> {
    /// For a modulus of 256 `B` bits. None if the CPU lacks the instructions.
    pub(super) fn new<const LIMBS: usize, const B: usize>(
        modulus: &Uint<LIMBS>,
    ) -> Option<Box<Self>> {
        // For measuring and testing the other kernels where this one would be taken.
        if cfg!(any(otr_portable, otr_adx)) {
            return None;
        }
        if !is_x86_feature_detected!("avx512f") || !is_x86_feature_detected!("avx512ifma") {
            return None;
        }
        let digits = (256 * B + 2).div_ceil(DIGIT);
        (digits <= 8 * K).then(|| Self::of_digits::<LIMBS, B>(modulus, digits))
    }

    // A frame of its own, which nobody has on another CPU.
    #[inline(never)]
    fn of_digits<const LIMBS: usize, const B: usize>(p: &Uint<LIMBS>, digits: usize) -> Box<Self> {
        let mut modulus = Box::new(Self {
            p: Number::ZERO,
            digits,
            inverse: 0,
            one: Number::ZERO,
            r2: Number::ZERO,
        });
        modulus.p.set(p.as_words());
        let lowest = p.as_words().first().copied().unwrap_or(1);
        modulus.inverse = negative_inverse(lowest) & LARGEST;
        let exponent = digits * DIGIT;
        modulus.one = Number::power_of_two::<LIMBS, B>(p, exponent);
        let two = Box::new(Number::power_of_two::<LIMBS, B>(p, exponent + 1));
        // R squared is the Montgomery form of R, a power of 2.
        let mut r2 = Box::new(modulus.one);
        for bit in (0..usize::BITS - exponent.leading_zeros()).rev() {
            modulus.square(&mut r2);
            if exponent >> bit & 1 == 1 {
                modulus.multiply(&mut r2, &two);
            }
        }
        modulus.r2 = *r2;
        modulus
    }
}

impl<const K: usize> Arithmetic for Modulus<K> {
    type Number = Number<K>;

    fn one(&self) -> Number<K> {
        self.one
    }

    fn multiply(&self, a: &mut Number<K>, b: &Number<K>) {
        #[cfg(feature = "count")]
        crate::count::product(8 * 52 * K);
        // SAFETY: `new` found the instructions.
        unsafe { multiply(self, a, Some(b)) }
    }

    fn square(&self, a: &mut Number<K>) {
        #[cfg(feature = "count")]
        crate::count::square(8 * 52 * K);
        // SAFETY: `new` found the instructions.
        unsafe { multiply(self, a, None) }
    }

    fn select(&self, into: &mut Number<K>, table: &[Number<K>], index: Word) {
        // SAFETY: `new` found the instructions.
        unsafe { select(into, table, black_box(index)) }
    }
}

impl<const K: usize, const LIMBS: usize> Transfer<LIMBS> for Modulus<K> {
    #[inline(never)]
    fn enter(&self, value: &Uint<LIMBS>) -> Box<Number<K>> {
        let mut number = Box::new(Number::ZERO);
        number.set(value.as_words());
        self.multiply(&mut number, &self.r2);
        number
    }

    #[inline(never)]
    fn leave(&self, number: &Number<K>, value: &mut Uint<LIMBS>) {
        let mut unit = Number::ZERO;
        unit.set(&[1]);
        // At most p.
        self.multiply(&mut unit, number);
        unit.reduce_once(self.p.0.as_flattened());
        write_words(value, unit.words());
        unit.zeroize();
    }
}

/// `number`, a, becomes a b / R, below 2 p if a b is below 2^16 p^2. Without b, a is squared.
///
/// Digit by digit of b, a b and the multiple of p that makes the lowest digit of the sum divisible are added, and the sum moves down
/// by a digit. Carries stay in the upper bits of the lanes until the end: less than 2^59 comes together there.
///
/// # Safety
/// The CPU has the instructions.
#[target_feature(enable = "avx512f,avx512ifma")]
fn multiply<const K: usize>(modulus: &Modulus<K>, number: &mut Number<K>, b: Option<&Number<K>>) {
    let zero = _mm512_setzero_si512();
    let inverse = _mm512_set1_epi64(modulus.inverse.cast_signed());
    let p = load(&modulus.p);
    let a = load(number);
    let b = b.unwrap_or(number);
    let mut sum = [zero; K];
    for digit in b.0.as_flattened().iter().take(modulus.digits) {
        let b = _mm512_set1_epi64(digit.cast_signed());
        let lows: [__m512i; K] = array::from_fn(|k| _mm512_madd52lo_epu64(zero, at(&a, k), b));
        let highs: [__m512i; K] = array::from_fn(|k| _mm512_madd52hi_epu64(zero, at(&a, k), b));
        let lowest = _mm512_add_epi64(at(&sum, 0), at(&lows, 0));
        // The instruction takes the low 52 bits of its factors.
        let m = _mm512_madd52lo_epu64(zero, lowest, inverse);
        let m = _mm512_broadcastq_epi64(_mm512_castsi512_si128(m));
        let with_p: [__m512i; K] = array::from_fn(|k| {
            let low = if k == 0 {
                lowest
            } else {
                _mm512_add_epi64(at(&sum, k), at(&lows, k))
            };
            _mm512_madd52lo_epu64(low, at(&p, k), m)
        });
        // The lowest digit is divisible now; what is above its 52 bits belongs to the next one.
        let carry = _mm512_maskz_srli_epi64::<{ DIGIT as u32 }>(1, at(&with_p, 0));
        sum = array::from_fn(|k| {
            let above = if k + 1 < K { at(&with_p, k + 1) } else { zero };
            let moved = _mm512_alignr_epi64::<1>(above, at(&with_p, k));
            let high = _mm512_madd52hi_epu64(at(&highs, k), at(&p, k), m);
            let high = if k == 0 {
                _mm512_add_epi64(high, carry)
            } else {
                high
            };
            _mm512_add_epi64(moved, high)
        });
    }
    store(number, normalise(sum));
}

/// Carries what is above the 52 bits of each digit to the next one.
///
/// # Safety
/// The CPU has the instructions.
#[target_feature(enable = "avx512f,avx512ifma")]
fn normalise<const K: usize>(sum: [__m512i; K]) -> [__m512i; K] {
    let zero = _mm512_setzero_si512();
    let largest = _mm512_set1_epi64(LARGEST.cast_signed());
    let carries: [__m512i; K] =
        array::from_fn(|k| _mm512_srli_epi64::<{ DIGIT as u32 }>(at(&sum, k)));
    let sum: [__m512i; K] = array::from_fn(|k| {
        let below = if k > 0 { at(&carries, k - 1) } else { zero };
        let carry = _mm512_alignr_epi64::<7>(at(&carries, k), below);
        _mm512_add_epi64(_mm512_and_si512(at(&sum, k), largest), carry)
    });
    // Now a digit overflows by one at most. Where it does, and where it would with one more: an addition of bits finds
    // how far each of these ones runs.
    let (mut overflows, mut full) = (0_u64, 0_u64);
    for (k, part) in sum.iter().enumerate() {
        overflows |= u64::from(_mm512_cmpgt_epu64_mask(*part, largest)) << (8 * k);
        full |= u64::from(_mm512_cmpeq_epu64_mask(*part, largest)) << (8 * k);
    }
    let carries = ((overflows << 1) + full) ^ full;
    array::from_fn(|k| {
        let [carries, ..] = (carries >> (8 * k)).to_le_bytes();
        let part = at(&sum, k);
        let part = _mm512_mask_add_epi64(part, carries, part, _mm512_set1_epi64(1));
        _mm512_and_si512(part, largest)
    })
}

/// `into` becomes the entry at a secret index. All entries are read.
///
/// # Safety
/// The CPU has the instructions.
#[target_feature(enable = "avx512f,avx512ifma")]
fn select<const K: usize>(into: &mut Number<K>, table: &[Number<K>], index: Word) {
    let index = _mm512_set1_epi64(index.cast_signed());
    let mut selected = load(into);
    for (entry, number) in table.iter().zip(0..) {
        let here = _mm512_cmpeq_epi64_mask(index, _mm512_set1_epi64(number));
        let entry = load(entry);
        selected = array::from_fn(|k| _mm512_mask_mov_epi64(at(&selected, k), here, at(&entry, k)));
    }
    store(into, selected);
}

/// The vectors of a number.
#[inline(always)]
fn load<const K: usize>(number: &Number<K>) -> [__m512i; K] {
    // SAFETY: each part is the 64 bytes of one vector; any bits are one.
    array::from_fn(|part| unsafe {
        number
            .0
            .as_ptr()
            .wrapping_add(part)
            .cast::<__m512i>()
            .read_unaligned()
    })
}

/// The number becomes these vectors.
#[inline(always)]
fn store<const K: usize>(number: &mut Number<K>, vectors: [__m512i; K]) {
    for (part, vector) in number.0.iter_mut().zip(vectors) {
        // SAFETY: the part is the 64 bytes of one vector.
        unsafe { part.as_mut_ptr().cast::<__m512i>().write_unaligned(vector) }
    }
}

/// One vector of a number.
#[inline(always)]
fn at<const K: usize>(vectors: &[__m512i; K], k: usize) -> __m512i {
    // The compiler knows each k; there is no vector beyond.
    match vectors.get(k) {
        Some(vector) => *vector,
        // SAFETY: all zeros are a vector.
        None => unsafe { std::mem::zeroed() },
    }
}
