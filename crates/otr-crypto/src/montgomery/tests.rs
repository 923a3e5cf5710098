//! Every kernel against num-bigint, and against the portable one.

#[cfg(all(otr_vectors, target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "a handler of a signal")]
mod emulated;

use super::*;
use crate::bignum::hex;
use crate::uint::{U1024, U1536};
use num_bigint::BigUint;
use std::sync::LazyLock;

/// The prime of RFC 3526 group 5.
static P1536: LazyLock<Vec<u8>> = LazyLock::new(|| {
    hex(
        "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74
         020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437
         4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED
         EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05
         98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB
         9ED529077096966D670C354E4ABC9804F1746C08CA237327FFFFFFFFFFFFFFFF",
    )
});

/// How often each comparison is made: OTR_KERNEL_CASES, or a few thousand, or what takes no time where nothing is optimised.
fn cases() -> u32 {
    let given = std::env::var("OTR_KERNEL_CASES").ok();
    let default = if cfg!(debug_assertions) { 300 } else { 5000 };
    given
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(default)
}

/// xorshift64*: the same values at each run.
struct Draw(u64);

impl Draw {
    fn word(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number of this many bytes: random words, or long runs of zeros and ones, in which carries travel far.
    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let smooth = self.word() % 2 == 0;
        (0..length / 8)
            .flat_map(|_| {
                let word = match self.word() % 8 {
                    0..3 if smooth => 0,
                    3..6 if smooth => u64::MAX,
                    6 if smooth => 1 << (self.word() % 64),
                    _ => self.word(),
                };
                word.to_be_bytes()
            })
            .collect()
    }
}

/// The values at which a kernel may go wrong: around 0, p, 2^n and where digits of 52 and 64 bits end.
fn edges(p: &BigUint) -> Vec<BigUint> {
    let one = BigUint::from(1_u32);
    let top = &one << p.bits();
    let mut edges: Vec<_> = (0_u32..3).map(BigUint::from).collect();
    for distance in 0_u32..3 {
        edges.extend([
            p - distance,
            p + distance,
            &top - 1_u32 - distance,
            p / 2_u32 + distance,
        ]);
    }
    for bits in [
        51, 52, 53, 63, 64, 65, 255, 256, 257, 415, 416, 417, 831, 832, 833, 1000,
    ] {
        edges.extend([&one << bits, (&one << bits) - 1_u32, &top - (&one << bits)]);
    }
    edges.retain(|value| *value < top);
    edges
}

fn uint<const LIMBS: usize>(value: &BigUint) -> Uint<LIMBS> {
    crate::bignum::read(&value.to_bytes_be()).unwrap()
}

fn big<const LIMBS: usize>(value: &Uint<LIMBS>) -> BigUint {
    BigUint::from_bytes_be(&crate::bignum::write(value))
}

/// Products, squares, chains of both and selection of one kernel, with each two edges and with random numbers.
fn check<M: Transfer<LIMBS>, const LIMBS: usize>(kernel: &M, p: &BigUint, cases: u32) {
    let edges = edges(p);
    let mut pairs: Vec<_> = edges
        .iter()
        .flat_map(|a| edges.iter().map(move |b| (a.clone(), b.clone())))
        .collect();
    if cfg!(debug_assertions) {
        pairs.truncate(300);
    }
    pairs.extend(random(p, cases));
    check_pairs(kernel, p, &pairs);
}

/// Pairs of numbers as long as p.
fn random(p: &BigUint, cases: u32) -> impl Iterator<Item = (BigUint, BigUint)> {
    let bytes = usize::try_from(p.bits() / 8).unwrap();
    let mut draw = Draw(0x9e37_79b9_7f4a_7c15);
    (0..cases).map(move |_| {
        let numbers = [0; 2].map(|_| BigUint::from_bytes_be(&draw.bytes(bytes)));
        numbers.into()
    })
}

/// The same with these numbers.
fn check_pairs<M: Transfer<LIMBS>, const LIMBS: usize>(
    kernel: &M,
    p: &BigUint,
    pairs: &[(BigUint, BigUint)],
) {
    // Goes on from product to product, so that the kernel also sees numbers that it made itself.
    let (mut chain, mut oracle) = (kernel.one(), BigUint::from(1_u32));
    for (a, b) in pairs {
        let (x, y) = (*kernel.enter(&uint(a)), *kernel.enter(&uint(b)));
        assert_eq!(left(kernel, &x), a % p, "{a} there and back");
        let mut product = x.clone();
        kernel.multiply(&mut product, &y);
        assert_eq!(left(kernel, &product), a * b % p, "{a} * {b}");
        let mut square = x.clone();
        kernel.square(&mut square);
        assert_eq!(left(kernel, &square), a * a % p, "{a} squared");

        kernel.square(&mut chain);
        kernel.multiply(&mut chain, &product);
        oracle = &oracle * &oracle % p * (a * b % p) % p;
        assert_eq!(left(kernel, &chain), oracle, "the chain at {a}, {b}");
        if oracle == BigUint::ZERO {
            (chain, oracle) = (kernel.one(), BigUint::from(1_u32));
        }
    }
    assert_eq!(left(kernel, &kernel.one()), BigUint::from(1_u32));

    let table: Vec<_> = (0_u32..32)
        .map(|entry| *kernel.enter(&uint(&BigUint::from(entry + 7))))
        .collect();
    let mut selected = kernel.one();
    for index in 0_u32..32 {
        kernel.select(&mut selected, &table, index.into());
        assert_eq!(left(kernel, &selected), BigUint::from(index + 7));
    }
}

fn left<M: Transfer<LIMBS>, const LIMBS: usize>(kernel: &M, number: &M::Number) -> BigUint {
    let mut value = Uint::ZERO;
    kernel.leave(number, &mut value);
    big(&value)
}

/// A few moduli of this length, with runs of ones and zeros among them: any odd one must do.
fn moduli(bits: usize) -> Vec<BigUint> {
    let mut draw = Draw(42);
    let one = BigUint::from(1_u32);
    let highest = &one << (bits - 1);
    let mut moduli = vec![
        (&highest << 1) - 1_u32,
        &highest + 1_u32,
        (&highest << 1) - (&one << (bits / 2)) + 1_u32,
    ];
    moduli.extend((0..3).map(|_| BigUint::from_bytes_be(&draw.bytes(bits / 8)) | &highest | &one));
    moduli
}

#[test]
fn portable_agrees_with_the_oracle() {
    let p = BigUint::from_bytes_be(&P1536);
    check::<_, { U1536::LIMBS }>(
        &*Portable::<6>::new(&uint::<{ U1536::LIMBS }>(&p)),
        &p,
        cases(),
    );
    for p in moduli(1024) {
        check::<_, { U1024::LIMBS }>(
            &*Portable::<4>::new(&uint::<{ U1024::LIMBS }>(&p)),
            &p,
            cases() / 6,
        );
    }
}

#[test]
fn portable_takes_any_odd_modulus() {
    check_lengths::<1, 4>(&[2, 3, 64, 65, 128, 159, 160, 254, 255, 256]);
    check_lengths::<12, 48>(&[1537, 2048, 3070, 3071, 3072]);
}

/// Three moduli of each length, with numbers of all lengths.
fn check_lengths<const B: usize, const LIMBS: usize>(lengths: &[usize]) {
    let mut draw = Draw(3);
    let one = BigUint::from(1_u32);
    for &bits in lengths {
        let middle = BigUint::from_bytes_be(&draw.bytes(32 * B)) >> (256 * B - bits);
        for p in [
            (&one << (bits - 1)) + 1_u32,
            (&one << bits) - 1_u32,
            middle | &one << (bits - 1) | &one,
        ] {
            let kernel = Portable::<B>::new(&uint::<LIMBS>(&p));
            assert_eq!(left::<_, LIMBS>(&*kernel, &kernel.one()), one);
            let (mut chain, mut oracle) = (kernel.one(), one.clone());
            for _ in 0..cases() / 20 {
                let [a, b] = [0; 2].map(|_| BigUint::from_bytes_be(&draw.bytes(32 * B)));
                let mut product = *kernel.enter(&uint::<LIMBS>(&a));
                assert_eq!(left::<_, LIMBS>(&*kernel, &product), &a % &p);
                kernel.multiply(&mut product, &kernel.enter(&uint::<LIMBS>(&b)));
                kernel.square(&mut chain);
                kernel.multiply(&mut chain, &product);
                oracle = &oracle * &oracle * a * b % &p;
                assert_eq!(left::<_, LIMBS>(&*kernel, &chain), oracle, "modulo {p:x}");
                if oracle == BigUint::ZERO {
                    (chain, oracle) = (kernel.one(), one.clone());
                }
            }
        }
    }
}

#[cfg(otr_eights)]
#[test]
fn eights_agree_with_the_oracle() {
    let p = BigUint::from_bytes_be(&P1536);
    let Some(fast) = Eights::<6>::new(&uint::<{ U1536::LIMBS }>(&p)) else {
        eprintln!("this CPU has no ADX: nothing to compare");
        return;
    };
    check::<_, { U1536::LIMBS }>(&fast, &p, cases());
    for p in moduli(1024) {
        let fast = Eights::<4>::new(&uint::<{ U1024::LIMBS }>(&p)).unwrap();
        check::<_, { U1024::LIMBS }>(&fast, &p, cases() / 6);
    }
}

#[cfg(otr_vectors)]
#[test]
fn ifma_agrees_with_the_oracle() {
    let p = BigUint::from_bytes_be(&P1536);
    let modulus = uint::<{ U1536::LIMBS }>(&p);
    let Some(fast) = Ifma::<4>::new::<_, 6>(&modulus) else {
        eprintln!("this CPU has no AVX-512 IFMA: nothing to compare");
        return;
    };
    check::<_, { U1536::LIMBS }>(&*fast, &p, cases());
    for p in moduli(1024) {
        let modulus = uint::<{ U1024::LIMBS }>(&p);
        let fast = Ifma::<3>::new::<_, 4>(&modulus).unwrap();
        check::<_, { U1024::LIMBS }>(&*fast, &p, cases() / 6);
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn fma_agrees_with_the_oracle() {
    let p = BigUint::from_bytes_be(&P1536);
    let Some(fast) = Fma::new::<{ U1536::LIMBS }, 6>(&uint(&p)) else {
        eprintln!("this CPU has no FMA: nothing to compare");
        return;
    };
    check::<_, { U1536::LIMBS }>(&*fast, &p, cases());
    for p in moduli(1536) {
        let fast = Fma::new::<{ U1536::LIMBS }, 6>(&uint(&p)).unwrap();
        check::<_, { U1536::LIMBS }>(&*fast, &p, cases() / 20);
    }
}

#[cfg(all(otr_vectors, target_os = "linux", target_env = "gnu"))]
#[test]
fn avx_ifma_agrees_with_the_oracle() {
    let p = BigUint::from_bytes_be(&P1536);
    let here = AvxIfma::<8>::new::<_, 6>(&uint::<{ U1536::LIMBS }>(&p)).is_some();
    if !here && !emulated::begin() {
        eprintln!("this CPU has neither AVX-IFMA nor AVX2: nothing to compare");
        return;
    }
    check_avx_ifma::<8, 6, { U1536::LIMBS }>(&p, 1);
    for p in moduli(1024) {
        check_avx_ifma::<5, 4, { U1024::LIMBS }>(&p, 6);
    }
}

/// A product that is emulated takes some milliseconds: then each edge comes once, and fewer random numbers.
#[cfg(all(otr_vectors, target_os = "linux", target_env = "gnu"))]
fn check_avx_ifma<const V: usize, const B: usize, const LIMBS: usize>(p: &BigUint, moduli: u32) {
    let modulus = uint::<LIMBS>(p);
    if let Some(fast) = AvxIfma::<V>::new::<_, B>(&modulus) {
        return check::<_, LIMBS>(&*fast, p, cases() / moduli);
    }
    let edges = edges(p);
    let (some, others) = edges.split_at(edges.len().div_ceil(2));
    let others = others.iter().chain(some);
    let mut pairs: Vec<_> = some.iter().cloned().zip(others.cloned()).collect();
    pairs.extend(random(p, (cases() / 400 + 20) / moduli));
    check_pairs::<_, LIMBS>(&*emulated::kernel::<V, B, LIMBS>(&modulus), p, &pairs);
}

#[test]
fn the_inverse_of_a_word() {
    let mut draw = Draw(7);
    for _ in 0..1000 {
        let word = draw.word() | 1;
        assert_eq!(negative_inverse(word).wrapping_mul(word), u64::MAX);
    }
}
