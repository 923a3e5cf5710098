//! Multiplication modulo a fixed odd number, in the form of Montgomery: the kernels under everything that takes powers.
//!
//! [`portable`] is safe Rust, runs everywhere and is what the others are tested against. A kernel for one CPU is chosen
//! at run time by [`Kernel::new`], and reached through it only. Every operation of every kernel takes the same time for all values.

mod portable;
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the instructions of some CPUs, as assembly")]
mod x86_64_adx;
#[cfg(target_arch = "x86_64")]
#[expect(
    unsafe_code,
    reason = "the instructions of some CPUs: loads, stores and calls that need them"
)]
mod x86_64_ifma;

use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{CtAssign, CtEq, Uint, Word};
use zeroize::Zeroize;

pub(super) use portable::Modulus as Portable;
#[cfg(target_arch = "x86_64")]
pub(super) use x86_64_adx::Modulus as Adx;
#[cfg(target_arch = "x86_64")]
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
/// 52 bits hold such a number and two bits more.
pub(super) enum Kernel<const B: usize, const K: usize> {
    Portable(Box<Portable<B>>),
    #[cfg(target_arch = "x86_64")]
    Adx(Adx<B>),
    #[cfg(target_arch = "x86_64")]
    Ifma(Box<Ifma<K>>),
}

impl<const B: usize, const K: usize> Kernel<B, K> {
    /// The modulus is odd and has its highest bit set.
    pub(super) fn new<const LIMBS: usize>(modulus: &Uint<LIMBS>) -> Self {
        let mut fast = Self::all(modulus);
        fast.next()
            .unwrap_or_else(|| Self::Portable(Portable::new(modulus)))
    }

    /// Each kernel that this CPU has, the fastest first.
    pub(super) fn all<const LIMBS: usize>(modulus: &Uint<LIMBS>) -> impl Iterator<Item = Self> {
        let makers: &[fn(&Uint<LIMBS>) -> Option<Self>] = &[
            #[cfg(target_arch = "x86_64")]
            |modulus| Ifma::new::<LIMBS, B>(modulus).map(Self::Ifma),
            #[cfg(target_arch = "x86_64")]
            |modulus| Adx::new(modulus).map(Self::Adx),
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
            #[cfg(target_arch = "x86_64")]
            $crate::montgomery::Kernel::Adx($modulus) => $work,
            #[cfg(target_arch = "x86_64")]
            $crate::montgomery::Kernel::Ifma($modulus) => {
                let $modulus = &**$modulus;
                $work
            }
        }
    };
}
pub(super) use with_kernel;

/// Of any length: for what is not worth a kernel.
impl<const LIMBS: usize> Modulus for FixedMontyParams<LIMBS> {
    type Number = FixedMontyForm<LIMBS>;

    fn one(&self) -> Self::Number {
        FixedMontyForm::one(self)
    }

    fn multiply(&self, a: &mut Self::Number, b: &Self::Number) {
        *a = a.mul(b);
    }

    fn square(&self, a: &mut Self::Number) {
        *a = a.square();
    }

    fn select(&self, into: &mut Self::Number, table: &[Self::Number], index: Word) {
        for (entry, at) in table.iter().zip(0..) {
            into.ct_assign(entry, index.ct_eq(&at));
        }
    }
}

impl<const LIMBS: usize> Transfer<LIMBS> for FixedMontyParams<LIMBS> {
    fn enter(&self, value: &Uint<LIMBS>) -> Box<Self::Number> {
        Box::new(FixedMontyForm::new(value, self))
    }

    fn leave(&self, number: &Self::Number, value: &mut Uint<LIMBS>) {
        *value = number.retrieve();
    }
}

/// The words of a number, the lowest first, as many as there are places for.
#[inline(never)]
pub(super) fn read_words<'a, const LIMBS: usize>(
    value: &Uint<LIMBS>,
    places: impl Iterator<Item = &'a mut u64>,
) {
    for (place, limbs) in places.zip(value.as_words().chunks(LIMBS_OF_WORD)) {
        let mut encoded = [0; 8];
        for (part, limb) in encoded.as_chunks_mut().0.iter_mut().zip(limbs) {
            *part = limb.to_le_bytes();
        }
        *place = u64::from_le_bytes(encoded);
    }
}

/// `value` becomes the number of these words, the lowest first; those that do not fit are left out.
#[inline(never)]
pub(super) fn write_words<const LIMBS: usize>(
    value: &mut Uint<LIMBS>,
    words: impl Iterator<Item = u64>,
) {
    let mut places = value.as_mut_words().chunks_mut(LIMBS_OF_WORD);
    for (limbs, word) in places.by_ref().zip(words) {
        for (limb, part) in limbs.iter_mut().zip(word.to_le_bytes().as_chunks().0) {
            *limb = Word::from_le_bytes(*part);
        }
    }
    for limbs in places {
        limbs.fill(0);
    }
}

/// A kernel's words have 64 bits, on every machine.
const LIMBS_OF_WORD: usize = size_of::<u64>() / size_of::<Word>();

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
