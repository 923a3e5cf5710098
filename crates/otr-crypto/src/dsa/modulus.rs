//! Powers modulo p, for a p of any length.

use crate::montgomery::{Kernel, Portable, Transfer, with_kernel};
use crate::stack::{self, KERNEL_STACK};
use crate::uint::{U256, U1024, U1536, U3072, Uint};
use crate::{bignum, multiexp};
use zeroize::{Zeroize, Zeroizing};

/// The modulus p.
pub(super) enum Modulus {
    /// Of 1024 bits, as the keys that OTR makes have, or less.
    Usual(Kernel<4, 3, 5>),
    /// Of 1536 bits at most.
    Longer(Box<Portable<6>>),
    /// Of 3072 bits at most.
    Longest(Box<Portable<12>>),
}

impl Modulus {
    /// None if p is even or longer than 3072 bits.
    pub(super) fn new(p: &[u8]) -> Option<Self> {
        if !super::is_odd(p) {
            return None;
        }
        Some(match super::bits(p) {
            1024 => Self::Usual(Kernel::new(&bignum::read::<{ U1024::LIMBS }>(p)?)),
            0..1024 => {
                let p = bignum::read::<{ U1024::LIMBS }>(p)?;
                Self::Usual(Kernel::Portable(Portable::new(&p)))
            }
            1025..=1536 => Self::Longer(Portable::new(&bignum::read::<{ U1536::LIMBS }>(p)?)),
            _ => Self::Longest(Portable::new(&bignum::read::<{ U3072::LIMBS }>(p)?)),
        })
    }

    /// base^exponent, for a base below p and a secret exponent below 2^length. The time depends only on the length. Big-endian,
    /// perhaps with leading zeros. None if the base is longer than p.
    pub(super) fn power(
        &self,
        base: &[u8],
        exponent: &U256,
        length: u32,
    ) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Self::Usual(kernel) => {
                with_kernel!(kernel, p => power_with::<_, { U1024::LIMBS }>(p, base, exponent, length))
            }
            Self::Longer(p) => power_with::<_, { U1536::LIMBS }>(&**p, base, exponent, length),
            Self::Longest(p) => power_with::<_, { U3072::LIMBS }>(&**p, base, exponent, length),
        }
    }

    /// The product of base^exponent over all powers, for bases below p and public exponents, on which the time depends.
    /// Big-endian, perhaps with leading zeros. None if a base is longer than p.
    pub(super) fn product_public(&self, powers: &[(&[u8], U256)]) -> Option<Vec<u8>> {
        match self {
            Self::Usual(kernel) => {
                with_kernel!(kernel, p => product_public_with::<_, { U1024::LIMBS }>(p, powers))
            }
            Self::Longer(p) => product_public_with::<_, { U1536::LIMBS }>(&**p, powers),
            Self::Longest(p) => product_public_with::<_, { U3072::LIMBS }>(&**p, powers),
        }
    }
}

// Not inlined for each kernel, as in `group::field`.
#[inline(never)]
fn power_with<M: Transfer<LIMBS>, const LIMBS: usize>(
    p: &M,
    base: &[u8],
    exponent: &U256,
    length: u32,
) -> Option<Zeroizing<Vec<u8>>> {
    let mut power = multiexp::product(p, &[(entered(p, base)?, exponent, length)]);
    if LIMBS > U1536::LIMBS {
        stack::note::<{ 2 * KERNEL_STACK }>();
    } else {
        stack::note::<KERNEL_STACK>();
    }
    let bytes = left(p, &power);
    power.zeroize();
    Some(bytes)
}

#[inline(never)]
fn entered<M: Transfer<LIMBS>, const LIMBS: usize>(p: &M, value: &[u8]) -> Option<Box<M::Number>> {
    let mut number = Box::new(Uint::ZERO);
    bignum::read_into(value, &mut number)?;
    Some(p.enter(&number))
}

#[inline(never)]
fn left<M: Transfer<LIMBS>, const LIMBS: usize>(p: &M, number: &M::Number) -> Zeroizing<Vec<u8>> {
    let mut value = Box::new(Zeroizing::new(Uint::ZERO));
    p.leave(number, &mut value);
    bignum::write(&value)
}

#[inline(never)]
fn product_public_with<M: Transfer<LIMBS>, const LIMBS: usize>(
    p: &M,
    powers: &[(&[u8], U256)],
) -> Option<Vec<u8>> {
    let powers: Option<Vec<_>> = powers
        .iter()
        .map(|(base, exponent)| Some((entered(p, base)?, exponent)))
        .collect();
    let product = multiexp::product_public(p, &powers?);
    Some(left(p, &product).to_vec())
}
