//! Powers modulo p, for a p of any length.

use crate::crypto::power::{self, Form};
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Choice, CtAssign, MulAssign, Odd, SquareAssign, U256};

/// The modulus p.
pub(super) struct Modulus {
    params: BoxedMontyParams,
}

impl Modulus {
    /// None if p is even.
    pub(super) fn new(p: &[u8]) -> Option<Self> {
        let p: Odd<BoxedUint> = Option::from(BoxedUint::from_be_slice_vartime(p).into_odd())?;
        Some(Self {
            params: BoxedMontyParams::new_vartime(p),
        })
    }

    /// base^exponent, for a base below p and a secret exponent below 2^length. The time shows the length alone.
    /// None if the base is longer than p.
    pub(super) fn power(&self, base: &[u8], exponent: &U256, length: u32) -> Option<BoxedUint> {
        let one = BoxedMontyForm::one(&self.params);
        let power = power::product(&one, &[(self.form(base)?, exponent, length)]);
        Some(power.retrieve())
    }

    /// The product of base^exponent over all powers, for bases below p and public exponents: the time shows them.
    /// None if a base is longer than p.
    pub(super) fn product_public(&self, powers: &[(&[u8], U256)]) -> Option<BoxedUint> {
        let one = BoxedMontyForm::one(&self.params);
        let powers: Option<Vec<_>> = powers
            .iter()
            .map(|(base, exponent)| Some((self.form(base)?, *exponent)))
            .collect();
        Some(power::product_public(&one, &powers?).retrieve())
    }

    fn form(&self, value: &[u8]) -> Option<BoxedMontyForm> {
        let value = BoxedUint::from_be_slice(value, self.params.bits_precision()).ok()?;
        Some(BoxedMontyForm::new(value, &self.params))
    }
}

impl Form for BoxedMontyForm {
    fn multiply_by(&mut self, by: &Self) {
        self.mul_assign(by);
    }

    fn square(&mut self) {
        self.square_assign();
    }

    fn become_if(&mut self, other: &Self, choice: Choice) {
        // The moduli are the same: only the value is chosen.
        self.as_montgomery_mut()
            .ct_assign(other.as_montgomery(), choice);
    }
}
