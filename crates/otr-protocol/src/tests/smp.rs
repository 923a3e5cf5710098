//! The SMP in a session: its results, its proofs, and messages out of turn.

use super::*;
use crate::smp::state::{Expected, Numbers, Progress};
use crate::smp_exchange::smp_messages;
use crate::wire::mpi;
use crate::wire::tlv::{self, Tlv};
use otr_crypto::group::{
    Challenge, Element, Exponent, Scalar, generator, generator_pow_public, multiply, pow,
    pow_public,
};
use otr_crypto::hash::sha256;

fn smp_events(side: &mut Side) -> Vec<Told> {
    side.take_told()
        .into_iter()
        .filter(|told| matches!(told, Told::Smp(..) | Told::Trust(_)))
        .collect()
}

pub(super) fn initiate(side: &mut Side, question: Option<&[u8]>, secret: &[u8]) {
    let ours = side.key.fingerprint();
    let effects = side
        .conversation
        .initiate_smp(&mut side.smp, &ours, question, secret)
        .unwrap();
    side.deliver(effects);
}

pub(super) fn respond(side: &mut Side, secret: &[u8]) {
    let ours = side.key.fingerprint();
    let effects = side
        .conversation
        .respond_smp(&mut side.smp, &ours, secret)
        .unwrap();
    side.deliver(effects);
}

#[test]
fn equal_secrets_are_found_equal_and_others_not() {
    for version in [Version::V2, Version::V3] {
        let mut pair = Pair::in_session(version);
        for (answer, event) in [(b"same", SmpEvent::Success), (b"else", SmpEvent::Failure)] {
            let equal = event == SmpEvent::Success;
            initiate(&mut pair.alice, None, b"same");
            assert_eq!(pair.alice.smp.expected, Expected::Message2);
            pair.settle();
            assert_eq!(
                smp_events(&mut pair.bob),
                [Told::Smp(SmpEvent::AskForSecret, 25, None)]
            );
            assert!(
                pair.bob.smp.numbers.secret.is_some(),
                "clients tell by it that they were asked"
            );
            respond(&mut pair.bob, answer);
            pair.settle();
            assert_eq!(
                smp_events(&mut pair.bob),
                [Told::Trust(equal), Told::Smp(event, 100, None)]
            );
            assert_eq!(
                smp_events(&mut pair.alice),
                [
                    Told::Smp(SmpEvent::InProgress, 60, None),
                    Told::Trust(equal),
                    Told::Smp(event, 100, None)
                ]
            );
            assert_eq!(pair.alice.smp.expected, Expected::Message1);
            assert_eq!(pair.bob.smp.expected, Expected::Message1);
        }
    }
}

#[test]
fn who_answers_a_question_keeps_his_trust_as_it_was() {
    let mut pair = Pair::in_session(Version::V3);
    initiate(&mut pair.bob, Some(b"which pub?"), b"the anchor");
    pair.settle();
    let asked = Told::Smp(SmpEvent::AskForAnswer, 25, Some(b"which pub?".to_vec()));
    assert_eq!(smp_events(&mut pair.alice), [asked]);
    respond(&mut pair.alice, b"the anchor");
    pair.settle();
    assert_eq!(
        smp_events(&mut pair.alice),
        [Told::Smp(SmpEvent::Success, 100, None)]
    );
}

#[test]
fn messages_out_of_turn_and_false_proofs_are_told_and_survived() {
    let mut pair = Pair::in_session(Version::V3);
    for kind in [tlv::SMP2, tlv::SMP3, tlv::SMP4] {
        let effects = pair.alice.conversation.send_tlv(Tlv {
            kind,
            value: vec![0; 8],
        });
        pair.alice.deliver(effects);
        pair.settle();
        assert_eq!(
            smp_events(&mut pair.bob),
            [Told::Smp(SmpEvent::Error, 0, None)]
        );
    }
    for value in [
        vec![],
        vec![0; 4],
        vec![0xff; 40],
        b"?\0\0\0\0\x06".to_vec(),
    ] {
        let effects = pair.alice.conversation.send_tlv(Tlv {
            kind: tlv::SMP1,
            value,
        });
        pair.alice.deliver(effects);
        pair.settle();
        assert_eq!(
            smp_events(&mut pair.bob),
            [Told::Smp(SmpEvent::Cheated, 0, None)]
        );
    }
    initiate(&mut pair.alice, None, b"x");
    pair.settle();
    smp_events(&mut pair.bob);
    respond(&mut pair.bob, b"x");
    pair.settle();
    assert!(smp_events(&mut pair.bob).contains(&Told::Smp(SmpEvent::Success, 100, None)));
}

#[test]
fn every_number_of_every_message_is_checked() {
    let mut pair = Pair::in_session(Version::V3);
    let secret = || otr_crypto::group::Exponent::from_bytes(b"secret").unwrap();
    let mut alice = Smp::default();
    let message1 = alice.initiate(secret()).unwrap();
    let damage = |message: &[u8], index: usize| {
        let numbers = crate::wire::messages::smp::read_mpis(message, message[3].into()).unwrap();
        let mut numbers: Vec<_> = numbers.into_iter().map(<[u8]>::to_vec).collect();
        let last = numbers[index].len() - 1;
        numbers[index][last] ^= 1;
        crate::wire::messages::smp::write_mpis(&numbers).unwrap()
    };
    for index in 0..6 {
        assert!(
            Smp::default()
                .on_message1(&damage(&message1, index), false)
                .is_err(),
            "message 1, {index}"
        );
    }
    let bob = &mut pair.bob.smp;
    bob.on_message1(&message1, false).unwrap();
    let message2 = bob.respond(secret()).unwrap();
    for index in 0..11 {
        assert!(
            alice
                .clone()
                .on_message2(&damage(&message2, index))
                .is_err(),
            "message 2, {index}"
        );
    }
    let message3 = alice.on_message2(&message2).unwrap();
    for index in 0..8 {
        assert!(
            bob.clone().on_message3(&damage(&message3, index)).is_err(),
            "message 3, {index}"
        );
    }
    let message4 = bob.on_message3(&message3).unwrap();
    for index in 0..3 {
        assert!(
            alice
                .clone()
                .on_message4(&damage(&message4, index))
                .is_err(),
            "message 4, {index}"
        );
    }
    alice.on_message4(&message4).unwrap();
}

/// OTR protocol, "SMP Hash Function": c is SHA-256 of a version byte and an MPI, here that of g1^D g2a^c.
#[test]
fn the_proofs_hash_what_the_specification_says() {
    let secret = Exponent::from_bytes(b"secret").unwrap();
    let message1 = Smp::default().initiate(secret).unwrap();
    let numbers = crate::wire::messages::smp::read_mpis(&message1, 6).unwrap();
    for (version, numbers) in [(1, &numbers[..3]), (2, &numbers[3..])] {
        let public = Element::from_bytes(numbers[0]).unwrap();
        let c = Challenge::from_bytes(numbers[1]).unwrap();
        let d = Scalar::from_bytes(numbers[2]).unwrap();
        let made = multiply(&generator_pow_public(&d), &pow_public(&public, &c));
        let hash = sha256(&[&[version], &mpi::encode(&made.to_bytes()).unwrap()]);
        assert_eq!(mpi::minimal(&hash), numbers[1]);
    }
}

/// Numbers are prepared for the steps to come; but a client of the C interface may change any of them in between.
#[test]
fn a_changed_number_is_the_one_that_counts() {
    let secret = || Exponent::from_bytes(b"secret").unwrap();
    let other = || pow(&generator(), &Exponent::from_bytes(b"other").unwrap());
    let mut alice = Smp::default();
    let message1 = alice.initiate(secret()).unwrap();
    let mut bob = Smp::default();
    bob.on_message1(&message1, false).unwrap();
    for (g2, g3) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut bob = bob.clone();
        if g2 {
            bob.numbers.g2 = Some(other());
        }
        if g3 {
            bob.numbers.g3 = Some(other());
        }
        let message2 = bob.respond(secret()).unwrap();
        assert_proof_of_coordinates(&message2, &bob.numbers);
    }

    let message2 = bob.respond(secret()).unwrap();
    let message3 = alice.on_message2(&message2).unwrap();
    for change in [
        |numbers: &mut Numbers, other| numbers.g2 = Some(other),
        |numbers: &mut Numbers, other| numbers.g3 = Some(other),
    ] {
        let mut bob = bob.clone();
        change(&mut bob.numbers, other());
        assert!(bob.on_message3(&message3).is_err());
    }
    let message4 = bob.on_message3(&message3).unwrap();
    let mut changed = alice.clone();
    changed.numbers.qab = Some(other());
    assert!(changed.on_message4(&message4).is_err());
    alice.on_message4(&message4).unwrap();
    assert_eq!(alice.progress, Progress::Succeeded);
    assert_eq!(bob.progress, Progress::Succeeded);
}

/// OTR protocol, "SMP message 2": cP is the hash of g3^D5 Pb^cP and g1^D5 g2^D6 Qb^cP.
fn assert_proof_of_coordinates(message2: &[u8], numbers: &Numbers) {
    let (g2, g3) = (numbers.g2.as_ref().unwrap(), numbers.g3.as_ref().unwrap());
    let sent = crate::wire::messages::smp::read_mpis(message2, 11).unwrap();
    let element = |index: usize| Element::from_bytes(sent[index]).unwrap();
    let scalar = |index: usize| Scalar::from_bytes(sent[index]).unwrap();
    let (p, q, d5, d6) = (element(6), element(7), scalar(9), scalar(10));
    let c = Challenge::from_bytes(sent[8]).unwrap();
    let first = multiply(&pow_public(g3, &d5), &pow_public(&p, &c));
    let second = multiply(&pow_public(g2, &d6), &pow_public(&q, &c));
    let second = multiply(&generator_pow_public(&d5), &second);
    let mpis = [first, second].map(|number| mpi::encode(&number.to_bytes()).unwrap());
    let hash = sha256(&[&[5], &mpis[0], &mpis[1]]);
    assert_eq!(mpi::minimal(&hash), sent[8]);
}

#[test]
fn six_types_of_tlv_belong_to_the_smp() {
    let all: Vec<Tlv> = (0..20)
        .chain(0..20)
        .map(|kind| Tlv::new(kind, b"").unwrap())
        .collect();
    let mut smp: Vec<u16> = smp_messages(&all).map(|tlv| tlv.kind).collect();
    smp.sort_unstable();
    assert_eq!(smp, [2, 3, 4, 5, 6, 7]);
}

#[test]
fn an_abort_reaches_the_other_side_and_is_not_echoed() {
    let mut pair = Pair::in_session(Version::V3);
    initiate(&mut pair.alice, None, b"x");
    pair.settle();
    smp_events(&mut pair.bob);
    let effects = pair.bob.conversation.abort_smp(&mut pair.bob.smp);
    pair.bob.deliver(effects);
    pair.settle();
    assert_eq!(
        smp_events(&mut pair.alice),
        [Told::Smp(SmpEvent::Abort, 0, None)]
    );
    pair.alice.conversation.secrets.delivering_abort = true;
    let effects = pair.alice.conversation.abort_smp(&mut pair.alice.smp);
    assert!(
        !effects
            .iter()
            .any(|effect| matches!(effect, Effect::Inject(_)))
    );
}

#[test]
fn an_answer_to_nothing_is_refused() {
    let mut pair = Pair::in_session(Version::V3);
    let ours = pair.alice.key.fingerprint();
    let alice = &mut pair.alice;
    assert!(
        alice
            .conversation
            .respond_smp(&mut alice.smp, &ours, b"x")
            .is_err()
    );
}
