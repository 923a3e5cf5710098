//! The last two messages of the authenticated key exchange, reveal signature and signature, and
//! what is encrypted in both.

use super::header::{Header, TYPE_REVEAL_SIGNATURE, TYPE_SIGNATURE, field};
use super::public_key::{self, DsaNumbers, PUBLIC_KEY_TYPE_DSA};
use crate::wire::error::{Malformed, Unwritten};
use crate::wire::reader::Reader;
use crate::wire::writer::Writer;

/// "g^x was encrypted with r, and this is who I am": section "Reveal Signature Message".
#[derive(Clone, PartialEq, Eq)]
pub struct RevealSignature {
    /// Version and instance tags.
    pub header: Header,
    /// r.
    pub revealed_key: [u8; 16],
    /// An [`AuthPlain`], encrypted.
    pub encrypted_signature: Vec<u8>,
    /// The first 20 bytes of the MAC over [`mac_input`] of the encrypted signature.
    pub mac: [u8; 20],
}

impl RevealSignature {
    /// Reads a decoded message.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let header = Header::read(&mut reader, TYPE_REVEAL_SIGNATURE)?;
        let revealed_key = reader
            .data()?
            .try_into()
            .map_err(|_| Malformed::FieldLength)?;
        let encrypted_signature = field(reader.data()?)?;
        let mac = *reader.array()?;
        reader.finish()?;
        Ok(Self {
            header,
            revealed_key,
            encrypted_signature,
            mac,
        })
    }

    /// Writes the message.
    pub fn serialise(&self) -> Result<Vec<u8>, Unwritten> {
        let mut writer = Writer::new();
        self.header.write(&mut writer, TYPE_REVEAL_SIGNATURE);
        writer.data(&self.revealed_key);
        writer.data(&self.encrypted_signature);
        writer.bytes(&self.mac);
        writer.into_bytes()
    }
}

impl core::fmt::Debug for RevealSignature {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // r is left out: it is secret until the message is sent.
        f.debug_struct("RevealSignature")
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}

/// "This is who I am": section "Signature Message".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Version and instance tags.
    pub header: Header,
    /// An [`AuthPlain`], encrypted.
    pub encrypted_signature: Vec<u8>,
    /// The first 20 bytes of the MAC over [`mac_input`] of the encrypted signature.
    pub mac: [u8; 20],
}

impl Signature {
    /// Reads a decoded message.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let header = Header::read(&mut reader, TYPE_SIGNATURE)?;
        let encrypted_signature = field(reader.data()?)?;
        let mac = *reader.array()?;
        reader.finish()?;
        Ok(Self {
            header,
            encrypted_signature,
            mac,
        })
    }

    /// Writes the message.
    pub fn serialise(&self) -> Result<Vec<u8>, Unwritten> {
        let mut writer = Writer::new();
        self.header.write(&mut writer, TYPE_SIGNATURE);
        writer.data(&self.encrypted_signature);
        writer.bytes(&self.mac);
        writer.into_bytes()
    }
}

/// The input of the MAC of both messages: the encrypted signature as DATA, its length included.
pub fn mac_input(encrypted_signature: &[u8]) -> Result<Vec<u8>, Unwritten> {
    let mut writer = Writer::new();
    writer.data(encrypted_signature);
    writer.into_bytes()
}

/// The encrypted content of both messages: X of the specification.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthPlain {
    /// The signer's DSA public key: the bytes of its four MPIs (see [`DsaNumbers`]).
    pub public_key: Vec<u8>,
    /// The id of the signer's DH key, not 0.
    pub keyid: u32,
    /// The DSA signature, r and s of 20 bytes each.
    pub signature: [u8; 40],
}

impl AuthPlain {
    /// Reads the decrypted bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        if reader.u16()? != PUBLIC_KEY_TYPE_DSA {
            return Err(Malformed::PublicKeyType);
        }
        let public_key = field(public_key::read_raw(&mut reader)?)?;
        let keyid = reader.u32()?;
        if keyid == 0 {
            return Err(Malformed::KeyId);
        }
        let signature = *reader.array()?;
        reader.finish()?;
        Ok(Self {
            public_key,
            keyid,
            signature,
        })
    }

    /// Writes the bytes to encrypt.
    pub fn serialise(&self) -> Result<Vec<u8>, Unwritten> {
        let mut writer = Writer::new();
        writer.u16(PUBLIC_KEY_TYPE_DSA);
        writer.bytes(&self.public_key);
        writer.u32(self.keyid);
        writer.bytes(&self.signature);
        writer.into_bytes()
    }

    /// The numbers of the public key.
    pub fn numbers(&self) -> Result<DsaNumbers<'_>, Malformed> {
        DsaNumbers::parse(&self.public_key)
    }
}

impl core::fmt::Debug for AuthPlain {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // The encryption hides the identity, so it is not printed.
        f.debug_struct("AuthPlain")
            .field("keyid", &self.keyid)
            .finish_non_exhaustive()
    }
}

/// The input of the MAC whose 32 bytes are signed (M of the specification): the signer's and the other's DH public value
/// (big-endian), the signer's public key (its MPIs) and key id.
pub fn signed_input(
    signer_dh: &[u8],
    other_dh: &[u8],
    public_key: &[u8],
    keyid: u32,
) -> Result<Vec<u8>, Unwritten> {
    let mut writer = Writer::new();
    writer.mpi(signer_dh);
    writer.mpi(other_dh);
    writer.u16(PUBLIC_KEY_TYPE_DSA);
    writer.bytes(public_key);
    writer.u32(keyid);
    writer.into_bytes()
}
