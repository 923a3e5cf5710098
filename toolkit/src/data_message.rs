//! A data message in parts, as the programs read it and write it again with a new MAC.

use otr_crypto::mac::hmac_sha1;
use otr_protocol::wire::armour;
use otr_protocol::wire::classify::{MessageKind, message_kind};
use otr_protocol::wire::error::{Malformed, Unwritten};
use otr_protocol::wire::messages::header::TYPE_DATA;
use otr_protocol::wire::reader::Reader;
use otr_protocol::wire::writer::Writer;

use crate::messages::{self, Start};
use crate::program::{Failure, Streams, or_end};

/// A data message of any version, with whatever values: nothing is checked but that they are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataMessage {
    /// Version and instance tags.
    pub start: Start,
    /// The flags; version 1 has none.
    pub flags: Option<u8>,
    /// The id of the sender's key.
    pub sender_keyid: u32,
    /// The id of the receiver's key.
    pub receiver_keyid: u32,
    /// The sender's next public value, big-endian, as it was sent.
    pub next_dh: Vec<u8>,
    /// The upper half of the counter.
    pub counter: [u8; 8],
    /// The encrypted message.
    pub encrypted: Vec<u8>,
    /// The MAC.
    pub mac: [u8; 20],
    /// The revealed MAC keys, one behind the other.
    pub revealed: Vec<u8>,
}

impl DataMessage {
    /// Reads a decoded message. Beside it come the bytes that its MAC covers.
    ///
    /// # Errors
    /// It ends too early or too late, or is another message.
    pub fn parse(bytes: &[u8]) -> Result<(Self, &[u8]), Malformed> {
        let mut reader = Reader::new(bytes);
        let start = Start::read(&mut reader, TYPE_DATA, &[1, 2, 3])?;
        let flags = match start.version {
            1 => None,
            _ => Some(reader.u8()?),
        };
        let sender_keyid = reader.u32()?;
        let receiver_keyid = reader.u32()?;
        let next_dh = messages::mpi(&mut reader)?.to_vec();
        let counter = *reader.array()?;
        let encrypted = reader.data()?.to_vec();
        let covered = bytes.len() - reader.rest().len();
        let mac = *reader.array()?;
        let revealed = reader.data()?.to_vec();
        reader.finish()?;
        let message = Self {
            start,
            flags,
            sender_keyid,
            receiver_keyid,
            next_dh,
            counter,
            encrypted,
            mac,
            revealed,
        };
        Ok((message, bytes.get(..covered).unwrap_or_default()))
    }

    /// The message, encoded, with a MAC under this key instead of its own.
    ///
    /// # Errors
    /// A part is longer than its length field can say.
    pub fn encode(&self, mac_key: &[u8; 20]) -> Result<Vec<u8>, Unwritten> {
        let mut writer = Writer::new();
        writer.u16(u16::from(self.start.version));
        writer.u8(TYPE_DATA);
        if let Some((sender, receiver)) = self.start.instances {
            writer.u32(sender);
            writer.u32(receiver);
        }
        if let Some(flags) = self.flags {
            writer.u8(flags);
        }
        writer.u32(self.sender_keyid);
        writer.u32(self.receiver_keyid);
        writer.mpi(&self.next_dh);
        writer.bytes(&self.counter);
        writer.data(&self.encrypted);
        let mac = hmac_sha1(mac_key, &[writer.written_mut()?]);
        writer.bytes(&mac);
        writer.data(&self.revealed);
        Ok(or_end(armour::armour(&writer.into_bytes()?)))
    }
}

/// The first message of the input, which must be a data message, and whether its MAC is by this key.
///
/// # Errors
/// There is none, or another one.
pub fn only_message(
    mac_key: &[u8; 20],
    streams: &mut Streams<'_>,
) -> Result<(DataMessage, bool), Failure> {
    let message = messages::next_message(streams.input)
        .map_err(Failure::Input)?
        .ok_or_else(|| Failure::message("No OTR Data Message found on stdin."))?;
    if message_kind(&message) != MessageKind::Data {
        return Err(Failure::message("OTR Non-Data Message found on stdin."));
    }
    let bytes = messages::decode(&message);
    let (message, covered) = DataMessage::parse(&bytes)
        .map_err(|_| Failure::message("Invalid OTR Data Message found on stdin."))?;
    let is_authentic = hmac_sha1(mac_key, &[covered]) == message.mac;
    Ok((message, is_authentic))
}

/// Prints a message with a new MAC.
///
/// # Errors
/// It is too long, or the output cannot be written.
pub fn print(
    message: &DataMessage,
    mac_key: &[u8; 20],
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    let mut line = message
        .encode(mac_key)
        .map_err(|_| Failure::message("Error creating OTR Data Message."))?;
    line.push(b'\n');
    streams.output.write_all(&line).map_err(Failure::Output)
}
