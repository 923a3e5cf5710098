//! Why a step of the protocol failed.

use crate::buffer::OutOfMemory;
use crate::wire::error::{Malformed, Undecoded, Unwritten};
use otr_crypto::random::RandomError;

/// Why a step was refused. Whatever the reason, the state is as it was before the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    /// The message, or a number in it, is not what the protocol allows.
    Invalid,
    /// The message does not fit the state: no session, unknown keys, a wrong MAC, a replay.
    Conflict,
    /// The signature over the exchange does not verify.
    BadSignature,
    /// The long-term key cannot sign.
    UnusableKey,
    /// The operating system gave no randomness.
    NoRandomness,
    /// A value of the answer is too long for its length field.
    TooLong,
    /// No more texts can wait for a session.
    TooMany,
    /// There is no memory for what the step needs.
    OutOfMemory,
}

impl std::fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Invalid => "the message is malformed or holds a number out of range",
            Self::Conflict => "the message does not belong to the session as it stands",
            Self::BadSignature => "the signature of the key exchange is wrong",
            Self::UnusableKey => "the private key cannot sign",
            Self::NoRandomness => "the operating system gave no random bytes",
            Self::TooLong => "the message is too long",
            Self::TooMany => "too many texts wait for a session",
            Self::OutOfMemory => "there is no memory",
        })
    }
}

impl std::error::Error for ProtocolError {}

impl From<Malformed> for ProtocolError {
    fn from(_: Malformed) -> Self {
        Self::Invalid
    }
}

impl From<RandomError> for ProtocolError {
    fn from(_: RandomError) -> Self {
        Self::NoRandomness
    }
}

impl From<Undecoded> for ProtocolError {
    fn from(error: Undecoded) -> Self {
        match error {
            Undecoded::Malformed(malformed) => malformed.into(),
            Undecoded::OutOfMemory => Self::OutOfMemory,
        }
    }
}

impl From<Unwritten> for ProtocolError {
    fn from(error: Unwritten) -> Self {
        match error {
            Unwritten::TooLong => Self::TooLong,
            Unwritten::OutOfMemory => Self::OutOfMemory,
        }
    }
}

impl From<OutOfMemory> for ProtocolError {
    fn from(_: OutOfMemory) -> Self {
        Self::OutOfMemory
    }
}

#[cfg(test)]
mod tests {
    use super::ProtocolError;

    #[test]
    fn every_reason_has_a_sentence_of_its_own() {
        let mut sentences = [
            ProtocolError::Invalid,
            ProtocolError::Conflict,
            ProtocolError::BadSignature,
            ProtocolError::UnusableKey,
            ProtocolError::NoRandomness,
            ProtocolError::TooLong,
            ProtocolError::TooMany,
            ProtocolError::OutOfMemory,
        ]
        .map(|error| error.to_string());
        assert_eq!(sentences[5], "the message is too long");
        sentences.sort();
        assert!(sentences.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
