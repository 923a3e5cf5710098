//! Bob is logged in twice, and everyone types while the exchanges are running. The network delivers Alice's messages to
//! both logins of Bob, and their messages to Alice: each of the four directions in order, interleaved in any way.

use std::collections::VecDeque;

use super::library::{Library, OURS};
use super::party::{ALICE, BOB, Party};
use super::typing::{
    ENDLESS, Meaning, Outcome, POLICIES, Sum, all_end_well, every_choice, meaning, number_in,
    over_seeds,
};
use super::{schedules, trace};
use crate::abi::types::*;

/// There are two exchanges, and everything that Alice sends arrives twice.
const ENDLESS_FOR_THREE: usize = 4 * ENDLESS;

/// The texts of Bob's second login are numbered from here.
const SECOND: usize = 100;

const A: usize = 0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    Types(usize),
    /// The next message for this login of Bob's.
    ArrivesAtBob(usize),
    /// The next message of this login of Bob's.
    ArrivesAtAlice(usize),
}

/// Alice, and the two logins of Bob's.
struct Conversation {
    parties: [Party; 3],
    to_bob: [VecDeque<Vec<u8>>; 2],
    to_alice: [VecDeque<Vec<u8>>; 2],
    to_type: [usize; 3],
    typed: [usize; 3],
    /// The numbers of the texts that each has received; the second list has those marked as sent again.
    got: [[Vec<usize>; 2]; 3],
    warned: [usize; 3],
    delivered: usize,
}

impl Conversation {
    fn new(libraries: [&'static Library; 2], policy: u32, texts: [usize; 3]) -> Self {
        let [of_alice, of_bob] = libraries;
        Self {
            parties: [
                Party::on(of_alice, ALICE, BOB, policy),
                Party::on(of_bob, BOB, ALICE, policy),
                Party::on(of_bob, BOB, ALICE, policy),
            ],
            to_bob: Default::default(),
            to_alice: Default::default(),
            to_type: texts,
            typed: [0; 3],
            got: Default::default(),
            warned: [0; 3],
            delivered: 0,
        }
    }

    fn possible(&self) -> Vec<Event> {
        let types = (0..3)
            .filter(|who| self.to_type[*who] > 0)
            .map(Event::Types);
        let at_bob = (0..2)
            .filter(|login| !self.to_bob[*login].is_empty())
            .map(Event::ArrivesAtBob);
        let at_alice = (0..2)
            .filter(|login| !self.to_alice[*login].is_empty())
            .map(Event::ArrivesAtAlice);
        types.chain(at_bob).chain(at_alice).collect()
    }

    fn happens(&mut self, event: Event) {
        trace(|| format!("{event:?}"));
        match event {
            Event::Types(who) => {
                self.to_type[who] -= 1;
                self.typed[who] += 1;
                let number = self.typed[who] + if who == 2 { SECOND } else { 0 };
                if self.parties[who]
                    .send(format!("text {number}").as_bytes())
                    .is_err()
                {
                    self.warned[who] += 1;
                }
            }
            Event::ArrivesAtBob(login) => {
                self.delivered += 1;
                if let Some(message) = self.to_bob[login].pop_front() {
                    self.parties[1 + login].receive(&message);
                }
            }
            Event::ArrivesAtAlice(login) => {
                self.delivered += 1;
                if let Some(message) = self.to_alice[login].pop_front() {
                    self.parties[A].receive(&message);
                }
            }
        }
        self.collect();
    }

    fn collect(&mut self) {
        for who in 0..3 {
            let sent = self.parties[who].take_outbox();
            for told in self.parties[who].take_told() {
                trace(|| format!("    {who} is told {told:?}"));
                match meaning(&told) {
                    Meaning::Shown(text) => self.note(who, text),
                    Meaning::Warned(_) => self.warned[who] += 1,
                    Meaning::Unreadable | Meaning::Other => {}
                }
            }
            for message in &sent {
                trace(|| {
                    format!(
                        "    {who} sends {}",
                        String::from_utf8_lossy(&message[..message.len().min(60)])
                    )
                });
            }
            match who {
                A => {
                    self.to_bob[0].extend(sent.iter().cloned());
                    self.to_bob[1].extend(sent);
                }
                login => self.to_alice[login - 1].extend(sent),
            }
        }
    }

    fn note(&mut self, who: usize, shown: &[u8]) {
        if let Some((number, again)) = number_in(shown) {
            self.got[who][usize::from(again)].push(number);
        }
    }

    /// `session`: Alice has a session with one login at least, and has the same one with each that has one.
    fn outcome(&mut self) -> Outcome {
        let [alice, first, second] = &mut self.parties;
        let mut with_session = 0;
        let mut same = 0;
        for bob in [first, second] {
            let theirs = bob.session_id();
            if !theirs.is_empty() {
                with_session += 1;
                same += usize::from(alice.session_id_with(bob.our_tag()) == theirs);
            }
        }
        let mut outcome = Outcome {
            endless: self.delivered >= ENDLESS_FOR_THREE,
            session: with_session > 0 && with_session == same,
            ..Outcome::default()
        };
        for who in 0..3 {
            let first = if who == 2 { SECOND } else { 0 };
            let readers: &[usize] = if who == A { &[1, 2] } else { &[A] };
            let numbers = first + 1..=first + self.typed[who];
            let missing = numbers
                .filter(|n| {
                    !readers
                        .iter()
                        .any(|reader| self.got[*reader].concat().contains(n))
                })
                .count();
            outcome.missing += missing;
            outcome.lost += missing.saturating_sub(self.warned[who]);
            for reader in readers {
                let of_this = |n: &&usize| (**n > SECOND) == (who == 2);
                let got: Vec<_> = self.got[*reader][0].iter().filter(of_this).collect();
                outcome.disorder += got.windows(2).filter(|pair| pair[0] >= pair[1]).count();
            }
        }
        outcome
    }
}

fn play(
    libraries: [&'static Library; 2],
    policy: u32,
    texts: [usize; 3],
    choose: &mut dyn FnMut(usize) -> usize,
) -> (Outcome, Vec<Event>) {
    let mut conversation = Conversation::new(libraries, policy, texts);
    let mut events = Vec::new();
    while conversation.delivered < ENDLESS_FOR_THREE {
        let possible = conversation.possible();
        if possible.is_empty() {
            break;
        }
        let event = possible[choose(possible.len())];
        events.push(event);
        conversation.happens(event);
    }
    (conversation.outcome(), events)
}

/// Version 2 has no instances, so it does not support a correspondent who is logged in twice.
fn policies() -> impl Iterator<Item = (&'static str, u32)> {
    POLICIES
        .into_iter()
        .filter(|(_, policy)| policy & POLICY_ALLOW_V3 != 0)
}

fn random(libraries: [&'static Library; 2], policy: u32, count: u64) -> (Sum, Option<u64>) {
    over_seeds(count, |rng| {
        let texts = [rng.below(5), rng.below(5), rng.below(5)];
        (texts != [0; 3])
            .then(|| play(libraries, policy, texts, &mut |choices| rng.below(choices)).0)
    })
}

#[test]
fn everything_arrives_in_every_order_of_few_texts() {
    // More events are possible than between two.
    let depth = schedules("OTR_TYPING_DEPTH", 4) as usize - 1;
    for (name, policy) in policies() {
        for texts in [
            [1, 0, 0],
            [0, 1, 0],
            [0, 1, 1],
            [1, 1, 1],
            [2, 1, 1],
            [2, 2, 2],
        ] {
            let mut sum = Sum::default();
            let mut bad = Vec::new();
            every_choice(depth, |choose| {
                let (outcome, events) = play([&OURS, &OURS], policy, texts, choose);
                sum.add(outcome);
                if !outcome.is_good() {
                    bad.push(events);
                }
            });
            println!("{name}, {texts:?}: {sum}");
            assert_eq!(bad, Vec::<Vec<Event>>::new(), "{name}, {texts:?}");
        }
    }
}

#[test]
fn everything_arrives_whoever_types_when() {
    let count = schedules("OTR_TYPING_SCHEDULES", 40);
    all_end_well(policies(), |policy| random([&OURS, &OURS], policy, count));
}

/// With libotr on one side: never fewer sessions than with libotr on both, except by chance.
#[cfg(otr_real_library)]
#[test]
fn with_the_real_library_it_is_no_worse() {
    let real = &*super::library::REAL;
    let count = schedules("OTR_TYPING_SCHEDULES", 40);
    let mut worse = Vec::new();
    for (name, policy) in policies() {
        let (reals, _) = random([real, real], policy, count);
        println!("{name}, real and real: {reals}");
        for (order, libraries) in [
            ("ours and real", [&OURS, real]),
            ("real and ours", [real, &OURS]),
        ] {
            let (sum, first_bad) = random(libraries, policy, count);
            println!("{name}, {order}: {sum}; first bad {first_bad:?}");
            if sum.is_worse_than(&reals) {
                worse.push((name, order));
            }
        }
    }
    assert_eq!(worse, []);
}
