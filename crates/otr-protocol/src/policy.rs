//! What a user allows and requests, per correspondent (OTR protocol, "Policies").

use crate::buffer::OutOfMemory;
use crate::wire::dialect::Dialect;
use crate::wire::query::{Versions, default_query};

/// One correspondent's policy. The C interfaces map their own bits onto it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The protocol versions that may be used. With none, OTR does not touch any message.
    pub versions: Versions,
    /// Refuse to send plaintext.
    pub require_encryption: bool,
    /// Advertise OTR with a whitespace tag on plaintext.
    pub send_whitespace_tag: bool,
    /// Start the AKE when a whitespace tag arrives.
    pub whitespace_start_ake: bool,
    /// Start the AKE when an OTR error message arrives.
    pub error_start_ake: bool,
    /// Which generation of libotr to follow where they differ in what they write and understand.
    pub dialect: Dialect,
}

impl Policy {
    /// Versions 2 and 3, which most clients speak. Plaintext is not refused, and no session is begun automatically; the
    /// functions below change that.
    pub const fn v2_v3() -> Self {
        Self::speaking(Versions {
            v1: false,
            v2: true,
            v3: true,
        })
    }

    /// Only version 3.
    pub const fn v3() -> Self {
        Self::speaking(Versions {
            v1: false,
            v2: false,
            v3: true,
        })
    }

    /// These versions. With none, OTR does not touch messages in either direction.
    pub const fn speaking(versions: Versions) -> Self {
        Self {
            versions,
            require_encryption: false,
            send_whitespace_tag: false,
            whitespace_start_ake: false,
            error_start_ake: false,
            dialect: Dialect::Libotr4,
        }
    }

    /// Refuses to send plaintext, and warns of received plaintext.
    pub const fn require_encryption(mut self) -> Self {
        self.require_encryption = true;
        self
    }

    /// Offers OTR with a whitespace tag on plaintext.
    pub const fn send_whitespace_tag(mut self) -> Self {
        self.send_whitespace_tag = true;
        self
    }

    /// Begins a session when a whitespace tag arrives.
    pub const fn start_on_whitespace_tag(mut self) -> Self {
        self.whitespace_start_ake = true;
        self
    }

    /// Begins a session when an OTR error message arrives.
    pub const fn start_on_error(mut self) -> Self {
        self.error_start_ake = true;
        self
    }

    /// Whether any version may be used.
    pub fn speaks_otr(&self) -> bool {
        self.versions.v1 || self.versions.v2 || self.versions.v3
    }

    /// The query message that offers the versions of this policy in our name.
    pub fn query(&self, our_name: &[u8]) -> Result<Vec<u8>, OutOfMemory> {
        default_query(our_name, self.versions, self.dialect)
    }
}
