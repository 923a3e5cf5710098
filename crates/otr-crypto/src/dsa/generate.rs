//! New DSA keys, similar to FIPS 186: p of 1024 bits, q of 160.

use super::PrivateKey;
use super::modulus::Modulus;
use super::prime::{self, Sieve};
use crate::montgomery::{Kernel, Transfer, with_kernel};
use crate::random::RandomError;
use crate::uint::{U256, U1024, Uint};
use crate::{bignum, multiexp};
use zeroize::Zeroizing;

const P_BITS: u32 = 1024;
const Q_BITS: u32 = 160;
/// Miller-Rabin rounds to random bases. FIPS 186-4, table C.1, requires 40 without another test, for a number of any origin;
/// for one drawn at random, 3 are enough for p and its 80 bits of security (Damgard, Landrock and Pomerance).
const P_ROUNDS: usize = 8;
const Q_ROUNDS: usize = 40;
/// Sieving further costs more than the tests that it saves.
const SMALL_PRIMES: u32 = 1 << 14;
/// Candidates for p from one start. One in 355 is prime: once in 10^5 starts there is no prime among this many.
const CANDIDATES: usize = 4096;

/// A new key.
pub(super) fn key() -> Result<PrivateKey, RandomError> {
    loop {
        let q = order()?;
        // A loop only because each step may fail by its type; in fact only missing randomness makes one fail.
        let Some(p) = modulus(&q)? else { continue };
        if let Some(key) = key_of(&p, &q)? {
            return Ok(key);
        }
    }
}

/// A prime of 160 bits.
fn order() -> Result<U256, RandomError> {
    let mut top = U256::ZERO;
    top.set_bit(Q_BITS - 1);
    let sieve = Sieve::new(256);
    loop {
        let mut candidate = prime::below(&top)?;
        candidate.set_bit(Q_BITS - 1);
        candidate.set_bit(0);
        let survives = !sieve.survivors(&candidate, &U256::from(1), 1).is_empty();
        if survives && prime::is_prime(&candidate, Q_ROUNDS)? {
            return Ok(candidate);
        }
    }
}

/// A prime of 1024 bits, one more than a multiple of q. None if there is none near a random start.
fn modulus(q: &U256) -> Result<Option<U1024>, RandomError> {
    let mut top = U1024::ZERO;
    top.set_bit(P_BITS - 1);
    let q = q.resize();
    let mut step = q;
    step.add(&q);
    let mut start = prime::below(&top)?;
    start.set_bit(P_BITS - 1);
    let (_, excess) = divide(&start, &step);
    start.subtract(&excess);
    start.set_bit(0);
    let (mut candidate, mut at) = (start, 0);
    for index in Sieve::new(SMALL_PRIMES).survivors(&start, &step, CANDIDATES) {
        for _ in at..index {
            candidate.add(&step);
        }
        at = index;
        // At either end the sequence may leave the range.
        if candidate.bits() == P_BITS && prime::is_prime_1024(&candidate, P_ROUNDS)? {
            return Ok(Some(candidate));
        }
    }
    Ok(None)
}

/// The quotient and the remainder of public numbers, bit by bit. The divisor is above 0 and below half of what fits.
fn divide<const LIMBS: usize>(
    dividend: &Uint<LIMBS>,
    divisor: &Uint<LIMBS>,
) -> (Uint<LIMBS>, Uint<LIMBS>) {
    let (mut quotient, mut remainder) = (Uint::ZERO, Uint::ZERO);
    for bit in (0..dividend.bits()).rev() {
        let half = remainder;
        remainder.add(&half);
        if dividend.bit(bit) {
            remainder.set_bit(0);
        }
        if !remainder.is_below(divisor) {
            remainder.subtract(divisor);
            quotient.set_bit(bit);
        }
    }
    (quotient, remainder)
}

/// g of order q, a random x from 1 to q - 1 and y = g^x.
fn key_of(p: &U1024, q: &U256) -> Result<Option<PrivateKey>, RandomError> {
    let Some(g) = generator(p, q) else {
        return Ok(None);
    };
    let x = secret(q)?;
    let [p, q, g] = [bignum::write(p), bignum::write(q), bignum::write(&g)];
    let y = Modulus::new(&p).and_then(|p| p.power(&g, &x, Q_BITS));
    Ok(y.and_then(|y| PrivateKey::new(&p, &q, &g, &y, &bignum::write(&x)).ok()))
}

/// h^((p - 1) / q) for the smallest h from 2 on for which it is not 1: an element of order q, as q is prime.
fn generator(p: &U1024, q: &U256) -> Option<U1024> {
    // p - 1 is a multiple of q: what is left is the 1.
    let (cofactor, _) = divide(p, &q.resize());
    let kernel: Kernel<4, 3, 5> = Kernel::new(p);
    with_kernel!(&kernel, modulus => {
        (2..)
            .map(|h| {
                let h = modulus.enter(&U1024::from(h));
                let mut g = U1024::ZERO;
                modulus.leave(&multiexp::product_public(modulus, &[(h, &cofactor)]), &mut g);
                g
            })
            .find(|g| *g != U1024::from(1))
    })
}

/// A random number from 1 to q - 1, by rejection.
fn secret(q: &U256) -> Result<Zeroizing<U256>, RandomError> {
    loop {
        let x = Zeroizing::new(prime::below(q)?);
        if !x.is_zero() {
            return Ok(x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigUint;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn division_agrees(
            a in prop::collection::vec(any::<u8>(), 0..=32),
            b in prop::collection::vec(any::<u8>(), 1..=31),
        ) {
            let [a, b] = [a, b].map(|bytes| BigUint::from_bytes_be(&bytes));
            prop_assume!(b != BigUint::ZERO);
            let [ours, by]: [U256; 2] =
                [&a, &b].map(|value| bignum::read(&value.to_bytes_be()).unwrap());
            let (quotient, remainder) = divide(&ours, &by);
            let [quotient, remainder] = [quotient, remainder]
                .map(|value| BigUint::from_bytes_be(&bignum::write(&value)));
            prop_assert_eq!((quotient, remainder), (&a / &b, &a % &b));
        }
    }
}
