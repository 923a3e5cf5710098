//! The first two messages of the authenticated key exchange: DH-commit and DH-key.

use super::header::{Header, TYPE_DH_COMMIT, TYPE_DH_KEY, field};
use crate::wire::error::{Malformed, Unwritten};
use crate::wire::reader::Reader;
use crate::wire::writer::Writer;

/// "I have chosen g^x, and here is its hash": section "D-H Commit Message".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DhCommit {
    /// Version and instance tags.
    pub header: Header,
    /// The MPI g^x (see [`mpi::encode`](crate::wire::mpi::encode)), encrypted with r.
    pub encrypted_gx: Vec<u8>,
    /// SHA-256 of the MPI g^x.
    pub hashed_gx: [u8; 32],
}

impl DhCommit {
    /// Reads a decoded message.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let header = Header::read(&mut reader, TYPE_DH_COMMIT)?;
        let encrypted_gx = field(reader.data()?)?;
        let hashed_gx = reader
            .data()?
            .try_into()
            .map_err(|_| Malformed::FieldLength)?;
        reader.finish()?;
        Ok(Self {
            header,
            encrypted_gx,
            hashed_gx,
        })
    }

    /// Writes the message.
    pub fn serialise(&self) -> Result<Vec<u8>, Unwritten> {
        let mut writer = Writer::new();
        self.header.write(&mut writer, TYPE_DH_COMMIT);
        writer.data(&self.encrypted_gx);
        writer.data(&self.hashed_gx);
        writer.into_bytes()
    }
}

/// "My public value is g^y": section "D-H Key Message".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DhKey {
    /// Version and instance tags.
    pub header: Header,
    /// g^y, big-endian, as it was sent: perhaps with leading zeros, not checked for its range.
    pub gy: Vec<u8>,
}

impl DhKey {
    /// Reads a decoded message.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let header = Header::read(&mut reader, TYPE_DH_KEY)?;
        let gy = field(reader.mpi()?)?;
        reader.finish()?;
        Ok(Self { header, gy })
    }

    /// Writes the message.
    pub fn serialise(&self) -> Result<Vec<u8>, Unwritten> {
        let mut writer = Writer::new();
        self.header.write(&mut writer, TYPE_DH_KEY);
        writer.mpi(&self.gy);
        writer.into_bytes()
    }
}
