//! Multi-precision integers: a 4-byte length and a big-endian number.

use super::error::{Malformed, Unwritten};
use super::reader::Reader;
use super::writer::Writer;
use otr_crypto::bignum::leading_zeros;

/// The number without its leading zeros, as it has to be sent.
pub fn minimal(body: &[u8]) -> &[u8] {
    body.get(leading_zeros(body)..).unwrap_or_default()
}

/// The MPI with this big-endian body: what is hashed and encrypted for a DH-commit message.
pub fn encode(body: &[u8]) -> Result<Vec<u8>, Unwritten> {
    let mut writer = Writer::with_capacity(body.len().saturating_add(4));
    writer.mpi(body);
    writer.into_bytes()
}

/// The body of an MPI that fills `bytes` to the end, leading zeros included.
pub fn decode(bytes: &[u8]) -> Result<&[u8], Malformed> {
    let mut reader = Reader::new(bytes);
    let body = reader.mpi()?;
    reader.finish()?;
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_zeros_are_read_but_not_written() {
        assert_eq!(encode(b"\0\0\x01\0"), Ok(b"\0\0\0\x02\x01\0".to_vec()));
        assert_eq!(encode(b"\0\0"), Ok(b"\0\0\0\0".to_vec()));
        assert_eq!(decode(b"\0\0\0\x03\0\x01\0"), Ok(b"\0\x01\0".as_slice()));
        assert_eq!(minimal(b""), b"");
    }

    #[test]
    fn an_mpi_fills_its_bytes() {
        assert_eq!(decode(b"\0\0\0\x01\x05\x06"), Err(Malformed::Trailing));
        assert_eq!(decode(b"\0\0\0\x02\x05"), Err(Malformed::Truncated));
        assert_eq!(decode(b""), Err(Malformed::Truncated));
    }
}
