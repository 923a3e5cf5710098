//! The contents of files that a user state knows: those that it read completely, and those that were written from it.
//!
//! A file with other contents may have keys or trust that nobody has read, so it is copied before it is replaced. Contents
//! are identified by their hash: unlike device and inode, it is the same for a `FILE *` and a path, on a network file
//! system, and after another program has written to the file.

use std::ffi::CStr;
use std::path::Path;

use super::borrowed::Borrowed;
use super::error::GcryError;
use super::locked_list::LockedList;
use super::types::UserState;
use otr_crypto::hash::sha256;
use otr_protocol::store::atomic_file::{self, Mode};

/// How many contents are remembered for a user state. Older ones are dropped.
const LIMIT: usize = 64;

struct Known {
    /// The address of the user state.
    us: usize,
    hash: [u8; 32],
}

/// Newest first.
static KNOWN: LockedList<Known> = LockedList::new();

/// The path that a client names.
///
/// # Errors
/// `INV_VALUE` for NULL, `ENAMETOOLONG` for a path that the system would refuse as well.
#[cfg(unix)]
pub(crate) fn path_of(filename: Option<&CStr>) -> Result<&Path, GcryError> {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let name = filename.ok_or(GcryError::INV_VALUE)?.to_bytes();
    if name.len() >= libc::PATH_MAX as usize {
        return Err(GcryError::from_errno(libc::ENAMETOOLONG));
    }
    Ok(Path::new(OsStr::from_bytes(name)))
}

/// The same where paths are Unicode.
///
/// # Errors
/// `INV_VALUE` for NULL, and for a path that is not UTF-8.
#[cfg(not(unix))]
pub(crate) fn path_of(filename: Option<&CStr>) -> Result<&Path, GcryError> {
    let name = filename.and_then(|name| name.to_str().ok());
    Ok(Path::new(name.ok_or(GcryError::INV_VALUE)?))
}

/// Makes `bytes` the contents of the file at `path`, as [`atomic_file::replace`] does. The old contents are copied first if
/// `us` does not know them.
///
/// # Errors
/// The error of the operating system.
pub(crate) fn replace(
    us: Borrowed<'_, UserState>,
    path: &Path,
    bytes: &[u8],
    mode: Mode,
) -> Result<(), GcryError> {
    atomic_file::replace(path, bytes, mode, |old| knows(us, old))
        .map_err(|error| GcryError::from_io(&error))?;
    remember(us, bytes);
    Ok(())
}

fn knows(us: Borrowed<'_, UserState>, contents: &[u8]) -> bool {
    let (us, hash) = (address(us), sha256(&[contents]));
    KNOWN.any(|known| known.us == us && known.hash == hash)
}

/// Notes that nothing is lost when a file written by `us` replaces these contents.
pub(crate) fn remember(us: Borrowed<'_, UserState>, contents: &[u8]) {
    let us = address(us);
    let hash = sha256(&[contents]);
    let mut count = 0;
    KNOWN.remove(|known| {
        if known.us != us {
            return false;
        }
        if known.hash == hash {
            return true;
        }
        count += 1;
        count >= LIMIT
    });
    KNOWN.push(Known { us, hash });
}

/// Forgets everything that is known for a user state, or for an earlier one at the same address.
pub(crate) fn forget_all(us: Borrowed<'_, UserState>) {
    KNOWN.remove(|known| known.us == address(us));
}

fn address(us: Borrowed<'_, UserState>) -> usize {
    us.as_ptr().addr()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::borrowed::borrow;

    #[test]
    fn a_user_state_knows_what_it_has_seen_last() {
        let [one, other] = [0x10, 0x20].map(|at| borrow(std::ptr::without_provenance(at)));
        remember(one, b"a");
        assert!(knows(one, b"a") && !knows(other, b"a") && !knows(one, b"b"));
        remember(other, b"a");
        for number in 0..LIMIT - 1 {
            remember(one, &number.to_le_bytes());
            remember(one, &number.to_le_bytes());
        }
        assert!(knows(one, b"a"));
        remember(one, b"b");
        assert!(!knows(one, b"a") && knows(one, b"b") && knows(other, b"a"));
        forget_all(one);
        assert!(!knows(one, b"b") && knows(other, b"a"));
        forget_all(other);
    }
}
