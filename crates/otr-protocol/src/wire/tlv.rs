//! TLV records, which a data message carries in addition to its text (section "TLV Record").

use super::error::Unwritten;
use super::reader::Reader;
use super::writer::Writer;
use crate::buffer::{self, OutOfMemory};

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

/// One record. To be written, its value must not be longer than 65535 bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Tlv {
    /// The type, one of this module's constants or an unknown one.
    pub kind: u16,
    /// The value.
    pub value: Vec<u8>,
}

impl Tlv {
    /// A record with a copy of this value.
    pub fn new(kind: u16, value: &[u8]) -> Result<Self, OutOfMemory> {
        let value = buffer::copy(value)?;
        Ok(Self { kind, value })
    }

    /// A copy of it.
    pub fn copy(&self) -> Result<Self, OutOfMemory> {
        Self::new(self.kind, &self.value)
    }
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

/// Reads records up to the end, or to the first one that is truncated.
pub fn parse_chain(bytes: &[u8]) -> Result<Vec<Tlv>, OutOfMemory> {
    let mut reader = Reader::new(bytes);
    buffer::collect(core::iter::from_fn(|| {
        let kind = reader.u16().ok()?;
        let length = reader.u16().ok()?;
        let value = reader.take(usize::from(length)).ok()?;
        Some(Tlv::new(kind, value))
    }))
}

/// Writes records one after the other.
pub fn write_chain(chain: &[Tlv]) -> Result<Vec<u8>, Unwritten> {
    let mut writer = Writer::new();
    for tlv in chain {
        writer.u16(tlv.kind);
        writer.length16(tlv.value.len());
        writer.bytes(&tlv.value);
    }
    writer.into_bytes()
}

/// The first record of this type.
pub fn find(chain: &[Tlv], kind: u16) -> Option<&Tlv> {
    chain.iter().find(|tlv| tlv.kind == kind)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tlv(kind: u16, value: &[u8]) -> Tlv {
        Tlv {
            kind,
            value: value.to_vec(),
        }
    }

    #[test]
    fn a_chain_is_type_length_value_one_after_the_other() {
        let chain = [
            tlv(DISCONNECTED, b""),
            tlv(SYMKEY, b"abcde"),
            tlv(0xfffe, b"z"),
        ];
        let bytes = b"\x00\x01\x00\x00\x00\x08\x00\x05abcde\xff\xfe\x00\x01z";
        assert_eq!(write_chain(&chain), Ok(bytes.to_vec()));
        assert_eq!(parse_chain(bytes).unwrap(), chain);
        assert_eq!(write_chain(&[]), Ok(Vec::new()));
    }

    #[test]
    fn the_first_cut_off_record_ends_the_chain() {
        let bytes = b"\x00\x01\x00\x00\x00\x08\x00\x05abcde";
        let whole = [tlv(DISCONNECTED, b""), tlv(SYMKEY, b"abcde")];
        for length in 0..bytes.len() {
            let expected = if length < 4 { 0 } else { 1 };
            assert_eq!(
                parse_chain(&bytes[..length]).unwrap(),
                whole[..expected],
                "{length} bytes"
            );
        }
        assert_eq!(parse_chain(b"\x00\x02\xff\xff"), Ok(vec![]));
        assert_eq!(
            parse_chain(b"\x00\x02\x00\x02a\x00\x01\x00\x00"),
            Ok(vec![tlv(SMP1, b"a\x00")])
        );
    }

    #[test]
    fn a_value_has_at_most_65535_bytes() {
        let longest = tlv(PADDING, &[7; 65535]);
        let bytes = write_chain(&[longest.clone(), longest.clone()]).unwrap();
        assert_eq!(bytes.len(), 2 * (4 + 65535));
        assert_eq!(parse_chain(&bytes), Ok(vec![longest.clone(), longest]));
        assert_eq!(
            write_chain(&[tlv(PADDING, &[0; 65536])]),
            Err(Unwritten::TooLong)
        );
    }

    #[test]
    fn find_gives_the_first_of_its_type() {
        let chain = [tlv(SMP2, b"a"), tlv(SMP3, b"b"), tlv(SMP3, b"c")];
        assert_eq!(find(&chain, SMP3), Some(&chain[1]));
        assert_eq!(find(&chain, SMP4), None);
    }

    #[test]
    fn debug_output_hides_values() {
        assert_eq!(
            format!("{:?}", tlv(SMP1Q, b"secret")),
            "Tlv { kind: 7, 6 bytes }"
        );
    }

    proptest! {
        #[test]
        fn chains_survive(chain in prop::collection::vec((any::<u16>(), prop::collection::vec(any::<u8>(), 0..20)), 0..6)) {
            let chain: Vec<_> = chain.into_iter().map(|(kind, value)| Tlv { kind, value }).collect();
            let bytes = write_chain(&chain).unwrap();
            prop_assert_eq!(parse_chain(&bytes), Ok(chain));
        }
    }
}
