//! Reading the keys of a user. Of a damaged file the part before the damage is read, and existing keys are kept.

use std::ffi::{CStr, c_char};

use super::contents;
use super::list::KeyList;
use crate::abi::borrowed::Borrowed;
use crate::abi::entry::entry;
use crate::abi::error::GcryError;
use crate::abi::known_files::{self, path_of};
use crate::abi::stdio::Stream;
use crate::abi::types::UserState;

entry! {
    /// Replaces the keys by those of a file. On an error they stay, and the keys in front of the damage come in addition.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, and nobody uses its keys any more; `filename` is NULL or a C string.
    on panic GcryError::INTERNAL;
    pub fn otrl_privkey_read(
        us: *mut UserState as Option<Borrowed<UserState>>,
        filename: *const c_char as Option<&CStr>,
    ) -> GcryError as Result<(), GcryError> {
        let us = us.ok_or(GcryError::INV_VALUE)?;
        let contents = contents::of_file(path_of(filename)?)?;
        // SAFETY: C uses no key of before, as `# Safety` says, and no `Borrowed` of one is alive here.
        unsafe { take_over(us, &contents) }
    }
}

entry! {
    /// As [`otrl_privkey_read`], from a stream. Nothing happens for NULL.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, and nobody uses its keys any more; `stream` is NULL or open for reading.
    on panic GcryError::INTERNAL;
    pub fn otrl_privkey_read_FILEp(
        us: *mut UserState as Option<Borrowed<UserState>>,
        stream: *mut libc::FILE as Option<Stream>,
    ) -> GcryError as Result<(), GcryError> {
        let Some(stream) = stream else { return Ok(()) };
        let us = us.ok_or(GcryError::INV_VALUE)?;
        let contents = contents::of_stream(stream)?;
        // SAFETY: the same.
        unsafe { take_over(us, &contents) }
    }
}

/// # Safety
/// Nobody uses the keys of the user state any more.
unsafe fn take_over(us: Borrowed<'_, UserState>, contents: &[u8]) -> Result<(), GcryError> {
    let mut keys = KeyList::empty();
    let read = keys.add_file(contents);
    if read.is_ok() {
        known_files::remember(us, contents);
    } else if keys.is_empty() {
        return read;
    } else {
        keys.add_others_of(us)?;
    }
    // SAFETY: nobody uses the keys of before, by this function's own `# Safety`.
    unsafe { keys.replace(us) };
    read
}
