//! Multiplication modulo p and powers, with each kernel that this machine has and with OpenSSL; and what a message takes of SHA-1,
//! AES and base64. All in one run: `cargo run --release` in this package, or benches/run, which reads the tables.
//!
//! The rounds of all are interleaved, so that what else the machine does falls on all of them. OTR_KERNEL (`openssl`, `ifma`,
//! `avx-ifma`, `fma`, `adx`, `portable` and so on) measures one row alone, and OTR_ROUNDS says how often.

#![deny(unsafe_code)]

#[expect(unsafe_code, reason = "calls of a C library")]
mod openssl;
mod primitives;
mod table;

use crypto::montgomery;
use table::Table;
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

/// What is measured of a kernel, with how often it is done in a round.
const COLUMNS: [(&str, u32); 6] = [
    ("product", 1000),
    ("square", 1000),
    ("y^320", 5),
    ("y^1536", 1),
    ("g^320", 10),
    ("g^1536", 3),
];

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
    for (row, power) in &rows {
        let (first, expected) = &rows[0];
        assert_eq!(power, expected, "{} and {}", row.name, first.name);
    }
    let rows = rows.into_iter().map(|(row, _)| row).collect();
    let mut tables = [
        Table::new("kernels", &COLUMNS, rows),
        Table::new("messages", &primitives::COLUMNS, primitives::rows()),
    ];
    for table in &mut tables {
        table
            .rows
            .retain(|row| wanted.as_ref().is_none_or(|wanted| row.name == wanted));
    }
    for _ in 0..rounds {
        tables.iter_mut().for_each(Table::round);
    }
    tables.iter_mut().for_each(Table::tell);
}
