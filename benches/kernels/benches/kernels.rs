//! The arithmetic and the symmetric path, one function at a time: `cargo bench` in this package.
//!
//! `RUSTFLAGS='--cfg otr_portable' cargo bench` measures the kernel for every CPU.

#![expect(clippy::unwrap_used, reason = "a benchmark may end at the first error")]
#![allow(missing_docs, reason = "criterion's macros make public functions")]

use criterion::{Criterion, criterion_group, criterion_main};
use otr_crypto::dsa::PrivateKey;
use otr_crypto::group::{self, Challenge, Exponent, Powers, Scalar};
use otr_crypto::{aes_ctr, mac};
use otr_protocol::wire::armour;
use std::hint::black_box;

fn arithmetic(c: &mut Criterion) {
    let short = Exponent::random_320().unwrap();
    let long = Exponent::random_1536().unwrap();
    let base = group::generator_pow(&long);
    let comb = Powers::new(&base);
    let challenge = Challenge([0xa5; 32]);
    let scalar = Scalar::from_bytes(&[0x5a; 191]).unwrap();
    c.bench_function("g^320", |b| b.iter(|| group::generator_pow(&short)));
    c.bench_function("g^1536", |b| b.iter(|| group::generator_pow(&long)));
    c.bench_function("y^320", |b| b.iter(|| group::pow(&base, &short)));
    c.bench_function("y^1536", |b| b.iter(|| group::pow(&base, &long)));
    c.bench_function("prepare y", |b| b.iter(|| Powers::new(&base)));
    c.bench_function("prepared y^1536", |b| b.iter(|| comb.pow(&long)));
    c.bench_function("y^1536 z^256, public", |b| {
        b.iter(|| group::product_public(&[(&base, &scalar), (&base, &challenge)]))
    });
    c.bench_function("a b", |b| b.iter(|| group::multiply(&base, &base)));
    c.bench_function("a / b", |b| b.iter(|| group::divide(&base, &base)));
}

fn signatures(c: &mut Criterion) {
    let key = PrivateKey::generate().unwrap();
    let signature = key.sign(&[7; 32]).unwrap();
    c.bench_function("DSA sign", |b| b.iter(|| key.sign(black_box(&[7; 32]))));
    c.bench_function("DSA verify", |b| {
        b.iter(|| key.public().verify(black_box(&[7; 32]), &signature))
    });
}

fn symmetric(c: &mut Criterion) {
    let mut data = vec![7; 16384];
    c.bench_function("AES-CTR of 16 kB", |b| {
        b.iter(|| aes_ctr::apply(&[1; 16], &[2; 16], black_box(&mut data)))
    });
    c.bench_function("HMAC-SHA-1 of 16 kB", |b| {
        b.iter(|| mac::hmac_sha1(&[1; 20], &[black_box(&data)]))
    });
    let text = armour::armour(&data).unwrap();
    c.bench_function("armour of 16 kB", |b| {
        b.iter(|| armour::armour(black_box(&data)))
    });
    c.bench_function("dearmour of 16 kB", |b| {
        b.iter(|| armour::dearmour(black_box(&text), true))
    });
}

criterion_group!(benches, arithmetic, signatures, symmetric);
criterion_main!(benches);
