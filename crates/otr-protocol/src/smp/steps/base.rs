//! A number that is raised in more than one step of the SMP.

use std::fmt;
use std::sync::Arc;

use otr_crypto::group::{
    Challenge, Element, Exponent, Powers, Residue, Scalar, multiply, pow, pow_public,
    product_public,
};

/// One of g2, g3 and Qa / Qb. It may be prepared for its powers, which its copies are as well then.
#[derive(Clone)]
pub struct Base {
    value: Residue,
    prepared: Option<Arc<Prepared>>,
}

struct Prepared {
    powers: Powers,
    /// The base is this power of the number that was prepared; it is the number itself without one.
    by: Option<Exponent>,
}

impl Base {
    /// A base that is not prepared.
    pub fn new(value: Residue) -> Self {
        Self {
            value,
            prepared: None,
        }
    }

    /// A power of what was prepared, their half of the base: (their half)^(by x) spares preparing the base as well.
    pub(super) fn raised(powers: Powers, by: &Exponent) -> Self {
        let value = powers.pow(by);
        let by = Some(by.clone());
        Self {
            value,
            prepared: Some(Arc::new(Prepared { powers, by })),
        }
    }

    /// The same base, prepared if it was not.
    pub(super) fn prepare(mut self) -> Self {
        self.prepared.get_or_insert_with(|| {
            let powers = Powers::new(&self.value);
            Arc::new(Prepared { powers, by: None })
        });
        self
    }

    /// The number itself.
    pub fn value(&self) -> &Residue {
        &self.value
    }

    /// base^x, in constant time for both.
    pub(super) fn pow(&self, x: &Exponent) -> Residue {
        let Some(Prepared { powers, by }) = self.prepared.as_deref() else {
            return pow(&self.value, x);
        };
        match by {
            None => powers.pow(x),
            Some(by) => powers.pow(&by.times(x)),
        }
    }

    /// base^d number^c, of which a proof is the hash.
    pub(super) fn product_public(&self, d: &Scalar, number: &Element, c: &Challenge) -> Residue {
        let Some(Prepared { powers, by }) = self.prepared.as_deref() else {
            return product_public(&[(&self.value, d), (number, c)]);
        };
        let power = match by {
            None => powers.pow_public(d),
            // Our exponent times a public number is no public number.
            Some(by) => powers.pow(&by.times_public(d)),
        };
        multiply(&power, &pow_public(number, c))
    }
}

impl fmt::Debug for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Base(secret)")
    }
}
