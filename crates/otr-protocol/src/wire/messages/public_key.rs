//! A DSA public key as it is sent: the MPIs p, q, g and y.
//!
//! Fingerprints, MACs and signatures cover these bytes as the peer wrote them, so messages keep them raw, and the numbers
//! are a view.

use crate::wire::error::{Malformed, Unwritten};
use crate::wire::reader::Reader;
use crate::wire::writer::Writer;

/// The only public key type there is.
pub const PUBLIC_KEY_TYPE_DSA: u16 = 0x0000;

/// The four numbers of a DSA public key, big-endian; when read, perhaps with leading zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DsaNumbers<'a> {
    /// The prime modulus.
    pub p: &'a [u8],
    /// The order of the subgroup.
    pub q: &'a [u8],
    /// The generator of the subgroup.
    pub g: &'a [u8],
    /// The public value.
    pub y: &'a [u8],
}

impl<'a> DsaNumbers<'a> {
    /// Reads the four MPIs, which must fill `bytes`.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let numbers = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(numbers)
    }

    /// Writes the four MPIs.
    pub fn encode(&self) -> Result<Vec<u8>, Unwritten> {
        let mut writer = Writer::new();
        for number in [self.p, self.q, self.g, self.y] {
            writer.mpi(number);
        }
        writer.into_bytes()
    }

    fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        Ok(Self {
            p: reader.mpi()?,
            q: reader.mpi()?,
            g: reader.mpi()?,
            y: reader.mpi()?,
        })
    }
}

/// Reads a public key and returns its bytes as they are.
pub(super) fn read_raw<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Malformed> {
    let mut ahead = reader.clone();
    DsaNumbers::read(&mut ahead)?;
    reader.take(reader.rest().len() - ahead.rest().len())
}
