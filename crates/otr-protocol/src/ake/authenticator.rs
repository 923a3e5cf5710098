//! The proof of identity in the exchange: the encrypted signature of a reveal signature or signature message, and the MAC
//! over it (OTR protocol, "Authenticated Key Exchange": M, X and MAC).

use super::{SigningKey, ZERO_COUNTER};
use crate::buffer;
use crate::error::ProtocolError;
use crate::wire::messages::signature::{mac_input, signed_input};
use crate::wire::messages::{AuthPlain, DsaNumbers};
use otr_crypto::aes_ctr;
use otr_crypto::dsa;
use otr_crypto::group::Element;
use otr_crypto::hash::sha1;
use otr_crypto::mac::{self, hmac_sha256};
use otr_crypto::verdict;

/// One of the two encrypted signatures of the exchange: X, and the M that is signed in it.
pub(super) struct Authenticator<'a> {
    /// The key c or c'.
    pub(super) encryption: &'a [u8; 16],
    /// The key m1 or m1'.
    pub(super) inner_mac: &'a [u8; 32],
    /// The signer's public value.
    pub(super) signer_dh: &'a Element,
    /// The verifier's public value.
    pub(super) reader_dh: &'a Element,
}

/// The signer, after the signature was verified.
pub(super) struct Signer {
    /// The fingerprint of the signer's long-term key.
    pub(super) fingerprint: [u8; 20],
    /// The number of the signer's DH key, never 0.
    pub(super) keyid: u32,
}

impl Authenticator<'_> {
    /// The number M that is signed: the MAC over both public values, the signer's key and its key id.
    fn signed_number(&self, public_key: &[u8], keyid: u32) -> Result<[u8; 32], ProtocolError> {
        let input = signed_input(
            &self.signer_dh.to_bytes(),
            &self.reader_dh.to_bytes(),
            public_key,
            keyid,
        )?;
        Ok(hmac_sha256(self.inner_mac, &[&input]))
    }

    /// Signs as the owner of `key` and encrypts.
    pub(super) fn seal(&self, key: &SigningKey, keyid: u32) -> Result<Vec<u8>, ProtocolError> {
        let number = self.signed_number(key.public_block(), keyid)?;
        let signature = key
            .key()
            .sign(&number)
            .map_err(|_| ProtocolError::UnusableKey)?;
        let plain = AuthPlain {
            public_key: buffer::bounded(key.public_block()),
            keyid,
            signature,
        };
        let mut sealed = plain.serialise()?;
        aes_ctr::apply(self.encryption, &ZERO_COUNTER, &mut sealed);
        Ok(sealed)
    }

    /// Decrypts and verifies.
    pub(super) fn open(&self, mut sealed: Vec<u8>) -> Result<Signer, ProtocolError> {
        aes_ctr::apply(self.encryption, &ZERO_COUNTER, &mut sealed);
        let plain = AuthPlain::parse(&sealed)?;
        let number = self.signed_number(&plain.public_key, plain.keyid)?;
        let DsaNumbers { p, q, g, y } = plain.numbers()?;
        let public = dsa::PublicKey::new(p, q, g, y).map_err(|_| ProtocolError::BadSignature)?;
        if !verdict::holds(public.verify(&number, &plain.signature)) {
            return Err(ProtocolError::BadSignature);
        }
        Ok(Signer {
            fingerprint: sha1(&[&plain.public_key]),
            keyid: plain.keyid,
        })
    }
}

/// The MAC over an encrypted signature with its length: HMAC-SHA256, 160 bits of it.
pub(super) fn outer_mac(
    key: &[u8; 32],
    encrypted_signature: &[u8],
) -> Result<[u8; 20], ProtocolError> {
    let mac = hmac_sha256(key, &[&mac_input(encrypted_signature)?]);
    Ok(*mac.first_chunk::<20>().unwrap_or(&[0; 20]))
}

/// Refuses an encrypted signature whose MAC is not the one `given`.
pub(super) fn check_outer_mac(
    key: &[u8; 32],
    encrypted_signature: &[u8],
    given: &[u8; 20],
) -> Result<(), ProtocolError> {
    let made = outer_mac(key, encrypted_signature)?;
    if verdict::holds(mac::equal(&made, given)) {
        Ok(())
    } else {
        Err(ProtocolError::Invalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dh::DhKeyPair;
    use otr_crypto::dsa::PrivateKey;
    use std::sync::LazyLock;

    static KEY: LazyLock<SigningKey> =
        LazyLock::new(|| SigningKey::new(PrivateKey::generate().unwrap()).unwrap());

    /// OTR protocol, "Authenticated Key Exchange": M covers both public values, the key and its number, under m1.
    #[test]
    fn a_signature_is_good_for_one_exchange_alone() {
        let [signer, reader, other] =
            [(); 3].map(|()| DhKeyPair::generate().unwrap().public().clone());
        let (encryption, inner_mac) = ([1; 16], [2; 32]);
        let real = Authenticator {
            encryption: &encryption,
            inner_mac: &inner_mac,
            signer_dh: &signer,
            reader_dh: &reader,
        };
        let sealed = real.seal(&KEY, 9).unwrap();
        let opened = real.open(sealed.clone()).unwrap();
        assert_eq!((opened.fingerprint, opened.keyid), (KEY.fingerprint(), 9));

        for false_one in [
            Authenticator {
                inner_mac: &[3; 32],
                ..real
            },
            Authenticator {
                signer_dh: &other,
                ..real
            },
            Authenticator {
                reader_dh: &other,
                ..real
            },
        ] {
            let refused = false_one.open(sealed.clone()).err();
            assert_eq!(refused, Some(ProtocolError::BadSignature));
        }
        let mut renumbered = sealed.clone();
        let last_of_keyid = renumbered.len() - 41;
        renumbered[last_of_keyid] ^= 1;
        let refused = real.open(renumbered).err();
        assert_eq!(refused, Some(ProtocolError::BadSignature));
    }

    /// Made with Python's `hmac`: SHA-256 under 32 times 0x05, over 00000003 616263.
    #[test]
    fn the_mac_covers_the_encrypted_signature_and_its_length() {
        let expected = [
            0xaf, 0x60, 0x05, 0x75, 0x11, 0xe1, 0x22, 0xa4, 0x35, 0xa6, 0xc9, 0xbd, 0x8e, 0xb0,
            0x11, 0x74, 0xd8, 0xf7, 0x70, 0xb7,
        ];
        assert_eq!(outer_mac(&[5; 32], b"abc"), Ok(expected));
        assert_eq!(check_outer_mac(&[5; 32], b"abc", &expected), Ok(()));
        for (key, text) in [([4; 32], b"abc"), ([5; 32], b"abd")] {
            let refused = Err(ProtocolError::Invalid);
            assert_eq!(check_outer_mac(&key, text, &expected), refused);
        }
    }
}
