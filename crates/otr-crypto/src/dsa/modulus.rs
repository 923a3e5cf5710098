//! Powers modulo p, for a p of any length.

use crate::montgomery::{Kernel, Modulus as Arithmetic, Transfer, with_kernel};
use crate::stack::{self, KERNEL_STACK};
use crate::{bignum, multiexp};
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, CtAssign, CtEq, MulAssign, Odd, SquareAssign, U256, U1024, Word};
use zeroize::{Zeroize, Zeroizing};

/// The modulus p.
pub(super) enum Modulus {
    /// Of 1024 bits, as the keys that OTR makes have.
    Usual(Kernel<4, 3>),
    /// Of another length.
    Other(Box<BoxedMontyParams>),
}

impl Modulus {
    /// None if p is even.
    pub(super) fn new(p: &[u8]) -> Option<Self> {
        if super::bits(p) == 1024 && super::is_odd(p) {
            return Some(Self::Usual(Kernel::new(&bignum::read::<{ U1024::LIMBS }>(
                p,
            )?)));
        }
        let p: Odd<BoxedUint> = Option::from(BoxedUint::from_be_slice_vartime(p).into_odd())?;
        Some(Self::Other(Box::new(BoxedMontyParams::new_vartime(p))))
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
                with_kernel!(kernel, p => power_with(p, base, exponent, length))
            }
            Self::Other(params) => {
                let mut power = multiexp::product(
                    &**params,
                    &[(Box::new(form(params, base)?), exponent, length)],
                );
                let value = Zeroizing::new(power.retrieve());
                power.zeroize();
                Some(Zeroizing::new(value.to_be_bytes().into_vec()))
            }
        }
    }

    /// The product of base^exponent over all powers, for bases below p and public exponents, on which the time depends.
    /// Big-endian, perhaps with leading zeros. None if a base is longer than p.
    pub(super) fn product_public(&self, powers: &[(&[u8], U256)]) -> Option<Vec<u8>> {
        match self {
            Self::Usual(kernel) => {
                with_kernel!(kernel, p => product_public_with(p, powers))
            }
            Self::Other(params) => {
                let powers: Option<Vec<_>> = powers
                    .iter()
                    .map(|(base, exponent)| Some((Box::new(form(params, base)?), exponent)))
                    .collect();
                let product = multiexp::product_public(&**params, &powers?).retrieve();
                Some(product.to_be_bytes().into_vec())
            }
        }
    }
}

// Not inlined for each kernel, as in `group::field`.
#[inline(never)]
fn power_with<M: Transfer<{ U1024::LIMBS }>>(
    p: &M,
    base: &[u8],
    exponent: &U256,
    length: u32,
) -> Option<Zeroizing<Vec<u8>>> {
    let mut power = multiexp::product(p, &[(entered(p, base)?, exponent, length)]);
    stack::note::<KERNEL_STACK>();
    let bytes = left(p, &power);
    power.zeroize();
    Some(bytes)
}

#[inline(never)]
fn entered<M: Transfer<{ U1024::LIMBS }>>(p: &M, value: &[u8]) -> Option<Box<M::Number>> {
    let mut number = Box::new(U1024::ZERO);
    bignum::read_into(value, &mut number)?;
    Some(p.enter(&number))
}

#[inline(never)]
fn left<M: Transfer<{ U1024::LIMBS }>>(p: &M, number: &M::Number) -> Zeroizing<Vec<u8>> {
    let mut value = Box::new(Zeroizing::new(U1024::ZERO));
    p.leave(number, &mut value);
    bignum::write(&value)
}

#[inline(never)]
fn product_public_with<M: Transfer<{ U1024::LIMBS }>>(
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

fn form(params: &BoxedMontyParams, value: &[u8]) -> Option<BoxedMontyForm> {
    let value = BoxedUint::from_be_slice(value, params.bits_precision()).ok()?;
    Some(BoxedMontyForm::new(value, params))
}

impl Arithmetic for BoxedMontyParams {
    type Number = BoxedMontyForm;

    fn one(&self) -> BoxedMontyForm {
        BoxedMontyForm::one(self)
    }

    fn multiply(&self, a: &mut BoxedMontyForm, b: &BoxedMontyForm) {
        a.mul_assign(b);
    }

    fn square(&self, a: &mut BoxedMontyForm) {
        a.square_assign();
    }

    fn select(&self, into: &mut BoxedMontyForm, table: &[BoxedMontyForm], index: Word) {
        for (entry, at) in table.iter().zip(0..) {
            // The moduli are the same, so only the value is selected.
            into.as_montgomery_mut()
                .ct_assign(entry.as_montgomery(), index.ct_eq(&at));
        }
    }
}
