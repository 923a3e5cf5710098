//! Reading the keys of a user. Of a damaged file what comes before the damage is read, and no key that is there goes.

use std::ffi::c_char;

use super::contents;
use super::list::KeyList;
use crate::abi::entry::entry;
use crate::abi::error::GcryError;
use crate::abi::known_files::{self, path_of};
use crate::abi::types::UserState;

entry! {
    /// Replaces the keys by those of a file. On an error they stay, and the keys in front of the damage come in addition.
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
    /// As [`otrl_privkey_read`], from a stream. Nothing happens for NULL.
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
    // SAFETY: not NULL.
    unsafe { take_over(us, &contents::of_file(path)?) }
}

/// # Safety
/// As for [`otrl_privkey_read_FILEp`], with a stream that is not NULL.
unsafe fn read_stream(us: *mut UserState, stream: *mut libc::FILE) -> Result<(), GcryError> {
    if us.is_null() {
        return Err(GcryError::INV_VALUE);
    }
    // SAFETY: neither is NULL.
    unsafe { take_over(us, &contents::of_stream(stream)?) }
}

/// # Safety
/// `us` is a live user state.
unsafe fn take_over(us: *mut UserState, contents: &[u8]) -> Result<(), GcryError> {
    let mut keys = KeyList::empty();
    let read = keys.add_file(contents);
    // SAFETY: the caller's promise.
    unsafe {
        if read.is_ok() {
            keys.replace(us);
            known_files::remember(us, contents);
        } else if !keys.is_empty() {
            keys.add_others_of(us)?;
            keys.replace(us);
        }
    }
    read
}
