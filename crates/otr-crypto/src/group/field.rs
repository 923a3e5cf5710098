//! Arithmetic modulo the prime p and modulo the group's order q, over plain numbers.
//!
//! Functions that are not called public run in constant time.

#[cfg(otr_eights)]
use crate::montgomery::Eights;
#[cfg(target_arch = "x86_64")]
use crate::montgomery::Fma;
#[cfg(otr_vectors)]
use crate::montgomery::{AvxIfma, Ifma};
use crate::montgomery::{Kernel, Modulus, Portable, Transfer, with_kernel};
use crate::multiexp::{self, Comb, SHORT};
use crate::stack::{self, KERNEL_STACK};
use crate::uint::U1536;
use once_cell::race::OnceBox;
use zeroize::{Zeroize, Zeroizing};

/// A result, at once where it stays: on its way through return values copies would be left behind.
pub(super) type Value = Box<Zeroizing<U1536>>;

/// The length of p.
pub(super) const BITS: u32 = 1536;
/// The prime p of RFC 3526 group 5, its lowest word first.
#[rustfmt::skip]
pub(super) const P: U1536 = U1536::from_words([
    0xffff_ffff_ffff_ffff, 0xf174_6c08_ca23_7327, 0x670c_354e_4abc_9804, 0x9ed5_2907_7096_966d,
    0x1c62_f356_2085_52bb, 0x8365_5d23_dca3_ad96, 0x6916_3fa8_fd24_cf5f, 0x98da_4836_1c55_d39a,
    0xc200_7cb8_a163_bf05, 0x4928_6651_ece4_5b3d, 0xae9f_2411_7c4b_1fe6, 0xee38_6bfb_5a89_9fa5,
    0x0bff_5cb6_f406_b7ed, 0xf44c_42e9_a637_ed6b, 0xe485_b576_625e_7ec6, 0x4fe1_356d_6d51_c245,
    0x302b_0a6d_f25f_1437, 0xef95_19b3_cd3a_431b, 0x514a_0879_8e34_04dd, 0x020b_bea6_3b13_9b22,
    0x2902_4e08_8a67_cc74, 0xc4c6_628b_80dc_1cd1, 0xc90f_daa2_2168_c234, 0xffff_ffff_ffff_ffff,
]);
/// (p - 1) / 2, the order q of the squares modulo p; also a prime.
#[rustfmt::skip]
pub(super) const Q: U1536 = U1536::from_words([
    0xffff_ffff_ffff_ffff, 0x78ba_3604_6511_b993, 0xb386_1aa7_255e_4c02, 0xcf6a_9483_b84b_4b36,
    0x0e31_79ab_1042_a95d, 0xc1b2_ae91_ee51_d6cb, 0x348b_1fd4_7e92_67af, 0xcc6d_241b_0e2a_e9cd,
    0xe100_3e5c_50b1_df82, 0x2494_3328_f672_2d9e, 0xd74f_9208_be25_8ff3, 0xf71c_35fd_ad44_cfd2,
    0x85ff_ae5b_7a03_5bf6, 0x7a26_2174_d31b_f6b5, 0xf242_dabb_312f_3f63, 0xa7f0_9ab6_b6a8_e122,
    0x9815_8536_f92f_8a1b, 0xf7ca_8cd9_e69d_218d, 0x28a5_043c_c71a_026e, 0x0105_df53_1d89_cd91,
    0x9481_2704_4533_e63a, 0x6263_3145_c06e_0e68, 0xe487_ed51_10b4_611a, 0x7fff_ffff_ffff_ffff,
]);

/// p and q, made ready to multiply modulo them. Nothing in it is secret.
struct Moduli {
    /// For the fastest kernel of this CPU.
    p: Kernel<6, 4, 8>,
    /// There is too little to do modulo q for a faster kernel to matter, and its highest bit is not set.
    q: Box<Portable<6>>,
}

/// Made by the thread that first needs them, or by several at once, which does no harm: a forked child never waits.
static MODULI: OnceBox<Moduli> = OnceBox::new();

/// The comb of the generator, likewise: 30 kB, for the SMP alone; and one for the exponents of Diffie-Hellman, 12 kB.
static GENERATOR: OnceBox<Table> = OnceBox::new();
static SHORT_GENERATOR: OnceBox<Table> = OnceBox::new();

fn moduli() -> &'static Moduli {
    MODULI.get_or_init(|| {
        Box::new(Moduli {
            p: Kernel::new(&P),
            q: Portable::new(&Q),
        })
    })
}

fn kernel() -> &'static Kernel<6, 4, 8> {
    &moduli().p
}

/// generator^x, for a secret x below 2^length.
pub(super) fn generator_pow(x: &U1536, length: u32) -> Value {
    let (table, longest) = if length <= SHORT {
        (&SHORT_GENERATOR, SHORT)
    } else {
        (&GENERATOR, BITS)
    };
    let table = table.get_or_init(|| Box::new(Table::new(&U1536::from(2), longest)));
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
    #[cfg(otr_eights)]
    Eights(&'static Eights<6>, Comb<<Eights<6> as Modulus>::Number>),
    #[cfg(otr_vectors)]
    Ifma(&'static Ifma<4>, Comb<<Ifma<4> as Modulus>::Number>),
    #[cfg(otr_vectors)]
    AvxIfma(&'static AvxIfma<8>, Comb<<AvxIfma<8> as Modulus>::Number>),
    #[cfg(target_arch = "x86_64")]
    Fma(&'static Fma, Comb<<Fma as Modulus>::Number>),
}

impl Table {
    /// For exponents below 2^length. The base is below p.
    pub(super) fn new(base: &U1536, length: u32) -> Self {
        match kernel() {
            Kernel::Portable(p) => Self::Portable(p, comb(&**p, base, length)),
            #[cfg(otr_eights)]
            Kernel::Eights(p) => Self::Eights(p, comb(p, base, length)),
            #[cfg(otr_vectors)]
            Kernel::Ifma(p) => Self::Ifma(p, comb(&**p, base, length)),
            #[cfg(otr_vectors)]
            Kernel::AvxIfma(p) => Self::AvxIfma(p, comb(&**p, base, length)),
            #[cfg(target_arch = "x86_64")]
            Kernel::Fma(p) => Self::Fma(p, comb(&**p, base, length)),
        }
    }

    /// base^x, for a secret x below 2^length; this length is at most that of the table.
    pub(super) fn power(&self, x: &U1536, length: u32) -> Value {
        match self {
            Self::Portable(p, comb) => comb_power(*p, comb, x, length),
            #[cfg(otr_eights)]
            Self::Eights(p, comb) => comb_power(*p, comb, x, length),
            #[cfg(otr_vectors)]
            Self::Ifma(p, comb) => comb_power(*p, comb, x, length),
            #[cfg(otr_vectors)]
            Self::AvxIfma(p, comb) => comb_power(*p, comb, x, length),
            #[cfg(target_arch = "x86_64")]
            Self::Fma(p, comb) => comb_power(*p, comb, x, length),
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
    let product = times(x, c);
    let mut response = modulo_q(r);
    let borrow = response.subtract(&product);
    response.add_if(&Q, borrow);
    response
}

/// a b modulo p - 1 = 2 q, for any a and b: modulo q first, then q is added if the parity is wrong.
pub(super) fn multiply_exponents(a: &U1536, b: &U1536) -> Value {
    let mut product = times(a, b);
    let wrong = product.parity() ^ (a.parity() & b.parity());
    product.add_if(&Q, wrong);
    product
}

/// a b modulo q, for any a and b.
fn times(a: &U1536, b: &U1536) -> Value {
    multiply_with(&*moduli().q, a, b)
}

/// Any number below 2^1536 is below 3 q.
#[inline(never)]
fn modulo_q(value: &U1536) -> Value {
    let mut reduced = Box::new(Zeroizing::new(*value));
    for _ in 0..2 {
        reduced.reduce_once(&Q, 0);
    }
    reduced
}
