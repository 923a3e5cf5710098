//! Inverses modulo p, by the constant-time division steps of Bernstein and Yang ("Fast constant-time gcd computation and
//! modular inversion", 2019), in the form with half an initial delta and matrices of 62 steps that libsecp256k1 has.
//!
//! `crypto-bigint` has them as well, by value: that takes six kilobytes of stack, and five times as long.

use super::field::{P, Value};
use crate::montgomery::{negative_inverse, read_words, write_words};
use crate::stack;
use crypto_bigint::U1536;
use std::hint::black_box;
use zeroize::Zeroizing;

/// Bits of a digit.
const DIGIT: usize = 62;
const LARGEST: u64 = (1 << DIGIT) - 1;
/// Digits of a number from -2 p to 2 p. All but the highest are not negative.
const DIGITS: usize = 25;
/// (45907 n + 30179) / 19929 steps are enough for n bits (<https://github.com/sipa/safegcd-bounds>): 3539 for 1536.
const ROUNDS: usize = 58;

type Number = [i64; DIGITS];

/// What 62 steps do to f and g, times 2^62: f becomes u f + v g, g becomes q f + r g.
#[derive(Clone, Copy)]
struct Matrix {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

/// 1/a modulo p, for an a below p; 0 for 0. The time is the same for all.
#[inline(never)]
pub(super) fn invert(a: &U1536) -> Value {
    // On the heap: there is much less to wipe in the stack.
    let mut numbers = Zeroizing::new(vec![[0; DIGITS]; 5]);
    let [p, f, g, d, e] = numbers.as_mut_slice() else {
        return Value::default();
    };
    read(&P, p);
    read(&P, f);
    read(a, g);
    if let Some(lowest) = e.first_mut() {
        *lowest = 1;
    }
    let inverse = inverse_of_p(p);
    // f = d a and g = e a modulo p, always; in the end g is 0 and f is 1 or -1.
    let mut zeta = -1;
    for _ in 0..ROUNDS {
        let matrix = steps(&mut zeta, f, g);
        update_fg(f, g, matrix);
        update_de(d, e, matrix, p, inverse);
    }
    let sign = f.last().map_or(0, |highest| highest >> 63);
    normalise(d, sign, p);
    stack::note::<512>();
    number(d)
}

/// The matrix of the next 62 steps, which depend on the lowest bits of f and g. `zeta` is -(delta + 1/2).
fn steps(zeta: &mut i64, f: &Number, g: &Number) -> Matrix {
    let low = |number: &Number| match number {
        [first, second, ..] => first.cast_unsigned() | second.cast_unsigned() << DIGIT,
    };
    let (mut f, mut g) = (low(f), low(g));
    let (mut u, mut v, mut q, mut r) = (1_u64, 0_u64, 0_u64, 1_u64);
    for _ in 0..DIGIT {
        let negative = black_box((*zeta >> 63).cast_unsigned());
        let odd = black_box((g & 1).wrapping_neg());
        let negated = |value: u64| (value ^ negative).wrapping_sub(negative);
        g = g.wrapping_add(negated(f) & odd);
        q = q.wrapping_add(negated(u) & odd);
        r = r.wrapping_add(negated(v) & odd);
        let swap = negative & odd;
        *zeta = (*zeta ^ swap.cast_signed()) - 1;
        f = f.wrapping_add(g & swap);
        u = u.wrapping_add(q & swap);
        v = v.wrapping_add(r & swap);
        g >>= 1;
        u <<= 1;
        v <<= 1;
    }
    let [u, v, q, r] = [u, v, q, r].map(u64::cast_signed);
    Matrix { u, v, q, r }
}

/// Applies the matrix to f and g, whose new lowest 62 bits are 0 and fall away.
fn update_fg(f: &mut Number, g: &mut Number, t: Matrix) {
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
fn update_de(d: &mut Number, e: &mut Number, t: Matrix, p: &Number, inverse: u64) {
    let sign = |number: &Number| number.last().map_or(0, |highest| highest >> 63);
    let (sign_d, sign_e) = (sign(d), sign(e));
    // What keeps the results from -2 p to p.
    let mut multiple_d = (t.u & sign_d) + (t.v & sign_e);
    let mut multiple_e = (t.q & sign_d) + (t.r & sign_e);
    let low = |number: &Number| number.first().copied().unwrap_or(0).cast_unsigned();
    let (low_d, low_e) = (low(d), low(e));
    let lacking = |multiple: i64, a: i64, b: i64| {
        let sum = a.cast_unsigned().wrapping_mul(low_d);
        let sum = sum.wrapping_add(b.cast_unsigned().wrapping_mul(low_e));
        let lacks = inverse
            .wrapping_mul(sum)
            .wrapping_add(multiple.cast_unsigned());
        (lacks & LARGEST).cast_signed()
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
fn normalise(d: &mut Number, sign: i64, p: &Number) {
    add_if_negative(d, p);
    for digit in d.iter_mut() {
        *digit = (*digit ^ sign) - sign;
    }
    carry(d);
    add_if_negative(d, p);
}

fn add_if_negative(d: &mut Number, p: &Number) {
    let negative = black_box(d.last().map_or(0, |highest| highest >> 63));
    for (digit, p) in d.iter_mut().zip(p) {
        *digit += p & negative;
    }
    carry(d);
}

/// Brings all digits but the highest from 0 to 2^62 - 1.
fn carry(d: &mut Number) {
    let mut carry = 0;
    let mut last = None;
    for digit in d {
        let sum = *digit + carry;
        carry = sum >> DIGIT;
        *digit = sum & LARGEST.cast_signed();
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
        *place = *sum as i64 & LARGEST.cast_signed();
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
fn inverse_of_p(p: &Number) -> u64 {
    let lowest = p.first().copied().unwrap_or(1).cast_unsigned();
    negative_inverse(lowest).wrapping_neg() & LARGEST
}

/// The digits of a number.
#[inline(never)]
fn read(value: &U1536, digits: &mut Number) {
    let mut words = Zeroizing::new([0; DIGITS]);
    read_words(value, words.iter_mut());
    for (digit, at) in digits.iter_mut().zip(0..) {
        let (word, offset) = (at * DIGIT / 64, at * DIGIT % 64);
        let low = words.get(word).copied().unwrap_or(0);
        let high = words.get(word + 1).copied().unwrap_or(0);
        // Two shifts: one by the whole width of a word would overflow.
        *digit = ((low >> offset | high << 1 << (63 - offset)) & LARGEST).cast_signed();
    }
}

/// The number of these digits, from 0 to p - 1.
#[inline(never)]
fn number(digits: &Number) -> Value {
    let mut words = Zeroizing::new([0_u64; DIGITS]);
    for (digit, at) in digits.iter().zip(0..) {
        let (word, offset) = (at * DIGIT / 64, at * DIGIT % 64);
        if let Some(low) = words.get_mut(word) {
            *low |= digit.cast_unsigned() << offset;
        }
        if let Some(high) = words.get_mut(word + 1) {
            *high |= digit.cast_unsigned() >> 1 >> (63 - offset);
        }
    }
    let mut value = Value::default();
    write_words(&mut value, words.iter().copied());
    value
}
