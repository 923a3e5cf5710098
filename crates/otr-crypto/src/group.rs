//! The 1536-bit MODP group of RFC 3526 (group 5) with generator 2: Diffie-Hellman and the arithmetic of SMP.
//!
//! The types of numbers say what may be known of them. A [`Residue`] is secret unless shown otherwise, an [`Element`] is a
//! public value in the range that OTR requires, an [`Exponent`] is always secret, a [`Scalar`] and a [`Challenge`] are
//! public. Only the public two can be passed to functions whose time depends on an exponent.

mod field;

use super::bignum;
use super::inverse::{self, DIGITS_1536};
use super::random::{self, RandomError};
use super::uint::U1536;
use field::{P, Q, Table};
use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;
use subtle::ConstantTimeEq;
use zeroize::{ZeroizeOnDrop, Zeroizing};

/// A number from 0 to p - 1. Treated as a secret: boxed, wiped on drop, compared in constant time, not printed.
#[derive(Clone)]
pub struct Residue(Box<Zeroizing<U1536>>);

impl Residue {
    /// Reads a big-endian number of any length. None if it is p or greater.
    pub fn from_bytes(big_endian: &[u8]) -> Option<Self> {
        let mut residue = Self(Box::default());
        bignum::read_into(big_endian, &mut residue.0)?;
        residue.0.is_below(&P).then_some(residue)
    }

    /// Big-endian, without leading zeros; zero is empty.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        bignum::write(&self.0)
    }

    /// The same number as a public value, if OTR accepts it: 2 to p - 2.
    pub fn to_element(&self) -> Option<Element> {
        let mut last_but_one = P;
        last_but_one.subtract(&U1536::from(1));
        let in_range = !self.0.is_below(&U1536::from(2)) && self.0.is_below(&last_but_one);
        in_range.then(|| Element(self.clone()))
    }

    fn new(value: U1536) -> Self {
        Self(Box::new(Zeroizing::new(value)))
    }
}

impl PartialEq for Residue {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&**other.0).into()
    }
}

impl Eq for Residue {}

impl ZeroizeOnDrop for Residue {}

impl fmt::Debug for Residue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Residue(secret)")
    }
}

/// A public value: a number from 2 to p - 2, as OTR requires of every group element from the peer. Ordered by value. Can be
/// used wherever a [`Residue`] can.
#[derive(Clone, PartialEq, Eq)]
pub struct Element(Residue);

impl Element {
    /// Reads a big-endian number of any length. None if it is out of range.
    pub fn from_bytes(big_endian: &[u8]) -> Option<Self> {
        Residue::from_bytes(big_endian)?.to_element()
    }

    /// Big-endian, without leading zeros: the body of an OTR MPI.
    pub fn to_bytes(&self) -> Vec<u8> {
        bignum::strip(&self.to_padded_bytes()).to_vec()
    }

    /// Big-endian, with leading zeros.
    pub fn to_padded_bytes(&self) -> [u8; 192] {
        let mut bytes = [0; 192];
        bignum::write_padded(&self.0.0, &mut bytes);
        bytes
    }
}

impl Deref for Element {
    type Target = Residue;

    fn deref(&self) -> &Residue {
        &self.0
    }
}

impl Ord for Element {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.0.cmp_public(&other.0.0)
    }
}

impl PartialOrd for Element {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Element({:?})", **self.0.0)
    }
}

/// A secret exponent below 2^1536, not reduced. Boxed, wiped on drop, not printed.
///
/// Its length class (256, 320 or 1536 bits) is public and determines how long a power takes.
#[derive(Clone)]
pub struct Exponent {
    value: Box<Zeroizing<U1536>>,
    length: u32,
}

impl Exponent {
    /// A random exponent of 320 bits, for Diffie-Hellman keys.
    pub fn random_320() -> Result<Self, RandomError> {
        Self::random::<40>()
    }

    /// A random exponent of 1536 bits, for SMP.
    pub fn random_1536() -> Result<Self, RandomError> {
        Self::random::<192>()
    }

    /// Reads a big-endian number of any length. None if it is 2^1536 or greater.
    pub fn from_bytes(big_endian: &[u8]) -> Option<Self> {
        let length = match bignum::strip(big_endian).len() {
            0..=32 => 256,
            33..=40 => 320,
            _ => field::BITS,
        };
        let mut value = Box::<Zeroizing<U1536>>::default();
        bignum::read_into(big_endian, &mut value)?;
        Some(Self { value, length })
    }

    /// The product modulo p - 1: b to the result is (b^x)^by for every b except 0. Not modulo q, because an [`Element`] need
    /// not be a square.
    pub fn times(&self, by: &Self) -> Self {
        Self::from_product(&self.value, &by.value)
    }

    /// The same for a public factor. The result is as secret as this exponent is.
    pub fn times_public(&self, by: &Scalar) -> Self {
        Self::from_product(&self.value, &by.0)
    }

    /// Big-endian, without leading zeros.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        bignum::write(&self.value)
    }

    fn from_product(a: &U1536, b: &U1536) -> Self {
        Self {
            value: field::multiply_exponents(a, b),
            length: field::BITS,
        }
    }

    fn random<const N: usize>() -> Result<Self, RandomError> {
        let mut bytes = Zeroizing::new([0; N]);
        random::fill(&mut *bytes)?;
        // N is 40 or 192: the number always fits.
        Self::from_bytes(&*bytes).ok_or(RandomError)
    }
}

impl ZeroizeOnDrop for Exponent {}

impl fmt::Debug for Exponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exponent(secret)")
    }
}

/// An exponent that is not secret: a [`Scalar`] or a [`Challenge`].
pub trait PublicExponent: sealed::Value {}

mod sealed {
    pub trait Value {
        fn value(&self) -> Box<super::U1536>;
        /// No value of this kind has more bits.
        fn length(&self) -> u32;
    }
}

/// A number modulo q, public: the d of an SMP proof.
#[derive(Clone, PartialEq, Eq)]
pub struct Scalar(Box<Zeroizing<U1536>>);

impl Scalar {
    /// Reads a big-endian number of any length. None unless it is from 1 to q - 1, as OTR requires of the peer's values.
    pub fn from_bytes(big_endian: &[u8]) -> Option<Self> {
        let mut value = Self(Box::default());
        bignum::read_into(big_endian, &mut value.0)?;
        (!value.0.is_zero() && value.0.is_below(&Q)).then_some(value)
    }

    /// Big-endian, without leading zeros; empty for a [`response`] of 0, which is negligibly improbable.
    pub fn to_bytes(&self) -> Vec<u8> {
        bignum::write(&self.0).to_vec()
    }
}

impl fmt::Debug for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scalar({:?})", **self.0)
    }
}

impl sealed::Value for Scalar {
    fn value(&self) -> Box<U1536> {
        Box::new(**self.0)
    }

    fn length(&self) -> u32 {
        field::BITS
    }
}

impl PublicExponent for Scalar {}

/// A hash as a number, public: the c of an SMP proof. Big-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge(pub [u8; 32]);

impl Challenge {
    /// Reads a big-endian number of any length. None if it is 2^256 or greater: no hash is that large, so the proof is false.
    pub fn from_bytes(big_endian: &[u8]) -> Option<Self> {
        let minimal = bignum::strip(big_endian);
        let mut challenge = [0; 32];
        challenge
            .get_mut(32_usize.checked_sub(minimal.len())?..)?
            .copy_from_slice(minimal);
        Some(Self(challenge))
    }

    /// Big-endian, without leading zeros.
    pub fn to_bytes(&self) -> Vec<u8> {
        bignum::strip(&self.0).to_vec()
    }
}

impl sealed::Value for Challenge {
    #[inline(never)]
    fn value(&self) -> Box<U1536> {
        // 32 bytes always fit.
        Box::new(bignum::read(&self.0).unwrap_or(U1536::ZERO))
    }

    fn length(&self) -> u32 {
        256
    }
}

impl PublicExponent for Challenge {}

/// The generator, 2. It generates the squares modulo p, a group of prime order q.
pub fn generator() -> Element {
    Element(Residue::new(U1536::from(2)))
}

/// generator^x, in constant time.
pub fn generator_pow(x: &Exponent) -> Residue {
    Residue(field::generator_pow(&x.value, x.length))
}

/// base^x, in constant time for both.
pub fn pow(base: &Residue, x: &Exponent) -> Residue {
    product(&[(base, x)])
}

/// The product of base^x over all powers, in constant time; cheaper than separate powers. 1 if there are none.
pub fn product(powers: &[(&Residue, &Exponent)]) -> Residue {
    let powers: Vec<_> = powers
        .iter()
        .map(|(base, x)| (&**base.0, &**x.value, x.length))
        .collect();
    Residue(field::product(&powers))
}

/// A base that is raised more than once, with a precomputed table: this costs about as much as a power, and each power then a
/// fifth.
pub struct Powers(Box<Table>);

impl Powers {
    /// Prepares a base.
    pub fn new(base: &Residue) -> Self {
        Self(Box::new(Table::new(&base.0, field::BITS)))
    }

    /// base^x, in constant time for both.
    pub fn pow(&self, x: &Exponent) -> Residue {
        Residue(self.0.power(&x.value, x.length))
    }

    /// base^x for a public exponent.
    pub fn pow_public(&self, x: &dyn PublicExponent) -> Residue {
        Residue(self.0.power(&x.value(), x.length()))
    }
}

impl ZeroizeOnDrop for Powers {}

impl fmt::Debug for Powers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Powers(secret)")
    }
}

/// generator^x for a public exponent.
pub fn generator_pow_public(x: &dyn PublicExponent) -> Residue {
    Residue(field::generator_pow(&x.value(), x.length()))
}

/// base^x, in a time that depends on the public exponent but not on the base.
///
/// ```
/// use otr_crypto::group::{Challenge, generator, pow_public};
/// assert_eq!(*pow_public(&generator(), &Challenge([0; 32])).to_bytes(), [1]);
/// ```
///
/// A secret exponent does not compile:
///
/// ```compile_fail,E0277
/// use otr_crypto::group::{Exponent, generator, pow_public};
/// let secret = Exponent::from_bytes(&[0]).unwrap();
/// assert_eq!(*pow_public(&generator(), &secret).to_bytes(), [1]);
/// ```
pub fn pow_public(base: &Residue, x: &dyn PublicExponent) -> Residue {
    product_public(&[(base, x)])
}

/// The product of base^x over all powers, in a time that depends on the public exponents but not on the bases; cheaper than
/// separate powers. 1 if there are none.
pub fn product_public(powers: &[(&Residue, &dyn PublicExponent)]) -> Residue {
    let exponents: Vec<_> = powers.iter().map(|(_, x)| x.value()).collect();
    let bases = powers.iter().map(|(base, _)| &**base.0);
    let powers: Vec<_> = bases.zip(exponents.iter().map(|x| &**x)).collect();
    Residue(field::product_public(&powers))
}

/// a b mod p, in constant time.
pub fn multiply(a: &Residue, b: &Residue) -> Residue {
    Residue(field::multiply(&a.0, &b.0))
}

/// a / b mod p, in constant time. None if b is 0; an [`Element`] never is.
// Not inlined, so that the constant-time test can exempt its verdict by name.
#[inline(never)]
pub fn divide(a: &Residue, b: &Residue) -> Option<Residue> {
    if b.0.is_zero() {
        return None;
    }
    let inverse = inverse::invert::<{ U1536::LIMBS }, DIGITS_1536>(&b.0, &P);
    Some(Residue(field::multiply(&a.0, &inverse)))
}

/// (r - x c) mod q, in constant time: the response to the challenge c in a proof of knowledge of x with the random r.
pub fn response(r: &Exponent, x: &Exponent, c: &Challenge) -> Scalar {
    Scalar(field::response(
        &r.value,
        &x.value,
        &sealed::Value::value(c),
    ))
}

#[cfg(test)]
mod tests;
