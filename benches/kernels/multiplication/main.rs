//! Multiplication modulo p and powers, with each kernel that this machine has and with OpenSSL, in one run:
//! `cargo run --release` in this package.
//!
//! The rounds of all are interleaved, so that what else the machine does falls on all of them. OTR_KERNEL (`openssl`, `ifma`,
//! `avx-ifma`, `adx` or `portable`) measures one alone, and OTR_ROUNDS says how often.

#![deny(unsafe_code)]

#[expect(unsafe_code, reason = "calls of a C library")]
mod openssl;

use crypto::montgomery;
use std::time::Instant;
use uint::U1536;

/// The kernels' own numbers.
#[allow(dead_code, reason = "not all of the crate is here")]
#[path = "../../../crates/otr-crypto/src/uint.rs"]
mod uint;

/// The kernels are for nobody outside of their crate: they are compiled in from there, with what uses them.
#[allow(dead_code, reason = "not all of the crate is here")]
#[path = "../../../crates/otr-crypto/src"]
mod crypto {
    pub(crate) mod montgomery;
    pub(crate) mod multiexp;

    #[path = "../../../benches/kernels/multiplication/measured.rs"]
    pub(crate) mod measured;
}

/// The prime of RFC 3526 group 5.
const P: &str = "\
    ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74\
    020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437\
    4fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed\
    ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf05\
    98da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb\
    9ed529077096966d670c354e4abc9804f1746c08ca237327ffffffffffffffff";

/// A number from its hexadecimal digits.
fn read(digits: &str) -> U1536 {
    let mut value = U1536::ZERO;
    for (at, word) in value.as_mut_words().iter_mut().rev().enumerate() {
        *word = u64::from_str_radix(&digits[16 * at..16 * (at + 1)], 16).expect("digits");
    }
    value
}

/// value / 2^bits.
fn shifted(value: &U1536, bits: u32) -> U1536 {
    let mut value = *value;
    value.shift_right(bits);
    value
}

/// What is measured, with how often it is done in a round.
const COLUMNS: [(&str, u32); 6] = [
    ("product", 1000),
    ("square", 1000),
    ("y^320", 5),
    ("y^1536", 1),
    ("g^320", 10),
    ("g^1536", 3),
];

/// A kernel, or OpenSSL.
struct Row {
    name: &'static str,
    /// What does each of the columns once.
    work: Vec<Box<dyn FnMut()>>,
    /// y^x for the numbers of the benchmark, by which the rows must agree.
    power: U1536,
    /// For each column the nanoseconds of each round.
    times: Vec<Vec<f64>>,
}

/// The numbers with which all of them calculate.
struct Numbers {
    y: U1536,
    long: U1536,
    short: U1536,
}

fn main() {
    let wanted = std::env::var("OTR_KERNEL").ok();
    let rounds = std::env::var("OTR_ROUNDS").ok();
    let rounds = rounds.map_or(200, |rounds| {
        rounds.parse().expect("OTR_ROUNDS is a number")
    });
    let p = read(P);
    let mut y = p;
    y.subtract(&shifted(&U1536::from_words([u64::MAX; 24]), 70));
    let numbers = Numbers {
        y: shifted(&y, 1),
        long: shifted(&p, 1),
        short: shifted(&p, 700).resize::<5>().resize(),
    };
    let mut rows = crypto::measured::rows(&p, &numbers);
    rows.extend(openssl::row(&p, &numbers));
    for row in &rows {
        assert_eq!(
            row.power, rows[0].power,
            "{} and {}",
            row.name, rows[0].name
        );
    }
    rows.retain(|row| wanted.as_ref().is_none_or(|wanted| row.name == wanted));
    for _ in 0..rounds {
        for row in &mut rows {
            for ((work, times), (_, often)) in row.work.iter_mut().zip(&mut row.times).zip(COLUMNS)
            {
                let start = Instant::now();
                (0..often).for_each(|_| work());
                times.push(start.elapsed().as_nanos() as f64 / f64::from(often));
            }
        }
    }
    for row in &mut rows {
        row.times
            .iter_mut()
            .for_each(|times| times.sort_by(f64::total_cmp));
    }
    tell("Quickest round, ns", &rows, |times| times[0]);
    tell("Median round, ns", &rows, |times| times[times.len() / 2]);
}

/// A table of one figure of each column.
fn tell(title: &str, rows: &[Row], figure: impl Fn(&[f64]) -> f64) {
    let names = COLUMNS.map(|(name, _)| name).join(" | ");
    println!(
        "| {title} | {names} |\n|---|{}",
        "---:|".repeat(COLUMNS.len())
    );
    for row in rows {
        let figures = row.times.iter().map(|times| match times.as_slice() {
            [] => String::new(),
            times => format!("{:.0}", figure(times)),
        });
        println!(
            "| {} | {} |",
            row.name,
            figures.collect::<Vec<_>>().join(" | ")
        );
    }
    println!();
}
