//! A network that loses, repeats, delays and reorders whole messages, and users whose clients restart in between.
//!
//! A text that the network itself has lost is lost; nobody can know of it. Every other text is shown, or somebody is told:
//! the sender that it failed, or the recipient that something could not be read. No text is shown twice without the mark of
//! one that is sent again.

use std::fmt;

use super::library::{Library, OURS};
use super::party::{ALICE, BOB, Party};
use super::typing::Conversation;
use super::{Rng, first_seed, schedules, trace, wait};
use crate::abi::types::*;
use otr_protocol::wire::classify::{MessageKind, message_kind};

/// What happened to the texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    typed: usize,
    shown: usize,
    /// Not shown, and nobody was told.
    vanished: usize,
    /// Shown twice without a mark.
    twice: usize,
    /// Conversations that could not have a session in the end, although the network had become reliable.
    stuck: usize,
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} texts, {} shown, {} vanished, {} shown twice; {} conversations without a session in the end",
            self.typed, self.shown, self.vanished, self.twice, self.stuck
        )
    }
}

struct World {
    rng: Rng,
    library: &'static Library,
    policy: u32,
    talk: Conversation,
    /// How many of each one's texts may be missing, because the network lost a message or the client restarted.
    excused: [usize; 2],
}

impl World {
    fn new(library: &'static Library, policy: u32, seed: u64) -> Self {
        Self {
            rng: Rng::new(seed),
            library,
            policy,
            talk: Conversation::new([library, library], policy, [0; 2]),
            excused: [0; 2],
        }
    }

    fn step(&mut self) {
        let who = self.rng.below(2);
        let queued = self.talk.queues[who].len();
        match self.rng.below(100) {
            0..20 => {
                trace(|| format!("  {who} types"));
                self.talk.types(who);
            }
            20..75 if queued > 0 => self.deliver(who, 0),
            75..80 if queued > 0 => {
                let which = self.rng.below(queued);
                self.deliver(who, which);
            }
            80..86 if queued > 0 => {
                let which = self.rng.below(queued);
                let copy = self.talk.queues[who][which].clone();
                let place = self.rng.below(queued + 1);
                self.talk.queues[who].insert(place, copy);
            }
            86..93 if queued > 0 => {
                let which = self.rng.below(queued);
                let lost = self.talk.queues[who].remove(which).unwrap();
                trace(|| format!("  lost: {:?} for {who}", message_kind(&lost)));
                if message_kind(&lost) == MessageKind::Data {
                    self.excused[1 - who] += 1;
                }
            }
            93..95 => self.starts_anew(who),
            95.. => wait([1, 5, 12, 70][self.rng.below(4)]),
            _ => {}
        }
        self.talk.collect();
    }

    fn deliver(&mut self, who: usize, which: usize) {
        if let Some(message) = self.talk.queues[who].remove(which) {
            trace(|| format!("  {:?} for {who}", message_kind(&message)));
            self.talk.parties[who].receive(&message);
        }
        self.talk.collect();
    }

    /// The client restarts and loses its state; messages that it has sent may still arrive.
    fn starts_anew(&mut self, who: usize) {
        trace(|| format!("  {who} starts anew"));
        let (name, peer) = if who == 0 { (ALICE, BOB) } else { (BOB, ALICE) };
        let shown = self.shown(who);
        self.excused[who] += self.talk.typed[who] - shown;
        let tag = self.talk.parties[who].our_tag();
        self.talk.parties[who] = Party::on(self.library, name, peer, self.policy);
        if self.rng.below(2) == 0 {
            self.talk.parties[who].set_our_tag(tag);
        }
    }

    /// How many of one's texts were shown to the other.
    fn shown(&self, who: usize) -> usize {
        let (got, again) = (&self.talk.got[1 - who], &self.talk.got_again[1 - who]);
        (1..=self.talk.typed[who])
            .filter(|n| got.contains(n) || again.contains(n))
            .count()
    }

    /// From here on the network is reliable, and both are there.
    fn calm(&mut self) {
        for round in 0..6 {
            if round < 4 {
                wait(30);
                self.talk.types(round % 2);
                self.talk.collect();
            }
            for _ in 0..200 {
                let Some(who) = (0..2).find(|who| !self.talk.queues[*who].is_empty()) else {
                    break;
                };
                self.deliver(who, 0);
            }
        }
    }

    fn sum(&mut self) -> Sum {
        let mut sum = Sum::default();
        for who in 0..2 {
            let shown = self.shown(who);
            let excused = self.excused[who] + self.talk.warned[who] + self.talk.unreadable[1 - who];
            sum.typed += self.talk.typed[who];
            sum.shown += shown;
            sum.vanished += (self.talk.typed[who] - shown).saturating_sub(excused);
            let mut got = self.talk.got[1 - who].clone();
            got.sort_unstable();
            sum.twice += got.windows(2).filter(|pair| pair[0] == pair[1]).count();
        }
        let ids = [0, 1].map(|who| self.talk.parties[who].session_id());
        sum.stuck = usize::from(ids[0].is_empty() || ids[0] != ids[1]);
        sum
    }
}

fn play(library: &'static Library, policy: u32, count: u64) -> (Sum, Option<u64>) {
    let mut all = Sum::default();
    let mut first_bad = None;
    let first = first_seed();
    for seed in first..first + count {
        let mut world = World::new(library, policy, seed);
        for _ in 0..120 {
            world.step();
        }
        world.calm();
        let sum = world.sum();
        if sum.vanished + sum.twice + sum.stuck > 0 && first_bad.is_none() {
            first_bad = Some(seed);
        }
        all = Sum {
            typed: all.typed + sum.typed,
            shown: all.shown + sum.shown,
            vanished: all.vanished + sum.vanished,
            twice: all.twice + sum.twice,
            stuck: all.stuck + sum.stuck,
        };
    }
    (all, first_bad)
}

const POLICIES: [(&str, u32); 3] = [
    ("version 2", POLICY_ALWAYS & !POLICY_ALLOW_V3),
    ("version 3", POLICY_ALWAYS & !POLICY_ALLOW_V2),
    ("both", POLICY_ALWAYS),
];

#[test]
fn no_text_vanishes_without_a_word() {
    let count = schedules("OTR_UNRELIABLE_SCHEDULES", 40);
    let mut bad = Vec::new();
    for (name, policy) in POLICIES {
        let (sum, first_bad) = play(&OURS, policy, count);
        println!("{name}: {sum}; first bad {first_bad:?}");
        bad.extend(first_bad.map(|seed| (name, seed)));
    }
    assert_eq!(bad, []);
}

/// What libotr does in the same schedules: the figures of docs/reliability.md.
#[cfg(otr_real_library)]
#[test]
fn the_real_library_in_the_same_schedules() {
    let count = schedules("OTR_UNRELIABLE_SCHEDULES", 40);
    for (name, policy) in POLICIES {
        let (reals, _) = play(&super::library::REAL, policy, count);
        let (ours, _) = play(&OURS, policy, count);
        println!("{name}: libotr: {reals}");
        assert!(
            ours.vanished <= reals.vanished && ours.stuck <= reals.stuck,
            "{name}"
        );
    }
}
