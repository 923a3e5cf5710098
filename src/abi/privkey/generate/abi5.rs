//! Making a key in steps: start, calculate (in any thread), finish or cancel.

use std::ffi::{c_char, c_void};
use std::ptr;

use super::{NewKey, file_with, make, write_to_path, write_to_stream};
use crate::abi::entry::entry;
use crate::abi::error::GcryError;
use crate::abi::memory::{bytes_of, put};
use crate::abi::privkey::list::KeyList;
use crate::abi::privkey::{jobs, pending};
use crate::abi::types::UserState;

entry! {
    /// Notes that a key is being made for an account, and gives the client a `newkey` for it. `EEXIST` if one is being made.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, the names NULL or C strings, `newkey` NULL or writable.
    on panic GcryError::INTERNAL;
    pub fn otrl_privkey_generate_start(
        us: *mut UserState,
        account: *const c_char,
        protocol: *const c_char,
        newkey: *mut *mut c_void,
    ) -> GcryError {
        // SAFETY: the caller's promise.
        unsafe {
            put(newkey, ptr::null_mut());
            match start(us, account, protocol, !newkey.is_null()) {
                Ok(started) => {
                    put(newkey, started);
                    GcryError::NO_ERROR
                }
                Err(error) => error,
            }
        }
    }
}

entry! {
    /// Makes the key; may run in any thread. Harmless when the key was cancelled before or is cancelled meanwhile.
    ///
    /// # Safety
    /// None: what is no `newkey` is refused, and never followed.
    on panic GcryError::INTERNAL;
    pub fn otrl_privkey_generate_calculate(newkey: *mut c_void) -> GcryError {
        calculate(newkey).into()
    }
}

entry! {
    /// Writes all keys and the new one to a file (the old one is whole until the new one is), and takes it over. `newkey` is no
    /// more afterwards, whatever the result. On an error the keys stay as they were.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, `filename` NULL or a C string.
    on panic GcryError::INTERNAL;
    pub fn otrl_privkey_generate_finish(us: *mut UserState, newkey: *mut c_void, filename: *const c_char) -> GcryError {
        // SAFETY: the caller's promise.
        unsafe { finish(us, newkey, |file| write_to_path(us, filename, file)) }.into()
    }
}

entry! {
    /// As [`otrl_privkey_generate_finish`], to a stream that is open for writing and reading; it is read again from its start.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, `stream` NULL or open.
    on panic GcryError::INTERNAL;
    pub fn otrl_privkey_generate_finish_FILEp(us: *mut UserState, newkey: *mut c_void, stream: *mut libc::FILE) -> GcryError {
        // SAFETY: the caller's promise.
        unsafe { finish(us, newkey, |file| write_to_stream(us, stream, file)) }.into()
    }
}

entry! {
    /// Gives up a key. Harmless when it is finished or cancelled already.
    ///
    /// # Safety
    /// `us` is NULL or a live user state.
    on panic ();
    pub fn otrl_privkey_generate_cancelled(us: *mut UserState, newkey: *mut c_void) {
        // SAFETY: the caller's promise.
        unsafe { cancel(us, newkey) }
    }
}

/// `is_wanted`: whether the client takes the `newkey`. Without it nobody could ever end the job.
///
/// # Safety
/// As for [`otrl_privkey_generate_start`].
unsafe fn start(
    us: *mut UserState,
    account: *const c_char,
    protocol: *const c_char,
    is_wanted: bool,
) -> Result<*mut c_void, GcryError> {
    // SAFETY: the caller's promise.
    let (Some(account), Some(protocol)) = (unsafe { (bytes_of(account), bytes_of(protocol)) })
    else {
        return Err(GcryError::INV_VALUE);
    };
    if us.is_null() {
        return Err(GcryError::INV_VALUE);
    }
    while let Some(failed) = jobs::take_failed(us, account, protocol) {
        // SAFETY: not NULL.
        unsafe { pending::forget(us, &failed.name, &failed.protocol) };
    }
    // SAFETY: likewise.
    unsafe { pending::add(us, account, protocol) }?;
    if !is_wanted {
        // SAFETY: likewise.
        unsafe { pending::forget(us, account, protocol) };
        return Err(GcryError::INV_VALUE);
    }
    jobs::begin(us, account, protocol).map_err(|error| {
        // SAFETY: likewise.
        unsafe { pending::forget(us, account, protocol) };
        error.into()
    })
}

fn calculate(newkey: *mut c_void) -> Result<(), GcryError> {
    if !jobs::is_live(newkey) {
        return Err(GcryError::INV_VALUE);
    }
    jobs::conclude(newkey, make())
}

/// Makes a key from start to finish; `write` gets the file, and gives the keys as they are from now on.
///
/// # Safety
/// `us` is NULL or a live user state, the names NULL or C strings.
pub(crate) unsafe fn generate(
    us: *mut UserState,
    account: *const c_char,
    protocol: *const c_char,
    write: impl FnOnce(&[u8]) -> Result<KeyList, GcryError>,
) -> Result<(), GcryError> {
    // SAFETY: the caller's promise.
    let newkey = unsafe { start(us, account, protocol, true) }?;
    if let Err(error) = calculate(newkey) {
        // SAFETY: likewise.
        unsafe { cancel(us, newkey) };
        return Err(error);
    }
    // SAFETY: likewise.
    unsafe { finish(us, newkey, write) }
}

/// # Safety
/// As for [`otrl_privkey_generate_cancelled`].
unsafe fn cancel(us: *mut UserState, newkey: *mut c_void) {
    if let Some(job) = jobs::take(newkey) {
        // SAFETY: the caller's promise.
        unsafe { pending::forget(us, &job.name, &job.protocol) };
    }
}

/// Ends a job: `write` gets the file, and gives the keys as they are from now on.
///
/// # Safety
/// `us` is NULL or a live user state.
unsafe fn finish(
    us: *mut UserState,
    newkey: *mut c_void,
    write: impl FnOnce(&[u8]) -> Result<KeyList, GcryError>,
) -> Result<(), GcryError> {
    let job = jobs::take(newkey).ok_or(GcryError::INV_VALUE)?;
    if us.is_null() {
        return Err(GcryError::INV_VALUE);
    }
    let result = match job.key() {
        // SAFETY: not NULL.
        Some(key) => unsafe {
            file_with(
                us,
                &NewKey {
                    name: &job.name,
                    protocol: &job.protocol,
                    key,
                },
            )
        },
        None => Err(GcryError::UNUSABLE_SECKEY),
    };
    let result = result.and_then(|file| write(&file));
    // SAFETY: likewise.
    unsafe {
        pending::forget(us, &job.name, &job.protocol);
        result?.replace(us);
    }
    Ok(())
}
