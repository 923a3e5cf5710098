//! DSA as OTR uses it (FIPS 186): usually a prime p of 1024 bits and a prime q of 160.
//!
//! The input of a signature is a number, taken modulo q as it is: OTR signs a 256-bit MAC without truncating it to the
//! length of q. A signature is r and s in 20 bytes each, so keys whose q is longer than 160 bits can be read but neither
//! sign nor verify.

mod generate;
mod modulus;
mod nonce;
mod prime;

use super::bignum;
use super::inverse::{self, DIGITS_256};
use super::montgomery::{Modulus as _, Portable, Transfer};
use super::random::{self, RandomError};
use super::stack;
use super::uint::U256;
use modulus::Modulus;
use nonce::Nonces;
use std::fmt;
use std::ops::RangeInclusive;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Lengths of p in bits.
const P_BITS: RangeInclusive<usize> = 512..=3072;
/// Lengths of q in bits.
const Q_BITS: RangeInclusive<usize> = 128..=256;
/// Bytes of r, and of s, in a signature.
const HALF: usize = 20;
/// What the arithmetic modulo q takes of the stack at most.
const ORDER_STACK: usize = 384;

/// Why numbers are not a DSA key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// p is even, or not of 512 to 3072 bits.
    Modulus,
    /// q is even, or not of 128 to 256 bits.
    Order,
    /// g is not from 2 to p - 1.
    Generator,
    /// y is not from 2 to p - 1.
    PublicValue,
    /// x is not from 1 to q - 1.
    SecretValue,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Modulus => "the modulus p of the DSA key is even or of no possible length",
            Self::Order => "the order q of the DSA key is even or of no possible length",
            Self::Generator => "the generator g of the DSA key is out of range",
            Self::PublicValue => "the public value y of the DSA key is out of range",
            Self::SecretValue => "the secret value x of the DSA key is out of range",
        })
    }
}

impl std::error::Error for KeyError {}

/// Why a key did not sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignError {
    /// q is longer than 160 bits: r and s might not fit.
    OrderTooLong,
    /// No nonce gave a signature: the numbers are not a working DSA key.
    UnusableKey,
    /// The operating system gave no randomness.
    Random(RandomError),
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OrderTooLong => f.write_str("the order q of the DSA key is longer than 160 bits"),
            Self::UnusableKey => f.write_str("the numbers of the DSA key do not make signatures"),
            Self::Random(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SignError {}

impl From<RandomError> for SignError {
    fn from(error: RandomError) -> Self {
        Self::Random(error)
    }
}

/// A public key: p, q, g and y.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    p: Vec<u8>,
    q: Vec<u8>,
    g: Vec<u8>,
    y: Vec<u8>,
}

impl PublicKey {
    /// A key from big-endian numbers of any length, checked for parity and range. That p and q are prime, and that g has order
    /// q, is not checked: only the key's owner would be harmed.
    pub fn new(p: &[u8], q: &[u8], g: &[u8], y: &[u8]) -> Result<Self, KeyError> {
        let [p, q, g, y] = [p, q, g, y].map(bignum::strip);
        if !P_BITS.contains(&bits(p)) || !is_odd(p) {
            return Err(KeyError::Modulus);
        }
        if !Q_BITS.contains(&bits(q)) || !is_odd(q) {
            return Err(KeyError::Order);
        }
        if !is_above_one(g) || !is_less(g, p) {
            return Err(KeyError::Generator);
        }
        if !is_above_one(y) || !is_less(y, p) {
            return Err(KeyError::PublicValue);
        }
        let [p, q, g, y] = [p, q, g, y].map(<[u8]>::to_vec);
        Ok(Self { p, q, g, y })
    }

    /// The modulus, big-endian without leading zeros.
    pub fn p(&self) -> &[u8] {
        &self.p
    }

    /// The order of the generator, big-endian without leading zeros.
    pub fn q(&self) -> &[u8] {
        &self.q
    }

    /// The generator, big-endian without leading zeros.
    pub fn g(&self) -> &[u8] {
        &self.g
    }

    /// The public value, big-endian without leading zeros.
    pub fn y(&self) -> &[u8] {
        &self.y
    }

    /// Whether this is a signature (r and s, big-endian) of the data: a big-endian number of any length, empty for 0.
    pub fn verify(&self, data: &[u8], signature: &[u8; 2 * HALF]) -> bool {
        self.check(data, signature).unwrap_or(false)
    }

    /// None if a step of the arithmetic has no result.
    fn check(&self, data: &[u8], signature: &[u8; 2 * HALF]) -> Option<bool> {
        let order = Order::of(&self.q)?;
        let (r, s) = signature.split_at_checked(HALF)?;
        let (r, s): (U256, U256) = (bignum::read(r)?, bignum::read(s)?);
        if self.q.len() > HALF || !order.is_unit_range(&r) || !order.is_unit_range(&s) {
            return Some(false);
        }
        let inverse = order.inverse(&s)?;
        let by_g = **order.times(&order.reduce(data), &inverse);
        let by_y = **order.times(&r, &inverse);
        let modulus = Modulus::new(&self.p)?;
        let power = modulus.product_public(&[(&self.g, by_g), (&self.y, by_y)])?;
        Some(order.reduce(&power) == r)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes = (bits(&self.p), bits(&self.q));
        write!(f, "dsa::PublicKey({} bits, q {} bits)", sizes.0, sizes.1)
    }
}

/// A private key: a public key and x, with y = g^x. x is wiped on drop and not printed.
#[derive(Clone)]
pub struct PrivateKey {
    public: PublicKey,
    x: Zeroizing<Vec<u8>>,
}

impl PrivateKey {
    /// A key from big-endian numbers of any length, checked as by [`PublicKey::new`], and x for its range.
    // Not inlined, so that the constant-time test can exempt its verdict by name.
    #[inline(never)]
    pub fn new(p: &[u8], q: &[u8], g: &[u8], y: &[u8], x: &[u8]) -> Result<Self, KeyError> {
        let public = PublicKey::new(p, q, g, y)?;
        let order = Order::of(public.q()).ok_or(KeyError::Order)?;
        let value = Zeroizing::new(bignum::read(x).ok_or(KeyError::SecretValue)?);
        if !order.is_unit_range(&value) {
            return Err(KeyError::SecretValue);
        }
        let x = bignum::write(&value);
        stack::note::<ORDER_STACK>();
        Ok(Self { public, x })
    }

    /// A new key with p of 1024 bits and q of 160. Takes some tens of milliseconds.
    pub fn generate() -> Result<Self, RandomError> {
        generate::key()
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The secret number, big-endian without leading zeros.
    pub fn x(&self) -> &[u8] {
        &self.x
    }

    /// Signs the data, a big-endian number of any length, empty for 0: r and s, big-endian, 20 bytes each.
    ///
    /// The time depends neither on x nor on the nonce.
    // Not inlined, so that the constant-time test can exempt its verdict by name.
    #[inline(never)]
    pub fn sign(&self, data: &[u8]) -> Result<[u8; 2 * HALF], SignError> {
        /// A valid key fails once in 2^159 tries; after this many failures in a row the key is invalid.
        const TRIES: usize = 8;
        if self.public.q.len() > HALF {
            return Err(SignError::OrderTooLong);
        }
        let order = Order::of(&self.public.q).ok_or(SignError::UnusableKey)?;
        let number = Zeroizing::new(order.reduce(data));
        let fresh = Zeroizing::new(random::bytes::<32>()?);
        let mut nonces = Nonces::new(&order, &self.x, &number, &*fresh);
        for _ in 0..TRIES {
            let k = nonces.next().ok_or(SignError::UnusableKey)?;
            if let Some(signature) = self.sign_with(&order, &number, &k) {
                return Ok(signature);
            }
        }
        Err(SignError::UnusableKey)
    }

    /// Signs a number below q with this nonce, from 1 to q - 1. None if the nonce is unsuitable.
    // Not inlined, so that the constant-time test can exempt its verdict by name.
    #[inline(never)]
    fn sign_with(&self, order: &Order, number: &U256, k: &U256) -> Option<[u8; 2 * HALF]> {
        let power = Modulus::new(&self.public.p)?.power(&self.public.g, k, order.bits())?;
        let r = order.reduce(&power);
        let s = self.second_half(order, number, k, &r)?;

        let mut signature = [0; 2 * HALF];
        for (half, value) in signature.chunks_exact_mut(HALF).zip([r, s]) {
            if value.is_zero() {
                return None;
            }
            bignum::write_padded(&value, half);
        }
        Some(signature)
    }

    /// (number + x r) / k modulo q. None if k has no inverse.
    #[inline(never)]
    fn second_half(&self, order: &Order, number: &U256, k: &U256, r: &U256) -> Option<U256> {
        let x = Zeroizing::new(bignum::read(&self.x)?);
        let mut sum = order.times(&x, r);
        order.add(&mut sum, number);
        let inverse = order.inverse(k)?;
        Some(**order.times(&sum, &inverse))
    }
}

// The public half contains nothing to wipe.
impl ZeroizeOnDrop for PrivateKey {}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dsa::PrivateKey({:?}, x secret)", self.public)
    }
}

/// Arithmetic modulo q, in constant time for one q.
struct Order {
    q: U256,
    modulus: Box<Portable<1>>,
    /// 2^256 modulo q.
    radix: U256,
}

impl Order {
    /// None if the number is even or too long.
    #[inline(never)]
    fn of(q: &[u8]) -> Option<Box<Self>> {
        let q: U256 = bignum::read(q)?;
        if q.parity() == 0 {
            return None;
        }
        let modulus = Portable::new(&q);
        let mut order = Box::new(Self {
            q,
            modulus,
            radix: U256::ZERO,
        });
        let mut half = U256::ZERO;
        half.set_bit(255);
        order.radix = **order.times(&half, &U256::from(2));
        Some(order)
    }

    fn bits(&self) -> u32 {
        self.q.bits()
    }

    /// Whether the value is from 1 to q - 1.
    fn is_unit_range(&self, value: &U256) -> bool {
        !value.is_zero() && value.is_below(&self.q)
    }

    /// a b modulo q, for any a and b.
    #[inline(never)]
    fn times(&self, a: &U256, b: &U256) -> Box<Zeroizing<U256>> {
        let mut a = self.modulus.enter(a);
        let mut b = self.modulus.enter(b);
        self.modulus.multiply(&mut a, &b);
        b.zeroize();
        let mut product = Box::<Zeroizing<U256>>::default();
        self.modulus.leave(&a, &mut product);
        a.zeroize();
        stack::note::<ORDER_STACK>();
        product
    }

    /// a += b modulo q, for an a and a b below q.
    fn add(&self, a: &mut U256, b: &U256) {
        let carry = a.add(b);
        a.reduce_once(&self.q, carry);
    }

    /// 1/a modulo q, in constant time. None if there is none.
    // A frame of its own, so that the test of constant time can except its verdict by name.
    #[inline(never)]
    fn inverse(&self, a: &U256) -> Option<Box<Zeroizing<U256>>> {
        let inverse = inverse::invert::<{ U256::LIMBS }, DIGITS_256>(a, &self.q);
        // q need not be a prime: whoever made the key may have lied.
        if **self.times(a, &inverse) != U256::from(1) {
            return None;
        }
        Some(inverse)
    }

    /// Reduces a big-endian number of any length modulo q, in a time that depends only on the length.
    #[inline(never)]
    fn reduce(&self, big_endian: &[u8]) -> U256 {
        let mut reduced = Box::new(Zeroizing::new(U256::ZERO));
        // The first piece may be short.
        let (first, whole) = big_endian.split_at(big_endian.len() % U256::BYTES);
        for piece in std::iter::once(first).chain(whole.chunks_exact(U256::BYTES)) {
            // 32 bytes always fit.
            let piece = Zeroizing::new(bignum::read(piece).unwrap_or(U256::ZERO));
            reduced = self.times(&reduced, &self.radix);
            self.add(&mut reduced, &self.times(&piece, &U256::from(1)));
        }
        **reduced
    }

    /// The value in as many bytes as q has.
    fn octets(&self, value: &U256) -> Zeroizing<Vec<u8>> {
        let length = usize::try_from(self.bits().div_ceil(8)).unwrap_or(U256::BYTES);
        let mut octets = Zeroizing::new(vec![0; length]);
        bignum::write_padded(value, &mut octets);
        octets
    }
}

/// The length of a number without leading zeros.
fn bits(minimal: &[u8]) -> usize {
    let spare = minimal.first().map_or(0, |byte| byte.leading_zeros());
    minimal.len().saturating_mul(8) - usize::try_from(spare).unwrap_or(0)
}

fn is_odd(big_endian: &[u8]) -> bool {
    big_endian.last().is_some_and(|byte| byte % 2 == 1)
}

fn is_above_one(minimal: &[u8]) -> bool {
    !matches!(minimal, [] | [1])
}

/// a < b, of numbers without leading zeros.
fn is_less(a: &[u8], b: &[u8]) -> bool {
    (a.len(), a) < (b.len(), b)
}

#[cfg(test)]
mod tests;
