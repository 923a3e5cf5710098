//! Sums of products of digits.

use super::{DIGIT, Digits, SHIFTED, V};
use crate::montgomery::blocks::Block;
use std::arch::asm;
use std::arch::x86_64::*;

/// The bits of 2^103, which a high half has besides; and of 2^103 + 1.5 2^52.
const HIGH: u64 = (1023 + 103) << 52;
const BOTH: u64 = HIGH | 3;
/// The bits of 1.5 2^52, which a low half has besides.
const LOW: u64 = SHIFTED | 1 << 51;

/// A vector of a sum: low halves, and high ones, which belong to the next digit.
#[derive(Clone, Copy)]
#[repr(C, align(32))]
pub(super) struct Part {
    pub(super) lows: Block,
    pub(super) highs: Block,
}

impl Part {
    /// What the halves of so many products have too much. With a negative number, what they lack to that.
    pub(super) const fn excess(products: i64) -> Self {
        let products = products as u64;
        Self {
            lows: [LOW.wrapping_mul(products); 4],
            highs: [HIGH.wrapping_mul(products); 4],
        }
    }

    /// The four digits, with what carries into them. What carries out of them is left in `carry`.
    #[inline(always)]
    pub(super) fn carried(&self, carry: &mut i64) -> Block {
        let mut block = [0; 4];
        for ((digit, low), high) in block.iter_mut().zip(&self.lows).zip(&self.highs) {
            let sum = (*low as i64).wrapping_add(*carry);
            *digit = sum as u64 & Digits::LARGEST;
            *carry = (sum >> DIGIT).wrapping_add(*high as i64);
        }
        block
    }
}

/// Vectors of a sum of products.
pub(super) const VECTORS: usize = V + 1;

/// A sum of products, the lowest vector first, and what moves down into the highest one.
///
/// A block adds products with two numbers to each vector, and the vectors move down by one at each block. Each lacks what it gets on
/// its way to the lowest place, so that the lowest one is right between blocks.
pub(super) type Sum = [Part; VECTORS + 1];

/// How many products with a number the digits of a block add to a vector; and to the highest one, where only two of them meet digits.
pub(super) const PRODUCTS: i64 = 4;
const FEWER: i64 = 2;

/// How many products a vector gets while it moves down from place `k` to the lowest.
pub(super) const fn to_come(k: usize) -> i64 {
    if k == VECTORS {
        2 * PRODUCTS * V as i64 + 2 * FEWER
    } else {
        2 * PRODUCTS * k as i64
    }
}

/// A new sum: the first block adds products with one number to all vectors, and nothing moves.
pub(super) static NEW: [Part; VECTORS] = parts(-1, -PRODUCTS);

/// What the vectors lack in the end, where the last products are with one number.
pub(super) static LACKING: [Part; VECTORS] = parts(1, -PRODUCTS);

/// For each vector, the excess of what it gets on its way, so many times, and of more products.
const fn parts(times: i64, more: i64) -> [Part; VECTORS] {
    [
        Part::excess(times * to_come(0) + more),
        Part::excess(times * to_come(1) + more),
        Part::excess(times * to_come(2) + more),
        Part::excess(times * to_come(3) + more),
        Part::excess(times * to_come(4) + more),
        Part::excess(times * to_come(5) + more),
        Part::excess(times * to_come(6) + more),
        Part::excess(times * to_come(7) + more),
        Part::excess(times * to_come(8) + more),
    ]
}

/// Adds the products of the digits at an address with the digit in a register.
#[rustfmt::skip]
macro_rules! pair {
    ($at:literal, $digit:literal) => {
        pair!($at, $digit, "ymm8", "ymm9")
    };
    ($at:literal, $digit:literal, $lows:literal, $highs:literal) => {
        concat!(
            "vmovupd ymm12, [", $at, "]\n",
            "vmovapd ymm13, ymm14\n",
            "vfmadd231pd ymm13, ymm12, ", $digit, "\n",
            "vpaddq ", $highs, ", ", $highs, ", ymm13\n",
            "vsubpd ymm13, ymm15, ymm13\n",
            "vfmadd231pd ymm13, ymm12, ", $digit, "\n",
            "vpaddq ", $lows, ", ", $lows, ", ymm13\n",
        )
    };
}

/// The same where there are none yet.
#[rustfmt::skip]
macro_rules! first_pair {
    ($at:literal, $digit:literal, $lows:literal, $highs:literal) => {
        concat!(
            "vmovupd ymm12, [", $at, "]\n",
            "vmovapd ", $highs, ", ymm14\n",
            "vfmadd231pd ", $highs, ", ymm12, ", $digit, "\n",
            "vsubpd ", $lows, ", ymm15, ", $highs, "\n",
            "vfmadd231pd ", $lows, ", ymm12, ", $digit, "\n",
        )
    };
}

/// A block, each of its digits in all lanes of a vector.
pub(super) type Spread = [__m256d; 4];

/// `to` becomes the first `vectors` vectors of the sum `from`, and the products of as many blocks of a number, those from `number` on,
/// with one block.
///
/// # Safety
/// The CPU has the instructions. The sums and the number are as long as that. Before `number` there are three more digits.
#[target_feature(enable = "avx2,fma")]
#[inline]
pub(super) unsafe fn add(
    from: *const Part,
    to: *mut Part,
    number: *const f64,
    block: &Spread,
    vectors: usize,
) {
    let [b0, b1, b2, b3] = *block;
    // SAFETY: as the caller guarantees.
    unsafe {
        asm!(
            "2:",
            "vmovdqa ymm8, [{from}]",
            "vmovdqa ymm9, [{from} + 32]",
            pair!("{a}", "ymm0"),
            pair!("{a} - 8", "ymm1"),
            pair!("{a} - 16", "ymm2"),
            pair!("{a} - 24", "ymm3"),
            "vmovdqa [{to}], ymm8",
            "vmovdqa [{to} + 32], ymm9",
            "add {from}, 64",
            "add {to}, 64",
            "add {a}, 32",
            "dec {vectors}",
            "jnz 2b",
            from = inout(reg) from => _,
            to = inout(reg) to => _,
            a = inout(reg) number => _,
            vectors = inout(reg) vectors => _,
            in("ymm0") b0, in("ymm1") b1, in("ymm2") b2, in("ymm3") b3,
            in("ymm14") _mm256_set1_pd(f64::from_bits(HIGH)),
            in("ymm15") _mm256_set1_pd(f64::from_bits(BOTH)),
            out("ymm8") _, out("ymm9") _, out("ymm12") _, out("ymm13") _,
            options(nostack),
        );
    }
}

/// Moves a sum down by a vector, and adds the products of two numbers with a block each.
///
/// # Safety
/// The CPU has the instructions. The pointers are to the beginnings of a [`Sum`] and of two numbers.
#[target_feature(enable = "avx2,fma")]
#[inline]
pub(super) unsafe fn move_and_add(sum: *mut Part, numbers: [*const f64; 2], blocks: &[Spread; 2]) {
    let [number, other] = numbers;
    let [[b0, b1, b2, b3], [m0, m1, m2, m3]] = *blocks;
    // SAFETY: as the caller guarantees.
    unsafe {
        asm!(
            "2:",
            "vmovdqa ymm8, [{sum} + 64]",
            "vmovdqa ymm9, [{sum} + 96]",
            pair!("{a}", "ymm0"),
            pair!("{a} - 8", "ymm1"),
            pair!("{a} - 16", "ymm2"),
            pair!("{a} - 24", "ymm3"),
            // Beside the sum, so that fewer additions wait for each other.
            first_pair!("{q}", "ymm4", "ymm10", "ymm11"),
            pair!("{q} - 8", "ymm5", "ymm10", "ymm11"),
            pair!("{q} - 16", "ymm6", "ymm10", "ymm11"),
            pair!("{q} - 24", "ymm7", "ymm10", "ymm11"),
            "vpaddq ymm8, ymm8, ymm10",
            "vpaddq ymm9, ymm9, ymm11",
            "vmovdqa [{sum}], ymm8",
            "vmovdqa [{sum} + 32], ymm9",
            "add {sum}, 64",
            "add {a}, 32",
            "add {q}, 32",
            "dec {vectors}",
            "jnz 2b",
            // Where the numbers end: their last digits, moved up by two and three.
            "vmovdqa ymm8, [{sum} + 64]",
            "vmovdqa ymm9, [{sum} + 96]",
            pair!("{a} - 16", "ymm2"),
            pair!("{a} - 24", "ymm3"),
            pair!("{q} - 16", "ymm6"),
            pair!("{q} - 24", "ymm7"),
            "vmovdqa [{sum}], ymm8",
            "vmovdqa [{sum} + 32], ymm9",
            sum = inout(reg) sum => _,
            a = inout(reg) number => _,
            q = inout(reg) other => _,
            vectors = inout(reg) V => _,
            in("ymm0") b0, in("ymm1") b1, in("ymm2") b2, in("ymm3") b3,
            in("ymm4") m0, in("ymm5") m1, in("ymm6") m2, in("ymm7") m3,
            in("ymm14") _mm256_set1_pd(f64::from_bits(HIGH)),
            in("ymm15") _mm256_set1_pd(f64::from_bits(BOTH)),
            out("ymm8") _, out("ymm9") _, out("ymm10") _, out("ymm11") _, out("ymm12") _, out("ymm13") _,
            options(nostack),
        );
    }
}

/// The digits of a block, each in all lanes of a vector.
///
/// # Safety
/// The CPU has the instructions.
#[target_feature(enable = "avx2,fma")]
#[allow(unused_unsafe, reason = "safe in newer compilers")]
#[inline]
pub(super) unsafe fn spread(digits: [f64; 4]) -> Spread {
    let [a, b, c, d] = digits;
    // SAFETY: the CPU has the instructions.
    unsafe {
        [
            _mm256_set1_pd(a),
            _mm256_set1_pd(b),
            _mm256_set1_pd(c),
            _mm256_set1_pd(d),
        ]
    }
}

/// The same of digits that are integers.
#[inline(always)]
pub(super) fn to_numbers(block: Block) -> [f64; 4] {
    block.map(|digit| digit as i64 as f64)
}
