//! Blocks of four words in the vectors of AVX2, and selection from tables of numbers that consist of them.
//!
//! `unsafe`: vectors are read from memory through pointers, and Rust 1.85 calls no function for AVX2 without it.

use std::arch::x86_64::*;
use std::hint::black_box;

/// Four words: the limbs or digits of one vector.
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

/// `into` becomes the entry at a secret index, each of them `V` blocks. All entries are read.
///
/// # Safety
/// The CPU has AVX2.
#[target_feature(enable = "avx2")]
#[allow(unused_unsafe, reason = "safe in newer compilers")]
pub(super) unsafe fn select<'a, const V: usize>(
    into: &mut [Block; V],
    table: impl Iterator<Item = &'a [Block; V]>,
    index: u64,
) {
    // Otherwise the compiler might know what the index can be, and branch.
    let index = from_block(&[black_box(index); 4]);
    let mut selected = into.each_ref().map(from_block);
    for (entry, number) in table.zip(0..) {
        // SAFETY: the CPU has the instructions.
        let here = unsafe { _mm256_cmpeq_epi64(index, _mm256_set1_epi64x(number)) };
        for (to, from) in selected.iter_mut().zip(entry) {
            // SAFETY: the same.
            *to = unsafe { _mm256_blendv_epi8(*to, from_block(from), here) };
        }
    }
    *into = selected.map(to_block);
}
