//! Reading the keys of a user. Only a file that is right from end to end replaces what is there.

use std::ffi::c_char;

use super::contents::{self, path_of};
use super::list::KeyList;
use crate::abi::entry::entry;
use crate::abi::error::GcryError;
use crate::abi::types::UserState;

entry! {
    /// Replaces the keys by those of a file. On an error they stay.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, `filename` NULL or a C string.
    on panic GcryError::INTERNAL;
    pub fn otrl_privkey_read(us: *mut UserState, filename: *const c_char) -> GcryError {
        // SAFETY: the caller's promise.
        unsafe { read(us, filename) }.into()
    }
}

entry! {
    /// Replaces the keys by those of a stream. On an error they stay. Nothing happens for NULL.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, `stream` NULL or open for reading.
    on panic GcryError::INTERNAL;
    pub fn otrl_privkey_read_FILEp(us: *mut UserState, stream: *mut libc::FILE) -> GcryError {
        if stream.is_null() {
            return GcryError::NO_ERROR;
        }
        // SAFETY: the caller's promise.
        unsafe { read_stream(us, stream) }.into()
    }
}

/// # Safety
/// As for [`otrl_privkey_read`].
unsafe fn read(us: *mut UserState, filename: *const c_char) -> Result<(), GcryError> {
    if us.is_null() {
        return Err(GcryError::INV_VALUE);
    }
    // SAFETY: the caller's promise.
    let path = unsafe { path_of(filename) }?;
    let keys = KeyList::of_file(&contents::of_file(&path)?)?;
    // SAFETY: not NULL.
    unsafe { keys.replace(us) };
    Ok(())
}

/// # Safety
/// As for [`otrl_privkey_read_FILEp`], with a stream that is not NULL.
unsafe fn read_stream(us: *mut UserState, stream: *mut libc::FILE) -> Result<(), GcryError> {
    if us.is_null() {
        return Err(GcryError::INV_VALUE);
    }
    // SAFETY: not NULL.
    let keys = KeyList::of_file(&unsafe { contents::of_stream(stream) }?)?;
    // SAFETY: not NULL.
    unsafe { keys.replace(us) };
    Ok(())
}
