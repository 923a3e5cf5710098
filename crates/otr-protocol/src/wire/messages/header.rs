//! What every encoded message begins with: version, type and, in version 3, instance tags.

use crate::buffer;
use crate::wire::error::Malformed;
use crate::wire::instance::Instances;
use crate::wire::reader::Reader;
use crate::wire::version::Version;
use crate::wire::writer::Writer;

/// Message type of a DH-commit message.
pub const TYPE_DH_COMMIT: u8 = 0x02;
/// Message type of a data message.
pub const TYPE_DATA: u8 = 0x03;
/// Message type of a DH-key message, and of the key exchange message of version 1.
pub const TYPE_DH_KEY: u8 = 0x0a;
/// Message type of a reveal signature message.
pub const TYPE_REVEAL_SIGNATURE: u8 = 0x11;
/// Message type of a signature message.
pub const TYPE_SIGNATURE: u8 = 0x12;

/// The maximum length of a field of an exchange. The longest valid one, a public key with numbers of 3072 bits, is a quarter of
/// this. The limit is needed because fields are kept while an exchange is under way, and anybody can begin one.
pub const MAX_FIELD: usize = 4096;

/// A copy of a field of an exchange.
pub(super) fn field(bytes: &[u8]) -> Result<Vec<u8>, Malformed> {
    if bytes.len() > MAX_FIELD {
        return Err(Malformed::FieldLength);
    }
    Ok(buffer::bounded(bytes))
}

/// The version of a message, with the instance tags that only version 3 has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// Version 1.
    V1,
    /// Version 2.
    V2,
    /// Version 3.
    V3(Instances),
}

impl Header {
    /// The header of this version; versions 1 and 2 leave the instance tags out.
    pub const fn new(version: Version, instances: Instances) -> Self {
        match version {
            Version::V1 => Self::V1,
            Version::V2 => Self::V2,
            Version::V3 => Self::V3(instances),
        }
    }

    /// The protocol version.
    pub const fn version(self) -> Version {
        match self {
            Self::V1 => Version::V1,
            Self::V2 => Version::V2,
            Self::V3(_) => Version::V3,
        }
    }

    /// The instance tags, in version 3.
    pub const fn instances(self) -> Option<Instances> {
        match self {
            Self::V1 | Self::V2 => None,
            Self::V3(instances) => Some(instances),
        }
    }

    /// Reads the header of a message of this type.
    #[inline]
    pub(super) fn read(reader: &mut Reader<'_>, message_type: u8) -> Result<Self, Malformed> {
        let [zero, number, actual_type] = *reader.array()?;
        if actual_type != message_type {
            return Err(Malformed::MessageType);
        }
        match (zero, Version::from_number(number)) {
            (0, Some(Version::V1)) => Ok(Self::V1),
            (0, Some(Version::V2)) => Ok(Self::V2),
            (0, Some(Version::V3)) => Ok(Self::V3(Instances {
                from: reader.u32()?,
                to: reader.u32()?,
            })),
            _ => Err(Malformed::Version),
        }
    }

    /// Writes the header of a message of this type.
    pub(super) fn write(self, writer: &mut Writer, message_type: u8) {
        writer.u16(u16::from(self.version().number()));
        writer.u8(message_type);
        if let Self::V3(Instances { from, to }) = self {
            writer.u32(from);
            writer.u32(to);
        }
    }
}
