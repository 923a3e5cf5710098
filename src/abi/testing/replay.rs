//! Random schedules with an attacker who controls the network: who keeps every message, sends it again at any time to
//! anybody, changes its instance tags, reorders and drops messages, and forges what needs no key.
//!
//! Whatever happens, no AES key encrypts two messages with the same counter, no message is accepted under a MAC key that
//! was published, and no text is shown twice. docs/keys.md says why.

use std::collections::HashSet;

use super::party::{ALICE, BOB, MALLORY, Party, Told};
use super::{Rng, first_seed, schedules, wait};
use otr_crypto::group::{Exponent, generator_pow};
use otr_protocol::ake::{Auth, SigningKey, Tags};
use otr_protocol::message_cipher::witness::{self, Mark, Use};
use otr_protocol::wire::armour::{armour, dearmour};
use otr_protocol::wire::classify::{MessageKind, message_kind};
use otr_protocol::wire::messages::{Data, DhCommit, DhKey, V1KeyExchange};
use otr_protocol::wire::version::Version;

/// The parties: Alice, Bob's two logins, and Mallory, who also writes in Bob's name.
const ALICE_HERE: usize = 0;
const PARTIES: usize = 4;

/// The offsets of the sender's and the recipient's instance tags in a message of version 3.
const TAGS_AT: [std::ops::Range<usize>; 2] = [3..7, 7..11];

struct World {
    rng: Rng,
    parties: Vec<Party>,
    /// Messages in transit, with their senders. Alice's go to everybody, the others' to Alice.
    under_way: Vec<(usize, Vec<u8>)>,
    /// Everything that ever was on the network.
    recorded: Vec<(usize, Vec<u8>)>,
    sealed: HashSet<(Mark, [u8; 8])>,
    published: HashSet<Mark>,
    shown: [HashSet<Vec<u8>>; PARTIES],
    texts: usize,
    sessions: usize,
    versions: &'static [&'static [u8]],
}

impl World {
    fn new(seed: u64, policy: u32, versions: &'static [&'static [u8]]) -> Self {
        let names = [(ALICE, BOB), (BOB, ALICE), (BOB, ALICE), (MALLORY, ALICE)];
        witness::take();
        Self {
            rng: Rng::new(seed),
            parties: names
                .map(|(name, peer)| Party::new(name, peer, policy))
                .into(),
            under_way: Vec::new(),
            recorded: Vec::new(),
            sealed: HashSet::new(),
            published: HashSet::new(),
            shown: Default::default(),
            texts: 0,
            sessions: 0,
            versions,
        }
    }

    fn play(&mut self, steps: usize) {
        for _ in 0..steps {
            self.step();
        }
        // The remaining messages arrive at the end.
        while !self.under_way.is_empty() && self.recorded.len() < 400 {
            self.deliver(0);
        }
    }

    fn step(&mut self) {
        match self.rng.below(100) {
            0..40 => self.deliver_in_order(),
            40..45 => self.deliver_any(),
            45..48 => self.lose(),
            48..60 => self.user_sends(),
            60..64 => self.somebody_asks_for_a_session(),
            64..66 => self.user_ends(),
            66..70 => wait([1, 30, 61, 301, 3600][self.rng.below(5)]),
            70..88 => self.replay(),
            88..96 => self.replay_an_exchange(),
            _ => self.make_up(),
        }
    }

    fn deliver_in_order(&mut self) {
        if !self.under_way.is_empty() {
            self.deliver(0);
        }
    }

    fn deliver_any(&mut self) {
        if !self.under_way.is_empty() {
            let which = self.rng.below(self.under_way.len());
            self.deliver(which);
        }
    }

    fn lose(&mut self) {
        if !self.under_way.is_empty() {
            let which = self.rng.below(self.under_way.len());
            self.under_way.remove(which);
        }
    }

    fn deliver(&mut self, which: usize) {
        let (from, message) = self.under_way.remove(which);
        if from == ALICE_HERE {
            for to in 1..PARTIES {
                self.arrive(to, &message);
            }
        } else {
            self.arrive(ALICE_HERE, &message);
        }
    }

    fn user_sends(&mut self) {
        let who = self.rng.below(PARTIES);
        self.sends(who);
    }

    fn sends(&mut self, who: usize) {
        self.texts += 1;
        let text = format!("text {}", self.texts);
        let _ = self.parties[who].send(text.as_bytes());
        self.collect();
    }

    fn user_ends(&mut self) {
        let who = self.rng.below(PARTIES);
        self.parties[who].end();
        self.collect();
    }

    /// A query to either side: the users' own, or a forged one.
    fn somebody_asks_for_a_session(&mut self) {
        let who = self.rng.below(PARTIES);
        let query = self.rng.pick(self.versions);
        self.arrive(who, query);
    }

    fn replay(&mut self) {
        if self.recorded.is_empty() {
            return;
        }
        let (from, message) = self.recorded[self.rng.below(self.recorded.len())].clone();
        let message = self.retag(message);
        let to = match from {
            ALICE_HERE => 1 + self.rng.below(PARTIES - 1),
            _ => ALICE_HERE,
        };
        let to = if self.rng.below(20) == 0 {
            self.rng.below(PARTIES)
        } else {
            to
        };
        self.arrive(to, &message);
    }

    /// Replays what one of them sent, from a message of an exchange on, in the original order; the recipient may answer with a
    /// text.
    fn replay_an_exchange(&mut self) {
        let from = self.rng.below(PARTIES);
        let sent: Vec<Vec<u8>> = self
            .recorded
            .iter()
            .filter(|(sender, _)| *sender == from)
            .map(|(_, message)| message.clone())
            .collect();
        let begins = |message: &Vec<u8>| {
            matches!(
                message_kind(message),
                MessageKind::DhCommit | MessageKind::DhKey | MessageKind::V1KeyExchange
            )
        };
        let beginnings: Vec<usize> = (0..sent.len()).filter(|n| begins(&sent[*n])).collect();
        if beginnings.is_empty() {
            return;
        }
        let first = self.rng.pick(&beginnings);
        let tag = (self.rng.below(2) == 0).then(|| self.some_tag());
        let to = match from {
            ALICE_HERE => 1 + self.rng.below(PARTIES - 1),
            _ => ALICE_HERE,
        };
        let count = 1 + self.rng.below(6);
        for message in sent.iter().skip(first).take(count) {
            self.arrive(to, &with_tags(message, tag, None));
            if self.rng.below(2) == 0 {
                self.sends(to);
            }
        }
    }

    /// Sometimes changes the instance tags.
    fn retag(&mut self, message: Vec<u8>) -> Vec<u8> {
        if self.rng.below(3) != 0 {
            return message;
        }
        let (from, to) = (self.some_tag(), self.some_tag());
        match self.rng.below(3) {
            0 => with_tags(&message, Some(from), None),
            1 => with_tags(&message, None, Some(to)),
            _ => with_tags(&message, Some(from), Some(to)),
        }
    }

    /// A tag that somebody has used, or a made-up one.
    fn some_tag(&mut self) -> u32 {
        let used = self
            .recorded
            .iter()
            .filter_map(|(_, message)| sender_tag(message))
            .collect::<Vec<_>>();
        if used.is_empty() || self.rng.below(3) == 0 {
            0x1000 + self.rng.below(4) as u32
        } else {
            used[self.rng.below(used.len())]
        }
    }

    /// Messages that anybody can forge: commits that win every crossing, DH-keys, version 1 messages that Mallory signs.
    fn make_up(&mut self) {
        let to = self.rng.below(PARTIES);
        let tags = Tags {
            ours: self.some_tag(),
            theirs: self.some_tag(),
        };
        let version = self.rng.pick(&[Version::V2, Version::V3]);
        let message = match self.rng.below(4) {
            0 => {
                let header = tags.header(version);
                DhCommit {
                    header,
                    encrypted_gx: vec![7; 196],
                    hashed_gx: [0xff; 32],
                }
                .serialise()
                .unwrap()
            }
            1 => {
                let secret = Exponent::from_bytes(&[3, self.rng.below(256) as u8]).unwrap();
                let gy = generator_pow(&secret).to_element().unwrap().to_bytes();
                let header = tags.header(version);
                DhKey { header, gy }.serialise().unwrap()
            }
            2 => {
                let message = Auth::start(version, tags).unwrap().last_message;
                self.arrive(to, &message.unwrap());
                return;
            }
            _ => match self.signed_by_mallory() {
                Some(message) => message,
                None => return,
            },
        };
        self.arrive(to, &armour(&message).unwrap());
    }

    /// A key exchange message of version 1 with somebody else's DH value, of which the network has seen many.
    fn signed_by_mallory(&mut self) -> Option<Vec<u8>> {
        let mut values = Vec::new();
        for (_, message) in &self.recorded {
            let Ok(bytes) = dearmour(message, true) else {
                continue;
            };
            if let Ok((data, _)) = Data::parse(&bytes) {
                values.push((data.next_dh.to_vec(), data.sender_keyid.wrapping_add(1)));
            } else if let Ok((exchange, _)) = V1KeyExchange::parse(&bytes) {
                values.push((exchange.gy.clone(), exchange.keyid));
            }
        }
        if values.is_empty() {
            return None;
        }
        let (gy, keyid) = values[self.rng.below(values.len())].clone();
        let key: &SigningKey = &super::party::MALLORYS_KEY;
        let mut message = V1KeyExchange {
            reply: self.rng.below(2) as u8,
            public_key: key.public_block().to_vec(),
            keyid,
            gy,
            signature: [0; 40],
        };
        let number = otr_crypto::hash::sha1(&[&message.signed_bytes().ok()?]);
        message.signature = key.key().sign(&number).ok()?;
        message.serialise().ok()
    }

    fn arrive(&mut self, to: usize, message: &[u8]) {
        self.parties[to].receive(message);
        self.collect();
    }

    /// Collects the output of the parties, and checks it.
    fn collect(&mut self) {
        for who in 0..PARTIES {
            for message in self.parties[who].take_outbox() {
                let bytes = dearmour(&message, true).unwrap_or_default();
                if let Ok((data, _)) = Data::parse(&bytes) {
                    let keys = data.revealed_mac_keys.chunks_exact(20);
                    self.published.extend(keys.map(witness::mark_of));
                }
                self.recorded.push((who, message.clone()));
                self.under_way.push((who, message));
            }
            for told in self.parties[who].take_told() {
                match told {
                    Told::Text(text) => {
                        let is_ours = text.starts_with(b"text ") || text.starts_with(b"[resent] ");
                        assert!(
                            !is_ours || self.shown[who].insert(text.clone()),
                            "{:?} is shown twice",
                            String::from_utf8_lossy(&text)
                        );
                    }
                    Told::Secure | Told::Still => self.sessions += 1,
                    _ => {}
                }
            }
        }
        for used in witness::take() {
            match used {
                Use::Sealed(key, counter) => {
                    assert!(
                        self.sealed.insert((key, counter)),
                        "a key encrypts twice with one counter"
                    );
                }
                Use::Opened(key) => {
                    assert!(
                        !self.published.contains(&key),
                        "a message counts under a published MAC key"
                    );
                }
            }
        }
    }
}

/// The sender's tag of a message of version 3.
fn sender_tag(message: &[u8]) -> Option<u32> {
    let bytes = dearmour(message, true).ok()?;
    let [0, 3, ..] = bytes[..] else { return None };
    Some(u32::from_be_bytes(
        bytes.get(TAGS_AT[0].clone())?.try_into().ok()?,
    ))
}

/// A message of version 3 with other tags; any other as it is.
fn with_tags(message: &[u8], from: Option<u32>, to: Option<u32>) -> Vec<u8> {
    let Ok(mut bytes) = dearmour(message, true) else {
        return message.to_vec();
    };
    if bytes.len() < TAGS_AT[1].end || bytes[..2] != [0, 3] {
        return message.to_vec();
    }
    for (place, tag) in TAGS_AT.into_iter().zip([from, to]) {
        if let Some(tag) = tag {
            bytes[place].copy_from_slice(&tag.to_be_bytes());
        }
    }
    armour(&bytes).unwrap()
}

fn play(name: &str, policy: u32, versions: &'static [&'static [u8]]) {
    let first = first_seed();
    let count = schedules("OTR_REPLAY_SCHEDULES", 40);
    let mut sessions = 0;
    for seed in first..first + count {
        let outcome = std::panic::catch_unwind(|| {
            let mut world = World::new(seed, policy, versions);
            world.play(120);
            world.sessions
        });
        match outcome {
            Ok(opened) => sessions += opened,
            Err(_) => panic!("{name}, schedule {seed}"),
        }
    }
    println!("{name}: {count} schedules, {sessions} sessions begun or refreshed");
    assert!(
        sessions as u64 > count,
        "the schedules hardly lead to sessions"
    );
}

#[cfg(feature = "abi5")]
#[test]
fn version_3() {
    use crate::abi::types::*;
    play(
        "version 3",
        POLICY_ALLOW_V3 | POLICY_REQUIRE_ENCRYPTION,
        &[b"?OTRv3?"],
    );
}

#[cfg(feature = "abi5")]
#[test]
fn all_versions() {
    use crate::abi::types::*;
    let policy = POLICY_VERSION_MASK | POLICY_REQUIRE_ENCRYPTION | POLICY_ERROR_START_AKE;
    play(
        "all versions",
        policy,
        &[b"?OTRv3?", b"?OTRv2?", b"?OTR?", b"?OTR?v23?"],
    );
}

#[test]
fn version_2() {
    use crate::abi::types::*;
    play(
        "version 2",
        POLICY_ALLOW_V2 | POLICY_REQUIRE_ENCRYPTION,
        &[b"?OTRv2?"],
    );
}

#[test]
fn version_1() {
    use crate::abi::types::*;
    play(
        "version 1",
        POLICY_ALLOW_V1 | POLICY_REQUIRE_ENCRYPTION,
        &[b"?OTR?"],
    );
}
