//! What can be wrong with bytes that should be OTR, and with values that do not fit the format.

use core::fmt;

use crate::buffer::OutOfMemory;

/// Why bytes could not be read as what they claim to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// There is no "?OTR:" in the text.
    NoArmour,
    /// There is no "." after "?OTR:".
    NoEnd,
    /// The bytes end before the structure does, or a length points past the end.
    Truncated,
    /// Bytes are left over after the structure.
    Trailing,
    /// The protocol version is not 1, 2 or 3, or this message does not exist in it.
    Version,
    /// The message type byte is that of another message.
    MessageType,
    /// A field of fixed length has another length, or a field of a key exchange is too long.
    FieldLength,
    /// A key id is zero.
    KeyId,
    /// The public key is of a type other than DSA.
    PublicKeyType,
    /// The number of MPIs is not the expected one.
    Count,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoArmour => "no \"?OTR:\" in the message",
            Self::NoEnd => "no \".\" at the end of the message",
            Self::Truncated => "the message ends too early",
            Self::Trailing => "bytes are left over at the end of the message",
            Self::Version => "wrong protocol version",
            Self::MessageType => "wrong message type",
            Self::FieldLength => "a field has the wrong length",
            Self::KeyId => "a key id is zero",
            Self::PublicKeyType => "unknown type of public key",
            Self::Count => "wrong number of MPIs",
        })
    }
}

impl core::error::Error for Malformed {}

/// Why an armoured message was not decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undecoded {
    /// It is malformed.
    Malformed(Malformed),
    /// It may be valid, but there is no memory for it.
    OutOfMemory,
}

impl fmt::Display for Undecoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(malformed) => malformed.fmt(f),
            Self::OutOfMemory => OutOfMemory.fmt(f),
        }
    }
}

impl core::error::Error for Undecoded {}

impl From<Malformed> for Undecoded {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl From<OutOfMemory> for Undecoded {
    fn from(_: OutOfMemory) -> Self {
        Self::OutOfMemory
    }
}

/// Why a message was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwritten {
    /// A value is too long for its length field: 65535 bytes in a TLV, 2^32 - 1 elsewhere.
    TooLong,
    /// There is no memory for it.
    OutOfMemory,
}

impl fmt::Display for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("a value is too long for its length field"),
            Self::OutOfMemory => OutOfMemory.fmt(f),
        }
    }
}

impl core::error::Error for Unwritten {}

impl From<OutOfMemory> for Unwritten {
    fn from(_: OutOfMemory) -> Self {
        Self::OutOfMemory
    }
}

#[cfg(test)]
mod tests {
    use super::{Malformed, Undecoded, Unwritten};

    #[test]
    fn every_fault_has_a_sentence_of_its_own() {
        let mut sentences = [
            Malformed::NoArmour,
            Malformed::NoEnd,
            Malformed::Truncated,
            Malformed::Trailing,
            Malformed::Version,
            Malformed::MessageType,
            Malformed::FieldLength,
            Malformed::KeyId,
            Malformed::PublicKeyType,
            Malformed::Count,
        ]
        .map(|fault| fault.to_string());
        assert_eq!(sentences[4], "wrong protocol version");
        sentences.sort();
        assert!(sentences.windows(2).all(|pair| pair[0] != pair[1]));
        let too_long = "a value is too long for its length field";
        assert_eq!(Unwritten::TooLong.to_string(), too_long);
        let no_memory = "there is no memory";
        assert_eq!(Unwritten::OutOfMemory.to_string(), no_memory);
        assert_eq!(Undecoded::OutOfMemory.to_string(), no_memory);
        let malformed = Undecoded::Malformed(Malformed::Version);
        assert_eq!(malformed.to_string(), "wrong protocol version");
    }
}
