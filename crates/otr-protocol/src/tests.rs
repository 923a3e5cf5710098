//! Two sides in one process, without the C interface.

mod crossing;
mod data;
mod derivation;
mod edges;
mod exchange;
mod incoming;
mod keys;
mod memory;
mod printing;
mod products;
mod refresh;
mod sending;
mod smp;
mod version1;

use std::sync::LazyLock;

use super::ake::{Auth, SigningKey, Tags};
use super::conversation::{Conversation, MessageState};
use super::correspondent::Correspondent;
use super::effects::{Effect, Notice, SmpEvent, Task};
use super::incoming::{Family, Incoming, Recipient, Step};
use super::instances::MastersCommit;
use super::policy::Policy;
use super::smp::state::Smp;
use crate::wire::classify::{MessageKind, message_kind};
use crate::wire::query::Versions;
use crate::wire::version::Version;
use otr_crypto::dsa::PrivateKey;

/// Two long-term keys for all tests: making one takes a while.
static KEYS: LazyLock<[SigningKey; 2]> =
    LazyLock::new(|| [(); 2].map(|()| SigningKey::new(PrivateKey::generate().unwrap()).unwrap()));

const NOW: i64 = 1_000_000;

/// A query for one version.
fn query_for(version: Version) -> &'static [u8] {
    match version {
        Version::V1 => b"?OTR?",
        Version::V2 => b"?OTRv2?",
        Version::V3 => b"?OTRv3?",
    }
}

/// What the user of a side was told, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    Notice(Notice, Option<Vec<u8>>),
    Secure,
    Still(bool),
    Text(Vec<u8>),
    Smp(SmpEvent, u16, Option<Vec<u8>>),
    Trust(bool),
    Key(u32, Vec<u8>, [u8; 32]),
    SetupFailed,
    Report,
}

/// The only context of a correspondent.
struct Alone(MessageState);

impl Family for Alone {
    fn state(&self) -> MessageState {
        self.0
    }

    fn state_of_master(&self) -> MessageState {
        self.0
    }

    fn best(&self) -> (MessageState, bool) {
        (self.0, false)
    }

    fn exchange_of_master(&self) -> Option<Auth> {
        None
    }

    fn has_lost(&self, _commit: &[u8; 32]) -> bool {
        false
    }
}

struct Side {
    conversation: Conversation,
    auth: Auth,
    smp: Smp,
    shared: Correspondent,
    key: &'static SigningKey,
    policy: Policy,
    now: i64,
    outbox: Vec<Vec<u8>>,
    told: Vec<Told>,
}

impl Side {
    fn new(index: usize, tags: Tags) -> Self {
        let conversation = Conversation {
            tags,
            ..Conversation::default()
        };
        let versions = Versions {
            v1: true,
            v2: true,
            v3: true,
        };
        let policy = Policy::speaking(versions);
        Self {
            conversation,
            auth: Auth::default(),
            smp: Smp::default(),
            shared: Correspondent::default(),
            key: &KEYS[index],
            policy,
            now: NOW,
            outbox: Vec::new(),
            told: Vec::new(),
        }
    }

    fn receive(&mut self, message: &[u8]) {
        let recipient = Recipient {
            name: b"us",
            tag: self.conversation.tags.ours,
            policy: self.policy,
        };
        let mut incoming = Incoming::new(message, recipient);
        let mut step = incoming.begin();
        loop {
            let alone = Alone(self.conversation.state);
            let (c, auth, shared) = (&mut self.conversation, &mut self.auth, &mut self.shared);
            step = match step {
                Step::Arrival => incoming.arrive(&mut c.secrets, c.state, &mut c.offer, self.now),
                Step::Data => incoming.data(c, shared, &alone, self.now),
                Step::Exchange => incoming.in_exchange(c, auth, shared, &alone, None, self.now),
                Step::ExchangeWithKey => {
                    incoming.in_exchange(c, auth, shared, &alone, Some(self.key), self.now)
                }
                Step::Instance(tag) => incoming.entered(tag != c.tags.theirs),
                Step::Heard => incoming.heard(),
                Step::Plaintext => incoming.plaintext(&alone),
                Step::Read => {
                    let text = incoming.received().0.take();
                    self.told.push(Told::Text(text.unwrap_or_default()));
                    incoming.read()
                }
                Step::Deliver => {
                    self.deliver(incoming.take_effects());
                    incoming.delivered()
                }
                Step::Done(_) => return,
            };
        }
    }

    fn deliver(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Inject(message) => self.outbox.push(message),
                Effect::Notify(notice, text) => self.told.push(Told::Notice(notice, text)),
                Effect::GoneSecure => self.told.push(Told::Secure),
                Effect::StillSecure(initiated) => self.told.push(Told::Still(initiated)),
                Effect::Smp(event, percent, question) => {
                    self.told.push(Told::Smp(event, percent, question))
                }
                Effect::SmpExpect(expected) | Effect::SmpAdvance(expected) => {
                    self.smp.expected = expected;
                }
                Effect::SmpReset => {
                    self.smp.expected = Default::default();
                    self.smp.progress = Default::default();
                }
                Effect::Trust(trusted) => self.told.push(Told::Trust(trusted)),
                Effect::ExtraKey(purpose, data, key) => {
                    self.told.push(Told::Key(purpose, data, *key))
                }
                Effect::SetupFailed(_) => self.told.push(Told::SetupFailed),
                Effect::ReportError(_) => self.told.push(Told::Report),
                Effect::Finish => {
                    self.conversation.state = MessageState::Finished;
                    self.conversation.peer = None;
                    self.conversation.secrets.clear();
                }
                Effect::Then(task) => {
                    let c = &mut self.conversation;
                    let more = match task {
                        Task::Activate(established, reply) => {
                            c.activate(&established, reply, self.now)
                        }
                        Task::Resend => {
                            let mut effects = if c.resend_is_due(self.now) {
                                c.resend(b"[resent]", self.now)
                            } else {
                                Vec::new()
                            };
                            effects.extend(c.send_held(&mut self.shared.held, self.now));
                            effects
                        }
                        Task::SmpMessages(tlvs) => c.on_smp_messages(&self.smp, &tlvs),
                        Task::SmpMessage(tlv, expected) => {
                            c.on_smp_message(&mut self.smp, &tlv, expected)
                        }
                        Task::SendTlv(tlv) => c.send_tlv(tlv),
                        Task::Heartbeat => c.heartbeat(self.now),
                    };
                    self.deliver(more);
                }
                Effect::FingerprintSeen(_)
                | Effect::ContextListChanged
                | Effect::RecentlySent
                | Effect::FragmentsWait
                | Effect::WatchCommit => {}
                Effect::TextMayBeLost => self.conversation.note_error(),
            }
        }
    }

    fn say(&mut self, text: &[u8]) -> Vec<u8> {
        self.conversation.encrypt_text(text, &[], self.now).unwrap()
    }

    fn is_secure(&self) -> bool {
        self.conversation.state == MessageState::Encrypted
    }

    fn take_told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }
}

struct Pair {
    alice: Side,
    bob: Side,
}

impl Pair {
    fn new() -> Self {
        Self {
            alice: Side::new(
                0,
                Tags {
                    ours: 0x1111,
                    theirs: 0x2222,
                },
            ),
            bob: Side::new(
                1,
                Tags {
                    ours: 0x2222,
                    theirs: 0x1111,
                },
            ),
        }
    }

    /// Two sides in a session of this version.
    fn in_session(version: Version) -> Self {
        let mut pair = Self::new();
        pair.start(version);
        assert!(
            pair.alice.is_secure() && pair.bob.is_secure(),
            "no session in {version:?}"
        );
        pair.alice.told.clear();
        pair.bob.told.clear();
        pair
    }

    fn start(&mut self, version: Version) {
        self.alice.receive(query_for(version));
        self.settle();
    }

    /// Delivers messages in both directions until there are none left.
    fn settle(&mut self) {
        for _ in 0..50 {
            let (to_bob, to_alice) = (
                std::mem::take(&mut self.alice.outbox),
                std::mem::take(&mut self.bob.outbox),
            );
            if to_bob.is_empty() && to_alice.is_empty() {
                return;
            }
            to_bob.iter().for_each(|message| self.bob.receive(message));
            to_alice
                .iter()
                .for_each(|message| self.alice.receive(message));
        }
        panic!("the two never come to rest");
    }
}
