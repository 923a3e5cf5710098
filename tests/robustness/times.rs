//! A second test of constant time, with a clock (Reparaz, Balasch, Verbauwhede: Dude, is my code constant time?).
//!
//! Each operation is timed many times, with one fixed secret and with random ones, in random order. If the time does not
//! depend on the secret, Welch's t-test cannot distinguish the two kinds of times. It is computed over all times, and over
//! those below each of some percentiles, because interruptions hide small differences. On a busy machine it says little, so
//! it only runs in `make soak`.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use otr_crypto::dsa::PrivateKey;
use otr_crypto::group::{self, Element, Exponent};
use otr_crypto::{mac, random};
use otr_protocol::smp::steps;

/// Beyond this, by the paper, times certainly differ.
const LIMIT: f64 = 10.0;
/// How long each operation is timed, in seconds, unless OTR_TIMES_SECONDS says otherwise, and how often at the most.
const PATIENCE: u64 = 40;
const MOST: usize = 1_000_000;
/// Shares of the shortest times of which the test is taken.
const SHARES: [f64; 6] = [1.0, 0.99, 0.95, 0.9, 0.75, 0.5];

/// What is timed, with a secret of so many bytes.
struct Operation {
    name: &'static str,
    length: usize,
    fixed: u8,
    leaks: bool,
    /// Whether there is work before each measurement: what it gives is what is timed.
    prepare: fn(&[u8]) -> Box<dyn FnOnce()>,
}

const fn operation(
    name: &'static str,
    length: usize,
    fixed: u8,
    prepare: fn(&[u8]) -> Box<dyn FnOnce()>,
) -> Operation {
    Operation {
        name,
        length,
        fixed,
        leaks: false,
        prepare,
    }
}

const OPERATIONS: [Operation; 7] = [
    operation("generator^x", 40, 0xff, |secret| {
        let x = exponent(secret);
        Box::new(move || drop(black_box(group::generator_pow(&x))))
    }),
    operation("base^x", 40, 0x01, |secret| {
        let (x, base) = (exponent(secret), somebody());
        Box::new(move || drop(black_box(group::pow(&base, &x))))
    }),
    operation("DSA signing", 20, 0x01, |secret| {
        // Below the order of the key, which begins with 0x80 or more.
        let x: Vec<u8> = secret.iter().map(|byte| byte & 0x7f).collect();
        let made = public_numbers();
        let key = PrivateKey::new(made.p(), made.q(), made.g(), made.y(), &x);
        let key = key.unwrap_or_else(|_| fail());
        Box::new(move || {
            let _ = black_box(key.sign(b"data to sign"));
        })
    }),
    operation("comparison of MACs", 20, 0x00, |secret| {
        let (given, made) = (secret.to_vec(), vec![0; 20]);
        Box::new(move || {
            for _ in 0..100 {
                black_box(mac::equal(black_box(&given), black_box(&made)));
            }
        })
    }),
    operation("SMP, step 1", 32, 0xff, |secret| {
        let secret = exponent(secret);
        Box::new(move || {
            let _ = black_box(steps::step1(secret));
        })
    }),
    operation("secret of the SMP", 32, 0x00, |secret| {
        let typed = secret.to_vec();
        Box::new(move || {
            let binding = steps::SecretBinding {
                initiator: &[1; 20],
                responder: &[2; 20],
                session_id: &[3; 8],
            };
            let _ = black_box(binding.bind(&typed));
        })
    }),
    Operation {
        name: "a planted leak: a comparison that stops at the first difference",
        length: 20,
        fixed: 0x00,
        leaks: true,
        prepare: |secret| {
            let (given, made) = (secret.to_vec(), vec![0_u8; 20]);
            Box::new(move || {
                for _ in 0..100 {
                    let mut pairs = black_box(&given).iter().zip(black_box(&made));
                    black_box(pairs.all(|(one, other)| black_box(one) == other));
                }
            })
        },
    },
];

fn fail() -> ! {
    println!("not ok - a step that must succeed failed");
    std::process::exit(2)
}

fn exponent(bytes: &[u8]) -> Exponent {
    // Its length is public: this byte is not zero.
    let mut bytes = bytes.to_vec();
    bytes.iter_mut().take(1).for_each(|first| *first |= 1);
    Exponent::from_bytes(&bytes).unwrap_or_else(|| fail())
}

fn somebody() -> Element {
    let power = group::generator_pow(&exponent(&[9; 40]));
    power.to_element().unwrap_or_else(|| fail())
}

/// A key's numbers but x, made once.
fn public_numbers() -> &'static otr_crypto::dsa::PublicKey {
    static MADE: std::sync::OnceLock<PrivateKey> = std::sync::OnceLock::new();
    MADE.get_or_init(|| PrivateKey::generate().unwrap_or_else(|_| fail()))
        .public()
}

/// Mean and variance of numbers that come one by one (Welford).
#[derive(Clone, Copy, Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let difference = value - self.mean;
        self.mean += difference / self.count;
        self.squares += difference * (value - self.mean);
    }

    /// The variance of the mean.
    fn spread(&self) -> f64 {
        self.squares / (self.count - 1.0) / self.count
    }
}

/// Welch's t of the times of the two kinds.
fn t(times: impl Iterator<Item = (bool, f64)>) -> f64 {
    let (mut fixed, mut random) = (Moments::default(), Moments::default());
    for (is_fixed, time) in times {
        if is_fixed {
            fixed.add(time);
        } else {
            random.add(time);
        }
    }
    if fixed.count < 100.0 || random.count < 100.0 {
        return 0.0;
    }
    (fixed.mean - random.mean) / (fixed.spread() + random.spread()).sqrt()
}

fn nanoseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9
}

/// The largest t, and of how many times.
fn measure(operation: &Operation, patience: Duration) -> (f64, usize) {
    let mut times = Vec::new();
    let begun = Instant::now();
    let mut bytes = vec![0; operation.length + 1];
    while begun.elapsed() < patience && times.len() < MOST {
        if random::fill(&mut bytes).is_err() {
            fail();
        }
        let Some((choice, secret)) = bytes.split_first_mut() else {
            fail();
        };
        let is_fixed = *choice % 2 == 0;
        // Both kinds are written, so that both are as far away from the processor.
        for byte in secret.iter_mut() {
            *byte = if black_box(is_fixed) {
                operation.fixed
            } else {
                *byte
            };
        }
        let work = (operation.prepare)(secret);
        let start = Instant::now();
        work();
        times.push((is_fixed, nanoseconds(start.elapsed())));
    }
    // The first ones warm up.
    let times = times.get(times.len() / 20..).unwrap_or_default();
    let mut sorted: Vec<f64> = times.iter().map(|(_, time)| *time).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let largest = SHARES.iter().map(|share| {
        let last = (sorted.len() as f64 * share) as usize;
        let most = sorted.get(last).copied().unwrap_or(f64::INFINITY);
        t(times.iter().copied().filter(|(_, time)| *time < most)).abs()
    });
    (largest.fold(0.0, f64::max), times.len())
}

fn main() -> ExitCode {
    let mut failed = 0;
    let seconds = std::env::var("OTR_TIMES_SECONDS").ok();
    let seconds = seconds
        .and_then(|text| text.parse().ok())
        .unwrap_or(PATIENCE);
    for operation in &OPERATIONS {
        let (t, count) = measure(operation, Duration::from_secs(seconds));
        let good = (t > LIMIT) == operation.leaks;
        println!(
            "{} - {}",
            if good { "ok" } else { "not ok" },
            operation.name
        );
        println!("# {}: |t| = {t:.1} of {count} times", operation.name);
        failed += usize::from(!good);
    }
    println!("1..{}", OPERATIONS.len());
    ExitCode::from(u8::from(failed > 0))
}
