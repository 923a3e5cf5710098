//! Sending texts: by policy and state, texts that wait, and texts that are sent again.

use super::*;
use crate::conversation::{Offer, Outgoing, Retransmit, is_to_encrypt};
use crate::held_texts::HeldTexts;
use crate::wire::dialect::Dialect;
use crate::wire::whitespace::find_tag;

fn outgoing(side: &mut Side, text: &[u8]) -> Outgoing {
    let policy = side.policy;
    side.conversation.outgoing(text, policy, b"alice").unwrap()
}

#[test]
fn plaintext_goes_as_the_policy_says() {
    let mut pair = Pair::new();
    let alice = &mut pair.alice;
    assert_eq!(outgoing(alice, b"hi"), Outgoing::AsIs);
    alice.policy.send_whitespace_tag = true;
    let Outgoing::Instead(tagged) = outgoing(alice, b"hi") else {
        panic!("no tag")
    };
    assert!(tagged.starts_with(b"hi") && find_tag(&tagged).is_some());
    alice.conversation.offer = Offer::Rejected;
    assert_eq!(outgoing(alice, b"hi"), Outgoing::AsIs);
    alice.policy.require_encryption = true;
    assert_eq!(outgoing(alice, b"hi"), Outgoing::HoldBack);
    alice.policy = Policy::speaking(Versions::default());
    assert_eq!(
        outgoing(alice, b"?OTR?"),
        Outgoing::AsIs,
        "never means never"
    );
}

#[test]
fn the_last_text_is_the_one_that_may_be_sent_again() {
    let mut pair = Pair::in_session(Version::V3);
    let secrets = |pair: &Pair, text: &[u8]| {
        let last = &pair.alice.conversation.secrets;
        (last.last_message_begins(text), last.last_message.is_some())
    };
    // Shorter ones are kept where longer ones were, as long as these are not much longer.
    for length in [100, 60, 61, 51, 50, 10, 2000, 1999, 1] {
        let text: Vec<u8> = (b'!'..=b'~').cycle().take(length).collect();
        pair.alice.say(&text);
        assert_eq!(secrets(&pair, &text), (true, true), "{length}");
        let longer = [&text[..], b"!"].concat();
        assert_eq!(secrets(&pair, &longer), (false, true), "{length}");
    }
    pair.alice.say(b"");
    assert_eq!(secrets(&pair, b""), (false, false));
}

#[test]
fn the_state_alone_says_what_is_encrypted() {
    use MessageState::{Encrypted, Finished, Plaintext};
    for state in [Plaintext, Encrypted, Finished] {
        for speaks_otr in [true, false] {
            for text in [&b"hi"[..], b"", b"?OTR?", b"hi ?OTRv3?"] {
                let mut pair = Pair::new();
                pair.alice.conversation.state = state;
                if !speaks_otr {
                    pair.alice.policy = Policy::speaking(Versions::default());
                }
                let said = is_to_encrypt(state, text, pair.alice.policy);
                let decided = outgoing(&mut pair.alice, text);
                assert_eq!(said, decided == Outgoing::Encrypt, "{state:?} {text:?}");
            }
        }
    }
}

#[test]
fn a_query_is_replaced_by_ours() {
    let mut pair = Pair::new();
    let Outgoing::Instead(query) = outgoing(&mut pair.alice, b"?OTR?") else {
        panic!("not replaced")
    };
    assert!(query.starts_with(b"?OTR?v23?\n<b>alice</b>"));
    assert_eq!(pair.alice.conversation.offer, Offer::Sent);
}

#[test]
fn a_query_of_libotr_3_is_no_offer() {
    let mut pair = Pair::new();
    let alice = &mut pair.alice;
    alice.policy.dialect = Dialect::Libotr3;
    assert!(matches!(outgoing(alice, b"?OTR?"), Outgoing::Instead(_)));
    let policy = alice.policy;
    let mut held = HeldTexts::default();
    let query = alice
        .conversation
        .hold_back(b"waits", &mut held, policy, b"alice", 1);
    assert!(query.is_ok());
    assert_eq!(alice.conversation.offer, Offer::Not);
}

#[test]
fn any_one_version_is_enough_to_speak_otr() {
    let none = Versions::default();
    for (versions, query) in [
        (Versions { v1: true, ..none }, "?OTR?\n"),
        (Versions { v2: true, ..none }, "?OTRv2?\n"),
        (Versions { v3: true, ..none }, "?OTRv3?\n"),
    ] {
        let mut pair = Pair::new();
        pair.alice.policy.versions = versions;
        let Outgoing::Instead(ours) = outgoing(&mut pair.alice, b"?OTR?v23?") else {
            panic!("{versions:?} is no OTR")
        };
        assert!(ours.starts_with(query.as_bytes()), "{versions:?}");
    }
}

#[test]
fn a_finished_session_sends_nothing() {
    let mut pair = Pair::in_session(Version::V3);
    pair.alice.conversation.state = MessageState::Finished;
    assert_eq!(outgoing(&mut pair.alice, b"hi"), Outgoing::Refuse);
}

#[test]
fn a_text_held_back_is_sent_in_the_new_session() {
    let mut pair = Pair::new();
    pair.alice.policy.require_encryption = true;
    let policy = pair.alice.policy;
    let query = pair
        .alice
        .conversation
        .hold_back(
            b"secret plan",
            &mut pair.alice.shared.held,
            policy,
            b"alice",
            NOW,
        )
        .unwrap();
    pair.bob.receive(&query);
    pair.settle();
    assert!(pair.bob.told.contains(&Told::Text(b"secret plan".to_vec())));
    assert!(
        !pair
            .alice
            .told
            .contains(&Told::Notice(Notice::MessageResent, None))
    );
}

#[test]
fn a_text_lost_with_the_peers_session_is_sent_again() {
    let mut pair = Pair::in_session(Version::V3);
    let lost = pair.alice.say(b"are you there?");
    pair.bob = Side::new(1, pair.bob.conversation.tags);
    pair.bob.receive(&lost);
    pair.alice.policy.error_start_ake = true;
    pair.alice.receive(b"?OTR Error: no session");
    assert_eq!(pair.alice.conversation.retransmit, Retransmit::Again);
    pair.settle();
    assert!(
        pair.bob
            .told
            .contains(&Told::Text(b"[resent] are you there?".to_vec()))
    );
    assert!(
        pair.alice
            .told
            .contains(&Told::Notice(Notice::MessageResent, None))
    );
}

#[test]
fn a_text_is_not_sent_again_to_another_key() {
    let mut pair = Pair::in_session(Version::V3);
    let _lost = pair.alice.say(b"for bob alone");
    let tags = pair.bob.conversation.tags;
    pair.bob = Side::new(0, tags);
    pair.alice.receive(b"?OTR Error: no session");
    pair.bob.receive(b"?OTRv3?");
    pair.settle();
    assert!(pair.bob.is_secure());
    assert!(
        !pair
            .bob
            .told
            .iter()
            .any(|told| matches!(told, Told::Text(_)))
    );
    assert!(
        pair.alice
            .told
            .contains(&Told::Notice(Notice::EncryptionError, None))
    );
}

#[test]
fn a_text_is_not_sent_again_to_nobody_knows_whom() {
    let mut pair = Pair::in_session(Version::V3);
    let _lost = pair.alice.say(b"for bob alone");
    pair.alice.conversation.peer = None;
    let effects = pair.alice.conversation.resend(b"", NOW);
    assert!(matches!(
        effects[..],
        [Effect::Notify(Notice::EncryptionError, None)]
    ));
}

#[test]
fn only_what_was_sent_within_a_minute_is_due() {
    for (age, due) in [(0, true), (60, true), (61, false)] {
        let mut pair = Pair::in_session(Version::V3);
        let _lost = pair.alice.say(b"a while ago");
        let conversation = &mut pair.alice.conversation;
        conversation.retransmit = Retransmit::Again;
        conversation.secrets.just_opened = true;
        assert_eq!(conversation.resend_is_due(NOW + age), due, "after {age} s");
        assert!(!conversation.resend_is_due(NOW + age), "asked twice");
    }
}

#[test]
fn without_a_session_nothing_is_encrypted() {
    let mut pair = Pair::new();
    assert!(
        pair.alice
            .conversation
            .encrypt_text(b"x", &[], NOW)
            .is_err()
    );
    pair.alice.conversation.state = MessageState::Encrypted;
    assert!(
        pair.alice
            .conversation
            .encrypt_text(b"x", &[], NOW)
            .is_err()
    );
}
