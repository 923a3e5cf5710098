//! New DSA keys, similar to FIPS 186: p of 1024 bits, q of 160.

use super::PrivateKey;
use super::modulus::Modulus;
use super::prime::{self, Sieve};
use crate::montgomery::{Kernel, Transfer, with_kernel};
use crate::random::RandomError;
use crate::{bignum, multiexp};
use crypto_bigint::{NonZero, U256, U1024};
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
        if let Some(p) = modulus(&q)?
            && let Some(key) = key_of(&p, &q)?
        {
            return Ok(key);
        }
    }
}

/// A prime of 160 bits.
fn order() -> Result<U256, RandomError> {
    let top = U256::ONE << (Q_BITS - 1);
    let sieve = Sieve::new(256);
    loop {
        let candidate = (prime::below(&top)? | top) | U256::ONE;
        let survives = !sieve.survivors(&candidate, &U256::ONE, 1).is_empty();
        if survives && prime::is_prime(&candidate, Q_ROUNDS)? {
            return Ok(candidate);
        }
    }
}

/// A prime of 1024 bits, one more than a multiple of q. None if there is none near a random start.
fn modulus(q: &U256) -> Result<Option<U1024>, RandomError> {
    let top = U1024::ONE << (P_BITS - 1);
    let step: U1024 = q.resize::<{ U1024::LIMBS }>() << 1_u32;
    let Some(divisor) = Option::<NonZero<U1024>>::from(NonZero::new(step)) else {
        return Ok(None);
    };
    let random = prime::below(&top)? | top;
    let start = random
        .wrapping_sub(&random.rem_vartime(&divisor))
        .wrapping_add(&U1024::ONE);
    for index in Sieve::new(SMALL_PRIMES).survivors(&start, &step, CANDIDATES) {
        // CANDIDATES is far below 2^32.
        let index = U1024::from(u32::try_from(index).unwrap_or(0));
        let candidate = start.wrapping_add(&step.wrapping_mul(&index));
        // At either end the sequence may leave the range.
        if candidate >= top && prime::is_prime_1024(&candidate, P_ROUNDS)? {
            return Ok(Some(candidate));
        }
    }
    Ok(None)
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
    let q = Option::<NonZero<U1024>>::from(NonZero::new(q.resize()))?;
    let (cofactor, _) = p.wrapping_sub(&U1024::ONE).div_rem_vartime(&q);
    let kernel: Kernel<4, 3> = Kernel::new(p);
    with_kernel!(&kernel, modulus => {
        (2_u32..)
            .map(|h| {
                let h = modulus.enter(&U1024::from(h));
                let mut g = U1024::ZERO;
                modulus.leave(&multiexp::product_public(modulus, &[(h, &cofactor)]), &mut g);
                g
            })
            .find(|g: &U1024| *g != U1024::ONE)
    })
}

/// A random number from 1 to q - 1, by rejection.
fn secret(q: &U256) -> Result<Zeroizing<U256>, RandomError> {
    loop {
        let x = Zeroizing::new(prime::below(q)?);
        if *x != U256::ZERO {
            return Ok(x);
        }
    }
}
