//! A received message, from the network to the user: the only entry point for it.
//!
//! [`Incoming`] is a state machine. Each [`Step`] says what it needs next; the caller provides that and calls the function
//! that the step names, until [`Step::Done`]. In between the caller may run code of the client: then nothing of the
//! conversation is borrowed, and the conversation may even be gone.
//!
//! ```text
//!                 fragment of version 3
//! begin ────────────────────────────────────► Instance
//!   │ anything else with "?OTR"                  │ entered
//!   ├──────────────►  Arrival  ◄─────────────────┘
//!   │                 reassemble, classify, note the answer to an offer, check the version
//!   │                  │ version 3                          │ any other
//!   │                  └─► Instance ─► entered ─────────────┤
//!   │                                    │ new              │
//!   │                                    └─► Exchange ──────┤
//!   │                         (take over from the master)   │
//!   │ plain text                                            ▼
//!   └─────────────────────────────────────────────────────► Heard
//!                                                           │ by kind
//!        ┌───────────────┬───────────────────┬──────────────┴─────────┐
//!      Data          Exchange         ExchangeWithKey             Plaintext
//!        │         (DH-commit,        (DH-key, reveal sig.,       (with a tag: perhaps
//!        │          signature, query)  version 1)                  Exchange first)
//!        └─ Read ────────┴─────── Deliver ───┴────────────────────────┘
//!                                   │ delivered
//!                                   ▼
//!                                 Done
//! ```

use super::ake::{Auth, SigningKey};
use super::conversation::{Conversation, MessageState, Offer, Secrets};
use super::correspondent::Correspondent;
use super::effects::{Effect, ErrorCode, Notice};
use super::policy::Policy;
use super::receiving::unreadable;
use super::session::{Plaintext, Received};
use crate::wire::classify::{MessageKind, instances, otr_tag};
use crate::wire::dialect::Dialect;
use crate::wire::fragment::{Accumulated, fragment_instances};
use crate::wire::instance::{Instances, MIN_VALID};
use crate::wire::query::query_versions;
use crate::wire::tlv::Tlv;
use crate::wire::version::Version;
use crate::wire::whitespace;

/// The maximum size of the fragments of one message together, in bytes.
pub const REASSEMBLY_LIMIT: usize = 16 << 20;

/// The same without a session, when only messages of an exchange are expected.
pub const REASSEMBLY_LIMIT_WITHOUT_SESSION: usize = 256 << 10;

/// What the caller does next.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Call [`Incoming::arrive`] with parts of the conversation that the message belongs to: the master's at first.
    Arrival,
    /// Call [`Incoming::data`] with the conversation.
    Data,
    /// Call [`Incoming::in_exchange`] without a key.
    Exchange,
    /// Call [`Incoming::in_exchange`] with our long-term key; without one call [`Incoming::skip`].
    ExchangeWithKey,
    /// Go on with the instance that has this tag, make it if there is none, and call [`Incoming::entered`].
    Instance(u32),
    /// The message comes from this instance: note when, and call [`Incoming::heard`].
    Heard,
    /// Call [`Incoming::plaintext`].
    Plaintext,
    /// A data message was read: use [`Incoming::received`], and call [`Incoming::read`].
    Read,
    /// Deliver [`Incoming::take_effects`], in order, and call [`Incoming::delivered`].
    Deliver,
    /// Finished.
    Done(Shown),
}

/// What the user sees of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Nothing: it was a message of the protocol.
    Nothing,
    /// The message as it came: OTR is not spoken with this correspondent.
    AsItCame,
    /// The text of [`Step::Read`].
    Decrypted,
    /// [`Incoming::plain_text`].
    Plain,
    /// [`Incoming::plain_text`], with a warning: it should have been encrypted.
    PlainUnexpected,
    /// The error that the correspondent reports, in [`Incoming::message`].
    Error,
}

/// The contexts of one correspondent as the conversation that the message belongs to sees them. No code of the client runs
/// here.
pub trait Family {
    /// The message state of the conversation itself.
    fn state(&self) -> MessageState;

    /// The message state of the master.
    fn state_of_master(&self) -> MessageState;

    /// The message state of the best instance, and whether that is not the conversation itself.
    fn best(&self) -> (MessageState, bool);

    /// The key exchange of the master; `None` if the conversation is the master.
    fn exchange_of_master(&self) -> Option<Auth>;

    /// Whether this DH-commit of ours has lost against one from another instance.
    fn has_lost(&self, commit: &[u8; 32]) -> bool;
}

/// The recipient.
#[derive(Clone, Copy, Debug)]
pub struct Recipient<'m> {
    /// The name of our account for query messages.
    pub name: &'m [u8],
    /// Our instance tag.
    pub tag: u32,
    /// The policy for this correspondent.
    pub policy: Policy,
}

/// One message being received.
#[derive(Debug)]
pub struct Incoming<'m, T> {
    text: Text<'m>,
    /// Where its first "?OTR" is.
    tag: Option<usize>,
    recipient: Recipient<'m>,
    phase: Phase,
    kind: MessageKind,
    version: Option<Version>,
    /// The version of the exchange that a query or a whitespace tag asks for.
    asked: Option<Version>,
    instance_is_new: bool,
    /// What was in the data message.
    received: Received<T>,
    /// What is to be delivered next.
    effects: Vec<Effect>,
    /// Whether the whitespace tag was answered: it is not part of the text.
    is_stripped: bool,
}

#[derive(Debug)]
enum Text<'m> {
    Received(&'m [u8]),
    Reassembled(Vec<u8>),
}

impl Text<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Received(message) => message,
            Self::Reassembled(message) => message,
        }
    }
}

/// What the next call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Fragment,
    Whole,
    Offer,
    Route,
    TakeOver,
    Taken,
    Handle,
    Ending(Shown),
}

impl<'m, T: Plaintext> Incoming<'m, T> {
    /// A message for this recipient.
    pub fn new(message: &'m [u8], recipient: Recipient<'m>) -> Self {
        let tag = otr_tag(message);
        Self {
            text: Text::Received(message),
            tag,
            recipient,
            phase: Phase::Whole,
            kind: MessageKind::NotOtr,
            version: None,
            asked: None,
            instance_is_new: false,
            received: Received::default(),
            effects: Vec::new(),
            is_stripped: false,
        }
    }

    /// Forgets the message, at the end: the caller may hold this where nothing is dropped, because the client's code may leave by
    /// longjmp.
    pub fn forget(&mut self) {
        self.text = Text::Received(b"");
        self.received = Received::default();
        self.effects = Vec::new();
    }

    /// The message, reassembled if it came in fragments.
    pub fn message(&self) -> &[u8] {
        self.text.bytes()
    }

    /// The message from its first "?OTR" on.
    fn tagged(&self) -> Option<&[u8]> {
        self.message().get(self.tag?..)
    }

    /// A message that was not encrypted, in two parts: the text before its whitespace tag and after it.
    pub fn plain_text(&self) -> [&[u8]; 2] {
        let parts = whitespace::strip(self.message()).filter(|_| self.is_stripped);
        parts.map_or([self.message(), b""], |(parts, _)| parts)
    }

    /// Whether the text is shown without its whitespace tag.
    pub fn is_stripped(&self) -> bool {
        self.is_stripped
    }

    /// Whether the message is shown as it came, as one piece and with nothing cut out of it.
    pub fn is_as_it_came(&self) -> bool {
        matches!(self.text, Text::Received(_)) && !self.is_stripped
    }

    /// The first step.
    pub fn begin(&mut self) -> Step {
        let policy = self.recipient.policy;
        if !policy.speaks_otr() {
            return Step::Done(Shown::AsItCame);
        }
        let Some(tagged) = self.tagged() else {
            (self.kind, _) = policy.dialect.classify(self.message(), None);
            self.phase = Phase::Offer;
            return if policy.send_whitespace_tag {
                Step::Arrival
            } else {
                Step::Heard
            };
        };
        match fragment_instances(tagged) {
            Some(tags) if policy.dialect == Dialect::Libotr4 => {
                self.phase = Phase::Fragment;
                self.follow(tags, tags.to == 0)
            }
            _ => Step::Arrival,
        }
    }

    /// Takes the message in: reassembles it, and notes the answer to an offer of ours.
    pub fn arrive(
        &mut self,
        secrets: &mut Secrets,
        state: MessageState,
        offer: &mut Offer,
        now: i64,
    ) -> Step {
        if self.phase == Phase::Offer {
            self.note_answer_to_offer(offer);
            return Step::Heard;
        }
        if let Some(end) = self.reassemble(secrets, state, now) {
            return end;
        }
        if self.recipient.policy.send_whitespace_tag {
            self.note_answer_to_offer(offer);
        }
        match self.version {
            Some(version) if !self.is_accepted(version) => Step::Done(Shown::Nothing),
            Some(Version::V3) => self.route(),
            _ => Step::Heard,
        }
    }

    /// Continues in the instance that the message comes from; `is_new`: it had to be made.
    pub fn entered(&mut self, is_new: bool) -> Step {
        self.instance_is_new |= is_new;
        match self.phase {
            Phase::Fragment => {
                self.phase = Phase::Whole;
                Step::Arrival
            }
            _ if self.instance_is_new => {
                self.phase = Phase::TakeOver;
                Step::Exchange
            }
            _ => Step::Heard,
        }
    }

    /// Handles the message by its kind (OTRv3, "The protocol state machine").
    pub fn heard(&mut self) -> Step {
        self.phase = Phase::Handle;
        let policy = self.recipient.policy;
        match self.kind {
            MessageKind::Query => {
                self.start(query_versions(self.message()).best_common(policy.versions))
            }
            MessageKind::DhCommit | MessageKind::Signature => Step::Exchange,
            MessageKind::DhKey | MessageKind::RevealSig | MessageKind::V1KeyExchange => {
                Step::ExchangeWithKey
            }
            MessageKind::Data => Step::Data,
            MessageKind::TaggedPlaintext | MessageKind::NotOtr => Step::Plaintext,
            MessageKind::Error => {
                let mut effects = vec![Effect::TextMayBeLost];
                if policy.error_start_ake {
                    // If out of memory, no query is sent.
                    let query = policy.query(self.recipient.name);
                    effects.extend(query.map(Effect::Inject));
                }
                self.end(effects, Shown::Error)
            }
            MessageKind::Unknown => self.end(
                vec![Effect::Notify(Notice::ReceivedUnrecognised, None)],
                Shown::Nothing,
            ),
        }
    }

    /// Continues in the key exchange of the conversation.
    pub fn in_exchange(
        &mut self,
        c: &mut Conversation,
        auth: &mut Auth,
        shared: &mut Correspondent,
        family: &impl Family,
        key: Option<&SigningKey>,
        now: i64,
    ) -> Step {
        if self.phase == Phase::TakeOver {
            return self.take_over_from_master(c, auth, family);
        }
        let message = self.message();
        let effects = match (self.kind, key) {
            (MessageKind::DhCommit, _) => {
                let Some(version) = self.version else {
                    return self.skip();
                };
                let master = family.exchange_of_master();
                let rival = master.as_ref().and_then(rival_commit);
                c.on_dh_commit(auth, message, version, rival, now)
            }
            (MessageKind::DhKey, Some(key)) => {
                let master = family.exchange_of_master();
                c.on_dh_key(auth, master.as_ref(), &shared.opened, message, key, now)
            }
            (MessageKind::RevealSig, Some(key)) => {
                c.on_reveal_signature(auth, &mut shared.opened, message, key, now)
            }
            (MessageKind::Signature, _) => c.on_signature(auth, &mut shared.opened, message, now),
            (MessageKind::V1KeyExchange, Some(key)) => {
                c.on_v1_key_exchange(auth, message, key, now)
            }
            (MessageKind::Query | MessageKind::TaggedPlaintext, key) => match (self.asked, key) {
                (Some(Version::V1), Some(key)) => c.start_v1(auth, key, now),
                (Some(version @ (Version::V2 | Version::V3)), _) => {
                    let lost = c.secrets.masters_commit;
                    let has_lost =
                        |commit: &[u8; 32]| lost.has_lost(commit) || family.has_lost(commit);
                    c.start_ake(auth, &shared.opened, has_lost, version, now)
                }
                _ => Vec::new(),
            },
            _ => Vec::new(),
        };
        self.deliver(effects)
    }

    /// Shows a message that was not encrypted, after its whitespace tag was answered (OTRv3, "Receiving plaintext").
    pub fn plaintext(&mut self, family: &impl Family) -> Step {
        let policy = self.recipient.policy;
        let is_tagged = self.kind == MessageKind::TaggedPlaintext && !self.is_stripped;
        let tag = is_tagged.then(|| whitespace::strip(self.message()));
        if let Some((_, versions)) = tag.flatten() {
            self.is_stripped = true;
            if policy.whitespace_start_ake && family.state() != MessageState::Encrypted {
                let step = self.start(versions.best_common(policy.versions));
                if !matches!(step, Step::Done(_)) {
                    return step;
                }
            }
        }
        let is_expected = !policy.require_encryption && family.best().0 == MessageState::Plaintext;
        Step::Done(if is_expected {
            Shown::Plain
        } else {
            Shown::PlainUnexpected
        })
    }

    /// The text and the TLVs of the data message.
    pub fn received(&mut self) -> (&mut Option<T>, &[Tlv]) {
        (&mut self.received.text, &self.received.tlvs)
    }

    /// Continues after they were used.
    pub fn read(&mut self) -> Step {
        if self.effects.is_empty() {
            self.delivered()
        } else {
            Step::Deliver
        }
    }

    /// The effects to be delivered.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Continues after the effects have been delivered.
    pub fn delivered(&mut self) -> Step {
        match self.phase {
            Phase::Taken => Step::Heard,
            Phase::Ending(shown) => Step::Done(shown),
            _ => self.skip(),
        }
    }

    /// Continues without running the last step: there is no private key, or the step failed.
    pub fn skip(&mut self) -> Step {
        match (self.phase, self.kind) {
            (Phase::Offer, _) => Step::Heard,
            (Phase::Handle, MessageKind::TaggedPlaintext) => Step::Plaintext,
            _ => Step::Done(Shown::Nothing),
        }
    }

    /// Takes in a fragment, and classifies a complete message. If it is not complete, what comes next.
    fn reassemble(&mut self, secrets: &mut Secrets, state: MessageState, now: i64) -> Option<Step> {
        let policy = self.recipient.policy;
        let has_session = state == MessageState::Encrypted;
        let limit = if has_session {
            REASSEMBLY_LIMIT
        } else {
            REASSEMBLY_LIMIT_WITHOUT_SESSION
        };
        let is_foreign = policy.dialect == Dialect::Libotr3
            && self.tagged().and_then(fragment_instances).is_some();
        if is_foreign {
            secrets.reassembly.discard();
            (self.kind, self.version) = (MessageKind::Unknown, None);
        } else {
            match secrets.accept_fragment(self.message(), limit, now) {
                Accumulated::Unfragmented => {}
                Accumulated::Complete(message) => {
                    self.tag = otr_tag(&message);
                    self.text = Text::Reassembled(message);
                }
                Accumulated::Lost if has_session => {
                    return Some(self.end(unreadable().into(), Shown::Nothing));
                }
                Accumulated::Incomplete if !has_session => {
                    return Some(self.end(vec![Effect::FragmentsWait], Shown::Nothing));
                }
                Accumulated::Lost | Accumulated::Incomplete => {
                    return Some(Step::Done(Shown::Nothing));
                }
            }
            (self.kind, self.version) = policy.dialect.classify(self.message(), self.tag);
        }
        None
    }

    /// Whether messages of this version are handled.
    fn is_accepted(&self, version: Version) -> bool {
        let policy = self.recipient.policy;
        let is_data = self.kind == MessageKind::Data;
        policy.versions.contains(version) || (policy.dialect == Dialect::Libotr3 && is_data)
    }

    /// Notes whether they answered our whitespace tag.
    fn note_answer_to_offer(&self, offer: &mut Offer) {
        if self.kind != MessageKind::NotOtr {
            *offer = Offer::Accepted;
        } else if *offer == Offer::Sent {
            *offer = Offer::Rejected;
        }
    }

    /// Finds out which instance a message of version 3 comes from, and whether it is for this instance of ours (OTRv3,
    /// "Instance Tags").
    fn route(&mut self) -> Step {
        self.phase = Phase::Route;
        match self.tagged().map(instances) {
            // Only a DH-commit may be meant for any of our instances.
            Some(Ok(tags)) => self.follow(tags, self.kind == MessageKind::DhCommit && tags.to == 0),
            _ => self.malformed(),
        }
    }

    fn follow(&mut self, tags: Instances, for_any: bool) -> Step {
        if tags.to != self.recipient.tag && !for_any {
            let notice = Effect::Notify(Notice::ReceivedForOtherInstance, None);
            return self.end(vec![notice], Shown::Nothing);
        }
        if tags.from < MIN_VALID {
            return self.malformed();
        }
        Step::Instance(tags.from)
    }

    fn malformed(&mut self) -> Step {
        let effects = vec![
            Effect::Notify(Notice::ReceivedMalformed, None),
            Effect::ReportError(ErrorCode::Malformed),
        ];
        self.end(effects, Shown::Nothing)
    }

    /// An instance seen for the first time takes over the state of the master.
    fn take_over_from_master(
        &mut self,
        c: &mut Conversation,
        auth: &mut Auth,
        family: &impl Family,
    ) -> Step {
        (c.version, auth.version) = (Some(Version::V3), Some(Version::V3));
        // It has no session yet. As "encrypted" it would be the best instance and get the texts for the existing session of
        // version 2; in state "finished" no plaintext is sent either.
        c.state = match family.state_of_master() {
            MessageState::Encrypted => MessageState::Finished,
            state => state,
        };
        self.phase = Phase::Taken;
        match self.kind {
            // A data message shows that they believe in a session that we do not have.
            MessageKind::DhKey | MessageKind::DhCommit | MessageKind::Data => {
                self.deliver(vec![Effect::ContextListChanged])
            }
            _ => Step::Done(Shown::Nothing),
        }
    }

    /// Starts the exchange that a query or a whitespace tag asks for; `None` if no version suits.
    fn start(&mut self, version: Option<Version>) -> Step {
        self.asked = version;
        match version {
            Some(Version::V1) => Step::ExchangeWithKey,
            Some(_) => Step::Exchange,
            None => Step::Done(Shown::Nothing),
        }
    }

    /// Continues with a data message.
    pub fn data(
        &mut self,
        c: &mut Conversation,
        shared: &mut Correspondent,
        family: &impl Family,
        now: i64,
    ) -> Step {
        let other_is_secure = || family.best() == (MessageState::Encrypted, true);
        let is_read = c.on_data(
            self.text.bytes(),
            other_is_secure,
            shared,
            now,
            &mut self.received,
            &mut self.effects,
        );
        self.phase = Phase::Ending(if is_read && self.received.text.is_some() {
            Shown::Decrypted
        } else {
            Shown::Nothing
        });
        if is_read { Step::Read } else { Step::Deliver }
    }

    fn end(&mut self, effects: Vec<Effect>, shown: Shown) -> Step {
        self.phase = Phase::Ending(shown);
        self.deliver(effects)
    }

    fn deliver(&mut self, effects: Vec<Effect>) -> Step {
        self.effects = effects;
        Step::Deliver
    }
}

/// The DH-commit of version 3 that a master has sent and that waits for an answer: its hash and the message. One of version 2
/// does not compete with theirs, because a peer that only speaks version 3 would never answer it.
fn rival_commit(master: &Auth) -> Option<(&[u8; 32], &[u8])> {
    if master.version != Some(Version::V3) {
        return None;
    }
    Some((master.pending_commit()?, master.last_message.as_deref()?))
}
