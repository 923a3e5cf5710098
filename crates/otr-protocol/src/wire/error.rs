//! What can be wrong with bytes that claim to be OTR, and with values that do not fit the format.

use core::fmt;

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
    /// The protocol version is none of 1, 2 and 3, or not the one this message exists in.
    Version,
    /// The message type byte is another message's.
    MessageType,
    /// A field that has one possible length has another.
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

/// A value is longer than its length field can say: 65535 bytes in a TLV, 2^32 - 1 elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value is too long for its length field")
    }
}

impl core::error::Error for TooLong {}

#[cfg(test)]
mod tests {
    use super::{Malformed, TooLong};

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
        assert_eq!(TooLong.to_string(), too_long);
    }
}
