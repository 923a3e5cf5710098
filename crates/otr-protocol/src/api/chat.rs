//! A chat with one correspondent, whichever clients they use.
#![expect(
    clippy::disallowed_methods,
    reason = "names, keys and lines of files that the program itself has given"
)]

use std::num::NonZeroUsize;
use std::sync::Arc;

use super::account::{Identity, KnownKey};
use super::event::{Fingerprint, Outbox, Peer, Question, Received};
use super::family::Context;
use super::{Error, Protection};
use crate::ake::Tags;
use crate::buffer;
use crate::conversation::{Conversation, MessageState, Outgoing};
use crate::correspondent::Correspondent;
use crate::error::ProtocolError;
use crate::instances;
use crate::policy::Policy;
use crate::smp::state::{Expected, Smp};
use otr_crypto::secret::SecretKey;

/// A chat with one correspondent.
///
/// It has the session with each of the correspondent's clients (in version 3), unfinished fragments, texts
/// that wait for a session, and the comparison of secrets under way. See the [front page](crate) for a whole conversation.
#[derive(Debug)]
pub struct Chat {
    pub(super) identity: Arc<Identity>,
    correspondent: String,
    pub(super) policy: Policy,
    pub(super) max_size: Option<NonZeroUsize>,
    /// The master first.
    pub(super) contexts: Vec<Context>,
    pub(super) shared: Correspondent,
    pub(super) known: Vec<KnownKey>,
}

impl Chat {
    pub(super) fn new(
        identity: Arc<Identity>,
        correspondent: &str,
        policy: Policy,
        known: Vec<KnownKey>,
    ) -> Self {
        let mut chat = Self {
            identity,
            correspondent: correspondent.to_owned(),
            policy,
            max_size: None,
            contexts: Vec::new(),
            shared: Correspondent::default(),
            known,
        };
        let master = chat.new_context(0);
        chat.contexts.push(master);
        chat
    }

    /// The correspondent's name.
    pub fn correspondent(&self) -> &str {
        &self.correspondent
    }

    /// Splits messages into fragments of at most this many bytes; `None` for networks without a limit.
    pub fn set_max_message_size(&mut self, size: Option<NonZeroUsize>) {
        self.max_size = size;
    }

    /// Changes the policy.
    pub fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
    }

    /// The peer of the session, if there is one.
    pub fn peer(&self) -> Option<Peer> {
        let context = self.contexts.get(self.best())?;
        peer_of(&context.conversation)
    }

    /// Whether texts that are sent now are encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.state() == MessageState::Encrypted
    }

    /// The message state: plaintext, encrypted, or finished (the correspondent has ended the session).
    pub fn state(&self) -> MessageState {
        let best = self.contexts.get(self.best());
        best.map(|it| it.conversation.state).unwrap_or_default()
    }

    /// Asks for a session: the query message.
    pub fn start(&mut self, now: i64) -> Outbox {
        self.expire(now);
        match self.policy.query(self.identity.name.as_bytes()) {
            Ok(query) => self.cut(0, query),
            // If out of memory, no query is sent.
            Err(_) => Outbox::default(),
        }
    }

    /// Handles a message from the correspondent.
    pub fn receive(&mut self, message: &[u8], now: i64) -> Received {
        self.expire(now);
        self.run(message, now)
    }

    /// Encrypts a text. If the policy requires encryption and there is no session yet, the text waits for one, and a query
    /// is sent instead.
    ///
    /// # Errors
    /// [`Error::NoSession`], [`Error::Ended`]; a text with a NUL in it is [`ProtocolError::Invalid`]; at most 32 texts and
    /// 1 MiB wait ([`ProtocolError::TooMany`]). The text is never sent in the clear.
    pub fn send(&mut self, text: &[u8], now: i64) -> Result<Outbox, Error> {
        self.expire(now);
        let at = self.best();
        match self.state() {
            MessageState::Encrypted => {
                let message = self.conversation(at)?.encrypt_text(text, &[], now)?;
                Ok(self.cut(at, message))
            }
            MessageState::Finished => Err(Error::Ended),
            MessageState::Plaintext if self.policy.require_encryption => {
                let (policy, identity) = (self.policy, Arc::clone(&self.identity));
                let held = &mut self.shared.held;
                let master = self.contexts.first_mut().ok_or(Error::NoSession)?;
                let name = identity.name.as_bytes();
                let query = master
                    .conversation
                    .hold_back(text, held, policy, name, now)?;
                Ok(self.cut(0, query))
            }
            MessageState::Plaintext => Err(Error::NoSession),
        }
    }

    /// Sends a text as it is, with a whitespace tag if the policy says so.
    ///
    /// # Errors
    /// [`Error::Encrypted`] in a session, [`Error::EncryptionRequired`] by the policy, [`Error::Ended`].
    pub fn send_in_the_clear(&mut self, text: &[u8]) -> Result<Outbox, Error> {
        let (at, policy, identity) = (self.best(), self.policy, Arc::clone(&self.identity));
        let c = self.conversation(at)?;
        match c.state {
            MessageState::Encrypted => return Err(Error::Encrypted),
            MessageState::Finished => return Err(Error::Ended),
            MessageState::Plaintext if policy.require_encryption => {
                return Err(Error::EncryptionRequired);
            }
            MessageState::Plaintext => {}
        }
        match c.outgoing(text, policy, identity.name.as_bytes())? {
            Outgoing::Instead(message) => Ok(self.cut(at, message)),
            _ => Ok(Outbox(vec![buffer::copy(text)?])),
        }
    }

    /// Ends the session, and tells the correspondent. [`Chat::send`] does not send texts in the clear afterwards either.
    pub fn end(&mut self, now: i64) -> Outbox {
        self.expire(now);
        let mut out = Received::default();
        for at in 0..self.contexts.len() {
            let effects = match self.conversation(at) {
                Ok(c) => c.say_goodbye(),
                Err(_) => Vec::new(),
            };
            self.deliver(at, effects, &mut out, now);
            if let Some(context) = self.contexts.get_mut(at) {
                context.reset(MessageState::Plaintext);
            }
        }
        out.outbox
    }

    /// Asks a question whose answer both should know. The answers are compared without telling either side anything else
    /// (OTRv3, "Socialist Millionaires Protocol").
    ///
    /// # Errors
    /// [`Error::NoSession`].
    pub fn ask(&mut self, question: &[u8], answer: &[u8], now: i64) -> Result<Outbox, Error> {
        self.compare(Some(question), answer, now)
    }

    /// Compares a secret that both should know.
    ///
    /// # Errors
    /// [`Error::NoSession`].
    pub fn compare_secret(&mut self, secret: &[u8], now: i64) -> Result<Outbox, Error> {
        self.compare(None, secret, now)
    }

    /// Aborts a comparison.
    pub fn abort_comparison(&mut self, now: i64) -> Outbox {
        let at = self.best();
        let mut out = Received::default();
        let effects = match self.contexts.get_mut(at) {
            Some(context) => context.conversation.abort_smp(&mut context.smp),
            None => Vec::new(),
        };
        self.deliver(at, effects, &mut out, now);
        out.outbox
    }

    /// Tells the correspondent's client that the extra symmetric key is used, and for what; the key itself is not sent (OTRv3,
    /// "Extra symmetric key").
    ///
    /// # Errors
    /// [`Error::NoSession`]; the data is too long.
    pub fn use_extra_key(
        &mut self,
        purpose: u32,
        data: &[u8],
    ) -> Result<(SecretKey, Outbox), Error> {
        let at = self.best();
        let c = self.conversation(at)?;
        if c.state != MessageState::Encrypted {
            return Err(Error::NoSession);
        }
        let (message, key) = c.use_extra_key(purpose, data)?;
        Ok((key, self.cut(at, message)))
    }

    /// Says whether the user trusts a key, having compared the fingerprint.
    pub fn set_trusted(&mut self, fingerprint: Fingerprint, trusted: bool) {
        let trust: &[u8] = if trusted { b"verified" } else { b"" };
        self.trust(fingerprint.0, trust);
    }

    /// Forgets what has expired: private values of exchanges, and fragments. Every other function does this first; an idle
    /// client should call it about once a minute.
    pub fn expire(&mut self, now: i64) {
        let mut held = Vec::new();
        for context in &mut self.contexts {
            let secrets = &mut context.conversation.secrets;
            secrets.crossed.take_if(|crossed| crossed.is_over(now));
            secrets.expire_fragments(now);
            context.auth.expire(now);
            held.extend(context.auth.held_values());
            held.extend(secrets.crossed.as_ref().map(|crossed| crossed.our_value()));
        }
        self.shared.opened.forget_all_but(&held);
    }

    /// As [`Question::answer`].
    pub(super) fn answer(
        &mut self,
        question: &Question,
        secret: &[u8],
        now: i64,
    ) -> Result<Outbox, Error> {
        self.expire(now);
        let ours = self.identity.key.fingerprint();
        let at = self
            .contexts
            .iter()
            .position(|it| it.tag == question.instance);
        let at = at.ok_or(Error::OutOfDate)?;
        let context = self.contexts.get_mut(at).ok_or(Error::OutOfDate)?;
        let (c, smp) = (&mut context.conversation, &mut context.smp);
        let is_waiting = smp.expected == Expected::Message1 && smp.numbers.g3o.is_some();
        if c.state != MessageState::Encrypted || c.session_id != question.session_id || !is_waiting
        {
            return Err(Error::OutOfDate);
        }
        let effects = c
            .respond_smp(smp, &ours, secret)
            .map_err(|error| match error {
                ProtocolError::Conflict => Error::OutOfDate,
                other => Error::Protocol(other),
            })?;
        let mut out = Received::default();
        self.deliver(at, effects, &mut out, now);
        Ok(out.outbox)
    }

    fn compare(
        &mut self,
        question: Option<&[u8]>,
        secret: &[u8],
        now: i64,
    ) -> Result<Outbox, Error> {
        self.expire(now);
        let ours = self.identity.key.fingerprint();
        let at = self.best();
        let context = self.contexts.get_mut(at).ok_or(Error::NoSession)?;
        let (c, smp) = (&mut context.conversation, &mut context.smp);
        if c.state != MessageState::Encrypted {
            return Err(Error::NoSession);
        }
        let mut effects = Vec::new();
        if smp.expected != Expected::Message1 {
            // For the correspondent's client it would be a message out of turn.
            effects = c.abort_smp(smp);
            *smp = Smp::default();
        }
        effects.extend(c.initiate_smp(smp, &ours, question, secret)?);
        let mut out = Received::default();
        self.deliver(at, effects, &mut out, now);
        Ok(out.outbox)
    }

    /// The context in which texts are sent: the safest, and of those the one heard from last.
    pub(super) fn best(&self) -> usize {
        let all = self.contexts.iter().enumerate();
        instances::best(all.map(|(index, context)| (index, context.describe()))).unwrap_or(0)
    }

    pub(super) fn conversation(&mut self, at: usize) -> Result<&mut Conversation, Error> {
        let context = self.contexts.get_mut(at).ok_or(Error::NoSession)?;
        Ok(&mut context.conversation)
    }

    pub(super) fn new_context(&self, tag: u32) -> Context {
        Context {
            tag,
            conversation: Conversation {
                tags: Tags {
                    ours: self.identity.tag,
                    theirs: tag,
                },
                is_master: tag == 0,
                ..Conversation::default()
            },
            ..Context::default()
        }
    }

    pub(super) fn known(&self) -> &[KnownKey] {
        &self.known
    }

    /// Stores how a key was verified, here and in the sessions with it.
    pub(super) fn trust(&mut self, fingerprint: [u8; 20], trust: &[u8]) {
        let known = self
            .known
            .iter_mut()
            .find(|it| it.fingerprint == fingerprint);
        match known {
            Some(known) => known.trust = trust.to_vec(),
            None => self.known.push(KnownKey {
                fingerprint,
                trust: trust.to_vec(),
            }),
        }
        for context in &mut self.contexts {
            let peer = context.conversation.peer.as_mut();
            if let Some(peer) = peer.filter(|peer| peer.fingerprint == fingerprint) {
                peer.trusted = !trust.is_empty();
            }
        }
    }
}

/// The peer of a conversation, if it is encrypted.
pub(super) fn peer_of(c: &Conversation) -> Option<Peer> {
    let peer = c.peer.filter(|_| c.state == MessageState::Encrypted)?;
    Some(Peer {
        fingerprint: Fingerprint(peer.fingerprint),
        is_trusted: peer.trusted,
        session_id: c.session_id,
    })
}

/// How a text that was read in this conversation was protected.
pub(super) fn protection_of(c: &Conversation) -> Protection {
    peer_of(c).map_or(Protection::ClearUnexpected, Protection::Encrypted)
}
