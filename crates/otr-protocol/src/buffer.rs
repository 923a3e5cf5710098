//! Buffers whose size depends on others: a received message, a text to send, a file.
//!
//! Rust's collections abort the process when there is no memory. Therefore memory whose size depends on the input is
//! allocated here, and a failed allocation is an error like any other. Allocations bounded to a few kilobytes may use the
//! standard ways: see [`bounded`]. clippy.toml forbids those, so that each use says which of the two it is.
#![expect(
    clippy::disallowed_methods,
    reason = "the checked allocations that everything else uses"
)]

use core::fmt;

/// There is no memory. Nothing has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory;

impl fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no memory")
    }
}

impl core::error::Error for OutOfMemory {}

/// The longest that [`bounded`] is meant for.
pub const BOUND: usize = 8 << 10;

/// An empty buffer with room for this much.
pub fn with_room<T>(capacity: usize) -> Result<Vec<T>, OutOfMemory> {
    let mut buffer = Vec::new();
    may_grow(&buffer, capacity)?;
    buffer
        .try_reserve_exact(capacity)
        .map_err(|_| OutOfMemory)?;
    Ok(buffer)
}

/// A copy.
#[inline]
pub fn copy(bytes: &[u8]) -> Result<Vec<u8>, OutOfMemory> {
    let mut buffer = with_room(bytes.len())?;
    buffer.extend_from_slice(bytes);
    Ok(buffer)
}

/// One after the other.
pub fn concat(parts: &[&[u8]]) -> Result<Vec<u8>, OutOfMemory> {
    let length = parts
        .iter()
        .try_fold(0_usize, |length, part| length.checked_add(part.len()))
        .ok_or(OutOfMemory)?;
    let mut buffer = with_room(length)?;
    for part in parts {
        buffer.extend_from_slice(part);
    }
    Ok(buffer)
}

/// So many zeros.
pub fn zeros(length: usize) -> Result<Vec<u8>, OutOfMemory> {
    let mut buffer = with_room(length)?;
    buffer.resize(length, 0);
    Ok(buffer)
}

/// Appends. The buffer is as it was after an error. It moves if there is no room, so that secrets need room from the start.
#[inline]
pub fn append(buffer: &mut Vec<u8>, bytes: &[u8]) -> Result<(), OutOfMemory> {
    make_room(buffer, bytes.len())?;
    buffer.extend_from_slice(bytes);
    Ok(())
}

/// Appends one, likewise.
#[inline]
pub fn push<T>(list: &mut Vec<T>, item: T) -> Result<(), OutOfMemory> {
    make_room(list, 1)?;
    list.push(item);
    Ok(())
}

/// All of an iterator's, in order.
pub fn collect<T>(
    items: impl Iterator<Item = Result<T, OutOfMemory>>,
) -> Result<Vec<T>, OutOfMemory> {
    let mut list = Vec::new();
    for item in items {
        push(&mut list, item?)?;
    }
    Ok(list)
}

/// A copy of what has a bound of its own, [`BOUND`] at the most: a number, a field of a key exchange, a name of ours. Who ends
/// up without memory for that much ends.
pub fn bounded(bytes: &[u8]) -> Vec<u8> {
    debug_assert!(bytes.len() <= BOUND, "{} bytes", bytes.len());
    bytes.to_vec()
}

#[inline]
fn make_room<T>(list: &mut Vec<T>, more: usize) -> Result<(), OutOfMemory> {
    if more <= list.capacity() - list.len() {
        return Ok(());
    }
    may_grow(list, more)?;
    list.try_reserve(more).map_err(|_| OutOfMemory)
}

/// Whether a test lets a list have more memory, if it needs any for so many items more.
#[cfg_attr(
    not(test),
    expect(clippy::unnecessary_wraps, reason = "only tests refuse any")
)]
fn may_grow<T>(list: &Vec<T>, more: usize) -> Result<(), OutOfMemory> {
    #[cfg(test)]
    if more > list.capacity() - list.len() && refusal::is_due() {
        return Err(OutOfMemory);
    }
    let _ = (list, more);
    Ok(())
}

/// Lets an allocation fail, for tests.
#[cfg(test)]
pub mod refusal {
    use std::cell::Cell;

    thread_local! {
        /// How many are left before the one that fails.
        static LEFT: Cell<Option<usize>> = const { Cell::new(None) };
    }

    /// Runs `body`; the allocation of this thread fails that comes after so many. Whether there was one.
    pub fn after<T>(count: usize, body: impl FnOnce() -> T) -> (T, bool) {
        LEFT.set(Some(count));
        let outcome = body();
        (outcome, LEFT.take().is_none())
    }

    pub(super) fn is_due() -> bool {
        let left = LEFT.get();
        LEFT.set(left.and_then(|left| left.checked_sub(1)));
        left == Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_have_the_room_that_was_asked_for() {
        assert_eq!(copy(b"abc").as_deref(), Ok(&b"abc"[..]));
        let joined = concat(&[b"ab", b"", b"c"]).unwrap();
        assert_eq!((joined.as_slice(), joined.capacity()), (&b"abc"[..], 3));
        assert_eq!(zeros(3), Ok(vec![0; 3]));
        assert_eq!(with_room::<u8>(1000).unwrap().capacity(), 1000);
        let mut buffer = copy(b"a").unwrap();
        append(&mut buffer, b"bc").unwrap();
        push(&mut buffer, b'd').unwrap();
        assert_eq!(buffer, bounded(b"abcd"));
        assert_eq!(collect([Ok(1), Ok(2)].into_iter()), Ok(vec![1, 2]));
    }

    #[test]
    fn what_no_memory_can_hold_is_an_error() {
        assert_eq!(with_room::<u8>(usize::MAX), Err(OutOfMemory));
        assert_eq!(with_room::<u64>(usize::MAX / 2), Err(OutOfMemory));
        assert_eq!(zeros(usize::MAX), Err(OutOfMemory));
        assert_eq!(
            collect::<u8>([Ok(1), Err(OutOfMemory)].into_iter()),
            Err(OutOfMemory)
        );
    }
}
