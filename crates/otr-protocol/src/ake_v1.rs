//! The key exchange of version 1: one signed message each way, kept for peers of that time.
//!
//! Nothing in a message of version 1 shows that it is fresh. So a recorded one may confirm the keys of the existing
//! session, which changes nothing; a new session always uses a key pair of ours that was made for it.

use super::ake::{Auth, AuthState, Established, SigningKey, V1Setup};
use super::buffer;
use super::dh::{DhKeyPair, v1_session_id};
use super::error::ProtocolError;
use crate::wire::armour::{armour, dearmour};
use crate::wire::messages::{DsaNumbers, V1KeyExchange};
use crate::wire::version::Version;
use otr_crypto::dsa;
use otr_crypto::group::Element;
use otr_crypto::hash::sha1;
use otr_crypto::verdict;

/// The reply byte of a message that answers another.
const REPLY: u8 = 0x01;

/// A key exchange message of version 1 whose signature is right.
#[derive(Debug)]
pub struct V1Offer {
    their_dh: Element,
    their_keyid: u32,
    fingerprint: [u8; 20],
    is_reply: bool,
}

impl V1Offer {
    /// Reads a message and checks its signature.
    pub fn read(message: &[u8]) -> Result<Self, ProtocolError> {
        let bytes = dearmour(message, true)?;
        let (incoming, signed) = V1KeyExchange::parse(&bytes)?;
        let DsaNumbers { p, q, g, y } = incoming.numbers()?;
        let public = dsa::PublicKey::new(p, q, g, y).map_err(|_| ProtocolError::BadSignature)?;
        if !verdict::holds(public.verify(&sha1(&[signed]), &incoming.signature)) {
            return Err(ProtocolError::BadSignature);
        }
        Ok(Self {
            their_dh: Element::from_bytes(&incoming.gy).ok_or(ProtocolError::Invalid)?,
            their_keyid: incoming.keyid,
            fingerprint: sha1(&[&incoming.public_key]),
            is_reply: incoming.reply == REPLY,
        })
    }

    /// Their public value.
    pub fn their_dh(&self) -> &Element {
        &self.their_dh
    }

    /// Its number.
    pub fn their_keyid(&self) -> u32 {
        self.their_keyid
    }

    /// The fingerprint of the key that signed.
    pub fn fingerprint(&self) -> &[u8; 20] {
        &self.fingerprint
    }

    /// Whether it answers a message of ours.
    pub fn is_reply(&self) -> bool {
        self.is_reply
    }
}

impl Auth {
    /// Starts an exchange with the key pair of the session, `existing`, or else with a fresh one; the message is in
    /// `last_message`.
    pub fn start_v1(
        existing: Option<(DhKeyPair, u32)>,
        key: &SigningKey,
    ) -> Result<Self, ProtocolError> {
        let is_fresh = existing.is_none();
        let pair = match existing {
            Some(existing) => existing,
            None => (DhKeyPair::generate()?, 1),
        };
        Self::start_v1_with(pair, is_fresh, key)
    }

    /// Starts an exchange with a fresh key pair that has this number.
    pub fn start_v1_anew(keyid: u32, key: &SigningKey) -> Result<Self, ProtocolError> {
        Self::start_v1_with((DhKeyPair::generate()?, keyid), true, key)
    }

    fn start_v1_with(
        (our_dh, our_keyid): (DhKeyPair, u32),
        is_fresh: bool,
        key: &SigningKey,
    ) -> Result<Self, ProtocolError> {
        let last_message = Some(key_exchange(&our_dh, our_keyid, 0, key)?);
        let state = AuthState::V1Setup(Box::new(V1Setup {
            our_dh,
            our_keyid,
            is_fresh,
        }));
        Ok(Self {
            state,
            initiated: true,
            version: Some(Version::V1),
            last_message,
            waits_since: 0,
        })
    }

    /// The state of a version 1 exchange whose message waits for its answer.
    pub fn v1_setup(&self) -> Option<&V1Setup> {
        match &self.state {
            AuthState::V1Setup(setup) => Some(setup),
            _ => None,
        }
    }

    /// Completes an exchange with this key pair of ours. True: send the reply in `last_message`.
    pub fn complete_v1(
        &mut self,
        offer: V1Offer,
        (our_dh, our_keyid): (DhKeyPair, u32),
        key: &SigningKey,
    ) -> Result<(Established, bool), ProtocolError> {
        let reply = if offer.is_reply {
            None
        } else {
            Some(key_exchange(&our_dh, our_keyid, REPLY, key)?)
        };
        let initiated = self.v1_setup().is_some() && self.initiated;
        let established = Established::of_version_1(
            v1_session_id(&our_dh, &offer.their_dh),
            (our_dh, our_keyid),
            (offer.their_dh, offer.their_keyid),
            offer.fingerprint,
            initiated,
        );
        let is_due = reply.is_some();
        *self = Self {
            state: AuthState::None,
            initiated,
            version: Some(Version::V1),
            last_message: reply.or_else(|| self.last_message.take()),
            waits_since: 0,
        };
        Ok((established, is_due))
    }
}

fn key_exchange(
    our_dh: &DhKeyPair,
    keyid: u32,
    reply: u8,
    key: &SigningKey,
) -> Result<Vec<u8>, ProtocolError> {
    let mut message = V1KeyExchange {
        reply,
        public_key: buffer::bounded(key.public_block()),
        keyid,
        gy: our_dh.public().to_bytes(),
        signature: [0; 40],
    };
    let number = sha1(&[&message.signed_bytes()?]);
    message.signature = key
        .key()
        .sign(&number)
        .map_err(|_| ProtocolError::UnusableKey)?;
    Ok(armour(&message.serialise()?)?)
}
