//! Writing OTR's data types: big-endian numbers, DATA and MPI.

use super::error::TooLong;
use super::mpi;

/// Appends values to a byte string.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// An empty writer.
    pub const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// An empty writer with room for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(capacity),
        }
    }

    /// Bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// A BYTE.
    pub fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    /// A SHORT.
    pub fn u16(&mut self, value: u16) {
        self.bytes(&value.to_be_bytes());
    }

    /// An INT.
    pub fn u32(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    /// DATA: a 4-byte length and the bytes. Nothing is written if they are too long.
    pub fn data(&mut self, data: &[u8]) -> Result<(), TooLong> {
        self.u32(u32::try_from(data.len()).map_err(|_| TooLong)?);
        self.bytes(data);
        Ok(())
    }

    /// An MPI with this big-endian body, written without leading zeros.
    pub fn mpi(&mut self, body: &[u8]) -> Result<(), TooLong> {
        self.data(mpi::minimal(body))
    }

    /// What has been written so far.
    pub fn written(&self) -> &[u8] {
        &self.bytes
    }

    /// What has been written so far, to be changed in place.
    pub fn written_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// All that was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A buffer that grows leaves a copy of the plaintext in it behind.
    #[test]
    fn what_there_is_room_for_moves_nothing() {
        let mut writer = Writer::with_capacity(1000);
        writer.u8(0);
        let start = writer.written().as_ptr();
        writer.bytes(&[0; 999]);
        assert_eq!(writer.written().as_ptr(), start);
    }

    #[test]
    fn values_are_big_endian_and_data_has_its_length() {
        let mut writer = Writer::new();
        writer.u8(1);
        writer.u16(0x0203);
        writer.u32(0x0405_0607);
        writer.bytes(b"xy");
        writer.data(b"\0ab").unwrap();
        assert_eq!(writer.written().len(), 16);
        writer.mpi(b"\0\0\x0a\0").unwrap();
        assert_eq!(
            writer.into_bytes(),
            b"\x01\x02\x03\x04\x05\x06\x07xy\x00\x00\x00\x03\0ab\x00\x00\x00\x02\x0a\0"
        );
    }
}
