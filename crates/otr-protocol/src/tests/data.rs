//! Data messages: key rotation, counters, MAC keys, heartbeats and the extra key.

use super::*;
use crate::wire::armour::{armour, dearmour};
use crate::wire::messages::Data;
use crate::wire::tlv::{self, Tlv};
use otr_crypto::mac::hmac_sha1;

fn texts(side: &mut Side) -> Vec<Vec<u8>> {
    let texts = side.take_told().into_iter().filter_map(|told| match told {
        Told::Text(text) => Some(text),
        _ => None,
    });
    texts.collect()
}

#[test]
fn keys_rotate_over_many_round_trips() {
    for version in [Version::V1, Version::V2, Version::V3] {
        let mut pair = Pair::in_session(version);
        for round in 0..30u32 {
            let question = format!("to bob, {round}").into_bytes();
            let wire = pair.alice.say(&question);
            pair.bob.receive(&wire);
            assert_eq!(texts(&mut pair.bob), [question]);
            let answer = format!("to alice, {round}").into_bytes();
            let wire = pair.bob.say(&answer);
            pair.alice.receive(&wire);
            assert_eq!(texts(&mut pair.alice), [answer]);
        }
        let session = pair.alice.conversation.secrets.session.as_ref().unwrap();
        assert!(session.our_keyid() > 20 && session.their_keyid() > 20);
    }
}

#[test]
fn several_messages_one_way_and_crossing_ones_arrive() {
    let mut pair = Pair::in_session(Version::V3);
    for _ in 0..5 {
        let from_alice: Vec<_> = (0..3u8).map(|n| pair.alice.say(&[b'a' + n])).collect();
        let from_bob: Vec<_> = (0..3u8).map(|n| pair.bob.say(&[b'x' + n])).collect();
        from_alice.iter().for_each(|m| pair.bob.receive(m));
        from_bob.iter().for_each(|m| pair.alice.receive(m));
        assert_eq!(texts(&mut pair.bob), [b"a", b"b", b"c"]);
        assert_eq!(texts(&mut pair.alice), [b"x", b"y", b"z"]);
    }
}

#[test]
fn replays_and_old_counters_are_refused() {
    let mut pair = Pair::in_session(Version::V3);
    let (first, second) = (pair.alice.say(b"first"), pair.alice.say(b"second"));
    pair.bob.receive(&second);
    assert_eq!(texts(&mut pair.bob), [b"second"]);
    pair.bob.receive(&first);
    assert_eq!(
        pair.bob.take_told(),
        [Told::Notice(Notice::ReceivedUnreadable, None), Told::Report]
    );
    let third = pair.alice.say(b"third");
    pair.bob.receive(&third);
    assert_eq!(texts(&mut pair.bob), [b"third"]);
}

/// Some networks deliver messages twice. The user is not told, in the session, after a refresh, and after its end.
#[test]
fn what_is_delivered_twice_is_dropped_in_silence() {
    let mut pair = Pair::in_session(Version::V3);
    let mut all = Vec::new();
    for round in 0..8 {
        let ping = pair.alice.say(b"ping");
        pair.bob.receive(&ping);
        let pong = pair.bob.say(b"pong");
        pair.alice.receive(&pong);
        all.push(ping);
        pair.bob.take_told();
        all.iter().for_each(|message| pair.bob.receive(message));
        assert!(
            pair.bob.told.is_empty() && pair.bob.outbox.is_empty(),
            "{round}"
        );
    }
    pair.start(Version::V3);
    pair.bob.take_told();
    all.iter().for_each(|message| pair.bob.receive(message));
    assert!(pair.bob.told.is_empty());
    let effects = pair.alice.conversation.say_goodbye();
    pair.alice.deliver(effects);
    pair.settle();
    pair.bob.take_told();
    all.iter().for_each(|message| pair.bob.receive(message));
    assert!(pair.bob.told.is_empty() && pair.bob.outbox.is_empty());
    // A damaged copy is another message.
    let mut damaged = all.pop().unwrap();
    let at = damaged.len() - 40;
    damaged[at] = if damaged[at] == b'A' { b'B' } else { b'A' };
    pair.bob.receive(&damaged);
    assert!(!pair.bob.told.is_empty());
}

/// The counter of a message is in the bits above the block counter: two messages with one key share no key stream.
#[test]
fn the_same_text_is_never_encrypted_in_the_same_way() {
    let mut pair = Pair::in_session(Version::V3);
    let messages = [(); 2].map(|()| dearmour(&pair.alice.say(b"the same"), false).unwrap());
    let [first, second] = messages
        .each_ref()
        .map(|bytes| Data::parse(bytes).unwrap().0);
    assert_eq!(first.sender_keyid, second.sender_keyid);
    assert!(first.counter < second.counter);
    assert_ne!(first.encrypted, second.encrypted);
}

#[test]
fn every_flipped_bit_is_noticed_and_changes_nothing() {
    let mut pair = Pair::in_session(Version::V3);
    let good = pair.alice.say(b"the text");
    let bytes = dearmour(&good, false).unwrap();
    // The caller checks header and instance tags; the flags alone are not trusted.
    for index in (12..bytes.len()).step_by(3) {
        let mut bad = bytes.clone();
        bad[index] ^= 1 << (index % 8);
        pair.bob.receive(&armour(&bad).unwrap());
        let told = pair.bob.take_told();
        assert!(
            !told.iter().any(|t| matches!(t, Told::Text(_))),
            "accepted with byte {index} changed"
        );
    }
    pair.bob.receive(&good);
    assert_eq!(texts(&mut pair.bob), [b"the text"]);
}

#[test]
fn key_ids_out_of_range_are_refused() {
    let mut pair = Pair::in_session(Version::V3);
    let good = pair.alice.say(b"x");
    let decoded = dearmour(&good, false).unwrap();
    let (data, _) = Data::parse(&decoded).unwrap();
    for (sender, recipient) in [
        (0, 1),
        (1, 0),
        (0, 0),
        (u32::MAX, 1),
        (1, u32::MAX),
        (5, 1),
        (1, 5),
    ] {
        let forged = Data {
            sender_keyid: sender,
            recipient_keyid: recipient,
            ..data.clone()
        };
        pair.bob
            .receive(&armour(&forged.serialise().unwrap()).unwrap());
        assert_eq!(
            pair.bob.take_told(),
            [Told::Notice(Notice::ReceivedUnreadable, None), Told::Report]
        );
    }
}

#[test]
fn used_mac_keys_are_revealed_once_they_are_forgotten() {
    let mut pair = Pair::in_session(Version::V3);
    let mut revealed = 0;
    for _ in 0..6 {
        let wire = pair.alice.say(b"ping");
        pair.bob.receive(&wire);
        let wire = pair.bob.say(b"pong");
        let decoded = dearmour(&wire, false).unwrap();
        let (data, _) = Data::parse(&decoded).unwrap();
        assert_eq!(data.revealed_mac_keys.len() % 20, 0);
        revealed += data.revealed_mac_keys.len() / 20;
        pair.alice.receive(&wire);
    }
    assert!(revealed >= 4, "only {revealed} MAC keys revealed");
}

#[test]
fn no_revealed_mac_key_proves_a_message_that_we_sent() {
    let mut pair = Pair::in_session(Version::V3);
    let (mut ours, mut revealed) = (Vec::new(), Vec::new());
    for _ in 0..6 {
        let wire = pair.alice.say(b"ping");
        // It is still in transit when the answer to the previous one has arrived.
        let late = pair.alice.say(b"late");
        pair.bob.receive(&wire);
        let answer = pair.bob.say(b"pong");
        pair.alice.receive(&answer);
        for wire in [wire, late] {
            let decoded = dearmour(&wire, false).unwrap();
            let (data, covered) = Data::parse(&decoded).unwrap();
            let keys = data.revealed_mac_keys.chunks(20).map(<[u8]>::to_vec);
            revealed.extend(keys);
            ours.push((covered.to_vec(), data.mac));
        }
    }
    assert!(revealed.len() >= 3);
    for key in &revealed {
        for (covered, mac) in &ours {
            assert_ne!(hmac_sha1(key, &[covered]), *mac);
        }
    }
}

#[test]
fn the_extra_key_is_the_same_on_both_sides() {
    let mut pair = Pair::in_session(Version::V3);
    let mut keys = Vec::new();
    let mut send = |pair: &mut Pair, purpose| {
        let conversation = &mut pair.alice.conversation;
        let (message, key) = conversation.use_extra_key(purpose, b"file.txt").unwrap();
        keys.push(*key);
        (message, Told::Key(purpose, b"file.txt".to_vec(), *key))
    };
    // The message that announces a key of theirs, the one that uses the newest of ours, and both replace keys.
    for purpose in 0..6 {
        let (message, expected) = send(&mut pair, purpose);
        pair.bob.receive(&message);
        assert!(pair.bob.take_told().contains(&expected), "{purpose}");
        let wire = pair.bob.say(b"my turn");
        pair.alice.receive(&wire);
    }
    // One that is read with the keys of the session before.
    let (late, expected) = send(&mut pair, 7);
    pair.start(Version::V3);
    pair.bob.receive(&late);
    assert!(pair.bob.take_told().contains(&expected));
    keys.dedup();
    assert_eq!(keys.len(), 7, "each is another");
}

#[test]
fn a_goodbye_finishes_the_session() {
    let mut pair = Pair::in_session(Version::V3);
    let text = pair.bob.say(b"not to be sent again");
    pair.alice.receive(&text);
    let goodbye = pair.alice.conversation.send_tlv(Tlv {
        kind: tlv::DISCONNECTED,
        value: Vec::new(),
    });
    pair.alice.deliver(goodbye);
    pair.settle();
    assert_eq!(pair.bob.conversation.state, MessageState::Finished);
    let secrets = &pair.bob.conversation.secrets;
    assert!(secrets.session.is_none() && secrets.last_message.is_none());
    let late = pair.alice.say(b"late");
    pair.bob.take_told();
    pair.bob.receive(&late);
    assert_eq!(
        pair.bob.take_told(),
        [
            Told::Notice(Notice::ReceivedNotInPrivate, None),
            Told::Report
        ]
    );
    // Told of it occasionally, not for each message.
    for (wait, answered) in [(0, false), (10, false), (1, true)] {
        pair.bob.now += wait;
        let late = pair.alice.say(b"late");
        pair.bob.receive(&late);
        assert_eq!(
            pair.bob.take_told().contains(&Told::Report),
            answered,
            "{wait}"
        );
    }
    // A message that may be ignored is ignored.
    let internal = pair.alice.conversation.encrypt_internal(&[]).unwrap();
    pair.bob.receive(&internal);
    assert!(pair.bob.told.is_empty());
}

/// The state of the master's commit is kept when a session ends: the same messages might arrive again.
#[test]
fn what_became_of_a_commit_outlives_the_session() {
    let mut pair = Pair::in_session(Version::V3);
    let secrets = &mut pair.alice.conversation.secrets;
    secrets.masters_commit.lose([1; 32]);
    secrets.masters_commit.answer([1; 32]);
    let before = secrets.masters_commit;
    secrets.clear();
    assert_eq!(secrets.masters_commit, before);
}

/// A client may send something itself in the callback for the message that a heartbeat would answer.
#[test]
fn no_heartbeat_follows_what_was_sent_meanwhile() {
    let mut pair = Pair::in_session(Version::V3);
    let bob = &mut pair.bob.conversation;
    bob.last_sent = NOW;
    assert!(bob.heartbeat(NOW + 60).is_empty());
    assert!(!bob.heartbeat(NOW + 61).is_empty());
    assert!(bob.heartbeat(NOW + 61).is_empty());
}

#[test]
fn silence_is_answered_with_a_heartbeat() {
    let mut pair = Pair::in_session(Version::V3);
    pair.bob.now = NOW + 60;
    let wire = pair.alice.say(b"anybody there?");
    pair.bob.receive(&wire);
    assert!(
        pair.bob.outbox.is_empty(),
        "not before more than a minute has passed"
    );
    pair.bob.now = NOW + 61;
    let wire = pair.alice.say(b"anybody there?");
    pair.bob.receive(&wire);
    assert!(
        pair.bob
            .told
            .contains(&Told::Notice(Notice::HeartbeatSent, None))
    );
    pair.settle();
    assert!(
        pair.alice
            .told
            .contains(&Told::Notice(Notice::HeartbeatReceived, None))
    );
}

#[test]
fn a_next_key_out_of_range_is_refused_whole() {
    // The sender is authentic, but its next key is 1: a malicious peer.
    let mut pair = Pair::in_session(Version::V3);
    let good = pair.alice.say(b"x");
    let decoded = dearmour(&good, false).unwrap();
    let (mut data, _) = Data::parse(&decoded).unwrap();
    data.next_dh = &[1];
    pair.bob
        .receive(&armour(&data.serialise().unwrap()).unwrap());
    assert_eq!(
        pair.bob.take_told(),
        [Told::Notice(Notice::ReceivedUnreadable, None), Told::Report]
    );
    pair.bob.receive(&good);
    assert_eq!(texts(&mut pair.bob), [b"x"]);
}
