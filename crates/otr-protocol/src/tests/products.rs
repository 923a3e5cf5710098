//! How many squares and products modulo p a key exchange, a round trip and an SMP take: the tables in docs/performance.md.

use super::smp::{initiate, respond};
use super::*;
use crate::smp::state::{Bases, Progress};
use otr_crypto::count::{self, Count};
use otr_crypto::group::{Exponent, generator_pow};

/// What is made once for the whole process is made before.
fn warm_up() {
    for exponent in [&[1; 40][..], &[1; 192]] {
        generator_pow(&Exponent::from_bytes(exponent).unwrap());
    }
}

/// What is expected; benches/bound.py reads it as well.
const EXPECTED: &str = include_str!("products.txt");

/// The squares and products of each step are about as many as expected: for a public exponent they depend on its bits.
fn assert_about(row: &str, counted: &[Count]) {
    println!("{row}: {counted:?}");
    let lines = EXPECTED.lines().map(|line| line.split_whitespace());
    let lines = lines.map(|words| words.collect::<Vec<_>>());
    let expected: Vec<_> = lines.filter(|words| words.first() == Some(&row)).collect();
    assert_eq!(counted.len(), expected.len(), "the steps of {row}");
    let near = |count: u32, expected: &str| {
        let expected: u32 = expected.parse().unwrap();
        count.abs_diff(expected) <= 20 + expected / 100
    };
    for (count, words) in counted.iter().zip(&expected) {
        let [_, step, squares, products] = words[..] else {
            panic!("{words:?}");
        };
        assert!(
            near(count.squares, squares) && near(count.products, products),
            "{row}, {step}: {count:?}, not about {squares} squares and {products} products"
        );
    }
}

/// After a query, the DH-commit, the DH-key, the reveal signature and the signature.
#[test]
fn of_a_key_exchange() {
    warm_up();
    let mut pair = Pair::new();
    let (mut from, mut to) = (&mut pair.alice, &mut pair.bob);
    let mut counts = vec![count::during(|| from.receive(b"?OTRv3?")).1];
    while let Some(message) = from.outbox.pop() {
        counts.push(count::during(|| to.receive(&message)).1);
        (from, to) = (to, from);
    }
    assert!(from.is_secure() && to.is_secure());
    assert_about("ake3", &counts);
}

#[test]
fn of_a_round_trip() {
    warm_up();
    assert_about("round-trip", &round_trip(&mut pair_with_later_keys()));
}

/// A session in which the keys of the exchange are no longer in use: as long as they are, it takes less.
fn pair_with_later_keys() -> Pair {
    let mut pair = Pair::in_session(Version::V3);
    for _ in 0..3 {
        round_trip(&mut pair);
    }
    pair
}

/// What a message and its answer take: sending and receiving each.
fn round_trip(pair: &mut Pair) -> [Count; 4] {
    let (alice, bob) = (&mut pair.alice, &mut pair.bob);
    let (message, sending) = count::during(|| alice.say(b"text"));
    let ((), receiving) = count::during(|| bob.receive(&message));
    let (answer, answering) = count::during(|| bob.say(b"text"));
    let ((), receiving_it) = count::during(|| alice.receive(&answer));
    [sending, receiving, answering, receiving_it]
}

#[test]
fn of_an_smp_in_a_session() {
    warm_up();
    let mut pair = pair_with_later_keys();
    let (alice, bob) = (&mut pair.alice, &mut pair.bob);
    let mut counts = vec![count::during(|| initiate(alice, None, b"secret")).1];
    let message1 = alice.outbox.pop().unwrap();
    counts.push(count::during(|| bob.receive(&message1)).1);
    counts.push(count::during(|| respond(bob, b"secret")).1);
    let (mut from, mut to) = (bob, alice);
    while let Some(message) = from.outbox.pop() {
        counts.push(count::during(|| to.receive(&message)).1);
        (from, to) = (to, from);
    }
    for side in [from, to] {
        let told = side.take_told();
        assert!(told.contains(&Told::Smp(SmpEvent::Success, 100, None)));
    }
    assert_about("smp", &counts);
}

/// What each step of an SMP takes; `between` is what happens to a side after a step.
fn of_each_step(between: fn(&mut Smp)) -> [Count; 6] {
    warm_up();
    let secret = || Exponent::from_bytes(&[7; 32]).unwrap();
    let (mut alice, mut bob) = (Smp::default(), Smp::default());
    let (message1, step1) = count::during(|| alice.initiate(secret()).unwrap());
    let ((), step2a) = count::during(|| bob.on_message1(&message1, false).unwrap());
    between(&mut bob);
    let (message2, step2b) = count::during(|| bob.respond(secret()).unwrap());
    between(&mut bob);
    let (message3, step3) = count::during(|| alice.on_message2(&message2).unwrap());
    between(&mut alice);
    let (message4, step4) = count::during(|| bob.on_message3(&message3).unwrap());
    let ((), step5) = count::during(|| alice.on_message4(&message4).unwrap());
    assert_eq!(alice.progress, Progress::Succeeded);
    [step1, step2a, step2b, step3, step4, step5]
}

#[test]
fn of_an_smp_whose_bases_are_kept() {
    assert_about("smp-alone", &of_each_step(|_| {}));
}

/// `otrl_sm_step2a` and the like have no place for them.
#[test]
fn of_an_smp_whose_bases_are_not_kept() {
    let counts = of_each_step(|side| side.bases = Bases::default());
    assert_about("smp-steps", &counts);
}
