//! What a message claims to be, told from its first characters only.

use super::armour;
use super::error::Malformed;
use super::instance::Instances;
use super::reader::Reader;
use super::search::find;
use super::version::Version;
use super::whitespace;

/// What a message claims to be. It need not be a valid one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// Text with no sign of OTR in it.
    NotOtr,
    /// Text with a whitespace tag.
    TaggedPlaintext,
    /// An OTR query message.
    Query,
    /// A DH-commit message.
    DhCommit,
    /// A DH-key message.
    DhKey,
    /// A reveal signature message.
    RevealSig,
    /// A signature message.
    Signature,
    /// A key exchange message of version 1.
    V1KeyExchange,
    /// A data message.
    Data,
    /// An OTR error message.
    Error,
    /// "?OTR" and something that is none of these.
    Unknown,
}

/// Where the first "?OTR" of a message is: what every other function here looks at.
pub fn otr_tag(message: &[u8]) -> Option<usize> {
    find(message, b"?OTR")
}

/// What the message claims to be.
pub fn message_kind(message: &[u8]) -> MessageKind {
    let Some(tagged) = from_tag(message) else {
        return if find(message, whitespace::TAG_BASE).is_some() {
            MessageKind::TaggedPlaintext
        } else {
            MessageKind::NotOtr
        };
    };
    match tagged {
        [
            b'?',
            b'O',
            b'T',
            b'R',
            b':',
            b'A',
            b'A',
            b'M' | b'I',
            kind,
            ..,
        ] => match kind {
            b'C' => MessageKind::DhCommit,
            b'K' => MessageKind::DhKey,
            b'R' => MessageKind::RevealSig,
            b'S' => MessageKind::Signature,
            b'D' => MessageKind::Data,
            _ => MessageKind::Unknown,
        },
        [b'?', b'O', b'T', b'R', b'?' | b'v', ..] => MessageKind::Query,
        _ if tagged.starts_with(b"?OTR:AAEK") => MessageKind::V1KeyExchange,
        _ if tagged.starts_with(b"?OTR:AAED") => MessageKind::Data,
        _ if tagged.starts_with(b"?OTR Error:") => MessageKind::Error,
        _ => MessageKind::Unknown,
    }
}

/// The protocol version of an encoded message.
pub fn message_version(message: &[u8]) -> Option<Version> {
    match from_tag(message)?.strip_prefix(b"?OTR:AA")?.first()? {
        b'M' => Some(Version::V3),
        b'I' => Some(Version::V2),
        b'E' => Some(Version::V1),
        _ => None,
    }
}

/// The instance tags of an encoded version 3 message. `message` must start with its "?OTR:".
pub fn instances(message: &[u8]) -> Result<Instances, Malformed> {
    if !message.starts_with(b"?OTR:AAM") {
        return Err(Malformed::Version);
    }
    // Version and type fill 4 characters of base64, so the tags are the next 12 by themselves.
    let text = message.get(9..21).ok_or(Malformed::Truncated)?;
    let bytes = armour::decode(text);
    let mut reader = Reader::new(&bytes);
    Ok(Instances {
        from: reader.u32()?,
        to: reader.u32()?,
    })
}

fn from_tag(message: &[u8]) -> Option<&[u8]> {
    message.get(otr_tag(message)?..)
}
