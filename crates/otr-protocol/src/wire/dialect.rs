//! Differences between the two generations of libotr in what they write and understand.

use super::classify::{MessageKind, message_kind, message_version};
use super::version::Version;

/// Which libotr's messages to write and to understand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// libotr 4's: versions 1 to 3.
    #[default]
    Libotr4,
    /// libotr 3.2's: versions 1 and 2. Messages of version 3 are of an unknown kind, the query message names another address,
    /// and data messages are read whatever the policy says.
    Libotr3,
}

impl Dialect {
    /// What a message claims to be.
    pub fn kind_of(self, message: &[u8]) -> MessageKind {
        if self == Self::Libotr3 && message_version(message) == Some(Version::V3) {
            MessageKind::Unknown
        } else {
            message_kind(message)
        }
    }

    /// The version of an encoded message that can be understood.
    pub fn version_of(self, message: &[u8]) -> Option<Version> {
        message_version(message).filter(|version| self == Self::Libotr4 || *version != Version::V3)
    }
}
