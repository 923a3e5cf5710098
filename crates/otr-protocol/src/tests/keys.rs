//! The lifetime of keys: what is published, what is kept, and what cannot bring them back.

use super::*;
use crate::error::ProtocolError;
use crate::wire::armour::dearmour;
use crate::wire::messages::Data;
use crate::wire::tlv::{self, Tlv};
use otr_crypto::mac::hmac_sha1;

fn revealed(message: &[u8]) -> Vec<Vec<u8>> {
    let bytes = dearmour(message, false).unwrap();
    let keys = Data::parse(&bytes).unwrap().0.revealed_mac_keys;
    keys.chunks(20).map(<[u8]>::to_vec).collect()
}

fn proves(key: &[u8], message: &[u8]) -> bool {
    let bytes = dearmour(message, false).unwrap();
    let (data, covered) = Data::parse(&bytes).unwrap();
    hmac_sha1(key, &[covered]) == data.mac
}

/// OTRv3, "Revealing MAC Keys": no message is accepted with the keys of a session that has ended.
#[test]
fn a_goodbye_publishes_the_keys_of_all_messages_received() {
    for version in [Version::V1, Version::V2, Version::V3] {
        let mut pair = Pair::in_session(version);
        let mut received = Vec::new();
        let mut published = Vec::new();
        for _ in 0..4 {
            let message = pair.alice.say(b"ping");
            pair.bob.receive(&message);
            received.push(message);
            let answer = pair.bob.say(b"pong");
            published.extend(revealed(&answer));
            pair.alice.receive(&answer);
        }
        let last = pair.alice.say(b"last");
        pair.bob.receive(&last);
        received.push(last);
        let effects = pair.bob.conversation.say_goodbye();
        let [Effect::Inject(goodbye)] = &effects[..] else {
            panic!("no goodbye")
        };
        published.extend(revealed(goodbye));
        for message in &received {
            assert!(
                published.iter().any(|key| proves(key, message)),
                "{version:?}"
            );
        }
        pair.alice.receive(goodbye);
        assert_eq!(pair.alice.conversation.state, MessageState::Finished);
        // Nothing is accepted any more, and nothing can be sent.
        let late = pair.bob.conversation.encrypt_text(b"late", &[], NOW);
        assert_eq!(late, Err(ProtocolError::Conflict));
    }
}

/// The keys of a session that was refreshed are published as soon as the other side has used the new one: until then messages
/// of the old one may be in transit.
#[test]
fn a_refresh_publishes_the_keys_of_the_session_before() {
    let mut pair = Pair::in_session(Version::V3);
    let first = pair.alice.say(b"first");
    pair.bob.receive(&first);
    let late = pair.alice.say(b"late");
    pair.start(Version::V3);
    let answer = pair.bob.say(b"answer");
    assert!(!revealed(&answer).iter().any(|key| proves(key, &first)));
    pair.bob.receive(&late);
    assert!(pair.bob.told.contains(&Told::Text(b"late".to_vec())));
    pair.alice.receive(&answer);
    let next = pair.alice.say(b"next");
    pair.bob.receive(&next);
    let answer = pair.bob.say(b"answer");
    assert!(revealed(&answer).iter().any(|key| proves(key, &first)));
}

#[test]
fn keys_to_publish_are_bounded_while_we_are_silent() {
    let mut pair = Pair::in_session(Version::V3);
    // Each of their messages announces a new key, which the next one uses, as a well-behaved client does when we answer; here
    // our answers publish no keys.
    for _ in 0..200 {
        let ping = pair.alice.say(b"ping");
        pair.bob.receive(&ping);
        let session = pair.bob.conversation.secrets.session.as_mut().unwrap();
        let kept = session.keep_saved_mac_keys();
        let answer = pair.bob.say(b"pong");
        pair.alice.receive(&answer);
        pair.bob
            .conversation
            .secrets
            .session
            .as_mut()
            .unwrap()
            .put_back(kept);
    }
    let answer = pair.bob.say(b"at last");
    let keys = revealed(&answer).len();
    assert!((100..=128).contains(&keys), "{keys}");
}

#[test]
fn a_key_that_is_announced_twice_is_refused() {
    let mut pair = Pair::in_session(Version::V3);
    for text in [b"one", b"two"] {
        let message = pair.alice.say(text);
        pair.bob.receive(&message);
        let answer = pair.bob.say(text);
        pair.alice.receive(&answer);
    }
    pair.bob.take_told();
    pair.alice
        .conversation
        .secrets
        .session
        .as_mut()
        .unwrap()
        .announce_again();
    let message = pair.alice.say(b"again");
    pair.bob.receive(&message);
    let told = pair.bob.take_told();
    assert_eq!(
        told,
        [Told::Notice(Notice::ReceivedMalformed, None), Told::Report]
    );
}

#[test]
fn a_text_with_a_nul_is_not_sent() {
    let mut pair = Pair::in_session(Version::V3);
    let smuggled = b"hello\0\0\x01\0\0";
    let sent = pair.alice.conversation.encrypt_text(smuggled, &[], NOW);
    assert_eq!(sent, Err(ProtocolError::Invalid));
    let message = pair.alice.say(b"hello");
    pair.bob.receive(&message);
    assert!(pair.bob.told.contains(&Told::Text(b"hello".to_vec())));
}

#[test]
fn nothing_of_the_smp_is_left_when_the_session_ends_with_it() {
    let mut pair = Pair::in_session(Version::V3);
    let mut question = pair.alice.smp.clone();
    let ours = pair.alice.key.fingerprint();
    pair.alice
        .conversation
        .initiate_smp(&mut question, &ours, None, b"secret")
        .unwrap();
    let mut smp = question.clone();
    let message = smp
        .initiate(otr_crypto::group::Exponent::random_320().unwrap())
        .unwrap();
    let tlvs = [
        Tlv {
            kind: tlv::SMP1,
            value: message,
        },
        Tlv {
            kind: tlv::DISCONNECTED,
            value: Vec::new(),
        },
    ];
    let message = pair
        .alice
        .conversation
        .encrypt_text(b"", &tlvs, NOW)
        .unwrap();
    pair.bob.receive(&message);
    assert_eq!(pair.bob.conversation.state, MessageState::Finished);
    assert!(
        !pair
            .bob
            .told
            .iter()
            .any(|told| matches!(told, Told::Smp(..))),
        "{:?}",
        pair.bob.told
    );
}

/// A master context may have begun an exchange of version 2, which an instance of version 3 cannot take over.
#[test]
fn an_instance_takes_no_commit_of_version_2() {
    let mut pair = Pair::new();
    let mut master = Side::new(0, Tags::default());
    master.conversation.is_master = true;
    master.receive(b"?OTRv2?");
    pair.bob.receive(b"?OTRv3?");
    let mut other = Side::new(0, pair.alice.conversation.tags);
    other.receive(&pair.bob.outbox.remove(0));
    let dh_key = other.outbox.remove(0);
    let Side {
        conversation,
        auth,
        key,
        shared,
        ..
    } = &mut pair.alice;
    let effects =
        conversation.on_dh_key(auth, Some(&master.auth), &shared.opened, &dh_key, key, NOW);
    assert!(effects.is_empty(), "{effects:?}");
}

/// Whatever the instance: the pair of values that has opened a session opens no other, neither as the answer to a DH-commit
/// nor under the signature that belongs to it.
#[test]
fn a_pair_of_values_is_refused_at_each_message() {
    for version in [Version::V2, Version::V3] {
        let mut pair = Pair::new();
        pair.alice.receive(query_for(version));
        let commit = pair.alice.outbox.remove(0);
        pair.bob.receive(&commit);
        let dh_key = pair.bob.outbox.remove(0);
        let waiting = pair.alice.auth.clone();
        pair.alice.receive(&dh_key);
        let revealed = pair.alice.auth.clone();
        let responding = pair.bob.auth.clone();
        let reveal = pair.alice.outbox.remove(0);
        pair.bob.receive(&reveal);
        let signature = pair.bob.outbox.remove(0);
        pair.alice.receive(&signature);
        assert!(pair.alice.is_secure() && pair.bob.is_secure());
        pair.alice.take_told();
        pair.bob.take_told();
        // Had another context held the same private value, as an instance of the master context's commit does:
        pair.alice.auth = waiting;
        pair.alice.receive(&dh_key);
        pair.alice.auth = revealed;
        pair.alice.receive(&signature);
        pair.bob.auth = responding;
        pair.bob.receive(&reveal);
        for side in [&pair.alice, &pair.bob] {
            assert!(
                side.outbox.is_empty() && side.told.is_empty(),
                "{version:?}"
            );
        }
    }
}
