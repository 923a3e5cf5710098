//! Differences between the two generations of libotr in what they write and understand.

use super::classify::{MessageKind, otr_tag, tagged_kind, tagged_version, untagged_kind};
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
    /// What a message claims to be, and the version of an encoded message that can be understood. `tag` is where its first "?OTR"
    /// is, as [`otr_tag`] finds it.
    pub fn classify(self, message: &[u8], tag: Option<usize>) -> (MessageKind, Option<Version>) {
        let Some(tagged) = tag.and_then(|tag| message.get(tag..)) else {
            return (untagged_kind(message), None);
        };
        match tagged_version(tagged) {
            Some(Version::V3) if self == Self::Libotr3 => (MessageKind::Unknown, None),
            version => (tagged_kind(tagged), version),
        }
    }

    /// What a message claims to be.
    pub fn kind_of(self, message: &[u8]) -> MessageKind {
        self.classify(message, otr_tag(message)).0
    }
}
