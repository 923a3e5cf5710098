//! Data messages: section "Data Message".

use super::header::{Header, TYPE_DATA};
use crate::wire::armour;
use crate::wire::error::{Malformed, Unwritten};
use crate::wire::reader::Reader;
use crate::wire::version::Version;
use crate::wire::writer::Writer;

/// Flag: a recipient who cannot read the message should say nothing about it.
pub const FLAG_IGNORE_UNREADABLE: u8 = 0x01;

/// An encrypted text with its TLVs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data<'a> {
    /// Version and instance tags.
    pub header: Header,
    /// Flags; version 1 has none and reads as 0.
    pub flags: u8,
    /// The id of the sender's DH key that encrypts this message.
    pub sender_keyid: u32,
    /// The id of the recipient's DH key that encrypts this message.
    pub recipient_keyid: u32,
    /// The sender's next DH public value, big-endian, as it was sent: perhaps with leading zeros,
    /// not checked for its range.
    pub next_dh: &'a [u8],
    /// The upper half of the counter.
    pub counter: [u8; 8],
    /// The encrypted message.
    pub encrypted: &'a [u8],
    /// The MAC over everything above.
    pub mac: [u8; 20],
    /// Old MAC keys that are published, 20 bytes each if the sender is well-behaved.
    pub revealed_mac_keys: &'a [u8],
}

impl<'a> Data<'a> {
    /// Reads a decoded message. Also returns the bytes that the MAC covers, as they were sent; they end with the encrypted
    /// message.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Malformed> {
        let mut reader = Reader::new(bytes);
        let header = Header::read(&mut reader, TYPE_DATA)?;
        let flags = read_flags(&mut reader, header)?;
        let sender_keyid = reader.u32()?;
        let recipient_keyid = reader.u32()?;
        let next_dh = reader.mpi()?;
        let counter = *reader.array()?;
        let encrypted = reader.data()?;
        let covered = bytes.len() - reader.rest().len();
        let mac = *reader.array()?;
        let revealed_mac_keys = reader.data()?;
        reader.finish()?;
        let message = Self {
            header,
            flags,
            sender_keyid,
            recipient_keyid,
            next_dh,
            counter,
            encrypted,
            mac,
            revealed_mac_keys,
        };
        Ok((message, bytes.get(..covered).unwrap_or_default()))
    }

    /// Writes the message with the MAC it has.
    pub fn serialise(&self) -> Result<Vec<u8>, Unwritten> {
        self.serialise_with_mac(|_| self.mac)
    }

    /// Writes the message with the MAC that `mac_of` returns for the covered bytes, instead of the one it has.
    pub fn serialise_with_mac(
        &self,
        mac_of: impl FnOnce(&[u8]) -> [u8; 20],
    ) -> Result<Vec<u8>, Unwritten> {
        self.serialise_sealed(Vec::new(), &[self.encrypted], |covered, _| mac_of(covered))
    }

    /// The same with `plain` instead of the encrypted message, in `memory`, which is empty and gets larger if it must. `seal` gets
    /// the bytes that the MAC covers, and the offset of `plain` in them; it encrypts `plain` in place and returns the MAC.
    pub fn serialise_sealed(
        &self,
        memory: Vec<u8>,
        plain: &[&[u8]],
        seal: impl FnOnce(&mut [u8], usize) -> [u8; 20],
    ) -> Result<Vec<u8>, Unwritten> {
        let length = plain
            .iter()
            .fold(0_usize, |sum, part| sum.saturating_add(part.len()));
        // Enough for all of it: a buffer that grows would leave plaintext behind.
        let capacity = [self.next_dh.len(), length, self.revealed_mac_keys.len()]
            .iter()
            .fold(64_usize, |sum, body| sum.saturating_add(*body));
        let mut writer = Writer::in_memory(memory, capacity);
        self.header.write(&mut writer, TYPE_DATA);
        if self.header.version() != Version::V1 {
            writer.u8(self.flags);
        }
        writer.u32(self.sender_keyid);
        writer.u32(self.recipient_keyid);
        writer.mpi(self.next_dh);
        writer.bytes(&self.counter);
        writer.length32(length);
        let start = writer.len();
        for part in plain {
            writer.bytes(part);
        }
        let mac = seal(writer.written_mut()?, start);
        writer.bytes(&mac);
        writer.data(self.revealed_mac_keys);
        writer.into_bytes()
    }
}

/// The flags of an armoured data message, which need not be readable after them; None if it is not a data message up to there.
pub fn data_flags(message: &[u8]) -> Option<u8> {
    // Version, type, instance tags and flags.
    let (bytes, count) = armour::dearmour_start::<12>(message).ok()?;
    let mut reader = Reader::new(bytes.get(..count).unwrap_or_default());
    let header = Header::read(&mut reader, TYPE_DATA).ok()?;
    read_flags(&mut reader, header).ok()
}

/// The MAC of an armoured data message, unverified.
pub fn data_mac(message: &[u8]) -> Option<[u8; 20]> {
    let bytes = armour::dearmour(message, false).ok()?;
    Data::parse(&bytes).ok().map(|(data, _)| data.mac)
}

#[inline]
fn read_flags(reader: &mut Reader<'_>, header: Header) -> Result<u8, Malformed> {
    match header.version() {
        Version::V1 => Ok(0),
        Version::V2 | Version::V3 => reader.u8(),
    }
}
