//! Montgomery multiplication modulo a fixed odd number: the kernels below all exponentiations.
//!
//! [`portable`] is safe Rust, runs everywhere, and the others are tested against it. A kernel for one CPU is chosen at run
//! time by [`Kernel::new`], and only reached through it. Every operation of every kernel runs in constant time.

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the instructions of some CPUs: loads")]
mod blocks;
#[cfg(target_arch = "x86_64")]
mod digits;
#[cfg(otr_eights)]
#[expect(unsafe_code, reason = "the instructions of some CPUs, as assembly")]
mod eights;
mod portable;
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the instructions of some CPUs")]
mod vectors;
#[cfg(otr_vectors)]
#[expect(
    unsafe_code,
    reason = "the instructions of some CPUs: loads and calls that need them"
)]
#[expect(
    clippy::incompatible_msrv,
    reason = "build.rs leaves it out where the compiler is too old"
)]
mod x86_64_avx_ifma;
#[cfg(target_arch = "x86_64")]
#[expect(
    unsafe_code,
    reason = "the instructions of some CPUs, as assembly and as calls that need them"
)]
mod x86_64_fma;
#[cfg(otr_vectors)]
#[expect(
    unsafe_code,
    reason = "the instructions of some CPUs: loads, stores and calls that need them"
)]
#[expect(
    clippy::incompatible_msrv,
    reason = "build.rs leaves it out where the compiler is too old"
)]
mod x86_64_ifma;

use crate::uint::{Uint, Word};
use zeroize::Zeroize;

#[cfg(otr_eights)]
pub(super) use eights::Modulus as Eights;
pub(super) use portable::Modulus as Portable;
#[cfg(otr_vectors)]
pub(super) use x86_64_avx_ifma::Modulus as AvxIfma;
#[cfg(target_arch = "x86_64")]
pub(super) use x86_64_fma::Modulus as Fma;
#[cfg(otr_vectors)]
pub(super) use x86_64_ifma::Modulus as Ifma;

/// A modulus, and how its numbers are multiplied.
pub(super) trait Modulus {
    /// A number in the form in which products are fast. It may be larger than the modulus.
    type Number: Clone + Zeroize;

    /// The number 1.
    fn one(&self) -> Self::Number;
    /// a becomes a b.
    fn multiply(&self, a: &mut Self::Number, b: &Self::Number);
    /// a becomes a squared.
    fn square(&self, a: &mut Self::Number);
    /// `into` becomes the entry at a secret index, which the table has.
    fn select(&self, into: &mut Self::Number, table: &[Self::Number], index: Word);
}

/// A modulus with numbers that can be brought in and out.
pub(super) trait Transfer<const LIMBS: usize>: Modulus {
    /// Any number of this many limbs, also one that is larger than the modulus.
    fn enter(&self, value: &Uint<LIMBS>) -> Box<Self::Number>;
    /// `value` becomes the number, below the modulus.
    fn leave(&self, number: &Self::Number, value: &mut Uint<LIMBS>);
}

/// The fastest kernel that this CPU has, for an odd modulus of 256 `B` bits, its highest bit set. `K` vectors of eight digits of
/// 52 bits hold such a number and two bits more, and so do `V` vectors of four digits.
pub(super) enum Kernel<const B: usize, const K: usize, const V: usize> {
    Portable(Box<Portable<B>>),
    #[cfg(otr_eights)]
    Eights(Eights<B>),
    #[cfg(otr_vectors)]
    Ifma(Box<Ifma<K>>),
    #[cfg(otr_vectors)]
    AvxIfma(Box<AvxIfma<V>>),
    #[cfg(target_arch = "x86_64")]
    Fma(Box<Fma>),
}

impl<const B: usize, const K: usize, const V: usize> Kernel<B, K, V> {
    /// The modulus is odd and has its highest bit set.
    pub(super) fn new<const LIMBS: usize>(modulus: &Uint<LIMBS>) -> Self {
        let mut fast = Self::all(modulus);
        fast.next()
            .unwrap_or_else(|| Self::Portable(Portable::new(modulus)))
    }

    /// Each kernel that this CPU has, the fastest first.
    pub(super) fn all<const LIMBS: usize>(modulus: &Uint<LIMBS>) -> impl Iterator<Item = Self> {
        let makers: &[fn(&Uint<LIMBS>) -> Option<Self>] = &[
            #[cfg(otr_vectors)]
            |modulus| Ifma::new::<LIMBS, B>(modulus).map(Self::Ifma),
            #[cfg(otr_vectors)]
            |modulus| AvxIfma::new::<LIMBS, B>(modulus).map(Self::AvxIfma),
            #[cfg(target_arch = "x86_64")]
            |modulus| Fma::new::<LIMBS, B>(modulus).map(Self::Fma),
            #[cfg(otr_eights)]
            |modulus| Eights::new(modulus).map(Self::Eights),
            |modulus| Some(Self::Portable(Portable::new(modulus))),
        ];
        makers.iter().filter_map(|make| make(modulus))
    }
}

/// Does the same with whichever kernel it is.
macro_rules! with_kernel {
    ($kernel:expr, $modulus:ident => $work:expr) => {
        match $kernel {
            $crate::montgomery::Kernel::Portable($modulus) => {
                let $modulus = &**$modulus;
                $work
            }
            #[cfg(otr_eights)]
            $crate::montgomery::Kernel::Eights($modulus) => $work,
            #[cfg(otr_vectors)]
            $crate::montgomery::Kernel::Ifma($modulus) => {
                let $modulus = &**$modulus;
                $work
            }
            #[cfg(otr_vectors)]
            $crate::montgomery::Kernel::AvxIfma($modulus) => {
                let $modulus = &**$modulus;
                $work
            }
            #[cfg(target_arch = "x86_64")]
            $crate::montgomery::Kernel::Fma($modulus) => {
                let $modulus = &**$modulus;
                $work
            }
        }
    };
}
pub(super) use with_kernel;

/// The words of a number, the lowest first, as many as there are places for.
#[inline(never)]
pub(super) fn read_words<'a, const LIMBS: usize>(
    value: &Uint<LIMBS>,
    places: impl Iterator<Item = &'a mut u64>,
) {
    for (place, word) in places.zip(value.as_words()) {
        *place = *word;
    }
}

/// `value` becomes the number of these words, the lowest first; those that do not fit are left out.
#[inline(never)]
pub(super) fn write_words<const LIMBS: usize>(
    value: &mut Uint<LIMBS>,
    mut words: impl Iterator<Item = u64>,
) {
    for place in value.as_mut_words() {
        *place = words.next().unwrap_or(0);
    }
}

/// -1/p modulo 2^64, of an odd p.
pub(super) fn negative_inverse(p: u64) -> u64 {
    // Newton: an inverse modulo 2^3 to start with, twice as many bits each time.
    let inverse = (0..5).fold(p, |inverse, _| {
        inverse.wrapping_mul(2_u64.wrapping_sub(p.wrapping_mul(inverse)))
    });
    inverse.wrapping_neg()
}

#[cfg(test)]
mod tests;
