//! Arithmetic modulo the prime p and modulo the group's order q, over plain numbers.
//!
//! Whatever is not called public takes the same time for all values.

#[cfg(target_arch = "x86_64")]
use crate::montgomery::{Adx, Ifma};
use crate::montgomery::{Kernel, Modulus, Portable, Transfer, with_kernel};
use crate::multiexp::{self, Comb};
use crypto_bigint::modular::{ConstMontyForm, ConstMontyParams};
use crypto_bigint::{CtAssign, CtLt, U1536, const_monty_params};
use once_cell::race::OnceBox;
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

type FormQ = ConstMontyForm<ModQ, { U1536::LIMBS }>;

/// The prime p.
pub(super) const P: U1536 = *ModP::PARAMS.modulus().as_ref();
/// The order q of the squares modulo p.
pub(super) const Q: U1536 = *ModQ::PARAMS.modulus().as_ref();

/// p, made ready for the fastest kernel of this CPU. Nothing in it is secret.
///
/// Whoever needs it first makes it, and it does no harm if two do: a child that was forked meanwhile waits for nobody.
static KERNEL: OnceBox<Kernel<6, 4>> = OnceBox::new();

/// The comb of the generator: 30 kB, likewise.
static GENERATOR: OnceBox<Table> = OnceBox::new();

fn kernel() -> &'static Kernel<6, 4> {
    KERNEL.get_or_init(|| Box::new(Kernel::new(&P)))
}

/// generator^x, for a secret x below 2^length.
pub(super) fn generator_pow(x: &U1536, length: u32) -> U1536 {
    let table = GENERATOR.get_or_init(|| Box::new(Table::new(&U1536::from(2_u32))));
    table.power(x, length)
}

/// The product of base^x over all powers, for secret x below 2^length. The bases are below p.
pub(super) fn product(powers: &[(&U1536, &U1536, u32)]) -> U1536 {
    with_kernel!(kernel(), p => {
        let powers: Vec<_> = powers
            .iter()
            .map(|(base, x, length)| (p.enter(base), *x, *length))
            .collect();
        let mut product = multiexp::product(p, &powers);
        for (mut base, ..) in powers {
            base.zeroize();
        }
        let value = p.leave(&product);
        product.zeroize();
        value
    })
}

/// The product of base^x over all powers, for public x. The bases are below p.
pub(super) fn product_public(powers: &[(&U1536, U1536)]) -> U1536 {
    with_kernel!(kernel(), p => {
        let powers: Vec<_> = powers
            .iter()
            .map(|(base, x)| (p.enter(base), *x))
            .collect();
        let mut product = multiexp::product_public(p, &powers);
        for (mut base, _) in powers {
            base.zeroize();
        }
        let value = p.leave(&product);
        product.zeroize();
        value
    })
}

/// a b modulo p.
pub(super) fn multiply(a: &U1536, b: &U1536) -> U1536 {
    with_kernel!(kernel(), p => {
        let mut product = p.enter(a);
        let mut factor = p.enter(b);
        p.multiply(&mut product, &factor);
        factor.zeroize();
        let value = p.leave(&product);
        product.zeroize();
        value
    })
}

/// 1/a modulo p, in constant time. None for zero.
pub(super) fn invert(a: &U1536) -> Option<U1536> {
    let mut form = ConstMontyForm::<ModP, { U1536::LIMBS }>::new(a);
    let inverse = form.invert();
    form.zeroize();
    Option::from(inverse.map(|inverse| inverse.retrieve()))
}

/// A comb, for a base that is raised more than once.
pub(super) enum Table {
    Portable(&'static Portable<6>, Comb<<Portable<6> as Modulus>::Number>),
    #[cfg(target_arch = "x86_64")]
    Adx(&'static Adx<6>, Comb<<Adx<6> as Modulus>::Number>),
    #[cfg(target_arch = "x86_64")]
    Ifma(&'static Ifma<4>, Comb<<Ifma<4> as Modulus>::Number>),
}

impl Table {
    /// The base is below p.
    pub(super) fn new(base: &U1536) -> Self {
        match kernel() {
            Kernel::Portable(p) => Self::Portable(p, comb(&**p, base)),
            #[cfg(target_arch = "x86_64")]
            Kernel::Adx(p) => Self::Adx(p, comb(&**p, base)),
            #[cfg(target_arch = "x86_64")]
            Kernel::Ifma(p) => Self::Ifma(p, comb(&**p, base)),
        }
    }

    /// base^x, for a secret x below 2^length.
    pub(super) fn power(&self, x: &U1536, length: u32) -> U1536 {
        match self {
            Self::Portable(p, comb) => comb_power(*p, comb, x, length),
            #[cfg(target_arch = "x86_64")]
            Self::Adx(p, comb) => comb_power(*p, comb, x, length),
            #[cfg(target_arch = "x86_64")]
            Self::Ifma(p, comb) => comb_power(*p, comb, x, length),
        }
    }
}

fn comb<M: Transfer<{ U1536::LIMBS }>>(p: &M, base: &U1536) -> Comb<M::Number> {
    let mut base = p.enter(base);
    let comb = Comb::new(p, &base, U1536::BITS);
    base.zeroize();
    comb
}

fn comb_power<M: Transfer<{ U1536::LIMBS }>>(
    p: &M,
    comb: &Comb<M::Number>,
    x: &U1536,
    length: u32,
) -> U1536 {
    let mut power = comb.power(p, x, length);
    let value = p.leave(&power);
    power.zeroize();
    value
}

/// (r - x c) mod q, for any r, x and c.
pub(super) fn response(r: &U1536, x: &U1536, c: &U1536) -> U1536 {
    let [mut r, mut x] = [r, x].map(|secret| FormQ::new(&modulo_q(secret)));
    let response = (r - x * FormQ::new(&modulo_q(c))).retrieve();
    r.zeroize();
    x.zeroize();
    response
}

/// a b modulo p - 1 = 2 q, for any a and b: modulo q first, then q is added if the parity is wrong.
pub(super) fn multiply_exponents(a: &U1536, b: &U1536) -> U1536 {
    let parity = a.is_odd() & b.is_odd();
    let [mut a, mut b] = [a, b].map(|secret| FormQ::new(&modulo_q(secret)));
    let mut product = (a * b).retrieve();
    a.zeroize();
    b.zeroize();
    let with_q = product.wrapping_add(&Q);
    let wrong = product.is_odd() ^ parity;
    product.ct_assign(&with_q, wrong);
    product
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
