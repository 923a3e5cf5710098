//! Whole conversations through the API, over a network that the test plays.

use std::num::NonZeroUsize;
use std::sync::LazyLock;

use super::*;
use crate::conversation::MessageState;
use crate::effects::Notice;
use crate::policy::Policy;
use otr_crypto::dsa::PrivateKey;

const NOW: i64 = 1_000_000;

static KEYS: LazyLock<[PrivateKey; 3]> =
    LazyLock::new(|| [(); 3].map(|()| PrivateKey::generate().unwrap()));

fn account(index: usize) -> Account {
    let name = ["alice", "bob", "bob's phone"][index];
    Account::new(name, "irc", KEYS[index].clone()).unwrap()
}

/// Alice and one of Bob's clients.
struct Two {
    alice: Chat,
    bob: Chat,
    events: [Vec<Event>; 2],
    now: i64,
}

impl Two {
    fn new(policy: Policy) -> Self {
        Self {
            alice: account(0).chat("bob", policy),
            bob: account(1).chat("alice", policy),
            events: Default::default(),
            now: NOW,
        }
    }

    fn in_session(policy: Policy) -> Self {
        let mut two = Self::new(policy);
        let query = two.alice.start(NOW);
        two.carry(query, Outbox::default());
        assert!(two.alice.is_encrypted() && two.bob.is_encrypted());
        two.events = Default::default();
        two
    }

    /// Delivers messages in both directions until there are none left.
    fn carry(&mut self, from_alice: Outbox, from_bob: Outbox) {
        let (mut to_bob, mut to_alice) = (from_alice, from_bob);
        for _ in 0..50 {
            if to_bob.is_empty() && to_alice.is_empty() {
                return;
            }
            let [mut from_alice, mut from_bob] = [Outbox::default(), Outbox::default()];
            for message in std::mem::take(&mut to_bob) {
                let (events, outbox) = self.bob.receive(&message, self.now).into_parts();
                self.events[1].extend(events);
                from_bob.append(outbox);
            }
            for message in std::mem::take(&mut to_alice) {
                let (events, outbox) = self.alice.receive(&message, self.now).into_parts();
                self.events[0].extend(events);
                from_alice.append(outbox);
            }
            (to_bob, to_alice) = (from_alice, from_bob);
        }
        panic!("the two never come to rest");
    }

    fn alice_says(&mut self, text: &[u8]) {
        let sent = self.alice.send(text, self.now).unwrap();
        self.carry(sent, Outbox::default());
    }

    fn texts(&self, side: usize) -> Vec<(&[u8], bool)> {
        let messages = self.events[side].iter().filter_map(|event| match event {
            Event::Message(message) => Some(message),
            _ => None,
        });
        messages
            .map(|it| {
                let encrypted = matches!(it.protection, Protection::Encrypted(_));
                (it.text.as_slice(), encrypted)
            })
            .collect()
    }

    fn question(&self, side: usize) -> Question {
        let question = self.events[side].iter().find_map(|event| match event {
            Event::Question(question) => Some(question.clone()),
            _ => None,
        });
        question.unwrap()
    }

    fn happened(&self, side: usize, what: fn(&Event) -> bool) -> bool {
        self.events[side].iter().any(what)
    }
}

#[test]
fn two_people_talk_in_private_and_part() {
    for policy in [Policy::v3(), Policy::v2_v3()] {
        let mut two = Two::new(policy);
        let query = two.alice.start(NOW);
        two.carry(query, Outbox::default());
        for (side, other) in [(0, 1), (1, 0)] {
            assert!(two.happened(side, |it| matches!(it, Event::NewKey(_))));
            let fingerprint = account(other).fingerprint();
            let peer = [&two.alice, &two.bob][side].peer().unwrap();
            assert_eq!(
                (peer.fingerprint(), peer.is_trusted()),
                (fingerprint, false)
            );
        }
        let [ours, theirs] = [&two.alice, &two.bob].map(|it| it.peer().unwrap().session_id());
        assert_eq!(ours.as_bytes(), theirs.as_bytes());
        for text in [
            b"hello".as_slice(),
            "gr\u{fc}\u{df}e".as_bytes(),
            &[b'x'; 9000],
        ] {
            two.events = Default::default();
            two.alice_says(text);
            assert_eq!(two.texts(1), [(text, true)]);
        }
        let goodbye = two.alice.end(NOW);
        two.carry(goodbye, Outbox::default());
        assert!(two.happened(1, |it| matches!(it, Event::Ended)));
        assert_eq!(two.alice.state(), MessageState::Plaintext);
        assert_eq!(two.bob.send(b"too late", NOW), Err(Error::Ended));
        assert_eq!(two.bob.send_in_the_clear(b"too late"), Err(Error::Ended));
        assert!(two.bob.end(NOW).is_empty());
        assert_eq!(two.bob.send(b"too late", NOW), Err(Error::NoSession));
    }
}

#[test]
fn nothing_goes_out_in_the_clear_by_accident() {
    let mut two = Two::new(Policy::v2_v3());
    assert_eq!(two.alice.send(b"a secret", NOW), Err(Error::NoSession));
    let sent = two.alice.send_in_the_clear(b"hello").unwrap();
    assert_eq!(sent.clone().into_iter().collect::<Vec<_>>(), [b"hello"]);
    two.carry(sent, Outbox::default());
    assert_eq!(two.texts(1), [(b"hello".as_slice(), false)]);
    let query = two.alice.start(NOW);
    two.carry(query, Outbox::default());
    assert_eq!(two.alice.send_in_the_clear(b"hello"), Err(Error::Encrypted));
    assert_eq!(
        two.alice.send(b"a\0b", NOW),
        Err(Error::Protocol(ProtocolError::Invalid))
    );
}

#[test]
fn texts_wait_for_a_session_where_one_is_required() {
    let mut two = Two::new(Policy::v2_v3().require_encryption());
    assert_eq!(
        two.alice.send_in_the_clear(b"hello"),
        Err(Error::EncryptionRequired)
    );
    let mut out = Outbox::default();
    for text in [b"one".as_slice(), b"two"] {
        let sent = two.alice.send(text, NOW).unwrap();
        assert!(sent.0.iter().all(|it| it.starts_with(b"?OTRv23?")));
        out.append(sent);
    }
    two.carry(out, Outbox::default());
    assert_eq!(two.texts(1), [(b"one".as_slice(), true), (b"two", true)]);
    // Plaintext in a session is shown with a warning.
    let (events, _) = two.bob.receive(b"in the clear", NOW).into_parts();
    assert!(matches!(
        &events[..],
        [Event::Message(Message { protection: Protection::ClearUnexpected, text })]
            if text == b"in the clear"
    ));
}

#[test]
fn a_whitespace_tag_begins_a_session() {
    let policy = Policy::v2_v3()
        .send_whitespace_tag()
        .start_on_whitespace_tag();
    let mut two = Two::new(policy);
    let sent = two.alice.send_in_the_clear(b"hello").unwrap();
    two.carry(sent, Outbox::default());
    assert_eq!(two.texts(1), [(b"hello".as_slice(), false)]);
    assert!(two.alice.is_encrypted() && two.bob.is_encrypted());
}

#[test]
fn a_question_proves_who_answers() {
    for (answer, matched) in [(b"at the mill".as_slice(), true), (b"at home", false)] {
        let mut two = Two::in_session(Policy::v3());
        let asked = two.alice.ask(b"where?", b"at the mill", NOW).unwrap();
        two.carry(asked, Outbox::default());
        let question = two.question(1);
        assert_eq!(question.text(), Some(b"where?".as_slice()));
        let answered = question.answer(&mut two.bob, answer, NOW).unwrap();
        two.carry(Outbox::default(), answered);
        let verdict = |event: &Event| matches!(event, Event::Matched);
        assert_eq!(
            [two.happened(0, verdict), two.happened(1, verdict)],
            [matched; 2]
        );
        // The side that was asked learns nothing about the side that asked.
        let trusted = [&two.alice, &two.bob].map(|it| it.peer().unwrap().is_trusted());
        assert_eq!(trusted, [matched, false]);
        assert_eq!(
            question.answer(&mut two.bob, answer, NOW),
            Err(Error::OutOfDate)
        );
    }
}

#[test]
fn an_answer_belongs_to_the_session_in_which_it_was_asked() {
    let mut two = Two::in_session(Policy::v3());
    let asked = two.alice.compare_secret(b"a secret", NOW).unwrap();
    two.carry(asked, Outbox::default());
    let question = two.question(1);
    assert_eq!(question.text(), None);
    two.now += 20;
    let query = two.alice.start(two.now);
    two.carry(query, Outbox::default());
    assert_eq!(
        question.answer(&mut two.bob, b"a secret", two.now),
        Err(Error::OutOfDate)
    );
}

#[test]
fn a_comparison_can_be_broken_off_and_begun_anew() {
    let mut two = Two::in_session(Policy::v3());
    let asked = two.alice.ask(b"where?", b"here", NOW).unwrap();
    two.carry(asked, Outbox::default());
    let aborted = two.bob.abort_comparison(NOW);
    two.carry(Outbox::default(), aborted);
    assert!(two.happened(0, |it| matches!(it, Event::ComparisonAborted)));
    for _ in 0..2 {
        two.events = Default::default();
        let asked = two.alice.ask(b"where?", b"here", NOW).unwrap();
        two.carry(asked, Outbox::default());
    }
    let answered = two.question(1).answer(&mut two.bob, b"here", NOW).unwrap();
    two.carry(Outbox::default(), answered);
    assert!(two.happened(0, |it| matches!(it, Event::Matched)));
}

#[test]
fn long_messages_are_cut_for_the_network() {
    for policy in [
        Policy::v3(),
        Policy::speaking(crate::wire::query::Versions {
            v1: false,
            v2: true,
            v3: false,
        }),
    ] {
        let mut two = Two::in_session(policy);
        two.alice.set_max_message_size(NonZeroUsize::new(200));
        let sent = two.alice.send(&[b'x'; 2000], NOW).unwrap();
        assert!(sent.len() > 10 && sent.0.iter().all(|it| it.len() <= 200));
        two.carry(sent, Outbox::default());
        assert_eq!(two.texts(1), [([b'x'; 2000].as_slice(), true)]);
    }
}

#[test]
fn the_extra_key_is_the_same_on_both_sides() {
    let mut two = Two::in_session(Policy::v3());
    let (ours, sent) = two.alice.use_extra_key(7, b"a file").unwrap();
    two.carry(sent, Outbox::default());
    let theirs = two.events[1].iter().find_map(|event| match event {
        Event::ExtraKey {
            purpose: 7,
            data,
            key,
        } if data == b"a file" => Some(key),
        _ => None,
    });
    assert_eq!(**theirs.unwrap(), *ours);
}

#[test]
fn a_correspondent_who_is_logged_in_twice_has_two_sessions() {
    let mut alice = account(0).chat("bob", Policy::v3());
    let mut bobs = [1, 2].map(|index| account(index).chat("alice", Policy::v3()));
    let mut to_bobs: Vec<_> = alice.start(NOW).into_iter().collect();
    let mut sessions = 0;
    for _ in 0..10 {
        let mut to_alice = Vec::new();
        for message in to_bobs.drain(..) {
            for bob in &mut bobs {
                to_alice.extend(bob.receive(&message, NOW).into_parts().1);
            }
        }
        for message in to_alice {
            let (events, outbox) = alice.receive(&message, NOW).into_parts();
            sessions += events
                .iter()
                .filter(|it| matches!(it, Event::Secure(_)))
                .count();
            to_bobs.extend(outbox);
        }
    }
    assert_eq!(sessions, 2);
    for (bob, hears) in bobs.iter_mut().zip([1, 2]) {
        let sent = bob.send(b"hello", NOW + hears).unwrap();
        for message in sent {
            let (events, _) = alice.receive(&message, NOW + hears).into_parts();
            assert!(matches!(&events[..], [Event::Message(_)]));
        }
        // The one heard from last gets the text.
        let peer = alice.peer().unwrap().fingerprint();
        assert_eq!(peer, account(usize::try_from(hears).unwrap()).fingerprint());
    }
    for message in alice.send(b"to the phone", NOW + 3).unwrap() {
        let [first, second] = bobs.each_mut().map(|bob| bob.receive(&message, NOW + 3));
        assert!(matches!(
            first.events(),
            [Event::Notice(Notice::ReceivedForOtherInstance)]
        ));
        assert!(matches!(second.events(), [Event::Message(_)]));
    }
}

#[test]
fn what_was_learned_is_kept_in_the_files() {
    let mut two = Two::in_session(Policy::v3());
    let bobs = account(1).fingerprint();
    two.alice.set_trusted(bobs, true);
    assert!(two.alice.peer().unwrap().is_trusted());
    let mut alice = account(0);
    alice.remember(&two.alice);
    let mut files = Files::default();
    account(2).save(&mut files).unwrap();
    alice.save(&mut files).unwrap();
    alice.save(&mut files).unwrap();
    let again = Account::load("alice", "irc", &files).unwrap();
    assert_eq!(again.fingerprint(), alice.fingerprint());
    let known: Vec<_> = again.known_keys().collect();
    assert_eq!(known, [(b"bob".as_slice(), bobs, true)]);
    // The entries of the other account are still there, and the tag is the same.
    assert!(Account::load("bob's phone", "irc", &files).is_ok());
    assert_eq!(
        crate::store::instance_tags::parse(&files.instance_tags)
            .unwrap()
            .len(),
        2
    );
    let mut chat = again.chat("bob", Policy::v3());
    let mut bob = account(1).chat("alice", Policy::v3());
    let mut to_bob: Vec<_> = chat.start(NOW).into_iter().collect();
    for _ in 0..4 {
        let replies: Vec<_> = to_bob
            .drain(..)
            .flat_map(|it| bob.receive(&it, NOW).into_parts().1)
            .collect();
        to_bob.extend(
            replies
                .iter()
                .flat_map(|it| chat.receive(it, NOW).into_parts().1),
        );
    }
    assert!(chat.peer().unwrap().is_trusted(), "known from before");
}

#[test]
fn libotrs_own_files_are_read() {
    let files = Files {
        private_keys: include_bytes!("../../../../tests/data/store/private_keys")
            .to_vec()
            .into(),
        fingerprints: include_bytes!("../../../../tests/data/store/private_keys.fingerprints")
            .to_vec(),
        instance_tags: Vec::new(),
    };
    let keys = crate::store::private_keys::parse(&files.private_keys).unwrap();
    let (name, protocol) = (&keys[0].name, &keys[0].protocol);
    let [name, protocol] = [name, protocol].map(|it| std::str::from_utf8(it).unwrap());
    assert!(Account::load(name, protocol, &files).is_ok());
    let nobody = Account::load("nobody", protocol, &files);
    assert_eq!(nobody.unwrap_err(), LoadError::NoKey);
    let damaged = Files {
        private_keys: b"(privkeys (account".to_vec().into(),
        ..files
    };
    let mut kept = damaged.clone();
    assert!(account(0).save(&mut kept).is_err());
    assert_eq!(kept.private_keys, damaged.private_keys, "nothing is lost");
}

#[test]
fn nothing_that_is_printed_is_secret() {
    let mut two = Two::in_session(Policy::v3());
    two.alice_says(b"the password");
    let shown = format!("{:?} {:?} {:?}", two.alice, two.bob, two.events);
    assert!(!shown.contains("password") && !shown.contains(&format!("{:?}", b"the password")));
    let mut files = Files::default();
    account(0).save(&mut files).unwrap();
    assert!(!format!("{files:?} {:?}", account(0)).contains("privkeys"));
}

#[test]
fn a_session_that_was_lost_comes_back_with_the_text() {
    let policy = Policy::v3().start_on_error();
    let mut two = Two::new(policy);
    let bob = account(1);
    two.bob = bob.chat("alice", policy);
    let query = two.alice.start(NOW);
    two.carry(query, Outbox::default());
    // Bob's client restarts.
    two.bob = bob.chat("alice", policy);
    two.events = Default::default();
    two.alice_says(b"are you there?");
    assert!(two.bob.is_encrypted());
    assert_eq!(
        two.texts(1),
        [(b"[resent] are you there?".as_slice(), true)]
    );
}
