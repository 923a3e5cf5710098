//! Vectors of four digits, for the kernels whose digits have fewer bits than a word.

use std::arch::x86_64::*;
use std::array;

/// One vector of several. Beyond, all is zero.
#[inline(always)]
pub(super) fn at<const V: usize>(vectors: &[__m256i; V], k: usize) -> __m256i {
    match vectors.get(k) {
        Some(vector) => *vector,
        // SAFETY: all zeros are a vector.
        None => unsafe { std::mem::zeroed() },
    }
}

/// The lanes moved up by one. The highest of them stays in `below` for the next vector, and what was there becomes the lowest.
///
/// # Safety
/// The CPU has the instructions.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn moved_up(vector: __m256i, below: &mut __m256i) -> __m256i {
    let moved = _mm256_permute4x64_epi64::<0b10_01_00_11>(vector);
    let up = _mm256_blend_epi32::<0b11>(moved, *below);
    *below = moved;
    up
}

/// Carries from digit to digit, each of which is at most `largest` and one more. The lowest vector is left out.
///
/// # Safety
/// The CPU has the instructions.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn settled<const V: usize>(
    lowest: __m256i,
    others: &[__m256i; V],
    largest: __m256i,
) -> [__m256i; V] {
    // Where a digit overflows, and where it would with one more: an addition of bits finds how far each of these ones runs.
    let overflowing = |vector| bits(_mm256_cmpgt_epi64(vector, largest));
    let is_full = |vector| bits(_mm256_cmpeq_epi64(vector, largest));
    let (mut overflows, mut full) = (overflowing(lowest), is_full(lowest));
    for (k, vector) in (1..).zip(others) {
        overflows |= overflowing(*vector) << (4 * k);
        full |= is_full(*vector) << (4 * k);
    }
    let carries = ((overflows << 1) + full) ^ full;
    let carries = _mm256_set1_epi64x(carries.cast_signed());
    let one = _mm256_set1_epi64x(1);
    array::from_fn(|k| {
        let first = 4 * k as i64 + 4;
        let places = _mm256_set_epi64x(first + 3, first + 2, first + 1, first);
        let carry = _mm256_and_si256(_mm256_srlv_epi64(carries, places), one);
        _mm256_and_si256(_mm256_add_epi64(at(others, k), carry), largest)
    })
}

/// The highest bits of the lanes.
#[inline(always)]
fn bits(vector: __m256i) -> u64 {
    // SAFETY: only called where the CPU has the instructions.
    unsafe { _mm256_movemask_pd(_mm256_castsi256_pd(vector)) as u64 }
}
