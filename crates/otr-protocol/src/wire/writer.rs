//! Writing OTR's data types: big-endian numbers, DATA and MPI.

use super::error::Unwritten;
use super::mpi;
use crate::buffer;

/// Appends values to a byte string. An error is reported at the end: see [`Writer::into_bytes`].
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
    /// The first error; nothing is written after it.
    failed: Option<Unwritten>,
}

impl Writer {
    /// An empty writer.
    pub const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            failed: None,
        }
    }

    /// An empty writer with room for `capacity` bytes.
    #[inline]
    pub fn with_capacity(capacity: usize) -> Self {
        Self::in_memory(Vec::new(), capacity)
    }

    /// A writer in this buffer, which must be empty, with room for `capacity` bytes.
    #[inline]
    pub fn in_memory(bytes: Vec<u8>, capacity: usize) -> Self {
        let mut writer = Self {
            bytes,
            failed: None,
        };
        if let Err(error) = buffer::reserve(&mut writer.bytes, capacity) {
            writer.failed = Some(error.into());
        }
        writer
    }

    /// Bytes as they are.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            if let Err(error) = buffer::append(&mut self.bytes, bytes) {
                self.failed = Some(error.into());
            }
        }
    }

    /// A BYTE.
    #[inline]
    pub fn u8(&mut self, value: u8) {
        self.bytes(&[value]);
    }

    /// A SHORT.
    #[inline]
    pub fn u16(&mut self, value: u16) {
        self.bytes(&value.to_be_bytes());
    }

    /// An INT.
    #[inline]
    pub fn u32(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    /// A length in a SHORT.
    pub fn length16(&mut self, length: usize) {
        match u16::try_from(length) {
            Ok(length) => self.u16(length),
            Err(_) => self.too_long(),
        }
    }

    /// A length in an INT.
    pub fn length32(&mut self, length: usize) {
        match u32::try_from(length) {
            Ok(length) => self.u32(length),
            Err(_) => self.too_long(),
        }
    }

    /// DATA: a 4-byte length and the bytes.
    #[inline]
    pub fn data(&mut self, data: &[u8]) {
        self.length32(data.len());
        self.bytes(data);
    }

    /// An MPI with this big-endian body, written without leading zeros.
    pub fn mpi(&mut self, body: &[u8]) {
        self.data(mpi::minimal(body));
    }

    /// What was written so far, to be changed in place.
    ///
    /// # Errors
    /// As for [`Self::into_bytes`]: something is missing.
    #[inline]
    pub fn written_mut(&mut self) -> Result<&mut [u8], Unwritten> {
        match self.failed {
            Some(error) => Err(error),
            None => Ok(&mut self.bytes),
        }
    }

    /// How much has been written so far.
    #[inline]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing has been written so far.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// All that was written.
    ///
    /// # Errors
    /// The first error, if there was one.
    #[inline]
    pub fn into_bytes(self) -> Result<Vec<u8>, Unwritten> {
        match self.failed {
            Some(error) => Err(error),
            None => Ok(self.bytes),
        }
    }

    fn too_long(&mut self) {
        self.failed = self.failed.or(Some(Unwritten::TooLong));
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
        let start = writer.written_mut().unwrap().as_ptr();
        writer.bytes(&[0; 999]);
        let written = writer.into_bytes().unwrap();
        assert_eq!(written.as_ptr(), start);
    }

    #[test]
    fn values_are_big_endian_and_data_has_its_length() {
        let mut writer = Writer::new();
        writer.u8(1);
        writer.u16(0x0203);
        writer.u32(0x0405_0607);
        writer.bytes(b"xy");
        writer.data(b"\0ab");
        assert_eq!(writer.len(), 16);
        writer.mpi(b"\0\0\x0a\0");
        assert_eq!(
            writer.into_bytes().unwrap(),
            b"\x01\x02\x03\x04\x05\x06\x07xy\x00\x00\x00\x03\0ab\x00\x00\x00\x02\x0a\0"
        );
    }

    #[test]
    fn the_first_failure_is_told_and_nothing_follows_it() {
        let mut writer = Writer::new();
        writer.length16(65_536);
        writer.u8(1);
        assert_eq!(writer.written_mut(), Err(Unwritten::TooLong));
        assert!(writer.is_empty());
        assert_eq!(writer.into_bytes(), Err(Unwritten::TooLong));
        let mut writer = Writer::with_capacity(usize::MAX);
        writer.length16(65_536);
        assert_eq!(writer.into_bytes(), Err(Unwritten::OutOfMemory));
    }
}
