//! OTR query messages: "?OTR?v23?" and the text that a person without OTR reads.

use super::search::find;
use super::version::Version;

/// A set of protocol versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    /// Version 1 is in the set.
    pub v1: bool,
    /// Version 2 is in the set.
    pub v2: bool,
    /// Version 3 is in the set.
    pub v3: bool,
}

impl Versions {
    /// The newest version that is in both sets.
    pub const fn best_common(self, allowed: Self) -> Option<Version> {
        if self.v3 && allowed.v3 {
            Some(Version::V3)
        } else if self.v2 && allowed.v2 {
            Some(Version::V2)
        } else if self.v1 && allowed.v1 {
            Some(Version::V1)
        } else {
            None
        }
    }

    /// Whether a version is in the set.
    pub const fn contains(self, version: Version) -> bool {
        match version {
            Version::V1 => self.v1,
            Version::V2 => self.v2,
            Version::V3 => self.v3,
        }
    }
}

/// The query message that offers `versions` in the name of `our_name`.
///
/// Peers and clients compare this text byte for byte.
pub fn default_query(our_name: &[u8], versions: Versions) -> Vec<u8> {
    let mut message = b"?OTR".to_vec();
    if versions.v1 {
        message.push(b'?');
    }
    if versions.v2 || versions.v3 {
        message.push(b'v');
        if versions.v2 {
            message.push(b'2');
        }
        if versions.v3 {
            message.push(b'3');
        }
        message.push(b'?');
    }
    message.extend_from_slice(b"\n<b>");
    message.extend_from_slice(our_name);
    message.extend_from_slice(
        b"</b> has requested an <a href=\"https://otr.cypherpunks.ca/\">Off-the-Record private \
          conversation</a>.  However, you do not have a plugin to support that.\n\
          See <a href=\"https://otr.cypherpunks.ca/\">https://otr.cypherpunks.ca/</a> \
          for more information.",
    );
    message
}

/// The versions that a query message offers: none if there is no "?OTR" in it.
pub fn query_versions(message: &[u8]) -> Versions {
    let mut versions = Versions::default();
    let Some(mut rest) = find(message, b"?OTR").and_then(|start| message.get(start + 4..)) else {
        return versions;
    };
    if let Some(after) = rest.strip_prefix(b"?") {
        versions.v1 = true;
        rest = after;
    }
    if let Some(list) = rest.strip_prefix(b"v") {
        // Versions that we do not know are passed over.
        for byte in list.iter().take_while(|&&byte| byte != b'?') {
            match byte {
                b'2' => versions.v2 = true,
                b'3' => versions.v3 = true,
                _ => {}
            }
        }
    }
    versions
}
