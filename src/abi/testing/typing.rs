//! Two people type while the exchange between them is running. The network delivers each direction in order, the two
//! interleaved in any way.

use std::collections::VecDeque;
use std::fmt;

use super::library::{Library, OURS};
use super::party::{ALICE, BOB, Party, Told};
use super::{Rng, first_seed, schedules, trace};
use crate::abi::types::*;

/// After so many messages, an exchange that is still going on is considered endless.
pub(crate) const ENDLESS: usize = 60;

/// What can happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    Types(usize),
    Arrives(usize),
}

pub(crate) struct Conversation {
    pub parties: [Party; 2],
    /// Messages in transit to each of the two.
    pub queues: [VecDeque<Vec<u8>>; 2],
    to_type: [usize; 2],
    pub typed: [usize; 2],
    /// The numbers of the other's texts that each has received.
    pub got: [Vec<usize>; 2],
    /// The same for texts with the mark of a text that is sent again.
    pub got_again: [Vec<usize>; 2],
    /// How often each was told that one of their own texts may be lost.
    pub warned: [usize; 2],
    /// How often each was told that something could not be read.
    pub unreadable: [usize; 2],
    delivered: usize,
}

/// What a notice to a party means for the texts.
pub(crate) enum Meaning<'a> {
    Shown(&'a [u8]),
    /// One of the party's own texts may be lost; the notice, which may contain the correspondent's error text.
    Warned(&'a [u8]),
    /// A message from the correspondent could not be read.
    Unreadable,
    Other,
}

pub(crate) fn meaning(told: &Told) -> Meaning<'_> {
    match told {
        Told::Text(text) => Meaning::Shown(text),
        #[cfg(feature = "abi5")]
        Told::Message(MSGEVENT_RCVDMSG_UNENCRYPTED, text, _) => Meaning::Shown(text),
        #[cfg(feature = "abi5")]
        Told::Message(MSGEVENT_RCVDMSG_GENERAL_ERR | MSGEVENT_ENCRYPTION_ERROR, ..) => {
            Meaning::Warned(b"")
        }
        #[cfg(feature = "abi5")]
        Told::Message(
            MSGEVENT_RCVDMSG_UNREADABLE
            | MSGEVENT_RCVDMSG_NOT_IN_PRIVATE
            | MSGEVENT_RCVDMSG_MALFORMED
            | MSGEVENT_RCVDMSG_FOR_OTHER_INSTANCE,
            ..,
        ) => Meaning::Unreadable,
        #[cfg(feature = "abi2")]
        Told::Line(line) if line.starts_with(b"OTR Error") => Meaning::Warned(line),
        #[cfg(feature = "abi2")]
        Told::Line(line) => Meaning::Shown(line),
        _ => Meaning::Other,
    }
}

/// The number of the text in a shown message, and whether it is marked as sent again.
pub(crate) fn number_in(shown: &[u8]) -> Option<(usize, bool)> {
    let shown = String::from_utf8_lossy(shown);
    let at = shown.find("text ")?;
    let digits: String = shown[at + 5..]
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    Some((digits.parse().ok()?, shown.contains("[resent]")))
}

/// How a conversation ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub endless: bool,
    pub session: bool,
    /// Texts that never arrived and whose sender was not told.
    pub lost: usize,
    /// Texts that never arrived.
    pub missing: usize,
    /// Texts that arrived twice, or after a later one.
    pub disorder: usize,
}

impl Outcome {
    /// The exchange has ended, there is one session, and every text arrived once and in order.
    pub(crate) fn is_good(self) -> bool {
        self.session && !self.endless && self.lost + self.disorder == 0
    }
}

impl Conversation {
    pub(crate) fn new(libraries: [&'static Library; 2], policy: u32, texts: [usize; 2]) -> Self {
        Self {
            parties: [
                Party::on(libraries[0], ALICE, BOB, policy),
                Party::on(libraries[1], BOB, ALICE, policy),
            ],
            queues: Default::default(),
            to_type: texts,
            typed: [0; 2],
            got: Default::default(),
            got_again: Default::default(),
            warned: [0; 2],
            unreadable: [0; 2],
            delivered: 0,
        }
    }

    fn possible(&self) -> Vec<Event> {
        let mut events = Vec::new();
        for who in 0..2 {
            if self.to_type[who] > 0 {
                events.push(Event::Types(who));
            }
            if !self.queues[who].is_empty() {
                events.push(Event::Arrives(who));
            }
        }
        events
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Types(who) => {
                self.to_type[who] -= 1;
                self.types(who);
            }
            Event::Arrives(who) => {
                self.delivered += 1;
                if let Some(message) = self.queues[who].pop_front() {
                    self.parties[who].receive(&message);
                }
            }
        }
        self.collect();
    }

    /// One of them types another text.
    pub(crate) fn types(&mut self, who: usize) {
        self.typed[who] += 1;
        let text = format!("text {}", self.typed[who]);
        if self.parties[who].send(text.as_bytes()).is_err() {
            self.warned[who] += 1;
        }
    }

    /// Collects the output of the parties.
    pub(crate) fn collect(&mut self) {
        for who in 0..2 {
            let sent = self.parties[who].take_outbox();
            self.queues[1 - who].extend(sent);
            for told in self.parties[who].take_told() {
                trace(|| format!("    {who} is told {told:?}"));
                match meaning(&told) {
                    Meaning::Shown(text) => self.note(who, text),
                    Meaning::Warned(text) => {
                        self.note(who, text);
                        self.warned[who] += 1;
                    }
                    Meaning::Unreadable => self.unreadable[who] += 1,
                    Meaning::Other => {}
                }
            }
        }
    }

    /// A text is shown, perhaps with other text around it.
    fn note(&mut self, who: usize, shown: &[u8]) {
        if let Some((number, again)) = number_in(shown) {
            let numbers = if again {
                &mut self.got_again[who]
            } else {
                &mut self.got[who]
            };
            numbers.push(number);
        }
    }

    fn outcome(&mut self) -> Outcome {
        let ids = [0, 1].map(|who| self.parties[who].session_id());
        let mut outcome = Outcome {
            endless: self.delivered >= ENDLESS,
            session: !ids[0].is_empty() && ids[0] == ids[1],
            ..Outcome::default()
        };
        for who in 0..2 {
            let (got, again) = (&self.got[1 - who], &self.got_again[1 - who]);
            let missing = (1..=self.typed[who])
                .filter(|n| !got.contains(n) && !again.contains(n))
                .count();
            outcome.missing += missing;
            outcome.lost += missing.saturating_sub(self.warned[who]);
            outcome.disorder += got.windows(2).filter(|pair| pair[0] >= pair[1]).count();
        }
        outcome
    }
}

/// Plays one conversation; `choose` selects the next event.
fn play(
    libraries: [&'static Library; 2],
    policy: u32,
    texts: [usize; 2],
    mut choose: impl FnMut(usize) -> usize,
) -> (Outcome, Vec<Event>) {
    let mut conversation = Conversation::new(libraries, policy, texts);
    let mut events = Vec::new();
    while conversation.delivered < ENDLESS {
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

/// The sums over many conversations.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sum {
    played: usize,
    endless: usize,
    sessions: usize,
    lost: usize,
    missing: usize,
    disorder: usize,
}

impl Sum {
    pub(crate) fn add(&mut self, outcome: Outcome) {
        self.played += 1;
        self.endless += usize::from(outcome.endless);
        self.sessions += usize::from(outcome.session);
        self.lost += outcome.lost;
        self.missing += outcome.missing;
        self.disorder += outcome.disorder;
    }
}

#[cfg(otr_real_library)]
impl Sum {
    /// Whether there were more endless ones or fewer sessions. Keys are random, and with them which DH-commit wins, so there
    /// may be a few sessions fewer by chance.
    pub(crate) fn is_worse_than(&self, other: &Self) -> bool {
        self.endless > other.endless || self.sessions + self.chance() < other.sessions
    }

    fn chance(&self) -> usize {
        self.played.isqrt()
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} conversations, {} sessions, {} endless; texts: {} lost, {} missing, {} twice or out of order",
            self.played, self.sessions, self.endless, self.lost, self.missing, self.disorder
        )
    }
}

/// The sum over some seeds, and the first one that did not end well. `play` returns `None` if nobody types.
pub(crate) fn over_seeds(
    count: u64,
    mut play: impl FnMut(&mut Rng) -> Option<Outcome>,
) -> (Sum, Option<u64>) {
    let mut sum = Sum::default();
    let mut first_bad = None;
    for seed in first_seed()..first_seed() + count {
        let Some(outcome) = play(&mut Rng::new(seed)) else {
            continue;
        };
        sum.add(outcome);
        if !outcome.is_good() && first_bad.is_none() {
            first_bad = Some(seed);
        }
    }
    (sum, first_bad)
}

/// Random orders of up to four texts on each side.
fn random(libraries: [&'static Library; 2], policy: u32, count: u64) -> (Sum, Option<u64>) {
    over_seeds(count, |rng| {
        let texts = [rng.below(5), rng.below(5)];
        (texts != [0, 0]).then(|| play(libraries, policy, texts, |choices| rng.below(choices)).0)
    })
}

/// Plays the conversations of `random` for each policy: all must end well.
pub(crate) fn all_end_well(
    policies: impl IntoIterator<Item = (&'static str, u32)>,
    random: impl Fn(u32) -> (Sum, Option<u64>),
) {
    let mut bad = Vec::new();
    for (name, policy) in policies {
        let (sum, first_bad) = random(policy);
        println!("{name}: {sum}; first bad {first_bad:?}");
        bad.extend(first_bad.map(|seed| (name, seed)));
    }
    assert_eq!(bad, []);
}

/// Every order of the first `depth` events; the rest in a fixed order.
fn every_order(policy: u32, texts: [usize; 2], depth: usize) -> (Sum, Vec<Vec<Event>>) {
    let mut sum = Sum::default();
    let mut bad = Vec::new();
    every_choice(depth, |choose| {
        let (outcome, events) = play([&OURS, &OURS], policy, texts, choose);
        sum.add(outcome);
        if !outcome.is_good() {
            bad.push(events);
        }
    });
    (sum, bad)
}

/// Runs `play` with every combination of the first `depth` choices; later ones are made in turn.
pub(crate) fn every_choice(depth: usize, mut play: impl FnMut(&mut dyn FnMut(usize) -> usize)) {
    let mut prefix: Vec<usize> = Vec::new();
    loop {
        let mut widths = Vec::new();
        play(&mut |choices| {
            let at = widths.len();
            widths.push(choices);
            match prefix.get(at) {
                Some(choice) => *choice,
                None if at < depth => 0,
                None => at % choices,
            }
        });
        // The next prefix, like incrementing a number.
        prefix.resize(depth.min(widths.len()), 0);
        while prefix
            .last()
            .is_some_and(|last| last + 1 >= widths[prefix.len() - 1])
        {
            prefix.pop();
        }
        match prefix.last_mut() {
            Some(last) => *last += 1,
            None => return,
        }
    }
}

#[cfg(feature = "abi5")]
pub(crate) const POLICIES: [(&str, u32); 9] = {
    const ALWAYS: u32 = POLICY_ALWAYS & !POLICY_VERSION_MASK;
    const OPPORTUNISTIC: u32 = POLICY_OPPORTUNISTIC & !POLICY_VERSION_MASK;
    const QUIET: u32 = POLICY_REQUIRE_ENCRYPTION;
    [
        ("always, version 2", ALWAYS | POLICY_ALLOW_V2),
        ("always, version 3", ALWAYS | POLICY_ALLOW_V3),
        ("always, both", ALWAYS | POLICY_ALLOW_V2 | POLICY_ALLOW_V3),
        ("opportunistic, version 2", OPPORTUNISTIC | POLICY_ALLOW_V2),
        ("opportunistic, version 3", OPPORTUNISTIC | POLICY_ALLOW_V3),
        (
            "opportunistic, both",
            OPPORTUNISTIC | POLICY_ALLOW_V2 | POLICY_ALLOW_V3,
        ),
        ("required, version 2", QUIET | POLICY_ALLOW_V2),
        ("required, version 3", QUIET | POLICY_ALLOW_V3),
        ("required, both", QUIET | POLICY_ALLOW_V2 | POLICY_ALLOW_V3),
    ]
};

#[cfg(feature = "abi2")]
const POLICIES: [(&str, u32); 3] = [
    ("always, version 2", POLICY_ALWAYS & !POLICY_ALLOW_V1),
    (
        "opportunistic, version 2",
        POLICY_OPPORTUNISTIC & !POLICY_ALLOW_V1,
    ),
    (
        "required, version 2",
        POLICY_REQUIRE_ENCRYPTION | POLICY_ALLOW_V2,
    ),
];

#[test]
fn everything_arrives_in_every_order_of_few_texts() {
    let depth = schedules("OTR_TYPING_DEPTH", 4) as usize;
    for (name, policy) in POLICIES {
        for texts in [[1, 0], [1, 1], [2, 1], [2, 2]] {
            let (sum, bad) = every_order(policy, texts, depth);
            println!("{name}, {texts:?}: {sum}");
            assert_eq!(bad, Vec::<Vec<Event>>::new(), "{name}, {texts:?}");
        }
    }
}

#[test]
fn everything_arrives_whoever_types_when() {
    let count = schedules("OTR_TYPING_SCHEDULES", 60);
    all_end_well(POLICIES, |policy| random([&OURS, &OURS], policy, count));
}

/// With libotr on one side: never fewer sessions, never more texts lost, than with libotr on both.
#[cfg(otr_real_library)]
#[test]
fn with_the_real_library_it_is_no_worse() {
    let real = &*super::library::REAL;
    let count = schedules("OTR_TYPING_SCHEDULES", 60);
    let mut worse = Vec::new();
    for (name, policy) in POLICIES {
        let (reals, _) = random([real, real], policy, count);
        println!("{name}, real and real: {reals}");
        for (order, libraries) in [
            ("ours and real", [&OURS, real]),
            ("real and ours", [real, &OURS]),
        ] {
            let (sum, first_bad) = random(libraries, policy, count);
            println!("{name}, {order}: {sum}; first bad {first_bad:?}");
            if sum.is_worse_than(&reals) || sum.lost > reals.lost + reals.chance() {
                worse.push((name, order));
            }
        }
    }
    assert_eq!(worse, []);
}
