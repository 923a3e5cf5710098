//! A received message: which steps it asks for, and what is shown in the end.

use super::*;
use crate::conversation::Offer;
use crate::effects::ErrorCode;
use crate::incoming::{REASSEMBLY_LIMIT_WITHOUT_SESSION, Shown};
use crate::wire::dialect::Dialect;
use crate::wire::whitespace::append_tag;

const ALL: Versions = Versions {
    v1: true,
    v2: true,
    v3: true,
};

const RECIPIENT: Recipient<'static> = Recipient {
    name: b"us",
    tag: 0x1111,
    policy: Policy::speaking(ALL),
};

/// The contexts of a correspondent.
#[derive(Clone, Copy)]
struct Fixed {
    master: MessageState,
    best: (MessageState, bool),
}

const PLAIN: Fixed = Fixed {
    master: MessageState::Plaintext,
    best: (MessageState::Plaintext, false),
};

impl Family for Fixed {
    fn state(&self) -> MessageState {
        MessageState::Plaintext
    }

    fn state_of_master(&self) -> MessageState {
        self.master
    }

    fn best(&self) -> (MessageState, bool) {
        self.best
    }

    fn exchange_of_master(&self) -> Option<Auth> {
        None
    }

    fn has_lost(&self, _commit: &[u8; 32]) -> bool {
        false
    }
}

/// The results of one message.
#[derive(Default)]
struct Ran {
    steps: Vec<&'static str>,
    effects: Vec<Effect>,
    shown: Option<Shown>,
    text: Option<Vec<u8>>,
}

impl Ran {
    fn notices(&self) -> Vec<Notice> {
        let notices = self.effects.iter().filter_map(|effect| match effect {
            Effect::Notify(notice, _) => Some(*notice),
            _ => None,
        });
        notices.collect()
    }
}

/// Handles a message in one conversation.
fn run(c: &mut Conversation, recipient: Recipient<'_>, family: Fixed, message: &[u8]) -> Ran {
    run_with(c, recipient, family, message, true, false)
}

fn run_with(
    c: &mut Conversation,
    recipient: Recipient<'_>,
    family: Fixed,
    message: &[u8],
    key: bool,
    instance_is_new: bool,
) -> Ran {
    let (mut auth, mut shared) = (Auth::default(), Correspondent::default());
    let mut incoming = Incoming::<Vec<u8>>::new(message, recipient);
    let mut ran = Ran::default();
    let mut step = incoming.begin();
    loop {
        let (name, next) = match step {
            Step::Arrival => (
                "arrival",
                incoming.arrive(&mut c.secrets, c.state, &mut c.offer, NOW),
            ),
            Step::Data => ("data", incoming.data(c, &mut shared, &family, NOW)),
            Step::Exchange => (
                "exchange",
                incoming.in_exchange(c, &mut auth, &mut shared, &family, None, NOW),
            ),
            Step::ExchangeWithKey if key => (
                "with key",
                incoming.in_exchange(c, &mut auth, &mut shared, &family, Some(&KEYS[0]), NOW),
            ),
            Step::ExchangeWithKey => ("without key", incoming.skip()),
            Step::Instance(_) => ("instance", incoming.entered(instance_is_new)),
            Step::Heard => ("heard", incoming.heard()),
            Step::Plaintext => ("plaintext", incoming.plaintext(&family)),
            Step::Read => {
                assert!(incoming.received().0.is_some());
                ("read", incoming.read())
            }
            Step::Deliver => {
                ran.effects.extend(incoming.take_effects());
                ("deliver", incoming.delivered())
            }
            Step::Done(shown) => {
                ran.shown = Some(shown);
                ran.text = incoming
                    .is_stripped()
                    .then(|| incoming.plain_text().concat());
                return ran;
            }
        };
        ran.steps.push(name);
        step = next;
        assert!(ran.steps.len() < 20, "no end: {:?}", ran.steps);
    }
}

fn with_policy(change: impl FnOnce(&mut Policy)) -> Recipient<'static> {
    let mut recipient = RECIPIENT;
    change(&mut recipient.policy);
    recipient
}

/// A DH-commit of version 3 with these tags.
fn commit(from: u32, to: u32) -> Vec<u8> {
    let tags = Tags {
        ours: from,
        theirs: to,
    };
    Auth::start(Version::V3, tags)
        .unwrap()
        .last_message
        .unwrap()
}

#[test]
fn without_a_version_no_message_is_looked_at() {
    let none = with_policy(|policy| policy.versions = Versions::default());
    for message in [b"hello".as_slice(), b"?OTRv23?", b"?OTR:AAMD"] {
        let ran = run(&mut Conversation::default(), none, PLAIN, message);
        assert_eq!((ran.shown, ran.steps.len()), (Some(Shown::AsItCame), 0));
    }
}

#[test]
fn a_message_for_another_of_our_instances_is_left_alone() {
    let c = &mut Conversation::default();
    let other = run(c, RECIPIENT, PLAIN, &commit(0x2222, 0x3333));
    assert_eq!(other.notices(), [Notice::ReceivedForOtherInstance]);
    assert_eq!(other.steps, ["arrival", "deliver"]);
    assert_eq!(other.shown, Some(Shown::Nothing));
    let reserved = run(c, RECIPIENT, PLAIN, &commit(0xff, 0x1111));
    assert_eq!(reserved.notices(), [Notice::ReceivedMalformed]);
    assert!(matches!(
        reserved.effects[..],
        [_, Effect::ReportError(ErrorCode::Malformed)]
    ));
    for to in [0, 0x1111] {
        let ours = run(c, RECIPIENT, PLAIN, &commit(0x2222, to));
        assert_eq!(
            ours.steps,
            ["arrival", "instance", "heard", "exchange", "deliver"]
        );
    }
}

#[test]
fn a_fragment_is_for_an_instance_before_it_is_taken_up() {
    let c = &mut Conversation::default();
    let first = run(
        c,
        RECIPIENT,
        PLAIN,
        b"?OTR|00002222|00001111,00001,00002,abc,",
    );
    assert_eq!(first.steps, ["instance", "arrival", "deliver"]);
    assert!(matches!(first.effects[..], [Effect::FragmentsWait]));
    let other = run(
        c,
        RECIPIENT,
        PLAIN,
        b"?OTR|00002222|00003333,00002,00002,def,",
    );
    assert_eq!(other.notices(), [Notice::ReceivedForOtherInstance]);
    assert_eq!(c.secrets.reassembly.data(), b"abc");
    // For libotr 3 it is an unknown message, and waiting fragments are dropped.
    let libotr3 = with_policy(|policy| policy.dialect = Dialect::Libotr3);
    let unknown = run(
        c,
        libotr3,
        PLAIN,
        b"?OTR|00002222|00001111,00002,00002,def,",
    );
    assert_eq!(unknown.notices(), [Notice::ReceivedUnrecognised]);
    assert_eq!(c.secrets.reassembly.data(), b"");
}

#[test]
fn more_fragments_are_kept_in_a_session() {
    let piece = vec![b'x'; REASSEMBLY_LIMIT_WITHOUT_SESSION + 1];
    let fragment = [b"?OTR,1,2,".as_slice(), &piece, b","].concat();
    for (state, kept) in [
        (MessageState::Plaintext, 0),
        (MessageState::Encrypted, piece.len()),
        (MessageState::Finished, 0),
    ] {
        let mut c = Conversation {
            state,
            ..Conversation::default()
        };
        run(&mut c, RECIPIENT, PLAIN, &fragment);
        assert_eq!(c.secrets.reassembly.data().len(), kept, "{state:?}");
    }
}

#[test]
fn a_new_instance_takes_over_from_the_master() {
    for (master, state) in [
        (MessageState::Plaintext, MessageState::Plaintext),
        (MessageState::Encrypted, MessageState::Finished),
        (MessageState::Finished, MessageState::Finished),
    ] {
        let mut c = Conversation::default();
        let family = Fixed { master, ..PLAIN };
        let ran = run_with(&mut c, RECIPIENT, family, &commit(0x2222, 0), true, true);
        assert_eq!((c.state, c.version), (state, Some(Version::V3)));
        assert!(matches!(ran.effects[0], Effect::ContextListChanged));
        assert!(matches!(ran.effects[1], Effect::Inject(_)), "answered");
    }
    // An exchange cannot begin with a reveal signature.
    let mut reveal = commit(0x2222, 0x1111);
    reveal[8] = b'R';
    let c = &mut Conversation::default();
    let ran = run_with(c, RECIPIENT, PLAIN, &reveal, true, true);
    assert_eq!((ran.effects.len(), ran.shown), (0, Some(Shown::Nothing)));
}

#[test]
fn a_version_that_the_policy_forbids_is_not_handled() {
    let v2_only = with_policy(|policy| {
        policy.versions.v3 = false;
        policy.send_whitespace_tag = true;
    });
    let mut c = Conversation::default();
    let ran = run(&mut c, v2_only, PLAIN, &commit(0x2222, 0));
    assert_eq!((ran.steps, ran.effects.len()), (vec!["arrival"], 0));
    assert_eq!(c.offer, Offer::Accepted, "they speak OTR for all that");
    // libotr 3 reads the messages of a session all the same.
    let none_of_2 = |dialect| {
        with_policy(move |policy| {
            policy.versions.v2 = false;
            policy.dialect = dialect;
        })
    };
    for (dialect, notices) in [
        (Dialect::Libotr4, vec![]),
        (Dialect::Libotr3, vec![Notice::ReceivedNotInPrivate]),
    ] {
        let ran = run(
            &mut Conversation::default(),
            none_of_2(dialect),
            PLAIN,
            b"?OTR:AAIDAAAA.",
        );
        assert_eq!(ran.notices(), notices);
    }
}

#[test]
fn plaintext_is_shown_with_a_warning_where_there_should_be_none() {
    let required = with_policy(|policy| policy.require_encryption = true);
    let secure = Fixed {
        best: (MessageState::Encrypted, true),
        ..PLAIN
    };
    for (recipient, family, shown) in [
        (RECIPIENT, PLAIN, Shown::Plain),
        (required, PLAIN, Shown::PlainUnexpected),
        (RECIPIENT, secure, Shown::PlainUnexpected),
    ] {
        let ran = run(&mut Conversation::default(), recipient, family, b"hello");
        assert_eq!((ran.shown, ran.text), (Some(shown), None));
        assert_eq!(ran.steps, ["heard", "plaintext"]);
    }
}

#[test]
fn plaintext_turns_an_offer_down() {
    let offering = with_policy(|policy| policy.send_whitespace_tag = true);
    for (before, after) in [
        (Offer::Not, Offer::Not),
        (Offer::Sent, Offer::Rejected),
        (Offer::Accepted, Offer::Accepted),
    ] {
        let mut c = Conversation {
            offer: before,
            ..Conversation::default()
        };
        run(&mut c, offering, PLAIN, b"hello");
        assert_eq!(c.offer, after);
    }
}

#[test]
fn a_tagged_text_is_shown_whatever_becomes_of_the_exchange() {
    let starting = with_policy(|policy| policy.whitespace_start_ake = true);
    let only = |version: Version| Versions {
        v1: version == Version::V1,
        v2: version == Version::V2,
        v3: version == Version::V3,
    };
    for (version, key, started) in [
        (Version::V3, true, true),
        (Version::V2, false, true),
        (Version::V1, true, true),
        (Version::V1, false, false),
    ] {
        let tagged = append_tag(b"hello", only(version)).unwrap();
        let c = &mut Conversation::default();
        let ran = run_with(c, starting, PLAIN, &tagged, key, false);
        let injected = ran.effects.iter().any(|it| matches!(it, Effect::Inject(_)));
        assert_eq!(injected, started, "{version:?}");
        assert_eq!(ran.shown, Some(Shown::Plain));
        assert_eq!(ran.text.as_deref(), Some(b"hello".as_slice()));
    }
    let silent = run(
        &mut Conversation::default(),
        RECIPIENT,
        PLAIN,
        &append_tag(b"hello", ALL).unwrap(),
    );
    assert!(silent.effects.is_empty());
    assert_eq!(silent.text.as_deref(), Some(b"hello".as_slice()));
}

#[test]
fn an_error_is_shown_and_answered_if_the_policy_says_so() {
    let c = &mut Conversation::default();
    let ran = run(c, RECIPIENT, PLAIN, b"?OTR Error: no");
    assert_eq!(ran.shown, Some(Shown::Error));
    assert!(matches!(ran.effects[..], [Effect::TextMayBeLost]));
    let answering = with_policy(|policy| policy.error_start_ake = true);
    let ran = run(c, answering, PLAIN, b"?OTR Error: no");
    let query = answering.policy.query(b"us").unwrap();
    assert!(
        matches!(&ran.effects[..], [Effect::TextMayBeLost, Effect::Inject(sent)] if *sent == query)
    );
}
