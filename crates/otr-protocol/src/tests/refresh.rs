//! A new exchange inside a session: what it replaces, and what it leaves.

use super::*;
use crate::ake::Established;
use crate::conversation::Peer;
use crate::dh::{DataKeys, DhKeyPair};
use crate::session::Session;
use crate::session_id::SessionId;
use crate::wire::armour::dearmour;
use crate::wire::messages::Data;
use otr_crypto::mac::hmac_sha1;

fn data(message: &[u8]) -> Data<'static> {
    // Leaked, which is fine in a test.
    let bytes = dearmour(message, false).unwrap().leak();
    Data::parse(bytes).unwrap().0
}

fn exchange_texts(pair: &mut Pair, rounds: usize) {
    for _ in 0..rounds {
        let text = pair.alice.say(b"ping");
        pair.bob.receive(&text);
        let text = pair.bob.say(b"pong");
        pair.alice.receive(&text);
    }
    assert!(
        pair.alice
            .take_told()
            .contains(&Told::Text(b"pong".to_vec()))
    );
    assert!(pair.bob.take_told().contains(&Told::Text(b"ping".to_vec())));
}

#[test]
fn versions_2_and_3_replace_the_session() {
    for version in [Version::V2, Version::V3] {
        let mut pair = Pair::in_session(version);
        let before = pair.alice.conversation.session_id;
        let [late, later] = [b"late", b"more"].map(|text| pair.alice.say(text));
        pair.start(version);
        let after = &pair.alice.conversation;
        assert_ne!(after.session_id.as_bytes(), before.as_bytes());
        assert_eq!(after.generation, 2);
        // Messages in transit are read until a message of the new session arrives, and only for a limited time.
        pair.bob.take_told();
        pair.bob.receive(&late);
        assert_eq!(pair.bob.take_told(), [Told::Text(b"late".to_vec())]);
        pair.bob.now += if version == Version::V2 { 0 } else { 61 };
        if version == Version::V2 {
            let next = pair.alice.say(b"next");
            pair.bob.receive(&next);
            assert_eq!(pair.bob.take_told(), [Told::Text(b"next".to_vec())]);
        }
        pair.bob.receive(&later);
        let unreadable = Told::Notice(Notice::ReceivedUnreadable, None);
        assert_eq!(pair.bob.told, [unreadable, Told::Report]);
    }
}

/// Version 1 exchanges the keys in use: if they are the same on both sides, messages in transit can still be read.
#[test]
fn version_1_confirms_the_keys_of_the_session() {
    let mut pair = Pair::in_session(Version::V1);
    exchange_texts(&mut pair, 3);
    let before = pair.alice.conversation.session_id;
    let late = pair.alice.say(b"under way");
    pair.start(Version::V1);
    assert_eq!(pair.alice.take_told(), [Told::Still(true)]);
    assert_eq!(pair.bob.take_told(), [Told::Still(false)]);
    assert_eq!(pair.alice.conversation.session_id, before);
    assert_eq!(pair.alice.conversation.generation, 1);
    pair.bob.receive(&late);
    assert_eq!(pair.bob.told, [Told::Text(b"under way".to_vec())]);
}

/// Nothing in an exchange of version 1 shows that it is new, so the keys of a session may only be confirmed: if the other side
/// has lost them, the next session has new ones on both sides, with unused numbers.
#[test]
fn version_1_takes_new_keys_when_theirs_are_new() {
    for lost_side_begins in [false, true] {
        let mut pair = Pair::in_session(Version::V1);
        exchange_texts(&mut pair, 3);
        let before = data(&pair.alice.say(b"lost"));
        pair.bob = Side::new(1, pair.bob.conversation.tags);
        if lost_side_begins {
            std::mem::swap(&mut pair.alice, &mut pair.bob);
            pair.start(Version::V1);
            std::mem::swap(&mut pair.alice, &mut pair.bob);
        } else {
            pair.start(Version::V1);
        }
        assert!(pair.bob.take_told().contains(&Told::Secure));
        assert_eq!(pair.alice.take_told(), [Told::Still(!lost_side_begins)]);
        assert_eq!(pair.alice.conversation.generation, 2);
        let after = data(&pair.alice.say(b"not lost"));
        assert!(after.sender_keyid > before.sender_keyid);
        assert_ne!(after.next_dh, before.next_dh);
        exchange_texts(&mut pair, 3);
    }
}

#[test]
fn who_did_not_begin_this_time_is_told_so() {
    for version in [Version::V1, Version::V2, Version::V3] {
        let mut pair = Pair::in_session(version);
        std::mem::swap(&mut pair.alice, &mut pair.bob);
        pair.start(version);
        assert_eq!(pair.alice.told, [Told::Still(true)], "{version:?}");
        assert_eq!(pair.bob.told, [Told::Still(false)], "{version:?}");
    }
}

#[test]
fn trust_is_for_the_key_that_has_earned_it() {
    let mut pair = Pair::in_session(Version::V3);
    let trusted = Peer {
        fingerprint: KEYS[1].fingerprint(),
        trusted: true,
    };
    pair.alice.conversation.peer = Some(trusted);
    pair.start(Version::V3);
    assert_eq!(pair.alice.take_told(), [Told::Still(true)]);
    assert_eq!(pair.alice.conversation.peer, Some(trusted));
    // Somebody else answers: a session with a stranger.
    pair.bob = Side::new(0, pair.bob.conversation.tags);
    pair.start(Version::V3);
    assert_eq!(pair.alice.take_told(), [Told::Secure]);
    let stranger = Peer {
        fingerprint: KEYS[0].fingerprint(),
        trusted: false,
    };
    assert_eq!(pair.alice.conversation.peer, Some(stranger));
}

/// OTR protocol, "Revealing MAC keys": those of the previous session are published as well, once no message can need them.
#[test]
fn mac_keys_of_the_session_before_are_revealed() {
    let mut pair = Pair::in_session(Version::V3);
    let first = pair.alice.say(b"first");
    pair.bob.receive(&first);
    pair.bob.take_told();
    pair.start(Version::V3);
    let mut revealed = Vec::new();
    for _ in 0..3 {
        let text = pair.alice.say(b"ping");
        pair.bob.receive(&text);
        let text = pair.bob.say(b"pong");
        revealed.extend(data(&text).revealed_mac_keys);
        pair.alice.receive(&text);
    }
    let bytes = dearmour(&first, false).unwrap();
    let (first, covered) = Data::parse(&bytes).unwrap();
    let proves = |key: &[u8]| hmac_sha1(key, &[covered]) == first.mac;
    assert!(revealed.chunks(20).any(proves));
}

#[test]
fn an_exchange_hands_on_the_first_keys_of_the_session() {
    let mut pair = Pair::new();
    pair.alice.receive(b"?OTRv3?");
    for _ in 0..2 {
        let message = pair.alice.outbox.remove(0);
        if message_kind(&message) == MessageKind::RevealSig {
            let Side {
                conversation,
                auth,
                key,
                ..
            } = &mut pair.bob;
            let effects =
                conversation.on_reveal_signature(auth, &mut Default::default(), &message, key, NOW);
            let [
                Effect::FingerprintSeen(_),
                Effect::Then(Task::Activate(established, _)),
            ] = &effects[..]
            else {
                panic!("not established: {effects:?}")
            };
            let derived = DataKeys::derive(established.our_dh(), established.their_dh());
            let handed_on = established.data_keys().unwrap();
            assert_eq!(handed_on.extra, derived.extra);
            assert_eq!(handed_on.sending.mac, derived.sending.mac);
            return;
        }
        pair.bob.receive(&message);
        pair.alice.receive(&pair.bob.outbox.remove(0));
    }
    panic!("no reveal signature");
}

const OURS: u32 = 5;
const THEIRS: u32 = 7;

fn established(ours: (&DhKeyPair, u32), theirs: (&DhKeyPair, u32)) -> Established {
    Established::of_version_1(
        SessionId::default(),
        (ours.0.clone(), ours.1),
        (theirs.0.public().clone(), theirs.1),
        [0; 20],
        true,
    )
}

#[test]
fn only_the_same_keys_under_the_same_numbers_are_confirmed() {
    let [ours, theirs, other] = [(); 3].map(|()| DhKeyPair::generate().unwrap());
    let session = Session::open(&established((&ours, OURS), (&theirs, THEIRS))).unwrap();
    let confirmed = |ours, theirs| session.is_confirmed_by(&established(ours, theirs));
    assert!(confirmed((&ours, OURS), (&theirs, THEIRS)));
    assert!(!confirmed((&other, OURS), (&theirs, THEIRS)));
    assert!(!confirmed((&ours, OURS), (&other, THEIRS)));
    for step in [-1, 1] {
        assert!(!confirmed(
            (&ours, OURS.wrapping_add_signed(step)),
            (&theirs, THEIRS)
        ));
        assert!(!confirmed(
            (&ours, OURS),
            (&theirs, THEIRS.wrapping_add_signed(step))
        ));
    }
}
