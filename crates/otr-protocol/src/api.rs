//! The Rust interface: an [`Account`], and one [`Chat`] for each correspondent.
//!
//! Nothing here does I/O, makes callbacks, or reads the clock: messages to send are returned, and `now` is an argument, in
//! seconds since 1970.

mod account;
mod chat;
mod event;
mod family;
mod steps;

#[cfg(test)]
mod tests;

pub use account::{Account, Files, LoadError};
pub use chat::Chat;
pub use event::{Event, Fingerprint, Message, Outbox, Peer, Protection, Question, Received};

use std::fmt;

use crate::buffer::OutOfMemory;
use crate::error::ProtocolError;

/// Why a call failed. It has changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// There is no session.
    NoSession,
    /// There is a session: a text in the clear was refused.
    Encrypted,
    /// The policy refuses plaintext.
    EncryptionRequired,
    /// The correspondent has ended the session. [`Chat::end`] goes back to plaintext, [`Chat::start`] asks for another session.
    Ended,
    /// The question was asked in another session, or by somebody else, or was answered already.
    OutOfDate,
    /// Any other error of the protocol.
    Protocol(ProtocolError),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSession => f.write_str("there is no session"),
            Self::Encrypted => f.write_str("there is a session"),
            Self::EncryptionRequired => f.write_str("the policy refuses plaintext"),
            Self::Ended => f.write_str("the correspondent has ended the session"),
            Self::OutOfDate => f.write_str("the question belongs to another session"),
            Self::Protocol(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<ProtocolError> for Error {
    fn from(error: ProtocolError) -> Self {
        Self::Protocol(error)
    }
}

impl From<OutOfMemory> for Error {
    fn from(error: OutOfMemory) -> Self {
        Self::Protocol(error.into())
    }
}
