//! Key exchanges: their outcome, and messages that are damaged, repeated, reflected or for another instance.

use super::*;
use crate::ake::AuthState;
use crate::wire::armour::{armour, dearmour};
use crate::wire::messages::DhKey;

#[test]
fn each_version_ends_in_one_session() {
    for version in [Version::V1, Version::V2, Version::V3] {
        let mut pair = Pair::new();
        pair.start(version);
        for side in [&pair.alice, &pair.bob] {
            assert!(side.is_secure(), "{version:?}");
            assert_eq!(side.conversation.version, Some(version));
            assert_eq!(side.told, [Told::Secure]);
        }
        let (alice, bob) = (&pair.alice.conversation, &pair.bob.conversation);
        assert_eq!(alice.session_id.as_bytes(), bob.session_id.as_bytes());
        assert_eq!(
            alice.session_id.as_bytes().len(),
            if version == Version::V1 { 20 } else { 8 }
        );
        assert_ne!(alice.session_id.half(), bob.session_id.half());
        assert_eq!(alice.peer.unwrap().fingerprint, KEYS[1].fingerprint());
        assert_eq!(bob.peer.unwrap().fingerprint, KEYS[0].fingerprint());
    }
}

#[test]
fn crossing_starts_end_in_a_session() {
    for version in [Version::V2, Version::V3] {
        // Both orders of the hashes occur in a few tries.
        for _ in 0..6 {
            let mut pair = Pair::new();
            let query = query_for(version);
            pair.alice.receive(query);
            pair.bob.receive(query);
            pair.settle();
            assert!(
                pair.alice.is_secure() && pair.bob.is_secure(),
                "{version:?}"
            );
            let text = pair.alice.say(b"across");
            pair.bob.receive(&text);
            assert!(pair.bob.told.contains(&Told::Text(b"across".to_vec())));
        }
    }
}

/// libotr 4 yields to any commit in version 2; a side that yielded as well still answers its DH-key.
#[test]
fn a_loser_whose_peer_yields_too_goes_on_as_the_one_who_began() {
    let mut pair = Pair::new();
    pair.alice.receive(b"?OTRv2?");
    pair.bob.receive(b"?OTRv2?");
    if pair.alice.auth.pending_commit() > pair.bob.auth.pending_commit() {
        std::mem::swap(&mut pair.alice, &mut pair.bob);
    }
    let (losing, winning) = (pair.alice.outbox.remove(0), pair.bob.outbox.remove(0));
    pair.bob.auth = Auth::default();
    pair.bob.receive(&losing);
    pair.alice.receive(&winning);
    pair.settle();
    assert!(pair.alice.is_secure() && pair.bob.is_secure());
}

#[test]
fn every_message_may_come_twice() {
    for version in [Version::V2, Version::V3] {
        let mut pair = Pair::new();
        pair.alice.receive(query_for(version));
        for _ in 0..20 {
            let (to_bob, to_alice) = (
                std::mem::take(&mut pair.alice.outbox),
                std::mem::take(&mut pair.bob.outbox),
            );
            for message in to_bob.iter().flat_map(|m| [m, m]) {
                pair.bob.receive(message);
            }
            for message in to_alice.iter().flat_map(|m| [m, m]) {
                pair.alice.receive(message);
            }
        }
        assert!(pair.alice.is_secure() && pair.bob.is_secure());
        assert_eq!(
            pair.alice
                .told
                .iter()
                .filter(|t| **t == Told::Secure)
                .count(),
            1
        );
        let text = pair.bob.say(b"hello");
        pair.alice.receive(&text);
        assert!(pair.alice.told.contains(&Told::Text(b"hello".to_vec())));
    }
}

/// A damaged copy before each message of the exchange changes nothing: the real one still works.
#[test]
fn damaged_messages_change_nothing() {
    for position in [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99] {
        let mut pair = Pair::new();
        pair.alice.receive(b"?OTRv3?");
        for _ in 0..10 {
            let to_bob = std::mem::take(&mut pair.alice.outbox);
            for message in &to_bob {
                damage_and_receive(&mut pair.bob, message, position);
                pair.bob.receive(message);
            }
            let to_alice = std::mem::take(&mut pair.bob.outbox);
            for message in &to_alice {
                damage_and_receive(&mut pair.alice, message, position);
                pair.alice.receive(message);
            }
        }
        assert!(
            pair.alice.is_secure() && pair.bob.is_secure(),
            "damage at {position}"
        );
    }
}

fn damage_and_receive(side: &mut Side, message: &[u8], position: f64) {
    if message_kind(message) == MessageKind::DhCommit {
        // Its body is opaque until the reveal: a damaged one is another valid commit.
        return;
    }
    let mut bytes = dearmour(message, true).unwrap();
    let body = 11;
    let index = body + (position * (bytes.len() - body) as f64) as usize;
    bytes[index] ^= 0x20;
    let damaged = armour(&bytes).unwrap();
    let sent_before = side.outbox.len();
    let is_dh_key = message_kind(message) == MessageKind::DhKey;
    let before = (side.auth.clone(), side.conversation.state);
    side.receive(&damaged);
    if is_dh_key && matches!(side.auth.state, AuthState::AwaitingSig(_)) {
        // Any number in range is a DH-key: only the signatures show that it is wrong. The test restores the state before it.
        side.outbox.truncate(sent_before);
        (side.auth, side.conversation.state) = before;
        return;
    }
    assert_eq!(
        side.outbox.len(),
        sent_before,
        "a damaged message was answered"
    );
    assert!(!side.is_secure());
}

#[test]
fn truncated_messages_are_refused() {
    let mut pair = Pair::new();
    pair.alice.receive(b"?OTRv3?");
    let commit = pair.alice.outbox.remove(0);
    for length in (0..commit.len()).step_by(7) {
        if message_kind(&commit[..length]) == MessageKind::DhCommit {
            pair.bob.receive(&commit[..length]);
        }
    }
    assert!(pair.bob.outbox.is_empty());
    assert!(matches!(pair.bob.auth.state, AuthState::None));
    // Without its instance tags it is not a message of version 3.
    let malformed = Told::Notice(Notice::ReceivedMalformed, None);
    let told = pair.bob.take_told();
    assert!(
        told.iter()
            .all(|told| [&Told::SetupFailed, &malformed, &Told::Report].contains(&told))
    );
    assert!(told.contains(&Told::SetupFailed) && told.contains(&malformed));
}

#[test]
fn our_own_messages_come_back() {
    let mut alice = Side::new(
        0,
        Tags {
            ours: 0x1111,
            theirs: 0x1111,
        },
    );
    alice.receive(b"?OTRv2?");
    for _ in 0..6 {
        for message in std::mem::take(&mut alice.outbox) {
            alice.receive(&message);
        }
    }
    assert!(!alice.is_secure());
}

#[test]
fn a_new_exchange_inside_a_session_refreshes_it() {
    for version in [Version::V1, Version::V2, Version::V3] {
        let mut pair = Pair::in_session(version);
        pair.start(version);
        assert!(
            matches!(pair.alice.take_told()[..], [Told::Still(true)]),
            "{version:?}"
        );
        assert!(
            matches!(pair.bob.take_told()[..], [Told::Still(false)]),
            "{version:?}"
        );
        let text = pair.bob.say(b"after");
        pair.alice.receive(&text);
        assert_eq!(pair.alice.told, [Told::Text(b"after".to_vec())]);
    }
}

#[test]
fn a_dh_key_of_another_version_is_ignored() {
    let mut pair = Pair::new();
    pair.alice.receive(b"?OTRv3?");
    let mut other = Pair::new();
    other.alice.receive(b"?OTRv2?");
    let commit = other.alice.outbox.remove(0);
    other.bob.receive(&commit);
    let v2_key = other.bob.outbox.remove(0);
    pair.alice.outbox.clear();
    pair.alice.receive(&v2_key);
    assert!(pair.alice.outbox.is_empty() && pair.alice.told.is_empty());
    assert!(pair.alice.auth.pending_commit().is_some());
}

/// Version 3: the master context sends the commit, and an instance answers.
#[test]
fn an_instance_takes_up_the_masters_commit_when_it_can_sign_the_answer() {
    let mut master = Side::new(
        0,
        Tags {
            ours: 0x1111,
            theirs: 0,
        },
    );
    master.conversation.is_master = true;
    master.receive(b"?OTRv3?");
    let commit = master.outbox.remove(0);
    let mut answers = [(); 2].map(|()| {
        let mut bob = Side::new(
            1,
            Tags {
                ours: 0x2222,
                theirs: 0x1111,
            },
        );
        bob.receive(&commit);
        (bob.outbox.remove(0), bob)
    });
    let mut child = Side::new(
        0,
        Tags {
            ours: 0x1111,
            theirs: 0x2222,
        },
    );
    let answer = |child: &mut Side, message: &[u8]| {
        let Side {
            conversation,
            auth,
            key,
            ..
        } = child;
        let effects = conversation.on_dh_key(
            auth,
            Some(&master.auth),
            &Default::default(),
            message,
            key,
            NOW,
        );
        child.deliver(effects);
        std::mem::take(&mut child.outbox)
    };
    let [(other, _), (dh_key, bob)] = &mut answers;
    let reveal = answer(&mut child, dh_key);
    assert!(
        answer(&mut child, other).is_empty(),
        "a second, different one is ignored"
    );
    assert_eq!(
        answer(&mut child, dh_key),
        reveal,
        "a second copy is answered in the same way"
    );
    bob.receive(&reveal[0]);
    child.receive(&bob.outbox.remove(0));
    assert!(child.is_secure() && bob.is_secure());
}

/// An instance whose own DH-commit waits treats a DH-key as the answer to that one, not to its master's.
#[test]
fn an_instance_with_a_commit_of_its_own_does_not_take_the_masters() {
    let mut pair = Pair::new();
    let mut master = Side::new(0, Tags::default());
    master.receive(b"?OTRv3?");
    pair.alice.receive(b"?OTRv3?");
    pair.bob.receive(&pair.alice.outbox.remove(0));
    let answer = pair.bob.outbox.remove(0);
    let Side {
        conversation,
        auth,
        key,
        ..
    } = &mut pair.alice;
    let effects = conversation.on_dh_key(
        auth,
        Some(&master.auth),
        &Default::default(),
        &answer,
        key,
        NOW,
    );
    pair.alice.deliver(effects);
    pair.settle();
    assert!(pair.alice.is_secure() && pair.bob.is_secure());
}

/// A DH-key out of range, which anybody can send, changes nothing: the real one is accepted after it.
#[test]
fn a_bad_dh_key_does_not_bar_later_exchanges() {
    let mut pair = Pair::new();
    let mut master = Side::new(0, Tags::default());
    master.receive(b"?OTRv3?");
    let header = pair.bob.conversation.tags.header(Version::V3);
    let bad = DhKey {
        header,
        gy: vec![1],
    }
    .serialise()
    .unwrap();
    let Side {
        conversation,
        auth,
        key,
        ..
    } = &mut pair.alice;
    let effects = conversation.on_dh_key(
        auth,
        Some(&master.auth),
        &Default::default(),
        &armour(&bad).unwrap(),
        key,
        NOW,
    );
    assert!(matches!(effects[..], [Effect::SetupFailed(_)]));
    assert!(matches!(auth.state, AuthState::None));
    pair.bob.receive(b"?OTRv3?");
    pair.settle();
    assert!(pair.alice.is_secure() && pair.bob.is_secure());
}

/// A commit of the master that lost against one of theirs is never sent again against a later one, whatever the hashes: the
/// answer to it would be ignored.
#[test]
fn a_commit_that_lost_once_is_no_rival_later() {
    let mut pair = Pair::new();
    let (hash, old): ([u8; 32], &[u8]) = ([0xff; 32], b"the old commit");
    pair.bob.receive(b"?OTRv3?");
    let commit = pair.bob.outbox.remove(0);
    let alice = &mut pair.alice;
    for (lost, answer) in [(None, true), (Some(hash), false)] {
        let known = &mut alice.conversation.secrets.masters_commit;
        *known = lost.map_or(MastersCommit::Unmet, MastersCommit::Lost);
        let effects = alice.conversation.on_dh_commit(
            &mut alice.auth,
            &commit,
            Version::V3,
            Some((&hash, old)),
            NOW,
        );
        let repeated = matches!(&effects[..], [Effect::Inject(message), ..] if message == old);
        assert_eq!(repeated, answer);
    }
    let known = alice.conversation.secrets.masters_commit;
    assert_eq!(known, MastersCommit::Lost(hash));
}
