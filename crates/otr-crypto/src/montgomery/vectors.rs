//! Vectors of four digits, for the kernels with AVX2. `unsafe`: they are read from memory through pointers.

use std::arch::x86_64::*;
use std::array;

/// Four digits.
pub(super) type Block = [u64; 4];

/// The vector of a block.
#[inline(always)]
pub(super) fn from_block(block: &Block) -> __m256i {
    // SAFETY: a block is the 32 bytes of one vector; any bits are one.
    unsafe { block.as_ptr().cast::<__m256i>().read_unaligned() }
}

/// The lanes of a vector.
#[inline(always)]
pub(super) fn to_block(vector: __m256i) -> Block {
    // SAFETY: a vector is four words.
    unsafe { std::mem::transmute(vector) }
}

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

/// `into` becomes the entry at a secret index, each of them `V` blocks. All entries are read.
///
/// # Safety
/// The CPU has the instructions.
#[target_feature(enable = "avx2")]
pub(super) fn select<'a, const V: usize>(
    into: &mut [Block; V],
    table: impl Iterator<Item = &'a [Block; V]>,
    index: u64,
) {
    let index = _mm256_set1_epi64x(index.cast_signed());
    let load = |blocks: &[Block; V]| blocks.each_ref().map(from_block);
    let mut selected = load(into);
    for (entry, number) in table.zip(0..) {
        let here = _mm256_cmpeq_epi64(index, _mm256_set1_epi64x(number));
        let entry = load(entry);
        selected = array::from_fn(|k| _mm256_blendv_epi8(at(&selected, k), at(&entry, k), here));
    }
    *into = selected.map(to_block);
}
