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
    /// Replaces the keys with those of a file. On an error they stay, and the keys before the damage are added.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, whose old keys are not used afterwards; `filename` is NULL or a C string.
    on panic GcryError::INTERNAL;
    pub fn otrl_privkey_read(
        us: *mut UserState as Option<Borrowed<UserState>>,
        filename: *const c_char as Option<&CStr>,
    ) -> GcryError as Result<(), GcryError> {
        let us = us.ok_or(GcryError::INV_VALUE)?;
        let contents = contents::of_file(path_of(filename)?)?;
        // SAFETY: the caller does not use the old keys, as `# Safety` requires, and no `Borrowed` of one is alive here.
        unsafe { take_over(us, &contents) }
    }
}

entry! {
    /// As [`otrl_privkey_read`], from a stream. Does nothing for NULL.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, whose old keys are not used afterwards; `stream` is NULL or open for reading.
    on panic GcryError::INTERNAL;
    pub fn otrl_privkey_read_FILEp(
        us: *mut UserState as Option<Borrowed<UserState>>,
        stream: *mut libc::FILE as Option<Stream>,
    ) -> GcryError as Result<(), GcryError> {
        let Some(stream) = stream else { return Ok(()) };
        let us = us.ok_or(GcryError::INV_VALUE)?;
        let contents = contents::of_stream(stream)?;
        // SAFETY: as above.
        unsafe { take_over(us, &contents) }
    }
}

/// # Safety
/// The old keys of the user state are not used afterwards.
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
    // SAFETY: the old keys are not used afterwards, as the caller guarantees.
    unsafe { keys.replace(us) };
    read
}
