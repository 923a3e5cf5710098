//! The kernel for every CPU: safe Rust, limbs of 64 bits in blocks of four, so that a row of products keeps its carries in registers.
//!
//! Numbers are below R = 2^(256 B), not always below the modulus: a product that overflows R has the modulus taken off once.

use super::{Modulus as Arithmetic, Transfer, negative_inverse, read_words, write_words};
use crate::uint::{Uint, Word, mask_of, subtract};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// Four limbs, the lowest first.
type Block = [u64; 4];

/// A number in Montgomery form.
#[derive(Clone, Copy)]
pub(crate) struct Number<const B: usize>(pub(super) [Block; B]);

impl<const B: usize> Zeroize for Number<B> {
    fn zeroize(&mut self) {
        self.0.as_flattened_mut().zeroize();
    }
}

/// An odd modulus below R.
pub(crate) struct Modulus<const B: usize> {
    pub(super) p: [Block; B],
    /// -1/p modulo 2^64.
    pub(super) inverse: u64,
    /// R modulo p.
    one: Number<B>,
    /// R squared modulo p.
    r2: Number<B>,
}

impl<const B: usize> Modulus<B> {
    /// The modulus is odd, above 1 and below R. Boxed, as everything large here: clients run on small stacks.
    #[inline(never)]
    pub(crate) fn new<const LIMBS: usize>(modulus: &Uint<LIMBS>) -> Box<Self> {
        let mut modulus = Self::without_transfer(modulus);
        modulus.r2 = modulus.power_of_two(256 * B);
        modulus
    }

    /// R times 2^bits modulo p, the lowest word first.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn beyond_r<const LIMBS: usize>(modulus: &Uint<LIMBS>, bits: usize) -> [Block; B] {
        let modulus = Self::without_transfer(modulus);
        let mut power = modulus.one;
        for _ in 0..bits {
            modulus.double(&mut power);
        }
        power.0
    }

    /// Without what brings numbers in.
    #[inline(never)]
    fn without_transfer<const LIMBS: usize>(modulus: &Uint<LIMBS>) -> Box<Self> {
        let zero = Number([[0; 4]; B]);
        let mut new = Box::new(Self {
            p: zero.0,
            inverse: 0,
            one: zero,
            r2: zero,
        });
        read_words(modulus, new.p.as_flattened_mut().iter_mut());
        new.inverse = negative_inverse(new.p.as_flattened().first().copied().unwrap_or(1));
        // R modulo p, from the highest power of 2 below p on.
        let length = modulus.bits();
        let mut power = Uint::<LIMBS>::ZERO;
        power.set_bit(length.saturating_sub(1));
        let mut one = zero;
        read_words(&power, one.0.as_flattened_mut().iter_mut());
        for _ in length..=256 * B as u32 {
            new.double(&mut one);
        }
        new.one = one;
        new
    }

    /// 2^exponent, in Montgomery form.
    fn power_of_two(&self, exponent: usize) -> Number<B> {
        let mut power = self.one;
        for bit in (0..usize::BITS - exponent.leading_zeros()).rev() {
            self.square(&mut power);
            self.reduce_once(&mut power.0);
            if exponent >> bit & 1 == 1 {
                self.double(&mut power);
            }
        }
        power
    }

    /// a, which is below p, becomes 2 a modulo p. In public computations only: the time shows whether that was above R.
    fn double(&self, a: &mut Number<B>) {
        let mut carry = 0;
        for limb in a.0.as_flattened_mut() {
            (*limb, carry) = (*limb << 1 | carry, *limb >> 63);
        }
        if carry == 1 {
            subtract_if(&mut a.0, &self.p, 1);
        } else {
            self.reduce_once(&mut a.0);
        }
    }

    /// Brings a number that is below 2 p below p.
    fn reduce_once(&self, a: &mut [Block; B]) {
        let mut borrow = 0;
        for (limb, p) in a.as_flattened().iter().zip(self.p.as_flattened()) {
            (_, borrow) = subtract(*limb, *p, borrow);
        }
        subtract_if(a, &self.p, 1 - borrow);
    }

    /// The lowest block of a number becomes zero by adding p times the block that is given back; the carries out of it are
    /// left in `window`.
    #[inline(always)]
    fn reduce_block(&self, block: &Block, window: &mut Block) -> Block {
        let [t0, t1, t2, t3] = *block;
        let [p0, p1, p2, p3] = self.p.first().copied().unwrap_or_default();

        let m0 = t0.wrapping_mul(self.inverse);
        let (_, k) = multiply_add(m0, p0, t0, 0);
        let (t1, k) = multiply_add(m0, p1, t1, k);
        let (t2, k) = multiply_add(m0, p2, t2, k);
        let (t3, w0) = multiply_add(m0, p3, t3, k);

        let m1 = t1.wrapping_mul(self.inverse);
        let (_, k) = multiply_add(m1, p0, t1, 0);
        let (t2, k) = multiply_add(m1, p1, t2, k);
        let (t3, k) = multiply_add(m1, p2, t3, k);
        let (w0, w1) = multiply_add(m1, p3, w0, k);

        let m2 = t2.wrapping_mul(self.inverse);
        let (_, k) = multiply_add(m2, p0, t2, 0);
        let (t3, k) = multiply_add(m2, p1, t3, k);
        let (w0, k) = multiply_add(m2, p2, w0, k);
        let (w1, w2) = multiply_add(m2, p3, w1, k);

        let m3 = t3.wrapping_mul(self.inverse);
        let (_, k) = multiply_add(m3, p0, t3, 0);
        let (w0, k) = multiply_add(m3, p1, w0, k);
        let (w1, k) = multiply_add(m3, p2, w1, k);
        let (w2, w3) = multiply_add(m3, p3, w2, k);

        *window = [w0, w1, w2, w3];
        [m0, m1, m2, m3]
    }
}

impl<const B: usize> Arithmetic for Modulus<B> {
    type Number = Number<B>;

    fn one(&self) -> Number<B> {
        self.one
    }

    fn multiply(&self, a: &mut Number<B>, b: &Number<B>) {
        #[cfg(feature = "count")]
        crate::count::product(256 * B);
        let mut sum = [[0; 4]; B];
        let mut carry = 0;
        for b in &b.0 {
            // sum + a b, of which `top` is the highest block.
            let mut top = [0; 4];
            for (sum, a) in sum.iter_mut().zip(&a.0) {
                row(sum, a, b, &mut top);
            }
            let overflow = add_with(&mut top, &[carry, 0, 0, 0], 0);
            // Divided by 2^256 after adding the multiple of p that makes it divisible.
            let mut window = [0; 4];
            let m = self.reduce_block(sum.first().unwrap_or(&[0; 4]), &mut window);
            let mut places = sum.iter_mut();
            let Some(mut place) = places.next() else {
                return;
            };
            for (next, p) in places.zip(self.p.iter().skip(1)) {
                *place = *next;
                row(place, p, &m, &mut window);
                place = next;
            }
            carry = overflow + add_with(&mut top, &window, 0);
            *place = top;
        }
        subtract_if(&mut sum, &self.p, carry);
        a.0 = sum;
    }

    fn square(&self, a: &mut Number<B>) {
        #[cfg(feature = "count")]
        crate::count::square(256 * B);
        // The whole square, in 2 B blocks.
        let mut wide = [[[0; 4]; B]; 2];
        let wide = wide.as_flattened_mut();
        let mut factors = a.0.as_slice();
        let mut start = 1;
        while let Some((factor, others)) = factors.split_first() {
            // What is above the diagonal, once.
            let mut window = [0; 4];
            let mut places = wide.iter_mut().skip(start);
            for (other, sum) in others.iter().zip(&mut places) {
                row(sum, other, factor, &mut window);
            }
            if let Some(place) = places.next() {
                *place = window;
            }
            factors = others;
            start += 2;
        }
        let (mut doubling, mut carry) = (0, 0);
        for (factor, place) in a.0.iter().zip(wide.chunks_exact_mut(2)) {
            let [low, high] = place else { return };
            let (square_low, square_high) = square_block(factor);
            doubling = double(low, doubling);
            doubling = double(high, doubling);
            carry = add_with(low, &square_low, carry);
            carry = add_with(high, &square_high, carry);
        }
        // Divided by R, block by block.
        let mut carry = 0;
        for start in 0..B {
            let mut window = [0; 4];
            let mut places = wide.iter_mut().skip(start);
            let m = match places.next() {
                Some(lowest) => self.reduce_block(lowest, &mut window),
                None => return,
            };
            for (p, sum) in self.p.iter().skip(1).zip(&mut places) {
                row(sum, p, &m, &mut window);
            }
            if let Some(place) = places.next() {
                carry = add_with(place, &window, carry);
            }
        }
        for (place, block) in a.0.iter_mut().zip(wide.iter().skip(B)) {
            *place = *block;
        }
        subtract_if(&mut a.0, &self.p, carry);
    }

    fn select(&self, into: &mut Number<B>, table: &[Number<B>], index: Word) {
        select(into, table, index);
    }
}

/// `into` becomes the entry at a secret index. All entries are read.
#[inline(always)]
fn select<const B: usize>(into: &mut Number<B>, table: &[Number<B>], index: Word) {
    // In registers, as far as there are so many.
    let mut selected = [[0; 4]; B];
    for (entry, at) in table.iter().zip(0..) {
        let mask = mask_of(u64::from(index.ct_eq(&at).unwrap_u8()));
        for (to, from) in selected.iter_mut().zip(&entry.0) {
            for (to, from) in to.iter_mut().zip(from) {
                *to |= *from & mask;
            }
        }
    }
    into.0 = selected;
}

impl<const B: usize, const LIMBS: usize> Transfer<LIMBS> for Modulus<B> {
    fn enter(&self, value: &Uint<LIMBS>) -> Box<Number<B>> {
        let mut number = Box::new(Number([[0; 4]; B]));
        read_words(value, number.0.as_flattened_mut().iter_mut());
        self.multiply(&mut number, &self.r2);
        number
    }

    fn leave(&self, number: &Number<B>, value: &mut Uint<LIMBS>) {
        let mut unit = Number([[0; 4]; B]);
        if let Some(lowest) = unit.0.as_flattened_mut().first_mut() {
            *lowest = 1;
        }
        self.multiply(&mut unit, number);
        self.reduce_once(&mut unit.0);
        write_words(value, unit.0.as_flattened().iter().copied());
        unit.zeroize();
    }
}

/// Four more limbs of a times b: the carries wait in the window, which moves on by four.
#[inline(always)]
fn row(sum: &mut Block, a: &Block, b: &Block, window: &mut Block) {
    let [b0, b1, b2, b3] = *b;
    let [mut w0, mut w1, mut w2, mut w3] = *window;
    for (sum, a) in sum.iter_mut().zip(a) {
        let mut k;
        (*sum, k) = multiply_add(*a, b0, *sum, w0);
        (w0, k) = multiply_add(*a, b1, w1, k);
        (w1, k) = multiply_add(*a, b2, w2, k);
        (w2, w3) = multiply_add(*a, b3, w3, k);
    }
    *window = [w0, w1, w2, w3];
}

/// The square of a block: low and high half.
#[inline(always)]
fn square_block(block: &Block) -> (Block, Block) {
    let [a0, a1, a2, a3] = *block;
    // Above the diagonal.
    let (r1, k) = multiply_add(a0, a1, 0, 0);
    let (r2, k) = multiply_add(a0, a2, k, 0);
    let (r3, r4) = multiply_add(a0, a3, k, 0);
    let (r3, k) = multiply_add(a1, a2, r3, 0);
    let (r4, r5) = multiply_add(a1, a3, r4, k);
    let (r5, r6) = multiply_add(a2, a3, r5, 0);
    let (mut low, mut high) = ([0, r1, r2, r3], [r4, r5, r6, 0]);
    let carry = double(&mut low, 0);
    double(&mut high, carry);
    let wide = |a: u64| {
        let square = u128::from(a) * u128::from(a);
        (square as u64, (square >> 64) as u64)
    };
    let ((s0, s1), (s2, s3)) = (wide(a0), wide(a1));
    let ((s4, s5), (s6, s7)) = (wide(a2), wide(a3));
    let carry = add_with(&mut low, &[s0, s1, s2, s3], 0);
    add_with(&mut high, &[s4, s5, s6, s7], carry);
    (low, high)
}

/// a b + c + d, low and high half.
#[inline(always)]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the two halves of the product"
)]
const fn multiply_add(a: u64, b: u64, c: u64, d: u64) -> (u64, u64) {
    let wide = (a as u128) * (b as u128) + (c as u128) + (d as u128);
    (wide as u64, (wide >> 64) as u64)
}

/// Shifts a block left by one bit, and gives the bit that falls out.
#[inline(always)]
fn double(block: &mut Block, mut carry: u64) -> u64 {
    for limb in block {
        (*limb, carry) = (*limb << 1 | carry, *limb >> 63);
    }
    carry
}

/// a += b + carry; the carry out.
#[inline(always)]
fn add_with(a: &mut Block, b: &Block, mut carry: u64) -> u64 {
    for (a, b) in a.iter_mut().zip(b) {
        let (sum, first) = a.overflowing_add(*b);
        let (sum, second) = sum.overflowing_add(carry);
        (*a, carry) = (sum, u64::from(first | second));
    }
    carry
}

/// a -= p, if the secret condition is 1 and not 0. What is borrowed at the top is forgotten.
#[inline(always)]
fn subtract_if<const B: usize>(a: &mut [Block; B], p: &[Block; B], condition: u64) {
    let mask = mask_of(condition);
    let mut borrow = 0;
    for (a, p) in a.as_flattened_mut().iter_mut().zip(p.as_flattened()) {
        (*a, borrow) = subtract(*a, *p & mask, borrow);
    }
}
