//! Arithmetic modulo the prime p and modulo the group's order q.
//!
//! The one place that knows how numbers are multiplied: a faster kernel replaces [`Field`] and nothing else.
//! Every operation takes the same time for all values.

use crate::crypto::power::Form;
use crypto_bigint::modular::{ConstMontyForm, ConstMontyParams};
use crypto_bigint::{Choice, CtAssign, CtLt, U1536, const_monty_params};
use zeroize::Zeroize;

const_monty_params!(
    ModP,
    U1536,
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74\
     020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437\
     4fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed\
     ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf05\
     98da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb\
     9ed529077096966d670c354e4abc9804f1746c08ca237327ffffffffffffffff",
    "The prime of RFC 3526 group 5."
);

const_monty_params!(
    ModQ,
    U1536,
    "7fffffffffffffffe487ed5110b4611a62633145c06e0e68948127044533e63a\
     0105df531d89cd9128a5043cc71a026ef7ca8cd9e69d218d98158536f92f8a1b\
     a7f09ab6b6a8e122f242dabb312f3f637a262174d31bf6b585ffae5b7a035bf6\
     f71c35fdad44cfd2d74f9208be258ff324943328f6722d9ee1003e5c50b1df82\
     cc6d241b0e2ae9cd348b1fd47e9267afc1b2ae91ee51d6cb0e3179ab1042a95d\
     cf6a9483b84b4b36b3861aa7255e4c0278ba36046511b993ffffffffffffffff",
    "(p - 1) / 2, the order of the squares modulo p; also a prime."
);

type FormP = ConstMontyForm<ModP, { U1536::LIMBS }>;
type FormQ = ConstMontyForm<ModQ, { U1536::LIMBS }>;

/// The prime p.
pub(super) const P: U1536 = *ModP::PARAMS.modulus().as_ref();
/// The order q of the squares modulo p.
pub(super) const Q: U1536 = *ModQ::PARAMS.modulus().as_ref();

/// A number modulo p, in the form in which products are fast.
#[derive(Clone, Copy)]
pub(super) struct Field(FormP);

impl Field {
    pub(super) const ONE: Self = Self(FormP::ONE);

    /// `value` is below p.
    pub(super) fn new(value: &U1536) -> Self {
        Self(FormP::new(value))
    }

    pub(super) fn value(&self) -> U1536 {
        self.0.retrieve()
    }

    /// None for zero.
    pub(super) fn invert(&self) -> Option<Self> {
        Option::from(self.0.invert().map(Self))
    }
}

impl Form for Field {
    fn multiply_by(&mut self, by: &Self) {
        self.0 *= &by.0;
    }

    fn square(&mut self) {
        self.0 = self.0.square();
    }

    fn become_if(&mut self, other: &Self, choice: Choice) {
        self.0
            .as_montgomery_mut()
            .ct_assign(other.0.as_montgomery(), choice);
    }
}

impl Zeroize for Field {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

/// (r - x c) mod q, for any r, x and c.
pub(super) fn response(r: &U1536, x: &U1536, c: &U1536) -> U1536 {
    let [mut r, mut x] = [r, x].map(|secret| FormQ::new(&modulo_q(secret)));
    let response = (r - x * FormQ::new(&modulo_q(c))).retrieve();
    r.zeroize();
    x.zeroize();
    response
}

/// Any number below 2^1536 is below 3 q.
fn modulo_q(value: &U1536) -> U1536 {
    let mut reduced = *value;
    for _ in 0..2 {
        let less = reduced.wrapping_sub(&Q);
        let small = reduced.ct_lt(&Q);
        reduced.ct_assign(&less, !small);
    }
    reduced
}
