//! Our long-term key, ready to sign an exchange.

use crate::error::ProtocolError;
use crate::wire::messages::DsaNumbers;
use otr_crypto::dsa;
use otr_crypto::hash::sha1;

/// Our long-term key, with its public half in the form for messages and the fingerprint.
#[derive(Clone, Debug)]
pub struct SigningKey {
    key: dsa::PrivateKey,
    public_block: Vec<u8>,
}

impl SigningKey {
    /// Prepares a private key.
    pub fn new(key: dsa::PrivateKey) -> Result<Self, ProtocolError> {
        let public = key.public();
        let numbers = DsaNumbers {
            p: public.p(),
            q: public.q(),
            g: public.g(),
            y: public.y(),
        };
        Ok(Self {
            public_block: numbers.encode()?,
            key,
        })
    }

    /// The key itself.
    pub fn key(&self) -> &dsa::PrivateKey {
        &self.key
    }

    /// The public numbers as MPIs, as in messages.
    pub fn public_block(&self) -> &[u8] {
        &self.public_block
    }

    /// SHA-1 of the public numbers, which people compare.
    pub fn fingerprint(&self) -> [u8; 20] {
        sha1(&[&self.public_block])
    }
}
