//! What a user allows and asks for, per correspondent (OTR protocol, "Policies").

use crate::buffer::OutOfMemory;
use crate::wire::query::{QueryForm, Versions, default_query};

/// One correspondent's policy. The C faces map their own bits onto it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// The protocol versions that may be spoken. None at all means: leave every message alone.
    pub versions: Versions,
    /// Refuse to send plaintext.
    pub require_encryption: bool,
    /// Advertise OTR with a whitespace tag on plaintext.
    pub send_whitespace_tag: bool,
    /// Start the AKE when a whitespace tag arrives.
    pub whitespace_start_ake: bool,
    /// Start the AKE when an OTR error message arrives.
    pub error_start_ake: bool,
    /// How our query messages look.
    pub query_form: QueryForm,
}

impl Policy {
    /// Whether any version may be spoken at all.
    pub fn speaks_otr(&self) -> bool {
        self.versions.v1 || self.versions.v2 || self.versions.v3
    }

    /// The query message that offers the versions of this policy in our name.
    pub fn query(&self, our_name: &[u8]) -> Result<Vec<u8>, OutOfMemory> {
        default_query(our_name, self.versions, self.query_form)
    }
}
