//! One conversation with one instance of one correspondent: its state, and how the messages that the user sends are
//! handled.

use zeroize::Zeroize;

use super::ake::Tags;
use super::ake::crossed::Crossed;
use super::buffer::{self, OutOfMemory};
use super::effects::{Effect, Notice};
use super::error::ProtocolError;
use super::held_texts::HeldTexts;
use super::instances::MastersCommit;
use super::policy::Policy;
use super::seen_messages::SeenMessages;
use super::session::Session;
use super::session_id::SessionId;
use super::smp::state::Bases;
use super::smp_exchange::SmpPartner;
use crate::wire::armour::armour;
use crate::wire::classify::is_query;
use crate::wire::dialect::Dialect;
use crate::wire::fragment::{Accumulated, Reassembly};
use crate::wire::messages::data::FLAG_IGNORE_UNREADABLE;
use crate::wire::tlv::{self, Tlv};
use crate::wire::version::Version;
use crate::wire::whitespace::append_tag;
use otr_crypto::secret::{SecretBytes, SecretKey};

/// How long after our last message a received message is answered with a heartbeat, in seconds.
pub const HEARTBEAT_INTERVAL: i64 = 60;
/// How old a message may be to be sent again in a new session, in seconds.
pub const RESEND_INTERVAL: i64 = 60;
/// How long fragments wait for the next one, in seconds.
pub const FRAGMENT_LIFETIME: i64 = 600;
/// The prefix of a message sent again, unless the client has one of its own.
pub const RESENT_PREFIX: &[u8] = b"[resent]";

/// The message state of the specification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MessageState {
    /// Messages are sent as they are.
    #[default]
    Plaintext,
    /// Messages are encrypted.
    Encrypted,
    /// The correspondent has ended the session: messages are held back until the user decides.
    Finished,
}

/// The answer to our whitespace tags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Offer {
    /// None was sent.
    #[default]
    Not,
    /// Sent, no answer yet.
    Sent,
    /// Answered with plaintext.
    Rejected,
    /// Answered with OTR.
    Accepted,
}

/// The correspondent's long-term key in this session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its fingerprint.
    pub fingerprint: [u8; 20],
    /// Whether the user trusts it.
    pub trusted: bool,
}

/// One conversation.
#[derive(Debug, Default)]
pub struct Conversation {
    /// Plaintext, encrypted or finished.
    pub state: MessageState,
    /// The version last spoken or begun.
    pub version: Option<Version>,
    /// Our instance tag and theirs.
    pub tags: Tags,
    /// Whether this is the master context, which stands for the correspondent without an instance.
    pub is_master: bool,
    /// The secure session id.
    pub session_id: SessionId,
    /// The answer to our whitespace tags.
    pub offer: Offer,
    /// The correspondent's key in this session.
    pub peer: Option<Peer>,
    /// When we last sent something, in seconds since 1970.
    pub last_sent: i64,
    /// How many sessions there have been.
    pub generation: u32,
    /// Whether the last message may be sent again.
    pub retransmit: Retransmit,
    /// The private part.
    pub secrets: Box<Secrets>,
}

/// Whether the last message is sent again in the next session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Retransmit {
    /// No.
    #[default]
    No,
    /// Yes, with a mark.
    Again,
}

/// The private part of a conversation.
#[derive(Default)]
pub struct Secrets {
    /// The keys of the session.
    pub session: Option<Box<Session>>,
    /// The fragments received so far.
    pub reassembly: Reassembly,
    /// When the last fragment came, in seconds since 1970.
    pub fragment_heard: i64,
    /// The last text sent, for sending it again.
    pub last_message: Option<LastMessage>,
    /// A session was opened by the exchange being handled, and the last message is due.
    pub just_opened: bool,
    /// The correspondent's abort of the SMP is being delivered: an abort of ours would only be an echo.
    pub delivering_abort: bool,
    /// What happened to the master context's DH-commit here.
    pub masters_commit: MastersCommit,
    /// The commit that waited in the master context when we revealed our value.
    pub commit_at_reveal: Option<[u8; 32]>,
    /// The previous session, as long as messages of it may be in transit.
    pub previous: Option<PreviousSession>,
    /// An exchange of ours that crossed the one of the session and is not finished yet.
    pub crossed: Option<Box<Crossed>>,
    /// The last data messages that were read.
    pub seen: SeenMessages,
    /// The partner in the SMP under way.
    pub smp_partner: Option<SmpPartner>,
    /// The bases of the SMP under way, where its numbers are in a public struct, which has no place for them.
    pub smp_bases: Bases,
}

/// A text, and the key that it was encrypted for.
#[derive(Default)]
pub struct LastMessage {
    text: SecretBytes,
    /// The fingerprint it was sent to.
    sent_to: Option<[u8; 20]>,
}

impl LastMessage {
    /// Whether a text fits into its memory, and needs at least half of that.
    fn has_room_for(&self, text: &[u8]) -> bool {
        (text.len()..=text.len().saturating_mul(2)).contains(&self.text.capacity())
    }
}

impl std::fmt::Debug for LastMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LastMessage(secret)")
    }
}

/// A text that was lost with a session of another instance of the correspondent, and when it was sent.
#[derive(Debug)]
pub struct LostText(LastMessage, i64);

/// The previous session, to read what the correspondent sent before they knew of the new one.
#[derive(Debug)]
pub struct PreviousSession {
    /// Its keys.
    pub session: Box<Session>,
    /// When the current one replaced it, in seconds since 1970.
    pub replaced: i64,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secrets")
            .field("session", &self.session.is_some())
            .finish_non_exhaustive()
    }
}

/// How a text that the user sends is handled.
#[derive(Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// It is sent as it is.
    AsIs,
    /// This is sent instead.
    Instead(Vec<u8>),
    /// It must be encrypted: [`Conversation::encrypt_text`].
    Encrypt,
    /// It must wait for a session: [`Conversation::hold_back`].
    HoldBack,
    /// It is not sent: the correspondent has ended the session.
    Refuse,
}

/// Whether [`Conversation::outgoing`] would say [`Outgoing::Encrypt`], which depends on nothing of the conversation but its state.
pub fn is_to_encrypt(state: MessageState, text: &[u8], policy: Policy) -> bool {
    state == MessageState::Encrypted && policy.speaks_otr() && !is_query(text)
}

impl Conversation {
    /// Decides how a text is handled (OTRv3, "User types a message to be sent").
    ///
    /// # Errors
    /// There is no memory for the message that is sent instead. Nothing has changed.
    pub fn outgoing(
        &mut self,
        text: &[u8],
        policy: Policy,
        our_name: &[u8],
    ) -> Result<Outgoing, OutOfMemory> {
        if !policy.speaks_otr() {
            return Ok(Outgoing::AsIs);
        }
        if is_query(text) {
            let query = policy.query(our_name)?;
            self.note_query(policy);
            return Ok(Outgoing::Instead(query));
        }
        Ok(match self.state {
            MessageState::Encrypted => Outgoing::Encrypt,
            MessageState::Finished => Outgoing::Refuse,
            MessageState::Plaintext if policy.require_encryption => Outgoing::HoldBack,
            MessageState::Plaintext
                if policy.send_whitespace_tag && self.offer != Offer::Rejected =>
            {
                let tagged = append_tag(text, policy.versions)?;
                self.offer = Offer::Sent;
                Outgoing::Instead(tagged)
            }
            MessageState::Plaintext => Outgoing::AsIs,
        })
    }

    /// Keeps a text for the next session and returns the query that asks for one.
    ///
    /// # Errors
    /// `TooMany`: no more texts can wait, and this one was not kept. `OutOfMemory`: likewise.
    pub fn hold_back(
        &mut self,
        text: &[u8],
        held: &mut HeldTexts,
        policy: Policy,
        our_name: &[u8],
        now: i64,
    ) -> Result<Vec<u8>, ProtocolError> {
        let query = policy.query(our_name)?;
        held.push(text)?;
        self.last_sent = now;
        self.note_query(policy);
        Ok(query)
    }

    /// Sends the texts that were held back because there was no session. Those that cannot be sent keep waiting.
    pub fn send_held(&mut self, held: &mut HeldTexts, now: i64) -> Vec<Effect> {
        let mut effects = Vec::new();
        while let Some(text) = held.first() {
            let Ok(message) = self.encrypt_text(text, &[], now) else {
                break;
            };
            held.remove_first();
            effects.extend([Effect::Inject(message), Effect::RecentlySent]);
        }
        effects
    }

    /// For libotr 4 a query is an offer; for libotr 3 only a whitespace tag is one.
    fn note_query(&mut self, policy: Policy) {
        if policy.dialect != Dialect::Libotr3 {
            self.offer = Offer::Sent;
        }
    }

    /// Encrypts a text of the user.
    pub fn encrypt_text(
        &mut self,
        text: &[u8],
        tlvs: &[Tlv],
        now: i64,
    ) -> Result<Vec<u8>, ProtocolError> {
        self.encrypt_text_as(text, tlvs, now, armour)
    }

    /// The same with a function that makes the armoured message.
    pub fn encrypt_text_as<T>(
        &mut self,
        text: &[u8],
        tlvs: &[Tlv],
        now: i64,
        armour: impl FnOnce(&[u8]) -> Result<T, OutOfMemory>,
    ) -> Result<T, ProtocolError> {
        let message = self.create_data(text, tlvs, 0, armour)?;
        self.last_sent = now;
        Ok(message)
    }

    /// Encrypts a message without text that a peer may silently drop.
    pub fn encrypt_internal(&mut self, tlvs: &[Tlv]) -> Result<Vec<u8>, ProtocolError> {
        self.create_data(b"", tlvs, FLAG_IGNORE_UNREADABLE, armour)
    }

    /// Tells the correspondent that the extra symmetric key is used, and for what (OTRv3, "Extra symmetric key"): the message,
    /// and the key, which is not in it.
    ///
    /// # Errors
    /// `Invalid`: there is no session, or more data than fits into the TLV with the purpose.
    pub fn use_extra_key(
        &mut self,
        purpose: u32,
        data: &[u8],
    ) -> Result<(Vec<u8>, SecretKey), ProtocolError> {
        let fits = data.len() <= usize::from(u16::MAX) - size_of_val(&purpose);
        if self.state != MessageState::Encrypted || !fits {
            return Err(ProtocolError::Invalid);
        }
        let value = buffer::concat(&[&purpose.to_be_bytes(), data])?;
        let key = self.extra_key().ok_or(ProtocolError::Conflict)?;
        let message = self.encrypt_internal(&[Tlv {
            kind: tlv::SYMKEY,
            value,
        }])?;
        Ok((message, key))
    }

    /// The extra symmetric key of the keys that encrypt what we send. `None` without a session.
    pub fn extra_key(&mut self) -> Option<SecretKey> {
        let session = self.secrets.session.as_mut()?;
        session.extra_key(session.sending_keys())
    }

    /// Whether there is a session whose end can be announced.
    pub fn has_listener(&self) -> bool {
        let session = self.secrets.session.as_ref();
        self.state == MessageState::Encrypted
            && session.is_some_and(|session| session.their_keyid() > 0)
    }

    /// Ends the session (OTRv3, "User requests to end an OTR conversation"): the message that says so. The keys are gone
    /// afterwards, so nothing else can be sent until the caller has changed the state.
    pub fn say_goodbye(&mut self) -> Vec<Effect> {
        let goodbye = Tlv {
            kind: tlv::DISCONNECTED,
            value: Vec::new(),
        };
        self.end_previous();
        let session = self.secrets.session.take();
        session
            .filter(|_| self.state == MessageState::Encrypted)
            .and_then(|session| {
                session
                    .encrypt_goodbye(&[goodbye], FLAG_IGNORE_UNREADABLE, self.tags)
                    .ok()
            })
            .map(|message| vec![Effect::Inject(message)])
            .unwrap_or_default()
    }

    /// Forgets the previous session; the current one will publish its MAC keys.
    pub fn end_previous(&mut self) {
        let previous = self.secrets.previous.take();
        if let (Some(previous), Some(session)) = (previous, &mut self.secrets.session) {
            session.publish_keys_of(*previous.session);
        }
    }

    /// Makes a data message, which `armour` encodes. The text becomes the last message; after an empty one there is nothing to
    /// send again.
    pub fn create_data<T>(
        &mut self,
        text: &[u8],
        tlvs: &[Tlv],
        flags: u8,
        armour: impl FnOnce(&[u8]) -> Result<T, OutOfMemory>,
    ) -> Result<T, ProtocolError> {
        if self.state != MessageState::Encrypted {
            return Err(ProtocolError::Conflict);
        }
        let session = self
            .secrets
            .session
            .as_mut()
            .ok_or(ProtocolError::Conflict)?;
        let last = &mut self.secrets.last_message;
        let more_memory = match last {
            Some(last) if last.has_room_for(text) => None,
            _ => Some(SecretBytes::new(buffer::with_capacity(text.len())?)),
        };
        let message = session.encrypt(text, tlvs, flags, self.tags, armour)?;
        self.retransmit = Retransmit::No;
        if text.is_empty() {
            *last = None;
            return Ok(message);
        }
        let last = last.get_or_insert_default();
        if let Some(memory) = more_memory {
            last.text = memory;
        }
        if !last.text.overwrite(text) {
            return Err(OutOfMemory.into());
        }
        last.sent_to = self.peer.map(|peer| peer.fingerprint);
        Ok(message)
    }

    /// Whether the last message must be sent again. Called once after each new session.
    pub fn resend_is_due(&mut self, now: i64) -> bool {
        let opened = std::mem::take(&mut self.secrets.just_opened);
        let recent = self.last_sent >= now.saturating_sub(RESEND_INTERVAL);
        let lost = self.retransmit == Retransmit::Again && self.secrets.last_message.is_some();
        opened && recent && lost
    }

    /// Takes out the last message, if it was lost with the session, for another instance that has one.
    pub fn give_lost_text(&mut self) -> Option<LostText> {
        let lost = self.retransmit == Retransmit::Again;
        let text = self.secrets.last_message.take_if(|_| lost)?;
        self.retransmit = Retransmit::No;
        Some(LostText(text, self.last_sent))
    }

    /// Takes over the text that was lost with the session of another instance.
    pub fn take_lost_text(&mut self, LostText(text, sent): LostText) {
        self.secrets.last_message = Some(text);
        self.retransmit = Retransmit::Again;
        self.last_sent = self.last_sent.max(sent);
    }

    /// Sends the last message in the new session. A text that was sent to another key than that of the new session is not sent,
    /// unless the user trusts the new key: anyone can start a new exchange. `prefix` marks it as sent again, unless it is
    /// empty.
    pub fn resend(&mut self, prefix: &[u8], now: i64) -> Vec<Effect> {
        let Some(last) = self.secrets.last_message.take() else {
            return Vec::new();
        };
        // Otherwise it is not known who the new correspondent is, or who it was for.
        let same_peer = last
            .sent_to
            .zip(self.peer)
            .is_some_and(|(sent_to, peer)| sent_to == peer.fingerprint || peer.trusted);
        if !same_peer {
            self.retransmit = Retransmit::No;
            return vec![Effect::Notify(Notice::EncryptionError, None)];
        }
        let blank: &[u8] = if prefix.is_empty() { b"" } else { b" " };
        let marked = buffer::concat(&[prefix, blank, &last.text]).map(SecretBytes::new);
        let message = marked
            .map_err(ProtocolError::from)
            .and_then(|text| self.encrypt_text(&text, &[], now));
        let Ok(message) = message else {
            self.secrets.last_message = Some(last);
            return Vec::new();
        };
        vec![
            Effect::Inject(message),
            Effect::RecentlySent,
            Effect::Notify(Notice::MessageResent, None),
        ]
    }

    /// Whether we have been silent for a while.
    pub fn heartbeat_is_due(&self, now: i64) -> bool {
        self.last_sent < now.saturating_sub(HEARTBEAT_INTERVAL)
    }

    /// Sends a heartbeat if we have been silent for a while.
    pub fn heartbeat(&mut self, now: i64) -> Vec<Effect> {
        if self.secrets.session.is_none() || !self.heartbeat_is_due(now) {
            return Vec::new();
        }
        match self.encrypt_internal(&[]) {
            Ok(message) => {
                self.last_sent = now;
                vec![
                    Effect::Inject(message),
                    Effect::RecentlySent,
                    Effect::Notify(Notice::HeartbeatSent, None),
                ]
            }
            Err(_) => Vec::new(),
        }
    }
}

impl Secrets {
    /// Whether the last text begins with this.
    pub fn last_message_begins(&self, prefix: &[u8]) -> bool {
        let last = self.last_message.as_ref();
        last.is_some_and(|last| last.text.starts_with(prefix))
    }

    /// Takes in a message that may be a fragment; see [`Reassembly::accept`].
    pub fn accept_fragment(&mut self, message: &[u8], limit: usize, now: i64) -> Accumulated {
        self.fragment_heard = now;
        self.reassembly.accept(message, limit)
    }

    /// Forgets fragments if the next one has not arrived in time. If the clock was set back they are forgotten as well.
    pub fn expire_fragments(&mut self, now: i64) {
        let lifetime = self.fragment_heard..=self.fragment_heard.saturating_add(FRAGMENT_LIFETIME);
        if !self.reassembly.data().is_empty() && !lifetime.contains(&now) {
            self.reassembly.discard();
        }
    }

    /// Forgets the session and everything that belongs to it.
    pub fn clear(&mut self) {
        if let Some(last) = &mut self.last_message {
            last.text.zeroize();
        }
        *self = Self {
            // The hash of a public message, which is still valid.
            masters_commit: self.masters_commit,
            seen: std::mem::take(&mut self.seen),
            ..Self::default()
        };
    }
}
