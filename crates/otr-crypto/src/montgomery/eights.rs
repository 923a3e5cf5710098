//! The kernel for arm64, and for x86-64 with BMI2, ADX and AVX2: numbers as in the portable kernel, multiplied eight limbs by eight.
//!
//! What may only run on a CPU that has the instructions is `unsafe`: the assembly, in [`limbs`], and the selection from tables. The
//! existence of a [`Modulus`] proves that the CPU has them.

#[cfg_attr(target_arch = "x86_64", path = "eights/x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "eights/aarch64.rs")]
mod limbs;

#[cfg(target_arch = "x86_64")]
use super::blocks::select;
use super::portable::Number;
use super::{Modulus as Arithmetic, Portable, Transfer};
use crate::uint::{Uint, Word};
use limbs::{
    EIGHT, add_products, add_triangle, double_and_add_squares, reduce, reduce_by_ones, subtract_if,
};

/// A modulus with its highest bit set, of an even number of blocks.
pub(crate) struct Modulus<const B: usize>(Box<Portable<B>>);

impl<const B: usize> Modulus<B> {
    /// None if the CPU lacks the instructions.
    pub(super) fn new<const LIMBS: usize>(modulus: &Uint<LIMBS>) -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        let here = is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("adx")
            && is_x86_feature_detected!("avx2");
        #[cfg(target_arch = "aarch64")]
        let here = true;
        // For measuring and testing the portable kernel where this one would be taken.
        (here && B & 1 == 0 && !cfg!(otr_portable)).then(|| Self(Portable::new(modulus)))
    }

    /// a = t / R, of a t of `2 B` blocks. By adding multiples of p its lower half would become zero; the factors stand there in the
    /// end.
    #[inline(always)]
    fn reduce(&self, t: &mut [u64], a: &mut Number<B>) {
        let p = self.0.p.as_flattened();
        let Some((lowest, others)) = p.split_first_chunk() else {
            return;
        };
        let mut carry = 0;
        let mut window = [0; EIGHT];
        for start in (0..p.len()).step_by(EIGHT) {
            let Some((m, above)) = t.get_mut(start..).and_then(|t| t.split_first_chunk_mut())
            else {
                return;
            };
            if self.0.inverse == 1 {
                reduce_by_ones(m, lowest, &mut window);
            } else {
                reduce(m, lowest, self.0.inverse, &mut window);
            }
            carry = add_products(above, others, m, &window, carry);
        }
        if let Some(quotient) = t.get(p.len()..) {
            subtract_if(a.0.as_flattened_mut(), quotient, p, carry);
        }
    }
}

impl<const B: usize> Arithmetic for Modulus<B> {
    type Number = Number<B>;

    fn one(&self) -> Number<B> {
        self.0.one()
    }

    fn multiply(&self, a: &mut Number<B>, b: &Number<B>) {
        #[cfg(feature = "count")]
        crate::count::product(256 * B);
        let mut t = [[[0; 4]; B]; 2];
        let t = t.as_flattened_mut().as_flattened_mut();
        let mut factors = b.0.as_flattened();
        let mut start = 0;
        while let Some((factor, others)) = factors.split_first_chunk() {
            if let Some(places) = t.get_mut(start..) {
                add_products(places, a.0.as_flattened(), factor, &[0; EIGHT], 0);
            }
            factors = others;
            start += EIGHT;
        }
        self.reduce(t, a);
    }

    fn square(&self, a: &mut Number<B>) {
        #[cfg(feature = "count")]
        crate::count::square(256 * B);
        let mut t = [[[0; 4]; B]; 2];
        let t = t.as_flattened_mut().as_flattened_mut();
        let mut factors = a.0.as_flattened();
        let mut window = [0; EIGHT];
        let mut start = 0;
        while let Some((factor, others)) = factors.split_first_chunk() {
            // Each product of two different limbs, once.
            let places = t.get_mut(start..).and_then(|t| t.split_first_chunk_mut());
            if let Some((place, above)) = places {
                add_triangle(place, factor, &mut window);
                add_products(above, others, factor, &window, 0);
            }
            factors = others;
            start += 2 * EIGHT;
        }
        double_and_add_squares(t, a.0.as_flattened());
        self.reduce(t, a);
    }

    fn select(&self, into: &mut Number<B>, table: &[Number<B>], index: Word) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `new` found the instructions.
        unsafe {
            select(&mut into.0, table.iter().map(|entry| &entry.0), index);
        }
        #[cfg(target_arch = "aarch64")]
        self.0.select(into, table, index);
    }
}

impl<const B: usize, const LIMBS: usize> Transfer<LIMBS> for Modulus<B> {
    fn enter(&self, value: &Uint<LIMBS>) -> Box<Number<B>> {
        self.0.enter(value)
    }

    fn leave(&self, number: &Number<B>, value: &mut Uint<LIMBS>) {
        self.0.leave(number, value);
    }
}
