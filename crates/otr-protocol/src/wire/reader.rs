//! Reading OTR's data types: big-endian numbers, DATA and MPI.

use super::error::Malformed;

/// Takes values off the front of a byte string. A failed read takes nothing.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads from the start of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next `count` bytes.
    #[inline]
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    /// The next `N` bytes.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], Malformed> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    /// A BYTE.
    #[inline]
    pub fn u8(&mut self) -> Result<u8, Malformed> {
        self.array().map(|bytes| u8::from_be_bytes(*bytes))
    }

    /// A SHORT.
    #[inline]
    pub fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(|bytes| u16::from_be_bytes(*bytes))
    }

    /// An INT.
    #[inline]
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(|bytes| u32::from_be_bytes(*bytes))
    }

    /// DATA: a 4-byte length and as many bytes.
    pub fn data(&mut self) -> Result<&'a [u8], Malformed> {
        let mut ahead = self.clone();
        let length = ahead.u32()?;
        let data = ahead.take(usize::try_from(length).map_err(|_| Malformed::Truncated)?)?;
        *self = ahead;
        Ok(data)
    }

    /// The body of an MPI, big-endian, with any leading zeros that were sent.
    pub fn mpi(&mut self) -> Result<&'a [u8], Malformed> {
        self.data()
    }

    /// The bytes that were not read yet.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether everything has been read.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Ends reading: nothing may be left over.
    pub const fn finish(self) -> Result<(), Malformed> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Malformed::Trailing)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_taken_in_turn() {
        let mut reader =
            Reader::new(b"\x01\x02\x03\x04\x05\x06\x07\x00\x00\x00\x02ab\x00\x00\x00\x00xyz");
        assert_eq!(reader.u8(), Ok(1));
        assert_eq!(reader.u16(), Ok(0x0203));
        assert_eq!(reader.u32(), Ok(0x0405_0607));
        assert_eq!(reader.data(), Ok(b"ab".as_slice()));
        assert_eq!(reader.mpi(), Ok(b"".as_slice()));
        assert_eq!(reader.clone().finish(), Err(Malformed::Trailing));
        assert_eq!(reader.array(), Ok(b"xy"));
        assert_eq!((reader.rest(), reader.is_empty()), (b"z".as_slice(), false));
        assert_eq!(reader.take(1), Ok(b"z".as_slice()));
        assert!(reader.is_empty());
        assert_eq!(reader.finish(), Ok(()));
    }

    #[test]
    fn a_failed_read_takes_nothing() {
        let mut reader = Reader::new(b"\x00\x00\x00\x02a");
        assert_eq!(reader.data(), Err(Malformed::Truncated));
        assert_eq!(reader.take(6), Err(Malformed::Truncated));
        assert_eq!(reader.array::<6>(), Err(Malformed::Truncated));
        assert_eq!(reader.rest().len(), 5);
        assert_eq!(reader.u32(), Ok(2));
        assert_eq!(reader.u16(), Err(Malformed::Truncated));
        assert_eq!(reader.rest(), b"a");
    }

    /// CVE-2016-2851 was a length added up in too small a type.
    #[test]
    fn cve_2016_2851_lengths_near_the_limits() {
        for length in [
            6_u32,
            0x7fff_fffb,
            0x7fff_ffff,
            0x8000_0000,
            0xffff_fffb,
            0xffff_ffff,
        ] {
            let bytes = [&length.to_be_bytes(), b"abcde".as_slice()].concat();
            assert_eq!(Reader::new(&bytes).data(), Err(Malformed::Truncated));
            assert_eq!(Reader::new(&bytes).mpi(), Err(Malformed::Truncated));
        }
        assert_eq!(
            Reader::new(b"abc").take(usize::MAX),
            Err(Malformed::Truncated)
        );
    }
}
