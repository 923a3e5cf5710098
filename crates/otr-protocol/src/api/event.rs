//! The results of a chat: events, and messages to send.

use std::fmt;

use super::Error;
use super::chat::Chat;
use crate::effects::Notice;
use crate::session_id::SessionId;
use otr_crypto::secret::SecretKey;

/// Messages for the network, in order, within its maximum size.
///
/// ```
/// # use otr_protocol::{Account, Policy, PrivateKey};
/// # let alice = Account::new("alice", "irc", PrivateKey::generate()?)?;
/// # let mut chat = alice.chat("bob", Policy::v2_v3());
/// let mut sent: Vec<Vec<u8>> = Vec::new();
/// for message in chat.start(0) {
///     sent.push(message); // or write it to a socket
/// }
/// assert!(sent[0].starts_with(b"?OTRv23?"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "the messages must be sent"]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbox(pub(super) Vec<Vec<u8>>);

impl Outbox {
    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many messages there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Appends the messages of another one.
    pub fn append(&mut self, mut other: Outbox) {
        self.0.append(&mut other.0);
    }
}

impl IntoIterator for Outbox {
    type Item = Vec<u8>;
    type IntoIter = std::vec::IntoIter<Vec<u8>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// The result of a received message.
#[must_use = "it may hold messages that must be sent"]
#[derive(Debug, Default)]
pub struct Received {
    pub(super) events: Vec<Event>,
    /// Messages to send.
    pub outbox: Outbox,
}

impl Received {
    /// What happened, in order.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The events, and the messages to send.
    pub fn into_parts(self) -> (Vec<Event>, Outbox) {
        (self.events, self.outbox)
    }
}

/// Something that the user should know.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A text for the user.
    Message(Message),
    /// A session began.
    Secure(Peer),
    /// The session was refreshed or replaced by another one, with the same key.
    Refreshed(Peer),
    /// The correspondent has ended the session. Texts are refused until [`Chat::end`] or a new session.
    Ended,
    /// A key of the correspondent was seen for the first time. [`Account::remember`](super::Account::remember) keeps it.
    NewKey(Fingerprint),
    /// The correspondent asks for a shared secret: [`Question::answer`].
    Question(Question),
    /// The correspondent's answer has arrived, or ours was sent: the comparison goes on.
    Comparing,
    /// The secrets are the same. If we asked, the key is trusted now.
    Matched,
    /// The secrets differ. If we asked, the key is not trusted any more.
    NotMatched,
    /// The correspondent has aborted the comparison.
    ComparisonAborted,
    /// The comparison has failed: a message was out of turn (`false`), or a proof wrong (`true`).
    ComparisonFailed(bool),
    /// The correspondent's client reports an error.
    TheirError(Vec<u8>),
    /// Both sides have an extra symmetric key now, for the purpose and with the data that the correspondent names.
    ExtraKey {
        /// Its purpose, on which the clients agree.
        purpose: u32,
        /// Data for this purpose.
        data: Vec<u8>,
        /// The key.
        key: SecretKey,
    },
    /// Something happened to a message that is not shown.
    Notice(Notice),
    /// No session could be set up.
    SetupFailed(Error),
}

/// A text for the user.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The text: UTF-8 by the specification, HTML in many clients, anything in the clear.
    pub text: Vec<u8>,
    /// How it was protected.
    pub protection: Protection,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Message({} bytes, {:?})",
            self.text.len(),
            self.protection
        )
    }
}

/// How a text was protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Encrypted, from the owner of this key.
    Encrypted(Peer),
    /// In the clear, as the policy allows.
    Clear,
    /// In the clear, although there is a session or the policy requires one: the user must be warned.
    ClearUnexpected,
}

/// The person with whom there is a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    pub(super) fingerprint: Fingerprint,
    pub(super) is_trusted: bool,
    pub(super) session_id: SessionId,
}

impl Peer {
    /// The correspondent's key.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Whether the user has verified the key.
    pub fn is_trusted(&self) -> bool {
        self.is_trusted
    }

    /// The secure session id (OTRv3, "Version 3 messages and the secure session id"): the same on both sides, to be compared
    /// over another channel.
    pub fn session_id(&self) -> SessionId {
        self.session_id
    }
}

/// The SHA-1 of a public key, which people compare. It prints as five groups of eight hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 20]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, group) in self.0.chunks(4).enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            for byte in group {
                write!(f, "{byte:02X}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// What the correspondent wants to compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub(super) text: Option<Vec<u8>>,
    pub(super) instance: u32,
    pub(super) session_id: SessionId,
}

impl Question {
    /// The question; `None` if both should know what secret is meant.
    pub fn text(&self) -> Option<&[u8]> {
        self.text.as_deref()
    }

    /// Answers. The answer belongs to the session in which the question was asked.
    ///
    /// # Errors
    /// [`Error::OutOfDate`] if that session is over, or the question was answered or aborted.
    pub fn answer(&self, chat: &mut Chat, secret: &[u8], now: i64) -> Result<Outbox, Error> {
        chat.answer(self, secret, now)
    }
}
