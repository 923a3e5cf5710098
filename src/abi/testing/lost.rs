//! Texts that might get lost: those that wait for a session, were sent into a session that no longer exists, or do not fit.

use super::party::{ALICE, BOB, Party, Told, settle};
#[cfg(feature = "abi5")]
use super::wait;
use crate::abi::types::*;

fn couple(policy: u32) -> (Party, Party) {
    (
        Party::new(ALICE, BOB, policy),
        Party::new(BOB, ALICE, policy),
    )
}

fn texts(party: &mut Party) -> Vec<Vec<u8>> {
    let told = party.take_told().into_iter();
    told.filter_map(|told| match told {
        Told::Text(text) => Some(text),
        _ => None,
    })
    .collect()
}

#[cfg(feature = "abi5")]
const VERSIONS: &[u32] = &[POLICY_ALLOW_V2, POLICY_ALLOW_V3];
#[cfg(feature = "abi2")]
const VERSIONS: &[u32] = &[POLICY_ALLOW_V2];

/// All texts that wait for a session arrive, in order; one too many is an error.
#[test]
fn texts_wait_for_the_session() {
    for version in VERSIONS {
        let (mut alice, mut bob) = couple(version | POLICY_REQUIRE_ENCRYPTION);
        let waiting: Vec<Vec<u8>> = (0..32).map(|n| format!("text {n}").into_bytes()).collect();
        for text in &waiting {
            alice.send(text).unwrap();
        }
        assert!(alice.send(b"one too many").is_err());
        assert!(settle(&mut alice, &mut bob));
        assert_eq!(texts(&mut bob), waiting);
        alice.send(b"at once").unwrap();
        assert!(settle(&mut alice, &mut bob));
        assert_eq!(texts(&mut bob), [b"at once"]);
    }
}

/// A stranger's instance that is heard from first does not get the texts.
#[cfg(feature = "abi5")]
#[test]
fn texts_wait_for_the_correspondent_and_not_for_an_instance() {
    let policy = POLICY_ALLOW_V3 | POLICY_REQUIRE_ENCRYPTION;
    let (mut alice, mut bob) = couple(policy);
    let mut stranger = Party::new(BOB, ALICE, policy);
    alice.send(b"first").unwrap();
    alice.send(b"second").unwrap();
    let query = alice.take_outbox().remove(0);
    // It begins an exchange, and never ends it.
    stranger.receive(&query);
    alice.receive(&stranger.take_outbox()[0]);
    alice.take_outbox();
    // More than a minute later the correspondent is online.
    wait(600);
    bob.receive(&query);
    bob.take_outbox()
        .iter()
        .for_each(|message| alice.receive(message));
    assert!(settle(&mut alice, &mut bob));
    assert_eq!(texts(&mut bob), [b"first".as_slice(), b"second"]);
}

/// A correspondent who has lost the session says so at the first message, even if a context has to be made, so that its sender
/// knows.
#[cfg(feature = "abi5")]
#[test]
fn who_has_lost_the_session_says_so() {
    for version in VERSIONS {
        let policy = version | POLICY_REQUIRE_ENCRYPTION | POLICY_ERROR_START_AKE;
        let (mut alice, mut bob) = couple(policy);
        alice.send(b"hello").unwrap();
        assert!(settle(&mut alice, &mut bob));
        texts(&mut bob);
        let tag = unsafe { (*(*bob.us()).instag_root).instag };
        bob = Party::new(BOB, ALICE, policy);
        unsafe { (*(*bob.us()).instag_root).instag = tag };
        alice.send(b"are you there?").unwrap();
        let lost = alice.take_outbox().remove(0);
        bob.receive(&lost);
        let told = bob.take_told();
        assert!(
            told.iter()
                .any(|told| matches!(told, Told::Message(MSGEVENT_RCVDMSG_NOT_IN_PRIVATE, ..))),
            "{told:?}"
        );
        let errors = bob.take_outbox();
        assert_eq!(errors.len(), 1);
        assert!(errors[0].starts_with(b"?OTR Error:"));
        // Once in ten seconds, so that two clients do not answer each other forever.
        bob.receive(&lost);
        assert!(bob.take_outbox().is_empty());
        wait(11);
        bob.receive(&lost);
        assert_eq!(bob.take_outbox().len(), 1);
        alice.receive(&errors[0]);
        assert!(settle(&mut alice, &mut bob));
        assert!(texts(&mut bob).contains(&b"[resent] are you there?".to_vec()));
    }
}

/// A correspondent who comes back with another tag also gets the lost text.
#[cfg(feature = "abi5")]
#[test]
fn a_lost_text_follows_the_key_to_another_instance() {
    let policy = POLICY_ALLOW_V3 | POLICY_REQUIRE_ENCRYPTION | POLICY_ERROR_START_AKE;
    let (mut alice, mut bob) = couple(policy);
    alice.send(b"hello").unwrap();
    assert!(settle(&mut alice, &mut bob));
    let mut again = Party::new(BOB, ALICE, policy);
    alice.send(b"are you there?").unwrap();
    alice.take_outbox();
    alice.receive(b"?OTR Error: I have lost it");
    assert!(settle(&mut alice, &mut again));
    assert!(texts(&mut again).contains(&b"[resent] are you there?".to_vec()));
}

/// A question that does not fit is not truncated: its sender is told, and nothing has changed.
#[test]
fn a_question_that_does_not_fit_is_an_error() {
    for version in VERSIONS {
        let (mut alice, mut bob) = couple(*version);
        alice.receive(if *version == POLICY_ALLOW_V2 {
            b"?OTRv2?"
        } else {
            b"?OTRv3?"
        });
        assert!(settle(&mut alice, &mut bob));
        alice.take_told();
        alice.ask_question(&vec![b'?'; 65_000], b"secret");
        assert!(alice.take_outbox().is_empty());
        let told = alice.take_told();
        #[cfg(feature = "abi5")]
        assert_eq!(told, [Told::Smp(SMPEVENT_ERROR)]);
        #[cfg(feature = "abi2")]
        assert!(matches!(told[..], [Told::Line(_)]), "{told:?}");
        unsafe {
            let smp = (*alice.best()).smstate;
            assert_eq!((*smp).next_expected, SMP_EXPECT1);
            assert!((*smp).secret.is_null());
        }
        alice.ask_question(b"where?", b"secret");
        assert!(settle(&mut alice, &mut bob));
        // A client of the old interface sets the expected message itself.
        #[cfg(feature = "abi5")]
        {
            bob.answer(b"secret");
            assert!(settle(&mut alice, &mut bob));
            assert_eq!(alice.trust(), "smp");
        }
    }
}
