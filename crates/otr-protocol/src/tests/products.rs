//! How many squares and products modulo p a key exchange and an SMP take: the tables in docs/performance.md.

use super::*;
use crate::smp::state::{Bases, Progress};
use otr_crypto::count::{self, Count};
use otr_crypto::group::{Exponent, generator_pow};

/// What is made once for the whole process is made before.
fn warm_up() {
    generator_pow(&Exponent::from_bytes(&[1]).unwrap());
}

/// The squares and products of each step are about as many as expected: for a public exponent they depend on its bits.
fn assert_about(counted: &[Count], expected: &[(u32, u32)]) {
    println!("{counted:?}");
    assert_eq!(counted.len(), expected.len());
    let near = |count: u32, expected: u32| count.abs_diff(expected) <= 40 + expected / 100;
    for (step, (count, (squares, products))) in counted.iter().zip(expected).enumerate() {
        assert!(
            near(count.squares, *squares) && near(count.products, *products),
            "number {step}: {count:?}, not about {squares} squares and {products} products"
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
    assert_about(
        &counts,
        &[(63, 65), (63, 65), (315, 96), (378, 161), (63, 65)],
    );
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
    assert_about(
        &of_each_step(|_| {}),
        &[
            (252, 1284),
            (3322, 1654),
            (630, 3218),
            (6058, 5766),
            (4521, 3294),
            (2169, 1110),
        ],
    );
}

/// `otrl_sm_step2a` and the like have no place for them.
#[test]
fn of_an_smp_whose_bases_are_not_kept() {
    assert_about(
        &of_each_step(|side| side.bases = Bases::default()),
        &[
            (252, 1284),
            (3322, 1654),
            (3574, 3194),
            (6058, 5766),
            (6960, 3191),
            (3382, 1059),
        ],
    );
}
