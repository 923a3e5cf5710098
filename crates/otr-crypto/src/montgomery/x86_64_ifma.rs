//! The kernel for x86-64 with AVX-512 IFMA: digits of 52 bits, eight to a vector.
//!
//! Digits are in rows of `K`, and vector k of the `K` vectors has the digits of column k. So a digit of a factor and a vector make a
//! product that belongs in another column but in the same lanes, whichever digit of its row it is. After each row, the sum moves
//! down by a lane.
//!
//! The reduction is Orup's ("Simplifying quotient determination in high-radix modular multiplication", 1995). With
//! c = -1/p modulo 2^(52 D), the multiple c p of p is q - 1, where the lowest D digits of q are zero. The factor of c p that makes the
//! lowest digit m of a sum divisible is m itself: sum + m c p = sum - m + m q. Since m q begins D digits higher, there are D - 1
//! digits to work on while a factor is found. All products are modulo c p, and numbers are kept below 2 c p. Only at the end
//! a number is reduced modulo p.
//!
//! This file contains `unsafe`: the instructions may only run on a CPU that has them, which the existence of a [`Modulus`]
//! proves, and vectors are read from and written to memory through pointers.

use super::digits::{self, DIGIT};
use super::{Modulus as Arithmetic, Transfer, negative_inverse, write_words};
use crate::uint::{Uint, Word};
use std::arch::x86_64::*;
use std::array;
use std::hint::black_box;
use std::ops::Range;
use zeroize::Zeroize;

/// A number in Montgomery form, by columns: vector k has the digits k, k + `K`, k + 2 `K` and so on.
pub(crate) type Number<const K: usize> = digits::Number<8, K>;

/// The same by rows: the digits in order.
type Rows<const K: usize> = digits::Number<K, 8>;

/// A modulus with its highest bit set. That there is one proves that the CPU has the instructions.
pub(crate) struct Modulus<const K: usize> {
    p: Rows<K>,
    /// -1/p modulo 2^64.
    negative: u64,
    /// How many rows a number has, at most 8. R = 2^(52 K rows) is more than 4 c p.
    rows: usize,
    /// c p + 1.
    q: Number<K>,
    one: Number<K>,
    r2: Number<K>,
}

impl<const K: usize> Modulus<K> {
    /// D, less than `K`. With 2, numbers of 1024 bits would take another row.
    const DELAY: usize = if K == 3 { 1 } else { 2 };

    /// For a modulus of 256 `B` bits. None if the CPU lacks the instructions.
    pub(super) fn new<const LIMBS: usize, const B: usize>(
        modulus: &Uint<LIMBS>,
    ) -> Option<Box<Self>> {
        // For measuring and testing the other kernels where this one would be taken.
        if cfg!(any(otr_portable, otr_adx, otr_fma)) {
            return None;
        }
        if !is_x86_feature_detected!("avx512f") || !is_x86_feature_detected!("avx512ifma") {
            return None;
        }
        // Numbers have a bit more than c p, and R has two.
        let rows = (256 * B + DIGIT * Self::DELAY + 2).div_ceil(DIGIT * K);
        (rows <= 8).then(|| Self::of_rows::<LIMBS, B>(modulus, rows))
    }

    // A frame of its own, which nobody has on another CPU.
    #[inline(never)]
    fn of_rows<const LIMBS: usize, const B: usize>(p: &Uint<LIMBS>, rows: usize) -> Box<Self> {
        let mut modulus = Box::new(Self {
            p: Rows::ZERO,
            negative: negative_inverse(p.as_words().first().copied().unwrap_or(1)),
            rows,
            q: Number::ZERO,
            one: Number::ZERO,
            r2: Number::ZERO,
        });
        modulus.p.set(p.as_words());
        let mut q = Box::new(Rows::<K>::ZERO);
        q.set(&[1]);
        modulus.reduce_digits(&mut q);
        // What was 1 + c p has moved down.
        q.0.as_flattened_mut().rotate_right(Self::DELAY);
        modulus.q = *q.transposed();
        let exponent = DIGIT * K * rows;
        modulus.one = *Rows::power_of_two::<LIMBS, B>(p, exponent).transposed();
        let two = Rows::power_of_two::<LIMBS, B>(p, exponent + 1).transposed();
        modulus.r2 = *digits::r_squared(&*modulus, &two, exponent);
        modulus
    }

    /// Adds the multiple of p that makes the lowest D digits zero, and moves down by as many.
    fn reduce_digits(&self, number: &mut Rows<K>) {
        for _ in 0..Self::DELAY {
            number.reduce_digit(self.p.0.as_flattened(), self.negative);
        }
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
        let mut digits = Box::new(Rows::ZERO);
        digits.set(value.as_words());
        let mut number = digits.transposed();
        digits.zeroize();
        self.multiply(&mut number, &self.r2);
        number
    }

    #[inline(never)]
    fn leave(&self, number: &Number<K>, value: &mut Uint<LIMBS>) {
        // 2^(52 D), by which the reduction modulo p divides: the lowest digit of column D.
        let mut unit = Box::new(Number::<K>::ZERO);
        if let Some([digit, ..]) = unit.0.get_mut(Self::DELAY) {
            *digit = 1;
        }
        self.multiply(&mut unit, number);
        let mut digits = unit.transposed();
        unit.zeroize();
        // Less than c p + 2^(52 D), and so less than 2^(52 D) p, becomes less than 2 p.
        self.reduce_digits(&mut digits);
        digits.reduce_once(self.p.0.as_flattened());
        write_words(value, digits.words());
        digits.zeroize();
    }
}

/// A sum of products by columns: in each lane a digit and, above its 52 bits, what carries to the next one.
struct Sum<const K: usize> {
    columns: [__m512i; K],
    /// Columns `K` to 2 `K` - 1, which are those of the row above.
    next: [__m512i; K],
}

impl<const K: usize> Sum<K> {
    #[inline(always)]
    fn column(&mut self, k: usize) -> Option<&mut __m512i> {
        match k.checked_sub(K) {
            None => self.columns.get_mut(k),
            Some(k) => self.next.get_mut(k),
        }
    }

    /// Adds the product of some columns of a number and of a digit from column `j` of a row.
    ///
    /// # Safety
    /// The CPU has the instructions.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    fn add(&mut self, number: &[__m512i; K], columns: Range<usize>, digit: __m512i, j: usize) {
        for k in columns {
            let factor = at(number, k);
            if let Some(lows) = self.column(j + k) {
                *lows = _mm512_madd52lo_epu64(*lows, factor, digit);
            }
            if let Some(highs) = self.column(j + k + 1) {
                *highs = _mm512_madd52hi_epu64(*highs, factor, digit);
            }
        }
    }

    /// The columns, moved down by a row. Their lowest row is left out.
    ///
    /// # Safety
    /// The CPU has the instructions.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    fn moved(&self) -> [__m512i; K] {
        array::from_fn(|k| {
            let column = _mm512_alignr_epi64::<1>(_mm512_setzero_si512(), at(&self.columns, k));
            _mm512_add_epi64(column, at(&self.next, k))
        })
    }
}

/// `number`, a, becomes a b / R modulo c p. Without b, a is squared. The result is below 2 c p, as both must be: it is
/// (a b + m c p) / R with the factors of all digits in m, which is below R, and R is more than 4 c p.
///
/// The sum is normalised at the end only: a digit is the sum of 2 `K` halves of products of a for each row, and as many of q, which is
/// less than 2^52 32 `K`, and of what carries into it.
///
/// # Safety
/// The CPU has the instructions.
#[target_feature(enable = "avx512f,avx512ifma")]
fn multiply<const K: usize>(modulus: &Modulus<K>, number: &mut Number<K>, b: Option<&Number<K>>) {
    let zeros = [_mm512_setzero_si512(); K];
    let new = || Sum {
        columns: zeros,
        next: zeros,
    };
    let q = load(&modulus.q);
    let a = load(number);
    let b = b.unwrap_or(number);
    let mut sum = new();
    for row in 0..modulus.rows.min(8) {
        // In a sum of its own, which waits for nothing.
        let mut product = new();
        for (j, column) in b.0.iter().enumerate() {
            let digit = column.get(row).copied().unwrap_or(0);
            product.add(&a, 0..K, _mm512_set1_epi64(digit.cast_signed()), j);
        }
        let moved = sum.moved();
        sum.columns = array::from_fn(|k| _mm512_add_epi64(at(&moved, k), at(&product.columns, k)));
        sum.next = product.next;
        // The instructions take the low 52 bits of these factors. What is above belongs to the next digit.
        let mut factors = zeros;
        for (j, factor) in factors.iter_mut().enumerate() {
            let digit = at(&sum.columns, j);
            *factor = _mm512_broadcastq_epi64(_mm512_castsi512_si128(digit));
            let carry = _mm512_maskz_srli_epi64::<{ DIGIT as u32 }>(1, digit);
            if let Some(next) = sum.column(j + 1) {
                *next = _mm512_add_epi64(*next, carry);
            }
            // The next factors wait for these.
            sum.add(&q, Modulus::<K>::DELAY..K, *factor, j);
        }
        // Not for these: the lowest digits of q are zero.
        for (j, factor) in factors.iter().enumerate() {
            sum.add(&q, 0..Modulus::<K>::DELAY, *factor, j);
        }
    }
    store(number, normalise(sum.moved()));
}

/// Carries what is above the 52 bits of each digit to the next one.
///
/// # Safety
/// The CPU has the instructions.
#[target_feature(enable = "avx512f,avx512ifma")]
fn normalise<const K: usize>(sum: [__m512i; K]) -> [__m512i; K] {
    let zero = _mm512_setzero_si512();
    let largest = _mm512_set1_epi64(Number::<K>::LARGEST.cast_signed());
    let carries = sum.map(|column| _mm512_srli_epi64::<{ DIGIT as u32 }>(column));
    let sum: [__m512i; K] = array::from_fn(|k| {
        let carry = match k.checked_sub(1) {
            Some(below) => at(&carries, below),
            // Of the last digit in the row below.
            None => _mm512_alignr_epi64::<7>(at(&carries, K - 1), zero),
        };
        _mm512_add_epi64(_mm512_and_si512(at(&sum, k), largest), carry)
    });
    // Now a digit overflows by one at most. Rows in which it does, and in which it would with one more.
    let overflows = sum.map(|column| u32::from(_mm512_cmpgt_epu64_mask(column, largest)));
    let full = sum.map(|column| u32::from(_mm512_cmpeq_epu64_mask(column, largest)));
    let columns = || overflows.into_iter().zip(full);
    // The same for whole rows. An addition of bits finds how far each of these ones runs.
    let whole = columns().fold(0, |carry, (overflows, full)| overflows | full & carry);
    let all_full = full.into_iter().fold(0xff, |all, full| all & full);
    let mut carry = ((whole << 1) + all_full) ^ all_full;
    let mut columns = columns();
    sum.map(|column| {
        let [rows, ..] = carry.to_le_bytes();
        let (overflows, full) = columns.next().unwrap_or((0, 0));
        carry = overflows | full & carry;
        let column = _mm512_mask_add_epi64(column, rows, column, _mm512_set1_epi64(1));
        _mm512_and_si512(column, largest)
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
