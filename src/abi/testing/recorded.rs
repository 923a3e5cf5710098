//! Messages that the network has recorded or forged open nothing, end nothing, and take nothing away.

use super::party::{ALICE, BOB, MALLORYS_KEY, Party, Told, settle};
#[cfg(feature = "abi5")]
use super::wait;
use crate::abi::types::*;
use otr_crypto::hash::sha1;
use otr_protocol::wire::armour::{armour, dearmour};
use otr_protocol::wire::classify::{MessageKind, message_kind};
use otr_protocol::wire::messages::{Data, V1KeyExchange};

fn couple(policy: u32) -> (Party, Party) {
    (
        Party::new(ALICE, BOB, policy),
        Party::new(BOB, ALICE, policy),
    )
}

/// Alice asks Bob for a session. Returns everything that Bob sends.
fn begin(alice: &mut Party, bob: &mut Party, query: &[u8]) -> Vec<Vec<u8>> {
    alice.receive(query);
    let mut recorded = Vec::new();
    for _ in 0..4 {
        alice
            .take_outbox()
            .iter()
            .for_each(|message| bob.receive(message));
        let answers = bob.take_outbox();
        answers.iter().for_each(|message| alice.receive(message));
        recorded.extend(answers);
    }
    assert!(alice.is_secure() && bob.is_secure());
    alice.take_told();
    bob.take_told();
    recorded
}

fn talk(alice: &mut Party, bob: &mut Party, text: &[u8]) {
    alice.send(text).unwrap();
    assert!(settle(alice, bob));
    assert!(
        bob.take_told().contains(&Told::Text(text.to_vec())),
        "{text:?}"
    );
    bob.send(b"answer").unwrap();
    assert!(settle(alice, bob));
    assert!(alice.take_told().contains(&Told::Text(b"answer".to_vec())));
}

fn of_kind(messages: &[Vec<u8>], kind: MessageKind) -> Vec<u8> {
    let found = messages
        .iter()
        .find(|message| message_kind(message) == kind);
    found.unwrap_or_else(|| panic!("no {kind:?}")).clone()
}

/// Asserts that it has sent nothing, and that its user was told nothing.
fn assert_silent(party: &mut Party, when: &str) {
    assert!(party.take_outbox().is_empty(), "{when}");
    assert_eq!(party.take_told(), [], "{when}");
}

#[cfg(feature = "abi5")]
const TAG: std::ops::Range<usize> = 3..7;

/// The message as if it came from another instance.
#[cfg(feature = "abi5")]
fn from_tag(message: &[u8], tag: u32) -> Vec<u8> {
    let mut bytes = dearmour(message, true).unwrap();
    bytes[TAG].copy_from_slice(&tag.to_be_bytes());
    armour(&bytes).unwrap()
}

/// A recorded exchange is ignored: with the instance tag that it had or an invented one, at once or later, and also inside a
/// session that the other side began.
#[cfg(feature = "abi5")]
#[test]
fn a_recorded_exchange_opens_no_second_session() {
    let later: [fn(); 2] = [|| {}, || wait(50)];
    for made_up in [None, Some(0x4711)] {
        for wait in later {
            for bob_began in [false, true] {
                let (mut alice, mut bob) = couple(POLICY_ALLOW_V3 | POLICY_REQUIRE_ENCRYPTION);
                if bob_began {
                    begin(&mut bob, &mut alice, b"?OTRv3?");
                }
                let recorded = begin(&mut alice, &mut bob, b"?OTRv3?");
                alice.send(b"first").unwrap();
                assert!(settle(&mut alice, &mut bob));
                bob.take_told();
                for kind in [
                    MessageKind::DhKey,
                    MessageKind::Signature,
                    MessageKind::DhKey,
                ] {
                    wait();
                    let message = of_kind(&recorded, kind);
                    let message = made_up.map_or(message.clone(), |tag| from_tag(&message, tag));
                    alice.receive(&message);
                    assert_silent(&mut alice, "after a recorded message");
                }
                talk(&mut alice, &mut bob, b"still here");
            }
        }
    }
}

/// The DH-key arrives with two tags before anything is signed: one of them leads to a session, and the other one never does.
#[cfg(feature = "abi5")]
#[test]
fn one_signature_opens_one_session() {
    for copy_first in [false, true] {
        let (mut alice, mut bob) = couple(POLICY_ALLOW_V3 | POLICY_REQUIRE_ENCRYPTION);
        alice.receive(b"?OTRv3?");
        bob.receive(&alice.take_outbox()[0]);
        let dh_key = bob.take_outbox().remove(0);
        let copy = from_tag(&dh_key, 0x4711);
        let order = if copy_first {
            [&copy, &dh_key]
        } else {
            [&dh_key, &copy]
        };
        order.into_iter().for_each(|message| alice.receive(message));
        alice
            .take_outbox()
            .iter()
            .for_each(|message| bob.receive(message));
        let signature = bob.take_outbox().remove(0);
        alice.receive(&signature);
        assert_eq!(alice.take_told(), [Told::Secure]);
        alice.receive(&from_tag(&signature, 0x4711));
        assert_silent(&mut alice, "a second session");
        bob.take_told();
        talk(&mut alice, &mut bob, b"one");
    }
}

/// A message that comes too late has no effect: expiry is checked before the message is handled.
#[cfg(feature = "abi5")]
#[test]
fn an_exchange_that_waited_too_long_is_over() {
    for (commit_waits, reveal_waits, secure) in [(59, 290, true), (61, 0, false), (0, 301, false)] {
        let (mut alice, mut bob) = couple(POLICY_ALLOW_V3 | POLICY_REQUIRE_ENCRYPTION);
        alice.receive(b"?OTRv3?");
        bob.receive(&alice.take_outbox()[0]);
        let dh_key = bob.take_outbox().remove(0);
        wait(commit_waits);
        alice.receive(&dh_key);
        alice
            .take_outbox()
            .iter()
            .for_each(|message| bob.receive(message));
        wait(reveal_waits);
        bob.take_outbox()
            .iter()
            .for_each(|message| alice.receive(message));
        assert_eq!(alice.is_secure(), secure, "{commit_waits} {reveal_waits}");
    }
}

/// A forged DH-commit with a hash that wins every crossing does not end an exchange under way.
#[test]
fn a_commit_that_was_made_up_ends_no_exchange() {
    let kinds: &[(&[u8], u32, u16)] = &[
        (b"?OTRv2?", POLICY_ALLOW_V2, 2),
        #[cfg(feature = "abi5")]
        (b"?OTRv3?", POLICY_ALLOW_V3, 3),
        #[cfg(feature = "abi5")]
        (b"?OTRv3?", POLICY_ALLOW_V3 | POLICY_ALLOW_V2, 2),
    ];
    for (query, policy, version) in kinds {
        // Before the DH-key arrives, and after.
        for place in 0..2 {
            let (mut alice, mut bob) = couple(policy | POLICY_REQUIRE_ENCRYPTION);
            alice.receive(query);
            bob.receive(&alice.take_outbox()[0]);
            let dh_key = bob.take_outbox().remove(0);
            let made_up = made_up_commit(*version, &dh_key);
            let order = if place == 0 {
                [&made_up, &dh_key]
            } else {
                [&dh_key, &made_up]
            };
            order.into_iter().for_each(|message| alice.receive(message));
            assert!(settle(&mut alice, &mut bob));
            assert!(
                alice.is_secure() && bob.is_secure(),
                "version {version}, {place}"
            );
            alice.take_told();
            bob.take_told();
            talk(&mut alice, &mut bob, b"here");
        }
    }
}

/// A DH-commit with the highest hash, with the sender and recipient of this DH-key.
fn made_up_commit(version: u16, dh_key: &[u8]) -> Vec<u8> {
    let mut bytes = version.to_be_bytes().to_vec();
    bytes.push(0x02);
    if version == 3 {
        bytes.extend_from_slice(&dearmour(dh_key, true).unwrap()[3..11]);
    }
    bytes.extend_from_slice(&[0, 0, 0, 196]);
    bytes.extend_from_slice(&[7; 196]);
    bytes.extend_from_slice(&[0, 0, 0, 32]);
    bytes.extend_from_slice(&[0xff; 32]);
    armour(&bytes).unwrap()
}

/// Version 1: the correspondent's value of this session, signed by somebody else.
#[test]
fn a_value_of_the_session_counts_only_under_the_signature_of_the_session() {
    for reply in [0, 1] {
        let (mut alice, mut bob) = couple(POLICY_ALLOW_V1 | POLICY_REQUIRE_ENCRYPTION);
        alice.receive(b"?OTR?");
        assert!(settle(&mut alice, &mut bob));
        assert!(alice.is_secure() && bob.is_secure());
        for party in [&mut alice, &mut bob] {
            party.take_told();
        }
        for _ in 0..3 {
            talk(&mut alice, &mut bob, b"text");
        }
        bob.send(b"one more").unwrap();
        let message = bob.take_outbox().remove(0);
        let bytes = dearmour(&message, true).unwrap();
        let (data, _) = Data::parse(&bytes).unwrap();
        let mut forged = V1KeyExchange {
            reply,
            public_key: MALLORYS_KEY.public_block().to_vec(),
            keyid: data.sender_keyid + 1,
            gy: data.next_dh.to_vec(),
            signature: [0; 40],
        };
        let number = sha1(&[&forged.signed_bytes().unwrap()]);
        forged.signature = MALLORYS_KEY.key().sign(&number).unwrap();
        alice.receive(&message);
        if reply == 1 {
            // An answer counts only while we wait for one.
            alice.receive(b"?OTR?");
            alice.take_outbox();
        }
        alice.take_told();
        alice.receive(&armour(&forged.serialise().unwrap()).unwrap());
        assert!(alice.take_outbox().is_empty());
        let told = alice.take_told();
        assert!(
            !told.contains(&Told::Secure) && !told.contains(&Told::Still),
            "{told:?}"
        );
        talk(&mut alice, &mut bob, b"still here");
    }
}

/// Made-up instances do not prevent sessions with the correspondent.
#[cfg(feature = "abi5")]
#[test]
fn made_up_instances_give_way() {
    let (mut alice, mut bob) = couple(POLICY_ALLOW_V3 | POLICY_REQUIRE_ENCRYPTION);
    bob.receive(b"?OTRv3?");
    let commit = bob.take_outbox().remove(0);
    for tag in 0..300 {
        alice.receive(&from_tag(&commit, 0x1000 + tag));
    }
    alice.take_outbox();
    wait(1);
    begin(&mut alice, &mut bob, b"?OTRv3?");
    talk(&mut alice, &mut bob, b"a place");
    // Nor do they replace one with a session.
    for tag in 0..300 {
        alice.receive(&from_tag(&commit, 0x2000 + tag));
    }
    alice.take_outbox();
    talk(&mut alice, &mut bob, b"still a place");
    unsafe {
        let mut count = 0;
        let mut context = (*alice.us()).context_root;
        let mut last = 0;
        while !context.is_null() {
            assert!(
                count == 0 || (*context).their_instance > last,
                "the list is sorted"
            );
            last = (*context).their_instance;
            assert_eq!((*context).m_context, (*alice.us()).context_root);
            assert_eq!(*(*context).tous, context);
            count += 1;
            context = (*context).next;
        }
        assert_eq!(count, 256);
    }
}

/// An invented instance is not the recent one while there is a session: the text would be sent in the clear.
#[cfg(feature = "abi5")]
#[test]
fn the_recent_instance_is_one_with_a_session() {
    let (mut alice, mut bob) = couple(POLICY_ALLOW_V3);
    begin(&mut alice, &mut bob, b"?OTRv3?");
    bob.receive(b"?OTRv3?");
    let commit = bob.take_outbox().remove(0);
    wait(1);
    alice.receive(&from_tag(&commit, 0x4711));
    alice.take_outbox();
    for which in [
        INSTAG_RECENT,
        INSTAG_RECENT_RECEIVED,
        INSTAG_RECENT_SENT,
        INSTAG_BEST,
    ] {
        alice.send_to(which, b"for Bob alone").unwrap();
        let sent = alice.take_outbox().remove(0);
        assert_eq!(message_kind(&sent), MessageKind::Data, "{which}");
        bob.receive(&sent);
        assert!(
            bob.take_told()
                .contains(&Told::Text(b"for Bob alone".to_vec()))
        );
    }
}

/// Anybody can cause a new session during an SMP. That does not change its result.
#[cfg(feature = "abi5")]
#[test]
fn a_new_session_does_not_spoil_the_smp() {
    for alice_refreshes in [false, true] {
        let (mut alice, mut bob) = couple(POLICY_ALLOW_V3);
        begin(&mut alice, &mut bob, b"?OTRv3?");
        bob.ask(b"secret");
        assert!(settle(&mut alice, &mut bob));
        assert!(
            alice
                .take_told()
                .contains(&Told::Smp(SMPEVENT_ASK_FOR_SECRET))
        );
        let (first, second) = if alice_refreshes {
            (&mut alice, &mut bob)
        } else {
            (&mut bob, &mut alice)
        };
        begin(first, second, b"?OTRv3?");
        alice.answer(b"secret");
        assert!(settle(&mut alice, &mut bob));
        for party in [&mut alice, &mut bob] {
            assert!(party.take_told().contains(&Told::Smp(SMPEVENT_SUCCESS)));
            assert_eq!(party.trust(), "smp");
        }
        // A genuine failure removes the trust.
        bob.ask(b"secret");
        assert!(settle(&mut alice, &mut bob));
        alice.answer(b"another");
        assert!(settle(&mut alice, &mut bob));
        for party in [&mut alice, &mut bob] {
            assert!(party.take_told().contains(&Told::Smp(SMPEVENT_FAILURE)));
            assert_eq!(party.trust(), "");
        }
    }
}

/// The numbers of a finished SMP are wiped; clients still see by the secret that there was one.
#[cfg(feature = "abi5")]
#[test]
fn the_numbers_of_the_smp_are_wiped() {
    use crate::abi::borrowed::Borrowed;
    for outcome in ["success", "failure", "abort"] {
        let (mut alice, mut bob) = couple(POLICY_ALLOW_V3);
        begin(&mut alice, &mut bob, b"?OTRv3?");
        bob.ask(b"secret");
        assert!(settle(&mut alice, &mut bob));
        match outcome {
            "success" => alice.answer(b"secret"),
            "failure" => alice.answer(b"another"),
            _ => alice.break_off(),
        }
        assert!(settle(&mut alice, &mut bob));
        for party in [&mut alice, &mut bob] {
            unsafe {
                let state = (*party.best()).smstate;
                assert!(!(*state).secret.is_null(), "{outcome}");
                for number in [
                    (*state).secret,
                    (*state).x2,
                    (*state).x3,
                    (*state).pab,
                    (*state).g3o,
                ] {
                    let bytes = Borrowed::new(number).and_then(|number| number.number());
                    assert!(bytes.is_none_or(|bytes| bytes.is_empty()), "{outcome}");
                }
            }
        }
    }
}
