//! Each allocation of a step fails in turn: the step is refused, and nothing has changed.

use super::*;
use crate::buffer::refusal;
use crate::conversation::Offer;
use crate::error::ProtocolError;
use crate::held_texts::HeldTexts;
use crate::session::Received;
use crate::smp::state::Expected;
use crate::wire::fragment::{Accumulated, FragmentHeader, split};
use crate::wire::tlv::{self, Tlv};

const TEXT: &[u8] = b"a text that takes some room and is no longer than it has to be";

fn chain() -> Vec<Tlv> {
    [(100, "something"), (tlv::SYMKEY, "useful"), (0, "padding")]
        .map(|(kind, value)| Tlv::new(kind, value.as_bytes()).unwrap())
        .into()
}

/// Runs `step` with another allocation failing each time, until none does. Returns how many have failed.
fn each(mut step: impl FnMut(usize) -> bool) -> usize {
    (0..1000).find(|count| !step(*count)).unwrap()
}

#[test]
fn a_text_that_could_not_be_encrypted_changes_nothing() {
    let mut pair = Pair::in_session(Version::V3);
    let failed = each(|count| {
        let conversation = &mut pair.alice.conversation;
        let before = conversation.secrets.last_message.is_some();
        let tlvs = chain();
        let (sent, refused) =
            refusal::after(count, || conversation.encrypt_text(TEXT, &tlvs, 1000));
        assert_eq!(sent.is_err(), refused);
        if refused {
            assert_eq!(sent, Err(ProtocolError::OutOfMemory));
            assert_eq!(conversation.secrets.last_message.is_some(), before);
        }
        let message = pair.alice.say(b"goes on");
        pair.bob.receive(&message);
        let shown = Told::Text(b"goes on".to_vec());
        assert!(pair.bob.take_told().contains(&shown));
        refused
    });
    assert!(failed >= 5, "{failed}");
}

#[test]
fn a_message_that_could_not_be_read_can_be_read_when_it_comes_again() {
    let mut pair = Pair::in_session(Version::V3);
    let failed = each(|count| {
        let sent = pair.alice.conversation.encrypt_text(TEXT, &chain(), 1000);
        let message = sent.unwrap();
        let session = pair.bob.conversation.secrets.session.as_mut().unwrap();
        let mut read = Received::<Vec<u8>>::default();
        let (result, refused) = refusal::after(count, || session.decrypt(&message, &mut read));
        if let Err(why) = result {
            assert_eq!(why.error, ProtocolError::OutOfMemory);
            session.decrypt(&message, &mut read).unwrap();
        }
        assert_eq!((read.text.as_deref(), &read.tlvs), (Some(TEXT), &chain()));
        refused
    });
    assert!(failed >= 5, "{failed}");
}

#[test]
fn a_message_that_could_not_be_read_is_told_to_both_sides() {
    let mut pair = Pair::in_session(Version::V3);
    let failed = each(|count| {
        let question = Tlv::new(tlv::SMP1Q, b"who?\0").unwrap();
        let sent = pair
            .alice
            .conversation
            .encrypt_text(TEXT, &[question], 1000);
        let message = sent.unwrap();
        let (mut effects, shared) = (Vec::new(), &mut pair.bob.shared);
        let conversation = &mut pair.bob.conversation;
        let mut received = Received::<Vec<u8>>::default();
        let (is_read, refused) = refusal::after(count, || {
            conversation.on_data(
                &message,
                || false,
                shared,
                1000,
                &mut received,
                &mut effects,
            )
        });
        assert_eq!(is_read, !refused);
        let told = format!("{effects:?}");
        let expected = if refused {
            "[Notify(ReceivedUnreadable, ..), ReportError(Unreadable)]"
        } else {
            "[Then(SmpMessages([Tlv { kind: 7, 5 bytes }]))]"
        };
        assert_eq!(told, expected);
        refused
    });
    assert!(failed >= 5, "{failed}");
}

#[test]
fn what_is_not_sent_for_want_of_memory_leaves_no_trace() {
    let mut pair = Pair::new();
    let (alice, mut held) = (&mut pair.alice, HeldTexts::default());
    let policy = Policy {
        send_whitespace_tag: true,
        ..alice.policy
    };
    let failed = each(|count| {
        let c = &mut alice.conversation;
        let (first, tag_refused) = refusal::after(count, || c.outgoing(TEXT, policy, b"alice"));
        let (second, query_refused) =
            refusal::after(count, || c.outgoing(b"?OTR?", policy, b"alice"));
        assert_eq!(
            (first.is_err(), second.is_err()),
            (tag_refused, query_refused)
        );
        let (waits, refused) = refusal::after(count, || {
            c.hold_back(TEXT, &mut held, policy, b"alice", 1000)
        });
        assert_eq!(waits.is_err(), refused);
        assert_eq!((held.is_empty(), c.last_sent == 1000), (refused, !refused));
        if tag_refused {
            assert_eq!(c.offer, Offer::Not);
        }
        refused
    });
    assert!(failed >= 2, "{failed}");
    held.remove_last();
    assert!(held.is_empty());
}

#[test]
fn fragments_that_find_no_memory_are_lost_and_the_next_message_is_not() {
    let header = FragmentHeader::V2;
    let pieces = split(TEXT, 40, header).unwrap().to_vecs().unwrap();
    let failed = each(|count| {
        let mut secrets = crate::conversation::Secrets::default();
        let (accumulated, refused) = refusal::after(count, || {
            let accept = |piece: &Vec<u8>| secrets.accept_fragment(piece, 1000, 1000);
            pieces.iter().map(accept).collect::<Vec<_>>()
        });
        assert_eq!(accumulated.contains(&Accumulated::Lost), refused);
        assert!(secrets.reassembly.data().is_empty());
        let again = pieces
            .iter()
            .map(|piece| secrets.accept_fragment(piece, 1000, 1000));
        assert_eq!(again.last(), Some(Accumulated::Complete(TEXT.to_vec())));
        refused
    });
    assert!(failed >= 2, "{failed}");
}

#[test]
fn an_smp_message_without_memory_comes_at_the_wrong_time_and_is_no_cheat() {
    let mut pair = Pair::in_session(Version::V3);
    let ours = pair.alice.key.fingerprint();
    let question = [Tlv::new(tlv::SMP1Q, b"who?\0").unwrap()];
    let (effects, refused) = refusal::after(0, || {
        let bob = &mut pair.bob;
        bob.conversation.on_smp_messages(&bob.smp, &question)
    });
    assert!(refused);
    assert_eq!(format!("{effects:?}"), "[Smp(Error, 0, ..)]");
    let (effects, refused) = refusal::after(0, || {
        let bob = &mut pair.bob;
        let smp = &mut bob.smp;
        bob.conversation
            .on_smp_message(smp, &question[0], Expected::Message1)
    });
    assert!(refused);
    assert_eq!(format!("{effects:?}"), "[Smp(Error, 0, ..)]");
    let alice = &mut pair.alice;
    let failed = each(|count| {
        let (begun, refused) = refusal::after(count, || {
            let smp = &mut alice.smp;
            alice
                .conversation
                .initiate_smp(smp, &ours, Some(b"who?"), b"x")
        });
        assert_eq!(begun.is_err(), refused);
        assert_eq!(alice.smp.numbers.x2.is_none(), refused);
        refused
    });
    assert!(failed >= 3, "{failed}");
}

#[test]
fn an_exchange_is_refused_or_goes_through() {
    let failed = each(|count| {
        let mut pair = Pair::new();
        let ((), refused) = refusal::after(count, || pair.start(Version::V3));
        if refused {
            let told = [pair.alice.take_told(), pair.bob.take_told()].concat();
            assert!(told.contains(&Told::SetupFailed));
            pair.alice.now += 1000;
            pair.bob.now += 1000;
            pair.start(Version::V3);
        }
        assert!(pair.alice.is_secure() && pair.bob.is_secure());
        refused
    });
    assert!(failed >= 10, "{failed}");
}
