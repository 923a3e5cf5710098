//! Vectors of four digits, for the kernels whose digits have fewer bits than a word.
//!
//! `unsafe`: the CPU must have AVX2, and Rust 1.85 calls no function for it without it. Its closures would be compiled without AVX2.

use std::arch::x86_64::*;

/// The lanes moved up by one. The highest of them stays in `below` for the next vector, and what was there becomes the lowest.
///
/// # Safety
/// The CPU has the instructions.
#[target_feature(enable = "avx2")]
#[allow(unused_unsafe, reason = "safe in newer compilers")]
#[inline]
pub(super) unsafe fn moved_up(vector: __m256i, below: &mut __m256i) -> __m256i {
    // SAFETY: the CPU has the instructions.
    unsafe {
        let moved = _mm256_permute4x64_epi64::<0b10_01_00_11>(vector);
        let up = _mm256_blend_epi32::<0b11>(moved, *below);
        *below = moved;
        up
    }
}

/// Carries from digit to digit, each of which is at most `largest` and one more. The lowest vector is left out.
///
/// # Safety
/// The CPU has the instructions.
#[target_feature(enable = "avx2")]
#[allow(unused_unsafe, reason = "safe in newer compilers")]
#[inline]
pub(super) unsafe fn settled<const V: usize>(
    lowest: __m256i,
    mut others: [__m256i; V],
    largest: __m256i,
) -> [__m256i; V] {
    // SAFETY: the CPU has the instructions.
    unsafe {
        // Where a digit overflows, and where it would with one more: an addition of bits finds how far each of these ones runs.
        let mut overflows = bits(_mm256_cmpgt_epi64(lowest, largest));
        let mut full = bits(_mm256_cmpeq_epi64(lowest, largest));
        for (k, vector) in (1..).zip(&others) {
            overflows |= bits(_mm256_cmpgt_epi64(*vector, largest)) << (4 * k);
            full |= bits(_mm256_cmpeq_epi64(*vector, largest)) << (4 * k);
        }
        let carries = ((overflows << 1) + full) ^ full;
        let carries = _mm256_set1_epi64x(carries as i64);
        let one = _mm256_set1_epi64x(1);
        for (k, vector) in (1..).zip(&mut others) {
            let first = 4 * k;
            let places = _mm256_set_epi64x(first + 3, first + 2, first + 1, first);
            let carry = _mm256_and_si256(_mm256_srlv_epi64(carries, places), one);
            *vector = _mm256_and_si256(_mm256_add_epi64(*vector, carry), largest);
        }
        others
    }
}

/// The highest bits of the lanes.
#[inline(always)]
fn bits(vector: __m256i) -> u64 {
    // SAFETY: only called where the CPU has the instructions.
    unsafe { _mm256_movemask_pd(_mm256_castsi256_pd(vector)) as u64 }
}
