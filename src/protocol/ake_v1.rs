//! The key exchange of version 1: one signed message each way, kept for peers of that time.

use super::ake::{Auth, AuthState, Established, SigningKey, V1Setup};
use super::dh::{DhKeyPair, v1_session_id};
use super::error::ProtocolError;
use crate::crypto::dsa;
use crate::crypto::group::Element;
use crate::crypto::hash::sha1;
use crate::crypto::proof;
use crate::wire::armour::{armour, dearmour};
use crate::wire::messages::{DsaNumbers, V1KeyExchange};
use crate::wire::version::Version;

/// The reply byte of a message that answers another.
const REPLY: u8 = 0x01;

impl Auth {
    /// Starts an exchange, with the key pair of the session if there is one; the message is in `last_message`.
    pub fn start_v1(
        existing: Option<(DhKeyPair, u32)>,
        key: &SigningKey,
    ) -> Result<Self, ProtocolError> {
        let (our_dh, our_keyid) = fresh_unless(existing)?;
        let last_message = Some(key_exchange(&our_dh, our_keyid, 0, key)?);
        let state = AuthState::V1Setup(Box::new(V1Setup { our_dh, our_keyid }));
        Ok(Self {
            state,
            initiated: true,
            version: Some(Version::V1),
            last_message,
            commit_sent: 0,
        })
    }

    /// Handles a key exchange message. `Some`: the exchange is done; true: send the reply in `last_message`.
    pub fn on_v1_key_exchange(
        &mut self,
        message: &[u8],
        key: &SigningKey,
        existing: Option<(DhKeyPair, u32)>,
    ) -> Result<Option<(Established, bool)>, ProtocolError> {
        let bytes = dearmour(message, true)?;
        let (incoming, signed) = V1KeyExchange::parse(&bytes)?;
        let DsaNumbers { p, q, g, y } = incoming.numbers()?;
        let public = dsa::PublicKey::new(p, q, g, y).map_err(|_| ProtocolError::BadSignature)?;
        if !proof::holds(public.verify(&sha1(&[signed]), &incoming.signature)) {
            return Err(ProtocolError::BadSignature);
        }
        let their_dh = Element::from_bytes(&incoming.gy).ok_or(ProtocolError::Invalid)?;
        let is_reply = incoming.reply == REPLY;
        let setup = match &self.state {
            AuthState::V1Setup(setup) => Some((setup.our_dh.clone(), setup.our_keyid)),
            // An answer to something we never sent: another login of ours did.
            _ if is_reply => return Ok(None),
            _ => None,
        };
        let (our_dh, our_keyid) = if is_reply {
            setup.ok_or(ProtocolError::Conflict)?
        } else {
            fresh_unless(existing.or(setup))?
        };
        let initiated = matches!(self.state, AuthState::V1Setup(_)) && self.initiated;
        if !is_reply {
            self.last_message = Some(key_exchange(&our_dh, our_keyid, REPLY, key)?);
        }
        let established = Established::of_version_1(
            v1_session_id(&our_dh, &their_dh),
            (our_dh, our_keyid),
            (their_dh, incoming.keyid),
            sha1(&[&incoming.public_key]),
            initiated,
        );
        self.initiated = initiated;
        self.version = Some(Version::V1);
        self.state = AuthState::None;
        Ok(Some((established, !is_reply)))
    }
}

fn fresh_unless(existing: Option<(DhKeyPair, u32)>) -> Result<(DhKeyPair, u32), ProtocolError> {
    match existing {
        Some(existing) => Ok(existing),
        None => Ok((DhKeyPair::generate()?, 1)),
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
        public_key: key.public_block().to_vec(),
        keyid,
        gy: our_dh.public().to_bytes(),
        signature: [0; 40],
    };
    let number = sha1(&[&message.signed_bytes()?]);
    message.signature = key
        .key()
        .sign(&number)
        .map_err(|_| ProtocolError::UnusableKey)?;
    Ok(armour(&message.serialise()?))
}
