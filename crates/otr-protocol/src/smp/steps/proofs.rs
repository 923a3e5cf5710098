//! The zero-knowledge proofs in the messages of the SMP, as they are made and as they are checked.

use otr_crypto::group::{
    Challenge, Element, Exponent, Powers, Residue, Scalar, generator_pow, generator_pow_public,
    multiply, pow_public, response,
};
use otr_crypto::hash::sha256;
use otr_crypto::verdict;

use super::base::Base;
use crate::error::ProtocolError;

/// Their half of a common base, prepared, once they have proved by (c, d) that they know what is behind it.
#[inline(never)]
pub(super) fn check_half(
    half: &Element,
    c: &Challenge,
    d: &Scalar,
    version: u8,
) -> Result<Powers, ProtocolError> {
    let powers = Powers::new(half);
    check_log(c, &generator_pow_public(d), &powers.pow_public(c), version)?;
    Ok(powers)
}

/// P, Q and the proof that both were made with one exponent.
pub(super) struct Coordinates {
    pub(super) p: Residue,
    pub(super) q: Residue,
    c: Challenge,
    d1: Scalar,
    d2: Scalar,
}

impl Coordinates {
    /// P = g3^r, Q = g1^r g2^secret, c = h(g3^r1, g1^r1 g2^r2), d1 = r1 - r c, d2 = r2 - secret c.
    #[inline(never)]
    pub(super) fn make(
        (g2, g3): (&Base, &Base),
        secret: &Exponent,
        version: u8,
    ) -> Result<Box<Self>, ProtocolError> {
        let r = Exponent::random_1536()?;
        let p = g3.pow(&r);
        let q = multiply(&generator_pow(&r), &g2.pow(secret));
        let r1 = Exponent::random_1536()?;
        let r2 = Exponent::random_1536()?;
        let c = hash(
            version,
            &g3.pow(&r1),
            Some(&multiply(&generator_pow(&r1), &g2.pow(&r2))),
        );
        let d1 = response(&r1, &r, &c);
        let d2 = response(&r2, secret, &c);
        Ok(Box::new(Self { p, q, c, d1, d2 }))
    }

    #[inline(never)]
    pub(super) fn write(&self, numbers: &mut Vec<Vec<u8>>) {
        numbers.extend([
            self.p.to_bytes().to_vec(),
            self.q.to_bytes().to_vec(),
            self.c.to_bytes(),
            self.d1.to_bytes(),
            self.d2.to_bytes(),
        ]);
    }
}

/// qab^x, with the proof that the same x stands behind g1^x.
#[inline(never)]
pub(super) fn prove_equal_powers(
    qab: &Base,
    x: &Exponent,
    version: u8,
    numbers: &mut Vec<Vec<u8>>,
) -> Result<(), ProtocolError> {
    write_power(qab, x, numbers);
    prove_equal_logs(qab, x, version, numbers)
}

#[inline(never)]
fn write_power(base: &Base, x: &Exponent, numbers: &mut Vec<Vec<u8>>) {
    numbers.push(base.pow(x).to_bytes().to_vec());
}

/// Our half of a common base, g1^x, with the proof that we know x.
#[inline(never)]
pub(super) fn half(x: &Exponent, version: u8) -> Result<[Vec<u8>; 3], ProtocolError> {
    let raised = generator_pow(x).to_bytes().to_vec();
    let (c, d) = prove_log(x, version)?;
    Ok([raised, c.to_bytes(), d.to_bytes()])
}

/// Proof that we know `x` behind g1^x: c = h(g1^r), d = r - x c.
#[inline(never)]
fn prove_log(x: &Exponent, version: u8) -> Result<(Challenge, Scalar), ProtocolError> {
    let r = Exponent::random_1536()?;
    let c = hash(version, &generator_pow(&r), None);
    Ok((c, response(&r, x, &c)))
}

/// Proof that one exponent stands behind g1^x and qab^x: c = h(g1^r, qab^r), d = r - x c.
#[inline(never)]
fn prove_equal_logs(
    qab: &Base,
    x: &Exponent,
    version: u8,
    numbers: &mut Vec<Vec<u8>>,
) -> Result<(), ProtocolError> {
    let r = Exponent::random_1536()?;
    let c = hash(version, &generator_pow(&r), Some(&qab.pow(&r)));
    let d = response(&r, x, &c);
    write_proof(&c, &d, numbers);
    Ok(())
}

#[inline(never)]
fn write_proof(c: &Challenge, d: &Scalar, numbers: &mut Vec<Vec<u8>>) {
    numbers.extend([c.to_bytes(), d.to_bytes()]);
}

/// c must be h(g1^d x^c). `raised` is g1^d.
#[inline(never)]
fn check_log(
    c: &Challenge,
    raised: &Residue,
    x_to_c: &Residue,
    version: u8,
) -> Result<(), ProtocolError> {
    let made = multiply(raised, x_to_c);
    same(c, hash(version, &made, None))
}

/// c must be h(g3^d1 P^c, g1^d1 g2^d2 Q^c). `raised` is g1^d1, `first` is g3^d1 P^c, `second` is g2^d2 Q^c.
#[inline(never)]
pub(super) fn check_coordinates(
    c: &Challenge,
    raised: &Residue,
    first: &Residue,
    second: &Residue,
    version: u8,
) -> Result<(), ProtocolError> {
    let second = multiply(raised, second);
    same(c, hash(version, first, Some(&second)))
}

/// c must be h(g1^d g3o^c, qab^d r^c). `second` is qab^d r^c.
#[inline(never)]
pub(super) fn check_equal_logs(
    c: &Challenge,
    d: &Scalar,
    g3o: &Element,
    second: &Residue,
    version: u8,
) -> Result<(), ProtocolError> {
    let first = multiply(&generator_pow_public(d), &pow_public(g3o, c));
    same(c, hash(version, &first, Some(second)))
}

/// SHA-256 of the version byte and one or two MPIs.
#[inline(never)]
fn hash(version: u8, a: &Residue, b: Option<&Residue>) -> Challenge {
    let a = a.to_bytes();
    let a_length = length(&a);
    match b {
        None => Challenge(sha256(&[&[version], &a_length, &a])),
        Some(b) => {
            let b = b.to_bytes();
            Challenge(sha256(&[&[version], &a_length, &a, &length(&b), &b]))
        }
    }
}

fn length(bytes: &[u8]) -> [u8; 4] {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes()
}

/// Both values are public: no constant time needed.
fn same(given: &Challenge, made: Challenge) -> Result<(), ProtocolError> {
    if verdict::holds(*given == made) {
        Ok(())
    } else {
        Err(ProtocolError::Invalid)
    }
}
