//! What a step of the protocol asks of its caller, in the order in which it must happen.
//!
//! The core never calls out. A step leaves the state complete and returns a list of effects; the caller delivers them one
//! by one, while the state is not borrowed. Work that can only be done after the client has been told something (a message
//! encrypted later needs a higher counter) is in the list as a [`Task`], which the caller passes back to the core.

use std::fmt;

use super::ake::Established;
use super::buffer::{self, OutOfMemory};
use super::error::ProtocolError;
use super::smp::state::Expected;
use crate::wire::tlv::Tlv;
use otr_crypto::secret::SecretKey;

/// One thing to do.
pub enum Effect {
    /// Send this to the correspondent, in fragments if it is too long.
    Inject(Vec<u8>),
    /// This context was the last to which something was sent.
    RecentlySent,
    /// Tell the client about a message; some notices carry its text.
    Notify(Notice, Option<Vec<u8>>),
    /// Tell the client that no session could be set up.
    SetupFailed(ProtocolError),
    /// Ask the client for an error text and send it to the correspondent.
    ReportError(ErrorCode),
    /// Remember this fingerprint; tell the client if it is new.
    FingerprintSeen([u8; 20]),
    /// Tell the client that the list of contexts changed.
    ContextListChanged,
    /// Tell the client that a session began.
    GoneSecure,
    /// Tell the client that a session was refreshed; whether we began the exchange.
    StillSecure(bool),
    /// The correspondent ended the session: forget its keys.
    Finish,
    /// Give the client the extra symmetric key: the purpose, its data, the key.
    ExtraKey(u32, Vec<u8>, SecretKey),
    /// Tell the client about the SMP: the event, how far it is in percent, the question.
    Smp(SmpEvent, u16, Option<Vec<u8>>),
    /// The SMP message that comes next, after we or the correspondent began, answered or aborted.
    SmpExpect(Expected),
    /// The SMP message that comes next, after a later one of the correspondent was handled. Clients of libotr 3 set this
    /// themselves then.
    SmpAdvance(Expected),
    /// The exchange was aborted: back to its beginning.
    SmpReset,
    /// Mark the active fingerprint as trusted through the SMP, or as not trusted.
    Trust(bool),
    /// A private DH key waits for an answer: make sure that a timer runs.
    WatchCommit,
    /// Unfinished fragments are kept for a correspondent without a session: make sure that there are not too many of them
    /// (see [`forgets_fragments`](super::instances::forgets_fragments)).
    FragmentsWait,
    /// They have reported an error, but not in which session: the last text sent, to whichever instance, may be lost (see
    /// [`last_written_to`](super::instances::last_written_to) and [`Conversation::note_error`]).
    ///
    /// [`Conversation::note_error`]: super::conversation::Conversation::note_error
    TextMayBeLost,
    /// Pass this back to the core.
    Then(Task),
}

// Texts are private and keys secret: only the kind of effect is printed.
impl fmt::Debug for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Notify(notice, _) => write!(f, "Notify({notice:?}, ..)"),
            Self::SetupFailed(error) => write!(f, "SetupFailed({error:?})"),
            Self::ReportError(code) => write!(f, "ReportError({code:?})"),
            Self::Smp(event, percent, _) => write!(f, "Smp({event:?}, {percent}, ..)"),
            Self::SmpExpect(next) => write!(f, "SmpExpect({next:?})"),
            Self::SmpAdvance(next) => write!(f, "SmpAdvance({next:?})"),
            Self::Then(task) => write!(f, "Then({task:?})"),
            Self::Inject(_) => f.write_str("Inject(..)"),
            Self::RecentlySent => f.write_str("RecentlySent"),
            Self::FingerprintSeen(_) => f.write_str("FingerprintSeen(..)"),
            Self::ContextListChanged => f.write_str("ContextListChanged"),
            Self::GoneSecure => f.write_str("GoneSecure"),
            Self::StillSecure(ours) => write!(f, "StillSecure({ours})"),
            Self::Finish => f.write_str("Finish"),
            Self::ExtraKey(..) => f.write_str("ExtraKey(..)"),
            Self::SmpReset => f.write_str("SmpReset"),
            Self::Trust(trusted) => write!(f, "Trust({trusted})"),
            Self::WatchCommit => f.write_str("WatchCommit"),
            Self::FragmentsWait => f.write_str("FragmentsWait"),
            Self::TextMayBeLost => f.write_str("TextMayBeLost"),
        }
    }
}

/// The rest of a step, to be done after the effects before it have been delivered.
#[derive(Debug)]
pub enum Task {
    /// Open the session of a finished exchange, then send the reply, if any.
    Activate(Box<Established>, Option<Vec<u8>>),
    /// Send the last message again, if it was lost with the old session, and the texts that wait for a session.
    Resend,
    /// Handle the SMP messages among these TLVs.
    SmpMessages(Vec<Tlv>),
    /// Handle one SMP message; what was expected when it arrived.
    SmpMessage(Tlv, Expected),
    /// Send an internal message with this TLV.
    SendTlv(Tlv),
    /// Send a heartbeat, if nothing was sent for a while.
    Heartbeat,
}

/// What the client is told about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The policy does not allow plaintext.
    EncryptionRequired,
    /// Encryption failed, the message was not sent.
    EncryptionError,
    /// The correspondent has ended the session, the message was not sent.
    ConnectionEnded,
    /// Our own message came back.
    MessageReflected,
    /// The last message was sent again.
    MessageResent,
    /// An encrypted message arrived outside a session.
    ReceivedNotInPrivate,
    /// An encrypted message could not be read.
    ReceivedUnreadable,
    /// A malformed message arrived.
    ReceivedMalformed,
    /// A heartbeat arrived.
    HeartbeatReceived,
    /// A heartbeat was sent.
    HeartbeatSent,
    /// An error message arrived; the notice has its text.
    ReceivedError,
    /// Unexpected plaintext arrived; the notice has its text.
    ReceivedUnencrypted,
    /// An OTR message of an unknown kind arrived.
    ReceivedUnrecognised,
    /// A message for another of our instances arrived.
    ReceivedForOtherInstance,
}

/// Which error text the correspondent gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// Encryption failed on our side.
    Encryption,
    /// There is no session to read the message with.
    NotInPrivate,
    /// The message could not be read.
    Unreadable,
    /// The message was malformed.
    Malformed,
}

impl ErrorCode {
    /// The text of libotr 3, which its clients look for.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Encryption => "Error occurred encrypting message",
            // With our account's name if it is known: see `unexpected_data`.
            Self::NotInPrivate => "You sent encrypted data, which wasn't expected.",
            Self::Unreadable => "You transmitted an unreadable encrypted message.",
            Self::Malformed => "You transmitted a malformed data message",
        }
    }
}

/// [`ErrorCode::NotInPrivate`] with our account's name. Clients look for both halves.
pub fn unexpected_data(our_name: &[u8]) -> Result<Vec<u8>, OutOfMemory> {
    buffer::concat(&[
        b"You sent encrypted data to ",
        our_name,
        b", who wasn't expecting it.",
    ])
}

/// What the client is told about the SMP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmpEvent {
    /// A message came out of turn.
    Error,
    /// The correspondent aborted.
    Abort,
    /// A proof was false.
    Cheated,
    /// The user has to answer a question.
    AskForAnswer,
    /// The user has to type the secret.
    AskForSecret,
    /// Half way.
    InProgress,
    /// The secrets are the same.
    Success,
    /// They are not.
    Failure,
}
