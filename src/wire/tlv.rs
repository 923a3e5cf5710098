//! TLV records: what a data message carries besides its text (section "TLV Record").

use super::error::TooLong;
use super::reader::Reader;
use super::writer::Writer;

/// Padding, to be ignored.
pub const PADDING: u16 = 0x0000;
/// The sender has ended the private conversation.
pub const DISCONNECTED: u16 = 0x0001;
/// SMP message 1.
pub const SMP1: u16 = 0x0002;
/// SMP message 2.
pub const SMP2: u16 = 0x0003;
/// SMP message 3.
pub const SMP3: u16 = 0x0004;
/// SMP message 4.
pub const SMP4: u16 = 0x0005;
/// SMP abort message.
pub const SMP_ABORT: u16 = 0x0006;
/// SMP message 1Q: a question, a NUL, SMP message 1.
pub const SMP1Q: u16 = 0x0007;
/// Use of the extra symmetric key.
pub const SYMKEY: u16 = 0x0008;

/// One record. The value can be at most 65535 bytes long to be written.
#[derive(Clone, PartialEq, Eq)]
pub struct Tlv {
    /// The type, one of this module's constants or an unknown one.
    pub kind: u16,
    /// The value.
    pub value: Vec<u8>,
}

impl core::fmt::Debug for Tlv {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // Values are the plaintext of encrypted messages.
        write!(
            f,
            "Tlv {{ kind: {}, {} bytes }}",
            self.kind,
            self.value.len()
        )
    }
}

/// Reads records up to the end, or to the first that is cut off.
pub fn parse_chain(bytes: &[u8]) -> Vec<Tlv> {
    let mut reader = Reader::new(bytes);
    core::iter::from_fn(|| {
        let kind = reader.u16().ok()?;
        let length = reader.u16().ok()?;
        let value = reader.take(usize::from(length)).ok()?.to_vec();
        Some(Tlv { kind, value })
    })
    .collect()
}

/// Writes records one after the other.
pub fn write_chain(chain: &[Tlv]) -> Result<Vec<u8>, TooLong> {
    let mut writer = Writer::new();
    for tlv in chain {
        writer.u16(tlv.kind);
        writer.u16(u16::try_from(tlv.value.len()).map_err(|_| TooLong)?);
        writer.bytes(&tlv.value);
    }
    Ok(writer.into_bytes())
}

/// The first record of this type.
pub fn find(chain: &[Tlv], kind: u16) -> Option<&Tlv> {
    chain.iter().find(|tlv| tlv.kind == kind)
}
