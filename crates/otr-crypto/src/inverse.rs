//! Inverses modulo a fixed odd number, by the constant-time division steps of Bernstein and Yang ("Fast constant-time gcd computation and
//! modular inversion", 2019), in the form with half an initial delta and matrices of 62 steps that libsecp256k1 has.

use crate::montgomery::{negative_inverse, read_words, write_words};
use crate::stack;
use crate::uint::Uint;
use std::hint::black_box;
use zeroize::Zeroizing;

/// Bits of a digit.
const DIGIT: usize = 62;
const LARGEST: u64 = (1 << DIGIT) - 1;
/// How many of them a number from -2 p to 2 p has, for a p of 256 and of 1536 bits. All but the highest are not negative.
pub(super) const DIGITS_256: usize = 5;
pub(super) const DIGITS_1536: usize = 25;

type Number<const DIGITS: usize> = [i64; DIGITS];

/// What 62 steps do to f and g, times 2^62: f becomes u f + v g, g becomes q f + r g.
#[derive(Clone, Copy)]
struct Matrix {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

/// 1/a modulo an odd p, for an a below p. If they have a common divisor, and so for 0, it is some number below p. The time is the
/// same for all a.
#[inline(never)]
pub(super) fn invert<const LIMBS: usize, const DIGITS: usize>(
    a: &Uint<LIMBS>,
    p: &Uint<LIMBS>,
) -> Box<Zeroizing<Uint<LIMBS>>> {
    // On the heap: there is much less to wipe in the stack.
    let mut numbers = Zeroizing::new(vec![[0; DIGITS]; 5]);
    let mut inverse = Box::default();
    let [modulus, f, g, d, e] = numbers.as_mut_slice() else {
        return inverse;
    };
    read(p, modulus);
    read(p, f);
    read(a, g);
    if let Some(lowest) = e.first_mut() {
        *lowest = 1;
    }
    let inverse_of_p = inverse_of(modulus);
    // f = d a and g = e a modulo p, always; in the end g is 0 and f is 1 or -1.
    let mut zeta = -1;
    for _ in 0..rounds(64 * LIMBS) {
        let matrix = steps(&mut zeta, f, g);
        update_fg(f, g, matrix);
        update_de(d, e, matrix, modulus, inverse_of_p);
    }
    let sign = f.last().map_or(0, |highest| highest >> 63);
    normalise(d, sign, modulus);
    stack::note::<512>();
    number(d, &mut inverse);
    inverse
}

/// Of 62 steps each. (45907 n + 30179) / 19929 steps are enough for n bits (<https://github.com/sipa/safegcd-bounds>).
fn rounds(bits: usize) -> usize {
    ((45907 * bits + 30179) / 19929).div_ceil(DIGIT)
}

/// The matrix of the next 62 steps, which depend on the lowest bits of f and g. `zeta` is -(delta + 1/2).
fn steps<const DIGITS: usize>(zeta: &mut i64, f: &Number<DIGITS>, g: &Number<DIGITS>) -> Matrix {
    let low = |number: &Number<DIGITS>| match number.as_slice() {
        [first, second, ..] => *first as u64 | (*second as u64) << DIGIT,
        _ => 0,
    };
    let (mut f, mut g) = (low(f), low(g));
    let (mut u, mut v, mut q, mut r) = (1_u64, 0_u64, 0_u64, 1_u64);
    for _ in 0..DIGIT {
        let negative = black_box((*zeta >> 63) as u64);
        let odd = black_box((g & 1).wrapping_neg());
        let negated = |value: u64| (value ^ negative).wrapping_sub(negative);
        g = g.wrapping_add(negated(f) & odd);
        q = q.wrapping_add(negated(u) & odd);
        r = r.wrapping_add(negated(v) & odd);
        let swap = negative & odd;
        *zeta = (*zeta ^ swap as i64) - 1;
        f = f.wrapping_add(g & swap);
        u = u.wrapping_add(q & swap);
        v = v.wrapping_add(r & swap);
        g >>= 1;
        u <<= 1;
        v <<= 1;
    }
    let [u, v, q, r] = [u, v, q, r].map(|entry| entry as i64);
    Matrix { u, v, q, r }
}

/// Applies the matrix to f and g, whose new lowest 62 bits are 0 and fall away.
fn update_fg<const DIGITS: usize>(f: &mut Number<DIGITS>, g: &mut Number<DIGITS>, t: Matrix) {
    let (mut carry_f, mut carry_g) = (0_i128, 0_i128);
    let (mut last_f, mut last_g) = (None, None);
    for (f, g) in f.iter_mut().zip(g) {
        carry_f += product(t.u, *f) + product(t.v, *g);
        carry_g += product(t.q, *f) + product(t.r, *g);
        put(last_f, &mut carry_f);
        put(last_g, &mut carry_g);
        (last_f, last_g) = (Some(f), Some(g));
    }
    finish(last_f, carry_f);
    finish(last_g, carry_g);
}

/// The same for d and e, modulo p: multiples of p make the lowest 62 bits 0. `inverse` is 1/p modulo 2^62.
fn update_de<const DIGITS: usize>(
    d: &mut Number<DIGITS>,
    e: &mut Number<DIGITS>,
    t: Matrix,
    p: &Number<DIGITS>,
    inverse: u64,
) {
    let sign = |number: &Number<DIGITS>| number.last().map_or(0, |highest| highest >> 63);
    let (sign_d, sign_e) = (sign(d), sign(e));
    // What keeps the results from -2 p to p.
    let mut multiple_d = (t.u & sign_d) + (t.v & sign_e);
    let mut multiple_e = (t.q & sign_d) + (t.r & sign_e);
    let low = |number: &Number<DIGITS>| number.first().map_or(0, |lowest| *lowest as u64);
    let (low_d, low_e) = (low(d), low(e));
    let lacking = |multiple: i64, a: i64, b: i64| {
        let sum = (a as u64).wrapping_mul(low_d);
        let sum = sum.wrapping_add((b as u64).wrapping_mul(low_e));
        let lacks = inverse.wrapping_mul(sum).wrapping_add(multiple as u64);
        (lacks & LARGEST) as i64
    };
    multiple_d -= lacking(multiple_d, t.u, t.v);
    multiple_e -= lacking(multiple_e, t.q, t.r);
    let (mut carry_d, mut carry_e) = (0_i128, 0_i128);
    let (mut last_d, mut last_e) = (None, None);
    for ((d, e), p) in d.iter_mut().zip(e).zip(p) {
        carry_d += product(t.u, *d) + product(t.v, *e) + product(*p, multiple_d);
        carry_e += product(t.q, *d) + product(t.r, *e) + product(*p, multiple_e);
        put(last_d, &mut carry_d);
        put(last_e, &mut carry_e);
        (last_d, last_e) = (Some(d), Some(e));
    }
    finish(last_d, carry_d);
    finish(last_e, carry_e);
}

/// d, from -2 p to p, becomes d or, if `sign` is -1 and not 0, -d modulo p.
fn normalise<const DIGITS: usize>(d: &mut Number<DIGITS>, sign: i64, p: &Number<DIGITS>) {
    add_if_negative(d, p);
    for digit in d.iter_mut() {
        *digit = (*digit ^ sign) - sign;
    }
    carry(d);
    add_if_negative(d, p);
}

fn add_if_negative<const DIGITS: usize>(d: &mut Number<DIGITS>, p: &Number<DIGITS>) {
    let negative = black_box(d.last().map_or(0, |highest| highest >> 63));
    for (digit, p) in d.iter_mut().zip(p) {
        *digit += p & negative;
    }
    carry(d);
}

/// Brings all digits but the highest from 0 to 2^62 - 1.
fn carry<const DIGITS: usize>(d: &mut Number<DIGITS>) {
    let mut carry = 0;
    let mut last = None;
    for digit in d {
        let sum = *digit + carry;
        carry = sum >> DIGIT;
        *digit = sum & LARGEST as i64;
        last = Some(digit);
    }
    if let Some(highest) = last {
        *highest += carry << DIGIT;
    }
}

fn product(a: i64, b: i64) -> i128 {
    i128::from(a) * i128::from(b)
}

/// The lowest digit of the sum goes to its place, one further down; there is none for the first, which is 0.
#[expect(clippy::cast_possible_truncation, reason = "the lowest digit")]
fn put(place: Option<&mut i64>, sum: &mut i128) {
    if let Some(place) = place {
        *place = *sum as i64 & LARGEST as i64;
    }
    *sum >>= DIGIT;
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "it fits: the number is in its range"
)]
fn finish(place: Option<&mut i64>, carry: i128) {
    if let Some(place) = place {
        *place = carry as i64;
    }
}

/// 1/p modulo 2^62, of an odd p.
fn inverse_of<const DIGITS: usize>(p: &Number<DIGITS>) -> u64 {
    let lowest = p.first().map_or(1, |lowest| *lowest as u64);
    negative_inverse(lowest).wrapping_neg() & LARGEST
}

/// The digits of a number.
#[inline(never)]
fn read<const LIMBS: usize, const DIGITS: usize>(value: &Uint<LIMBS>, digits: &mut Number<DIGITS>) {
    let mut words = Zeroizing::new([0; DIGITS]);
    read_words(value, words.iter_mut());
    for (digit, at) in digits.iter_mut().zip(0..) {
        let (word, offset) = (at * DIGIT / 64, at * DIGIT % 64);
        let low = words.get(word).copied().unwrap_or(0);
        let high = words.get(word + 1).copied().unwrap_or(0);
        // Two shifts: one by the whole width of a word would overflow.
        *digit = ((low >> offset | high << 1 << (63 - offset)) & LARGEST) as i64;
    }
}

/// `value` becomes the number of these digits, from 0 to p - 1.
#[inline(never)]
fn number<const LIMBS: usize, const DIGITS: usize>(
    digits: &Number<DIGITS>,
    value: &mut Uint<LIMBS>,
) {
    let mut words = Zeroizing::new([0_u64; DIGITS]);
    for (digit, at) in digits.iter().zip(0..) {
        let (word, offset) = (at * DIGIT / 64, at * DIGIT % 64);
        if let Some(low) = words.get_mut(word) {
            *low |= (*digit as u64) << offset;
        }
        if let Some(high) = words.get_mut(word + 1) {
            *high |= *digit as u64 >> 1 >> (63 - offset);
        }
    }
    write_words(value, words.iter().copied());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bignum;
    use crate::uint::U256;
    use num_bigint::BigUint;
    use proptest::prelude::*;

    /// The one of 1536 bits, which is fixed, is tried in `group`.
    fn check(a: &BigUint, p: &BigUint) {
        let read = |value: &BigUint| bignum::read(&value.to_bytes_be()).unwrap();
        let [value, modulus]: [U256; 2] = [a, p].map(read);
        let inverse = invert::<{ U256::LIMBS }, DIGITS_256>(&value, &modulus);
        let inverse = BigUint::from_bytes_be(&bignum::write(&inverse));
        match a.modinv(p) {
            Some(expected) => assert_eq!(inverse, expected, "1/{a} modulo {p}"),
            None => assert!(inverse < *p, "1/{a} modulo {p}"),
        }
    }

    #[test]
    fn as_many_rounds_as_are_proved_to_do() {
        // The steps of safegcd-bounds: 590 for 256 bits, 3539 for 1536.
        assert!(rounds(256) * DIGIT >= 590);
        assert!(rounds(1536) * DIGIT >= 3539);
    }

    #[test]
    fn inverses_at_the_edges() {
        let one = BigUint::from(1_u32);
        for bits in [2, 3, 62, 63, 64, 128, 160, 248, 255, 256] {
            for p in [(&one << bits) - 1_u32, (&one << (bits - 1)) + 1_u32] {
                for a in [
                    &one - 1_u32,
                    one.clone(),
                    &one + 1_u32,
                    &p / 2_u32,
                    &p - 1_u32,
                ] {
                    check(&(a % &p), &p);
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 200 } else { 4000 }))]

        #[test]
        fn inverses(a in any::<[u8; 32]>(), mut p in prop::collection::vec(any::<u8>(), 1..=32)) {
            *p.last_mut().unwrap() |= 1;
            let p = BigUint::from_bytes_be(&p);
            prop_assume!(p > 1_u32.into());
            check(&(BigUint::from_bytes_be(&a) % &p), &p);
        }
    }
}
