//! The key exchange message of protocol version 1.

use super::header::{Header, TYPE_DH_KEY, field};
use super::public_key::{self, DsaNumbers};
use crate::wire::error::{Malformed, Unwritten};
use crate::wire::reader::Reader;
use crate::wire::writer::Writer;

/// "This is who I am, this is my DH public value, and I have signed both."
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct V1KeyExchange {
    /// 1 if this answers a key exchange message, otherwise 0 (other numbers are kept).
    pub reply: u8,
    /// The signer's DSA public key: the bytes of its four MPIs (see [`DsaNumbers`]).
    pub public_key: Vec<u8>,
    /// The id of the signer's DH key, not 0.
    pub keyid: u32,
    /// The signer's DH public value, big-endian, as it was sent: perhaps with leading zeros, not
    /// checked for its range.
    pub gy: Vec<u8>,
    /// The DSA signature of the SHA-1 of all the bytes before it, r and s of 20 bytes each.
    pub signature: [u8; 40],
}

impl V1KeyExchange {
    /// Reads a decoded message. Also returns the bytes whose hash is signed, as they were sent.
    pub fn parse(bytes: &[u8]) -> Result<(Self, &[u8]), Malformed> {
        let mut reader = Reader::new(bytes);
        if Header::read(&mut reader, TYPE_DH_KEY)? != Header::V1 {
            return Err(Malformed::Version);
        }
        let reply = reader.u8()?;
        let public_key = field(public_key::read_raw(&mut reader)?)?;
        let keyid = reader.u32()?;
        if keyid == 0 {
            return Err(Malformed::KeyId);
        }
        let gy = field(reader.mpi()?)?;
        let signed = bytes.len() - reader.rest().len();
        let signature = *reader.array()?;
        reader.finish()?;
        let message = Self {
            reply,
            public_key,
            keyid,
            gy,
            signature,
        };
        Ok((message, bytes.get(..signed).unwrap_or_default()))
    }

    /// The bytes whose SHA-1 is signed: all except the signature, which is not used.
    pub fn signed_bytes(&self) -> Result<Vec<u8>, Unwritten> {
        self.written_but_for_signature().into_bytes()
    }

    fn written_but_for_signature(&self) -> Writer {
        let mut writer = Writer::new();
        Header::V1.write(&mut writer, TYPE_DH_KEY);
        writer.u8(self.reply);
        writer.bytes(&self.public_key);
        writer.u32(self.keyid);
        writer.mpi(&self.gy);
        writer
    }

    /// Writes the message.
    pub fn serialise(&self) -> Result<Vec<u8>, Unwritten> {
        let mut writer = self.written_but_for_signature();
        writer.bytes(&self.signature);
        writer.into_bytes()
    }

    /// The numbers of the public key.
    pub fn numbers(&self) -> Result<DsaNumbers<'_>, Malformed> {
        DsaNumbers::parse(&self.public_key)
    }
}
