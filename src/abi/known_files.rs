//! Which contents of files a user state knows: those that were read whole into it, and those that were written from it.
//!
//! A file with other contents may hold keys or trust that nobody has read, so it is copied before it is replaced. Contents are
//! told by their hash: unlike a device and inode it is the same for a `FILE *` and a path, on a network file system, and after
//! another program has written to the file.

use std::ffi::{OsStr, c_char};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::error::GcryError;
use super::lock::locked;
use super::memory::bytes_of;
use super::types::UserState;
use otr_crypto::hash::sha256;
use otr_protocol::store::atomic_file::{self, Mode};

/// How many contents are kept for a user state. The oldest go.
const LIMIT: usize = 64;

struct Known {
    /// Where the user state is.
    us: usize,
    hash: [u8; 32],
    next: AtomicPtr<Known>,
}

/// Newest first. Changed and walked under the lock.
static FIRST: AtomicPtr<Known> = AtomicPtr::new(ptr::null_mut());

/// The path that a client names.
///
/// # Errors
/// `INV_VALUE` for NULL, `ENAMETOOLONG` for what the system would refuse as well.
///
/// # Safety
/// `filename` is NULL or a C string that nobody changes or frees while the answer is in use.
pub(crate) unsafe fn path_of<'a>(filename: *const c_char) -> Result<&'a Path, GcryError> {
    // SAFETY: the caller's promise.
    let name = unsafe { bytes_of(filename) }.ok_or(GcryError::INV_VALUE)?;
    if name.len() >= libc::PATH_MAX as usize {
        return Err(GcryError::from_errno(libc::ENAMETOOLONG));
    }
    Ok(Path::new(OsStr::from_bytes(name)))
}

/// Makes `bytes` the contents of the file at `path`, as [`atomic_file::replace`] does. The old ones are kept if `us` does not know
/// them.
///
/// # Errors
/// What the operating system said.
pub(crate) fn replace(
    us: *const UserState,
    path: &Path,
    bytes: &[u8],
    mode: Mode,
) -> Result<(), GcryError> {
    atomic_file::replace(path, bytes, mode, |old| knows(us, old))
        .map_err(|error| GcryError::from_io(&error))?;
    remember(us, bytes);
    Ok(())
}

fn knows(us: *const UserState, contents: &[u8]) -> bool {
    let hash = sha256(&[contents]);
    locked(|| places().any(|known| known.us == us.addr() && known.hash == hash))
}

/// Notes that nothing of these contents is lost when a file of `us` replaces them.
pub(crate) fn remember(us: *const UserState, contents: &[u8]) {
    let us = us.addr();
    let hash = sha256(&[contents]);
    let new = Box::into_raw(Box::new(Known {
        us,
        hash,
        next: AtomicPtr::new(ptr::null_mut()),
    }));
    let mut count = 0;
    remove(|known| {
        if known.us != us {
            return false;
        }
        if known.hash == hash {
            return true;
        }
        count += 1;
        count >= LIMIT
    });
    locked(|| {
        // SAFETY: made above, and nobody else knows of it yet.
        unsafe {
            (*new)
                .next
                .store(FIRST.load(Ordering::Relaxed), Ordering::Relaxed)
        };
        FIRST.store(new, Ordering::Release);
    });
}

/// Forgets everything that a user state knows, or whoever was at its address before.
pub(crate) fn forget_all(us: *const UserState) {
    remove(|known| known.us == us.addr());
}

/// The list while it is walked, for who holds the lock.
fn places() -> impl Iterator<Item = &'static Known> {
    // SAFETY: NULL, or boxes that are freed only after they have been unlinked under the lock.
    let read = |link: &AtomicPtr<Known>| unsafe { link.load(Ordering::Acquire).as_ref() };
    std::iter::successors(read(&FIRST), move |known| read(&known.next))
}

/// Takes out and frees what `is_to_go` names.
fn remove(mut is_to_go: impl FnMut(&Known) -> bool) {
    let mut gone: *mut Known = ptr::null_mut();
    locked(|| {
        let mut link = &FIRST;
        // SAFETY: as in `places`. A node leaves the list by one store, and then is in the list `gone`, which is ours.
        while let Some(known) = unsafe { link.load(Ordering::Acquire).as_ref() } {
            let next = known.next.load(Ordering::Acquire);
            if is_to_go(known) {
                let node = link.load(Ordering::Acquire);
                link.store(next, Ordering::Release);
                known.next.store(gone, Ordering::Relaxed);
                gone = node;
            } else {
                link = &known.next;
            }
        }
    });
    while !gone.is_null() {
        // SAFETY: a box that was unlinked above, and that nobody else can reach.
        let known = unsafe { Box::from_raw(gone) };
        gone = known.next.load(Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_state_knows_what_it_has_seen_last() {
        let (one, other) = (ptr::without_provenance(0x10), ptr::without_provenance(0x20));
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
