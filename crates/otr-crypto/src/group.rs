//! The 1536-bit MODP group of RFC 3526 (group 5) with generator 2: Diffie-Hellman and the arithmetic of SMP.
//!
//! Numbers are told apart by what may be known of them. A [`Residue`] is secret until shown otherwise, an [`Element`] is
//! a public value in the range that OTR demands, an [`Exponent`] is always secret, a [`Scalar`] and a [`Challenge`] are
//! public. Only the public two can reach the functions whose time depends on an exponent.

mod field;
mod inverse;

use super::bignum;
use super::random::{self, RandomError};
use crypto_bigint::{CtEq, U1536};
use field::{P, Q, Table};
use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;
use zeroize::{ZeroizeOnDrop, Zeroizing};

/// A number from 0 to p - 1. Treated as a secret: boxed, wiped on drop, compared in constant time, not printed.
#[derive(Clone)]
pub struct Residue(Box<Zeroizing<U1536>>);

impl Residue {
    /// Reads a big-endian number of any length. None from p on.
    pub fn from_bytes(big_endian: &[u8]) -> Option<Self> {
        let mut residue = Self(Box::default());
        bignum::read_into(big_endian, &mut residue.0)?;
        (**residue.0 < P).then_some(residue)
    }

    /// Big-endian, without leading zeros; zero is empty.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        bignum::write(&self.0)
    }

    /// The same number as a public value, if it is one that OTR lets through: 2 to p - 2.
    pub fn to_element(&self) -> Option<Element> {
        let p_minus_2 = P.wrapping_sub(&U1536::from(2_u32));
        (**self.0 >= U1536::from(2_u32) && **self.0 <= p_minus_2).then(|| Element(self.clone()))
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

/// A public value: a number from 2 to p - 2, as OTR demands of every group element that comes from the peer.
/// Ordered by value. Stands wherever a [`Residue`] may stand.
#[derive(Clone, PartialEq, Eq)]
pub struct Element(Residue);

impl Element {
    /// Reads a big-endian number of any length. None out of range.
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
        bytes.copy_from_slice(self.0.0.to_be_bytes().as_slice());
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
        self.0.0.cmp_vartime(&other.0.0)
    }
}

impl PartialOrd for Element {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Element({:x})", **self.0.0)
    }
}

/// A secret exponent below 2^1536, not reduced. Boxed, wiped on drop, not printed.
///
/// Its length class (256, 320 or 1536 bits) is public and decides how long a power takes.
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

    /// Reads a big-endian number of any length. None from 2^1536 on.
    pub fn from_bytes(big_endian: &[u8]) -> Option<Self> {
        let length = match bignum::strip(big_endian).len() {
            0..=32 => 256,
            33..=40 => 320,
            _ => U1536::BITS,
        };
        let mut value = Box::<Zeroizing<U1536>>::default();
        bignum::read_into(big_endian, &mut value)?;
        Some(Self { value, length })
    }

    /// The exponent with which b^x raised to this one is b to the result, for every b but 0: the product modulo p - 1.
    /// Not modulo q, because an [`Element`] need not be a square.
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
            length: U1536::BITS,
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

/// An exponent that is no secret: a [`Scalar`] or a [`Challenge`].
pub trait PublicExponent: sealed::Value {}

mod sealed {
    pub trait Value {
        fn value(&self) -> Box<crypto_bigint::U1536>;
        /// No value of this kind has more bits.
        fn length(&self) -> u32;
    }
}

/// A number modulo q, public: the d of an SMP proof.
#[derive(Clone, PartialEq, Eq)]
pub struct Scalar(Box<Zeroizing<U1536>>);

impl Scalar {
    /// Reads a big-endian number of any length. None unless it is from 1 to q - 1, as OTR demands of the peer's.
    pub fn from_bytes(big_endian: &[u8]) -> Option<Self> {
        let mut value = Self(Box::default());
        bignum::read_into(big_endian, &mut value.0)?;
        (**value.0 != U1536::ZERO && **value.0 < Q).then_some(value)
    }

    /// Big-endian, without leading zeros; empty in the case, of no account, of a [`response`] that came out 0.
    pub fn to_bytes(&self) -> Vec<u8> {
        bignum::write(&self.0).to_vec()
    }
}

impl fmt::Debug for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scalar({:x})", **self.0)
    }
}

impl sealed::Value for Scalar {
    fn value(&self) -> Box<U1536> {
        Box::new(**self.0)
    }

    fn length(&self) -> u32 {
        U1536::BITS
    }
}

impl PublicExponent for Scalar {}

/// A hash as a number, public: the c of an SMP proof. Big-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge(pub [u8; 32]);

impl Challenge {
    /// Reads a big-endian number of any length. None from 2^256 on: no hash is that large, so its proof is false.
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
    Element(Residue::new(U1536::from(2_u32)))
}

/// generator^x, in constant time.
pub fn generator_pow(x: &Exponent) -> Residue {
    Residue(field::generator_pow(&x.value, x.length))
}

/// base^x, in constant time for both.
pub fn pow(base: &Residue, x: &Exponent) -> Residue {
    product(&[(base, x)])
}

/// The product of base^x over all powers, in constant time; cheaper than the powers alone. 1 for none.
pub fn product(powers: &[(&Residue, &Exponent)]) -> Residue {
    let powers: Vec<_> = powers
        .iter()
        .map(|(base, x)| (&**base.0, &**x.value, x.length))
        .collect();
    Residue(field::product(&powers))
}

/// A base that is raised more than once, prepared for it: that costs about as much as a power, and each power then a fifth.
pub struct Powers(Box<Table>);

impl Powers {
    /// Prepares a base.
    pub fn new(base: &Residue) -> Self {
        Self(Box::new(Table::new(&base.0, U1536::BITS)))
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
/// A secret exponent does not fit:
///
/// ```compile_fail,E0277
/// use otr_crypto::group::{Exponent, generator, pow_public};
/// let secret = Exponent::from_bytes(&[0]).unwrap();
/// assert_eq!(*pow_public(&generator(), &secret).to_bytes(), [1]);
/// ```
pub fn pow_public(base: &Residue, x: &dyn PublicExponent) -> Residue {
    product_public(&[(base, x)])
}

/// The product of base^x over all powers, in a time that depends on the public exponents but not on the bases;
/// cheaper than the powers alone. 1 for none.
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
// A frame of its own, so that the test of constant time can except its verdict by name.
#[inline(never)]
pub fn divide(a: &Residue, b: &Residue) -> Option<Residue> {
    if bool::from(b.0.is_zero()) {
        return None;
    }
    let inverse = inverse::invert(&b.0);
    Some(Residue(field::multiply(&a.0, &inverse)))
}

/// (r - x c) mod q, in constant time: the answer to the challenge c of one who knows x and chose r.
pub fn response(r: &Exponent, x: &Exponent, c: &Challenge) -> Scalar {
    Scalar(field::response(
        &r.value,
        &x.value,
        &sealed::Value::value(c),
    ))
}

#[cfg(test)]
mod tests;
