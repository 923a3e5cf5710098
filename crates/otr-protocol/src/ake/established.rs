//! The result of a finished exchange.

use crate::dh::{DataKeys, DhKeyPair};
use crate::session_id::SessionId;
use crate::wire::version::Version;
use otr_crypto::group::Element;

/// A finished exchange: their signature was verified. This is the only way to get one.
#[derive(Clone, Debug)]
pub struct Established {
    pub(super) our_dh: DhKeyPair,
    pub(super) our_keyid: u32,
    pub(super) their_dh: Element,
    pub(super) their_keyid: u32,
    pub(super) their_fingerprint: [u8; 20],
    pub(super) session_id: SessionId,
    pub(super) version: Version,
    pub(super) initiated: bool,
    /// The data keys for these two DH keys, if the exchange calculated their shared secret anyway.
    pub(super) data_keys: Option<Box<DataKeys>>,
}

impl Established {
    /// Our key pair of the exchange, the first of the session.
    pub fn our_dh(&self) -> &DhKeyPair {
        &self.our_dh
    }
    /// Its number.
    pub fn our_keyid(&self) -> u32 {
        self.our_keyid
    }
    /// Their public value.
    pub fn their_dh(&self) -> &Element {
        &self.their_dh
    }
    /// Its number, never 0.
    pub fn their_keyid(&self) -> u32 {
        self.their_keyid
    }
    /// The fingerprint of the key that signed.
    pub fn their_fingerprint(&self) -> &[u8; 20] {
        &self.their_fingerprint
    }
    /// The secure session id.
    pub fn session_id(&self) -> SessionId {
        self.session_id
    }
    /// The version of the session.
    pub fn version(&self) -> Version {
        self.version
    }
    /// Whether we began the exchange.
    pub fn initiated(&self) -> bool {
        self.initiated
    }
    /// The keys of the session's first messages, if the exchange calculated them.
    pub fn data_keys(&self) -> Option<&DataKeys> {
        self.data_keys.as_deref()
    }
    /// An exchange of version 1, whose one message was signed and verified.
    pub(crate) fn of_version_1(
        session_id: SessionId,
        (our_dh, our_keyid): (DhKeyPair, u32),
        (their_dh, their_keyid): (Element, u32),
        their_fingerprint: [u8; 20],
        initiated: bool,
    ) -> Self {
        let version = Version::V1;
        Self {
            our_dh,
            our_keyid,
            their_dh,
            their_keyid,
            their_fingerprint,
            session_id,
            version,
            initiated,
            data_keys: None,
        }
    }

    /// Whether the other side is ourselves: one of our messages came back.
    pub fn is_reflected(&self) -> bool {
        self.our_dh.public() == &self.their_dh
    }
}
