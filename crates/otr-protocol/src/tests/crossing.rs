//! Two exchanges begun at the same moment, and commits that wait in the master context.

use super::*;
use crate::ake::expiry::{REPEAT_INTERVAL, REVEAL_LIFETIME};
use crate::ake::{AuthState, CommitOutcome};
use crate::error::ProtocolError;
use crate::opened_pairs::OpenedPairs;
use crate::session_id::BoldHalf;
use crate::wire::armour::armour;
use crate::wire::messages::DhKey;
use otr_crypto::group::Element;

const TAGS: Tags = Tags {
    ours: 0x1111,
    theirs: 0x2222,
};

fn start(version: Version) -> Auth {
    Auth::start(version, TAGS).unwrap()
}

fn commit_of(auth: &Auth) -> (Vec<u8>, [u8; 32]) {
    (
        auth.last_message.clone().unwrap(),
        *auth.pending_commit().unwrap(),
    )
}

/// Two exchanges; the hash of the first is the higher one.
fn two(higher: Version, lower: Version) -> (Auth, Auth) {
    let mut pairs = (0..100).map(|_| (start(higher), start(lower)));
    pairs
        .find(|(high, low)| high.pending_commit() > low.pending_commit())
        .unwrap()
}

fn receive(auth: &mut Auth, from: &Auth) -> Result<CommitOutcome, ProtocolError> {
    auth.on_commit(&commit_of(from).0, from.version.unwrap(), TAGS, None)
}

fn is_dh_key(auth: &Auth) -> bool {
    message_kind(auth.last_message.as_ref().unwrap()) == MessageKind::DhKey
}

#[test]
fn the_higher_hash_wins() {
    for version in [Version::V2, Version::V3] {
        let (mut high, mut low) = two(version, version);
        let ours = commit_of(&high);
        assert_eq!(receive(&mut high, &low), Ok(CommitOutcome::OursWins));
        assert_eq!(commit_of(&high), ours);
        assert_eq!(receive(&mut low, &high), Ok(CommitOutcome::Answered));
        assert!(is_dh_key(&low) && !low.initiated);
        let AuthState::AwaitingRevealSig(responding) = low.state else {
            panic!("it waits for something else")
        };
        // It may be anybody's: ours goes on in parallel.
        assert!(responding.begun.is_some());
    }
}

#[test]
fn a_commit_of_another_version_is_answered_whatever_its_hash() {
    let (mut high, low) = two(Version::V3, Version::V2);
    assert_eq!(receive(&mut high, &low), Ok(CommitOutcome::Answered));
    assert!(is_dh_key(&high) && high.version == Some(Version::V2));
}

/// If it were sent again, it would come back again; if it were answered, it would lead to a session with ourselves.
#[test]
fn our_own_commit_changes_nothing_when_it_comes_back() {
    let mut ours = start(Version::V2);
    let same = ours.clone();
    assert_eq!(receive(&mut ours, &same), Ok(CommitOutcome::Reflected));
    assert_eq!(commit_of(&ours), commit_of(&same));
}

#[test]
fn a_commit_that_waits_in_the_master_context_is_a_rival_by_its_hash() {
    let (commit, hash) = commit_of(&start(Version::V3));
    for (rival, outcome) in [
        ([0; 32], CommitOutcome::Answered),
        (hash, CommitOutcome::Reflected),
        ([0xff; 32], CommitOutcome::RivalWins),
    ] {
        let mut auth = Auth::default();
        let became = auth.on_commit(&commit, Version::V3, TAGS, Some(&rival));
        let is_answered = became == Ok(CommitOutcome::Answered);
        assert_eq!(became, Ok(outcome));
        assert_eq!(matches!(auth.state, AuthState::None), !is_answered);
    }
}

#[test]
fn a_commit_that_this_instance_has_answered_is_no_rival() {
    let mut pair = Pair::new();
    let (hash, old): ([u8; 32], &[u8]) = ([0xff; 32], b"the old commit");
    let (commit, _) = commit_of(&start(Version::V3));
    let Side {
        conversation, auth, ..
    } = &mut pair.bob;
    conversation.secrets.masters_commit.answer(hash);
    let effects = conversation.on_dh_commit(auth, &commit, Version::V3, Some((&hash, old)), NOW);
    assert!(matches!(&effects[..], [Effect::Inject(message), ..] if message != old));
    assert!(!conversation.secrets.masters_commit.has_lost(&hash));
}

#[test]
fn a_dh_key_is_answered_again_when_it_is_the_same() {
    let mut pair = Pair::new();
    let mut ours = start(Version::V3);
    pair.bob.receive(&commit_of(&ours).0);
    let first = pair.bob.outbox.remove(0);
    let key = pair.alice.key;
    assert_eq!(
        ours.on_dh_key(&first, key, TAGS, &Default::default()),
        Ok(true)
    );
    let reveal = ours.last_message.clone();
    assert_eq!(
        ours.on_dh_key(&first, key, TAGS, &Default::default()),
        Ok(true)
    );
    assert_eq!(ours.last_message, reveal);
    let header = pair.bob.conversation.tags.header(Version::V3);
    let gy = vec![2];
    assert!(Element::from_bytes(&gy).is_some());
    let other = armour(&DhKey { header, gy }.serialise().unwrap()).unwrap();
    assert_eq!(
        ours.on_dh_key(&other, key, TAGS, &Default::default()),
        Ok(false)
    );
    assert_eq!(ours.last_message, reveal);
}

/// The instance's own exchange goes on like any other, although a commit of the master has lost here before.
#[test]
fn a_lost_commit_of_the_masters_does_not_disturb_the_instances_own() {
    let mut pair = Pair::new();
    let alice = &mut pair.alice;
    alice.conversation.secrets.masters_commit.lose([7; 32]);
    alice.receive(b"?OTRv3?");
    pair.bob.receive(&alice.outbox.remove(0));
    let dh_key = pair.bob.outbox.remove(0);
    let master = Auth::default();
    let mut answers = [(); 2].map(|()| {
        let Side {
            conversation,
            auth,
            key,
            ..
        } = &mut *alice;
        let effects =
            conversation.on_dh_key(auth, Some(&master), &Default::default(), &dh_key, key, NOW);
        alice.deliver(effects);
        std::mem::take(&mut alice.outbox)
    });
    assert_eq!(answers[0], answers[1]);
    pair.bob.receive(&answers[0].remove(0));
    pair.settle();
    assert!(pair.alice.is_secure() && pair.bob.is_secure());
}

/// Any instance may answer the DH-commit of a master context, so a timer has to wipe its key.
#[test]
fn the_masters_commit_is_watched_and_no_other() {
    for is_master in [false, true] {
        for version in [Version::V2, Version::V3] {
            let mut pair = Pair::new();
            let Side {
                conversation, auth, ..
            } = &mut pair.alice;
            conversation.is_master = is_master;
            let effects =
                conversation.start_ake(auth, &Default::default(), |_| false, version, NOW);
            if is_master && version == Version::V3 {
                assert!(matches!(
                    effects[..],
                    [Effect::Inject(_), Effect::WatchCommit]
                ));
                assert_eq!((auth.waits_since, conversation.last_sent), (NOW, 0));
            } else {
                assert!(matches!(
                    effects[..],
                    [Effect::Inject(_), Effect::RecentlySent]
                ));
                assert_eq!((auth.waits_since, conversation.last_sent), (NOW, NOW));
            }
        }
    }
}

/// Both sides may ask for a session, and more than once: the other side's answers are to one DH-commit.
#[test]
fn a_query_is_answered_by_the_exchange_under_way() {
    for version in [Version::V2, Version::V3] {
        let query = query_for(version);
        let mut pair = Pair::new();
        let ask = |alice: &mut Side| {
            alice.receive(query);
            alice.outbox.remove(0)
        };
        let commit = ask(&mut pair.alice);
        assert_eq!(ask(&mut pair.alice), commit);
        pair.alice.now += 9;
        assert_eq!(ask(&mut pair.alice), commit);
        pair.bob.receive(&commit);
        pair.alice.receive(&pair.bob.outbox.remove(0));
        let reveal = pair.alice.outbox.remove(0);
        assert_eq!(ask(&mut pair.alice), reveal);
        // A side that waits too long starts again.
        pair.alice.now += 10;
        let anew = ask(&mut pair.alice);
        assert_eq!(message_kind(&anew), MessageKind::DhCommit);
        assert_ne!(anew, commit);
    }
}

/// A DH-commit that has lost, or has opened a session, is not sent again.
#[test]
fn a_spent_commit_is_not_sent_again() {
    let mut pair = Pair::new();
    let Side {
        conversation,
        auth,
        shared,
        ..
    } = &mut pair.alice;
    conversation.start_ake(auth, &shared.opened, |_| false, Version::V3, NOW);
    let commit = auth.last_message.clone();
    conversation.start_ake(auth, &shared.opened, |_| true, Version::V3, NOW);
    assert_ne!(auth.last_message, commit);
    let commit = auth.last_message.clone();
    let ours = auth.commitment().unwrap().our_dh.public().clone();
    shared.opened.note(&ours, &ours);
    conversation.start_ake(auth, &shared.opened, |_| false, Version::V3, NOW);
    assert_ne!(auth.last_message, commit);
}

/// Two sides that have answered each other's DH-commits and revealed their own values; each one's reveal signature is in its
/// outbox. With the two exchanges that they began.
fn both_have_revealed() -> (Pair, [Auth; 2]) {
    let [mine, theirs] =
        [0x1111, 0x2222].map(|ours| Auth::start(Version::V3, Tags { ours, theirs: 0 }).unwrap());
    let mut pair = Pair::new();
    pair.alice.receive(&commit_of(&theirs).0);
    pair.bob.receive(&commit_of(&mine).0);
    let [from_alice, from_bob] = [&mut pair.alice, &mut pair.bob].map(|side| side.outbox.remove(0));
    for (side, master, message) in [
        (&mut pair.alice, &mine, &from_bob),
        (&mut pair.bob, &theirs, &from_alice),
    ] {
        let (c, auth, opened) = (&mut side.conversation, &mut side.auth, &side.shared.opened);
        let effects = c.on_dh_key(auth, Some(master), opened, message, side.key, NOW);
        side.deliver(effects);
    }
    (pair, [mine, theirs])
}

/// Each side has answered the other's DH-commit, and revealed its own: the two must not end in different sessions, and messages
/// of the one that does not count must be read.
#[test]
fn of_two_exchanges_that_are_both_finished_the_higher_hash_counts() {
    let mut winners = [0, 0];
    while winners.contains(&0) {
        let (mut pair, [mine, theirs]) = both_have_revealed();
        // Each accepts the other's reveal signature, and writes at once.
        let [from_alice, from_bob] =
            [&mut pair.alice, &mut pair.bob].map(|side| side.outbox.remove(0));
        pair.alice.receive(&from_bob);
        pair.bob.receive(&from_alice);
        for side in [&mut pair.alice, &mut pair.bob] {
            let text = side.conversation.encrypt_text(b"hello", &[], NOW).unwrap();
            side.outbox.push(text);
        }
        let [to_bob, to_alice] =
            [&mut pair.alice, &mut pair.bob].map(|side| std::mem::take(&mut side.outbox));
        to_bob.iter().for_each(|message| pair.bob.receive(message));
        to_alice
            .iter()
            .for_each(|message| pair.alice.receive(message));
        for side in [&pair.alice, &pair.bob] {
            assert!(side.told.contains(&Told::Text(b"hello".to_vec())));
            assert!(side.conversation.secrets.crossed.is_none());
        }
        let [alice, bob] = [&pair.alice, &pair.bob].map(|side| side.conversation.session_id);
        assert_eq!(alice.as_bytes(), bob.as_bytes());
        let mine_wins = commit_of(&mine).1 > commit_of(&theirs).1;
        assert_eq!(alice.half() == BoldHalf::First, mine_wins);
        winners[usize::from(mine_wins)] += 1;
    }
}

/// A signature that comes too late finishes nothing.
#[test]
fn a_crossing_exchange_does_not_wait_for_ever() {
    for late in [0, REVEAL_LIFETIME + 1] {
        let (mut pair, [mine, _]) = both_have_revealed();
        let [from_alice, from_bob] =
            [&mut pair.alice, &mut pair.bob].map(|side| side.outbox.remove(0));
        pair.alice.receive(&from_bob);
        pair.bob.receive(&from_alice);
        let signature = pair.bob.outbox.remove(0);
        pair.alice.now = NOW + late;
        pair.alice.receive(&signature);
        let our_value = mine.commitment().unwrap().our_dh.public().clone();
        let finished = pair.alice.shared.opened.have_opened(&our_value);
        assert_eq!(finished, late == 0);
        assert!(pair.alice.conversation.secrets.crossed.is_none());
    }
}

/// A DH-key does not say which DH-commit it answers. A repeated one, sent before our reveal signature arrived, does not answer
/// the DH-commit that our master context has sent since, unless the exchange makes no progress.
#[test]
fn a_dh_key_again_answers_the_commit_that_it_answered() {
    for (passed, adopts) in [(REPEAT_INTERVAL - 1, false), (REPEAT_INTERVAL, true)] {
        let [first, second] = [(); 2].map(|()| start(Version::V3));
        let mut pair = Pair::new();
        pair.bob.receive(&commit_of(&first).0);
        let dh_key = pair.bob.outbox.remove(0);
        let alice = &mut pair.alice;
        for (master, now) in [(&first, NOW), (&second, NOW + passed)] {
            let (c, auth, opened) = (
                &mut alice.conversation,
                &mut alice.auth,
                &alice.shared.opened,
            );
            let effects = c.on_dh_key(auth, Some(master), opened, &dh_key, alice.key, now);
            alice.deliver(effects);
        }
        let [revealed, again] = &alice.outbox[..] else {
            panic!("one message for each DH-key: {:?}", alice.outbox)
        };
        assert_eq!(revealed != again, adopts, "{passed}");
        let expected = if adopts { &second } else { &first };
        let revealed = alice.auth.revealed().unwrap();
        assert_eq!(
            Some(&revealed.commitment.hashed_gx),
            expected.pending_commit()
        );
    }
}

/// A DH-commit that arrives again after we have revealed our value does not undo that.
#[test]
fn a_commit_again_after_the_reveal_changes_nothing() {
    let (mut pair, [_, theirs]) = both_have_revealed();
    pair.alice.outbox.clear();
    pair.alice.receive(&commit_of(&theirs).0);
    assert!(matches!(pair.alice.auth.state, AuthState::AwaitingSig(_)));
    let [answer] = &pair.alice.outbox[..] else {
        panic!("not answered: {:?}", pair.alice.outbox)
    };
    assert_eq!(message_kind(answer), MessageKind::DhKey);
}

/// A forged answer to our DH-commit does not prevent the exchange that the correspondent begins afterwards.
#[test]
fn a_made_up_dh_key_does_not_bar_their_exchange() {
    for _ in 0..4 {
        let opened = &mut OpenedPairs::default();
        let mut alice = start(Version::V2);
        let header = TAGS.header(Version::V2);
        let made_up = armour(
            &DhKey {
                header,
                gy: vec![2],
            }
            .serialise()
            .unwrap(),
        )
        .unwrap();
        assert_eq!(alice.on_dh_key(&made_up, &KEYS[0], TAGS, opened), Ok(true));
        let mut bob = start(Version::V2);
        assert_eq!(receive(&mut alice, &bob), Ok(CommitOutcome::Answered));
        let dh_key = alice.last_message.clone().unwrap();
        assert_eq!(bob.on_dh_key(&dh_key, &KEYS[1], TAGS, opened), Ok(true));
        let reveal = bob.last_message.clone().unwrap();
        assert!(
            alice
                .on_reveal_signature(&reveal, &KEYS[0], TAGS, opened)
                .unwrap()
                .is_some()
        );
    }
}
