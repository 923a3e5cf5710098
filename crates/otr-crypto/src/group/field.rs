//! Arithmetic modulo the prime p and modulo the group's order q, over plain numbers.
//!
//! Whatever is not called public takes the same time for all values.

#[cfg(target_arch = "x86_64")]
use crate::montgomery::{Adx, Ifma};
use crate::montgomery::{Kernel, Modulus, Portable, Transfer, with_kernel};
use crate::multiexp::{self, Comb, SHORT};
use crate::stack::{self, KERNEL_STACK};
use crypto_bigint::modular::{ConstMontyForm, ConstMontyParams};
use crypto_bigint::{U1536, Word, const_monty_params};
use once_cell::race::OnceBox;
use std::hint::black_box;
use zeroize::{Zeroize, Zeroizing};

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

/// A result, at once where it stays: on its way through return values copies would be left behind.
pub(super) type Value = Box<Zeroizing<U1536>>;

type FormQ = ConstMontyForm<ModQ, { U1536::LIMBS }>;

/// What the arithmetic modulo q takes of the stack at most.
const QUOTIENT_STACK: usize = 736;

/// The prime p.
pub(super) const P: U1536 = *ModP::PARAMS.modulus().as_ref();
/// The order q of the squares modulo p.
pub(super) const Q: U1536 = *ModQ::PARAMS.modulus().as_ref();

/// p, made ready for the fastest kernel of this CPU. Nothing in it is secret.
///
/// Whoever needs it first makes it, and it does no harm if two do: a child that was forked meanwhile waits for nobody.
static KERNEL: OnceBox<Kernel<6, 4>> = OnceBox::new();

/// The comb of the generator, likewise: 30 kB, for the SMP alone; and one for the exponents of Diffie-Hellman, 12 kB.
static GENERATOR: OnceBox<Table> = OnceBox::new();
static SHORT_GENERATOR: OnceBox<Table> = OnceBox::new();

fn kernel() -> &'static Kernel<6, 4> {
    KERNEL.get_or_init(|| Box::new(Kernel::new(&P)))
}

/// generator^x, for a secret x below 2^length.
pub(super) fn generator_pow(x: &U1536, length: u32) -> Value {
    let (table, longest) = if length <= SHORT {
        (&SHORT_GENERATOR, SHORT)
    } else {
        (&GENERATOR, U1536::BITS)
    };
    let table = table.get_or_init(|| Box::new(Table::new(&U1536::from(2_u32), longest)));
    table.power(x, length)
}

/// The product of base^x over all powers, for secret x below 2^length. The bases are below p.
pub(super) fn product(powers: &[(&U1536, &U1536, u32)]) -> Value {
    with_kernel!(kernel(), p => product_with(p, powers))
}

// Each kernel has frames of its own: one for all of them would hold the numbers of each.
#[inline(never)]
fn product_with<M: Transfer<{ U1536::LIMBS }>>(p: &M, powers: &[(&U1536, &U1536, u32)]) -> Value {
    let mut powers: Vec<_> = powers
        .iter()
        .map(|(base, x, length)| (p.enter(base), *x, *length))
        .collect();
    let mut product = multiexp::product(p, &powers);
    for (base, ..) in &mut powers {
        base.zeroize();
    }
    stack::note::<KERNEL_STACK>();
    left(p, &mut product)
}

/// The product of base^x over all powers, for public x. The bases are below p.
pub(super) fn product_public(powers: &[(&U1536, &U1536)]) -> Value {
    with_kernel!(kernel(), p => product_public_with(p, powers))
}

#[inline(never)]
fn product_public_with<M: Transfer<{ U1536::LIMBS }>>(p: &M, powers: &[(&U1536, &U1536)]) -> Value {
    let mut powers: Vec<_> = powers.iter().map(|(base, x)| (p.enter(base), *x)).collect();
    let mut product = multiexp::product_public(p, &powers);
    for (base, _) in &mut powers {
        base.zeroize();
    }
    stack::note::<KERNEL_STACK>();
    left(p, &mut product)
}

/// a b modulo p.
pub(super) fn multiply(a: &U1536, b: &U1536) -> Value {
    with_kernel!(kernel(), p => multiply_with(p, a, b))
}

#[inline(never)]
fn multiply_with<M: Transfer<{ U1536::LIMBS }>>(p: &M, a: &U1536, b: &U1536) -> Value {
    let mut product = p.enter(a);
    let mut factor = p.enter(b);
    p.multiply(&mut product, &factor);
    factor.zeroize();
    stack::note::<KERNEL_STACK>();
    left(p, &mut product)
}

/// The value of a number, which is wiped.
#[inline(never)]
fn left<M: Transfer<{ U1536::LIMBS }>>(p: &M, number: &mut M::Number) -> Value {
    let mut value = Value::default();
    p.leave(number, &mut value);
    number.zeroize();
    value
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
    /// For exponents below 2^length. The base is below p.
    pub(super) fn new(base: &U1536, length: u32) -> Self {
        match kernel() {
            Kernel::Portable(p) => Self::Portable(p, comb(&**p, base, length)),
            #[cfg(target_arch = "x86_64")]
            Kernel::Adx(p) => Self::Adx(p, comb(p, base, length)),
            #[cfg(target_arch = "x86_64")]
            Kernel::Ifma(p) => Self::Ifma(p, comb(&**p, base, length)),
        }
    }

    /// base^x, for a secret x below 2^length; this length is at most that of the table.
    pub(super) fn power(&self, x: &U1536, length: u32) -> Value {
        match self {
            Self::Portable(p, comb) => comb_power(*p, comb, x, length),
            #[cfg(target_arch = "x86_64")]
            Self::Adx(p, comb) => comb_power(*p, comb, x, length),
            #[cfg(target_arch = "x86_64")]
            Self::Ifma(p, comb) => comb_power(*p, comb, x, length),
        }
    }
}

#[inline(never)]
fn comb<M: Transfer<{ U1536::LIMBS }>>(p: &M, base: &U1536, length: u32) -> Comb<M::Number> {
    let mut base = p.enter(base);
    let comb = Comb::new(p, &base, length);
    base.zeroize();
    stack::note::<KERNEL_STACK>();
    comb
}

#[inline(never)]
fn comb_power<M: Transfer<{ U1536::LIMBS }>>(
    p: &M,
    comb: &Comb<M::Number>,
    x: &U1536,
    length: u32,
) -> Value {
    let mut power = comb.power(p, x, length);
    stack::note::<KERNEL_STACK>();
    left(p, &mut power)
}

/// (r - x c) mod q, for any r, x and c.
#[inline(never)]
pub(super) fn response(r: &U1536, x: &U1536, c: &U1536) -> Value {
    let mut product = times(x, c);
    let mut r = form(r);
    subtract(&mut r, &product);
    let response = retrieved(&r);
    r.zeroize();
    product.zeroize();
    response
}

/// a b modulo p - 1 = 2 q, for any a and b: modulo q first, then q is added if the parity is wrong.
pub(super) fn multiply_exponents(a: &U1536, b: &U1536) -> Value {
    let parity = a.is_odd() & b.is_odd();
    let mut form = times(a, b);
    let mut product = retrieved(&form);
    form.zeroize();
    let wrong = product.is_odd() ^ parity;
    add_if(&mut product, &Q, Word::from(wrong.to_u8()));
    product
}

// Each of these has a frame of its own, and results on the heap: such numbers are large for a stack.

/// a b modulo q.
#[inline(never)]
fn times(a: &U1536, b: &U1536) -> Box<FormQ> {
    let mut product = form(a);
    let mut b = form(b);
    *product *= &*b;
    b.zeroize();
    stack::note::<QUOTIENT_STACK>();
    product
}

#[inline(never)]
fn subtract(a: &mut FormQ, b: &FormQ) {
    *a -= b;
}

#[inline(never)]
fn form(value: &U1536) -> Box<FormQ> {
    let reduced = modulo_q(value);
    let form = Box::new(FormQ::new(&reduced));
    stack::note::<QUOTIENT_STACK>();
    form
}

#[inline(never)]
fn retrieved(form: &FormQ) -> Value {
    let value = Box::new(Zeroizing::new(form.retrieve()));
    stack::note::<QUOTIENT_STACK>();
    value
}

/// Any number below 2^1536 is below 3 q.
#[inline(never)]
fn modulo_q(value: &U1536) -> Value {
    let mut reduced = Box::new(Zeroizing::new(*value));
    for _ in 0..2 {
        let mut borrow = false;
        for (word, q) in reduced.as_mut_words().iter_mut().zip(Q.as_words()) {
            let (difference, first) = word.overflowing_sub(*q);
            let (difference, second) = difference.overflowing_sub(borrow.into());
            (*word, borrow) = (difference, first | second);
        }
        // It was below q already.
        add_if(&mut reduced, &Q, borrow.into());
    }
    reduced
}

/// a += b modulo 2^1536, if the secret condition is 1 and not 0.
fn add_if(a: &mut U1536, b: &U1536, condition: Word) {
    let mask = black_box(condition.wrapping_neg());
    let mut carry = false;
    for (a, b) in a.as_mut_words().iter_mut().zip(b.as_words()) {
        let (sum, first) = a.overflowing_add(*b & mask);
        let (sum, second) = sum.overflowing_add(carry.into());
        (*a, carry) = (sum, first | second);
    }
}
