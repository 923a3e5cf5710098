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

/// There is no memory. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory;

impl fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no memory")
    }
}

impl core::error::Error for OutOfMemory {}

/// The maximum length for [`bounded`].
pub const BOUND: usize = 8 << 10;

/// An empty buffer with this capacity.
pub fn with_capacity<T>(capacity: usize) -> Result<Vec<T>, OutOfMemory> {
    let mut buffer = Vec::new();
    reserve(&mut buffer, capacity)?;
    Ok(buffer)
}

/// Makes room for as much as `more` items, and no more than that.
#[inline]
pub fn reserve<T>(buffer: &mut Vec<T>, more: usize) -> Result<(), OutOfMemory> {
    may_grow(buffer, more)?;
    buffer.try_reserve_exact(more).map_err(|_| OutOfMemory)
}

/// A copy.
#[inline]
pub fn copy(bytes: &[u8]) -> Result<Vec<u8>, OutOfMemory> {
    let mut buffer = with_capacity(bytes.len())?;
    buffer.extend_from_slice(bytes);
    Ok(buffer)
}

/// The parts, one after the other.
pub fn concat(parts: &[&[u8]]) -> Result<Vec<u8>, OutOfMemory> {
    let length = parts
        .iter()
        .try_fold(0_usize, |length, part| length.checked_add(part.len()))
        .ok_or(OutOfMemory)?;
    let mut buffer = with_capacity(length)?;
    for part in parts {
        buffer.extend_from_slice(part);
    }
    Ok(buffer)
}

/// `length` zeros.
pub fn zeros(length: usize) -> Result<Vec<u8>, OutOfMemory> {
    let mut buffer = with_capacity(length)?;
    buffer.resize(length, 0);
    Ok(buffer)
}

/// Appends. On an error the buffer is unchanged. It moves if its capacity is too small, so a buffer for secrets needs enough
/// from the start.
#[inline]
pub fn append(buffer: &mut Vec<u8>, bytes: &[u8]) -> Result<(), OutOfMemory> {
    make_room(buffer, bytes.len())?;
    buffer.extend_from_slice(bytes);
    Ok(())
}

/// Appends one item, likewise.
#[inline]
pub fn push<T>(list: &mut Vec<T>, item: T) -> Result<(), OutOfMemory> {
    make_room(list, 1)?;
    list.push(item);
    Ok(())
}

/// All items of an iterator, in order.
pub fn collect<T>(
    items: impl Iterator<Item = Result<T, OutOfMemory>>,
) -> Result<Vec<T>, OutOfMemory> {
    let mut list = Vec::new();
    for item in items {
        push(&mut list, item?)?;
    }
    Ok(list)
}

/// A copy of something with a bounded length, at most [`BOUND`]: a number, a field of a key exchange, one of our names. If
/// there is no memory for that much, the process is aborted.
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

/// Whether a test allows a list to grow, if it must for `more` items.
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

/// Makes an allocation fail, for tests.
#[cfg(test)]
pub mod refusal {
    use std::cell::Cell;

    thread_local! {
        /// How many allocations are left before the one that fails.
        static LEFT: Cell<Option<usize>> = const { Cell::new(None) };
    }

    /// Runs `body`; after `count` allocations of this thread the next one fails. Also returns whether there was one.
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
        assert_eq!(with_capacity::<u8>(1000).unwrap().capacity(), 1000);
        let mut buffer = copy(b"a").unwrap();
        append(&mut buffer, b"bc").unwrap();
        push(&mut buffer, b'd').unwrap();
        assert_eq!(buffer, bounded(b"abcd"));
        assert_eq!(collect([Ok(1), Ok(2)].into_iter()), Ok(vec![1, 2]));
    }

    #[test]
    fn what_no_memory_can_hold_is_an_error() {
        assert_eq!(with_capacity::<u8>(usize::MAX), Err(OutOfMemory));
        assert_eq!(with_capacity::<u64>(usize::MAX / 2), Err(OutOfMemory));
        assert_eq!(zeros(usize::MAX), Err(OutOfMemory));
        assert_eq!(
            collect::<u8>([Ok(1), Err(OutOfMemory)].into_iter()),
            Err(OutOfMemory)
        );
    }
}
