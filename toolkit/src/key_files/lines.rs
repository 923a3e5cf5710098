//! Lines of fingerprint and instance tag files, without borrowing the contents of the file.

use otr_protocol::store::{fingerprints, instance_tags};

use crate::program::or_end;

/// A line of a fingerprint file, as in [`fingerprints::Line`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FingerprintLine {
    /// The correspondent.
    pub username: Vec<u8>,
    /// Our account.
    pub accountname: Vec<u8>,
    /// Its protocol.
    pub protocol: Vec<u8>,
    /// The SHA-1 of the correspondent's public key.
    pub fingerprint: [u8; 20],
    /// How it was verified.
    pub trust: Option<Vec<u8>>,
}

/// A line of an instance tag file, as in [`instance_tags::Line`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagLine {
    /// Our account.
    pub accountname: Vec<u8>,
    /// Its protocol.
    pub protocol: Vec<u8>,
    /// Its tag.
    pub tag: u32,
}

/// The lines of a fingerprint file.
pub(crate) fn fingerprints_of(contents: &[u8]) -> Vec<FingerprintLine> {
    let lines = or_end(fingerprints::parse(contents)).into_iter();
    let owned = lines.map(|line| FingerprintLine {
        username: line.username.to_vec(),
        accountname: line.accountname.to_vec(),
        protocol: line.protocol.to_vec(),
        fingerprint: line.fingerprint,
        trust: line.trust.map(<[u8]>::to_vec),
    });
    owned.collect()
}

/// The lines of an instance tag file.
pub(crate) fn tags_of(contents: &[u8]) -> Vec<TagLine> {
    let lines = or_end(instance_tags::parse(contents)).into_iter();
    let owned = lines.map(|line| TagLine {
        accountname: line.accountname.to_vec(),
        protocol: line.protocol.to_vec(),
        tag: line.tag,
    });
    owned.collect()
}

impl FingerprintLine {
    /// The line as the file is written from it.
    pub fn borrowed(&self) -> fingerprints::Line<'_> {
        fingerprints::Line {
            username: &self.username,
            accountname: &self.accountname,
            protocol: &self.protocol,
            fingerprint: self.fingerprint,
            trust: self.trust.as_deref(),
        }
    }
}

impl TagLine {
    /// The line as the file is written from it.
    pub fn borrowed(&self) -> instance_tags::Line<'_> {
        instance_tags::Line {
            accountname: &self.accountname,
            protocol: &self.protocol,
            tag: self.tag,
        }
    }
}
