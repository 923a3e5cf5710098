//! The bodies of the SMP messages, which are in TLVs: a count and as many MPIs.

use crate::buffer::{self, OutOfMemory};
use crate::wire::error::{Malformed, Unwritten};
use crate::wire::reader::Reader;
use crate::wire::writer::Writer;

/// Writes the count and the numbers (big-endian).
pub fn write_mpis<T: AsRef<[u8]>>(numbers: &[T]) -> Result<Vec<u8>, Unwritten> {
    let mut writer = Writer::new();
    writer.length32(numbers.len());
    for number in numbers {
        writer.mpi(number.as_ref());
    }
    writer.into_bytes()
}

/// Reads exactly `expected` numbers, big-endian, perhaps with leading zeros. What follows them is ignored, as in libotr.
pub fn read_mpis(bytes: &[u8], expected: usize) -> Result<Vec<&[u8]>, Malformed> {
    let mut reader = Reader::new(bytes);
    if usize::try_from(reader.u32()?) != Ok(expected) {
        return Err(Malformed::Count);
    }
    (0..expected).map(|_| reader.mpi()).collect()
}

/// The question and the rest of an SMP message 1Q; None if it is empty. If the question has no NUL at its end, the rest is
/// empty.
pub fn split_question(value: &[u8]) -> Option<(&[u8], &[u8])> {
    if value.is_empty() {
        return None;
    }
    let end = value
        .iter()
        .position(|&byte| byte == 0)
        .unwrap_or(value.len());
    Some((value.get(..end)?, value.get(end + 1..).unwrap_or_default()))
}

/// The value of an SMP message 1Q: the question, a NUL, the numbers as [`write_mpis`] wrote them.
pub fn join_question(question: &[u8], numbers: &[u8]) -> Result<Vec<u8>, OutOfMemory> {
    buffer::concat(&[question, b"\0", numbers])
}
