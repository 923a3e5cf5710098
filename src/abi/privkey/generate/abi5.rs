//! Making a key in steps: start, calculate (in any thread), finish or cancel.

use std::ffi::{CStr, c_char, c_void};
use std::ptr;

use super::{Owner, account_of, file_with, make, write_to_path, write_to_stream};
use crate::abi::borrowed::{Borrowed, Out};
use crate::abi::entry::entry;
use crate::abi::error::GcryError;
use crate::abi::privkey::list::KeyList;
use crate::abi::privkey::{jobs, pending};
use crate::abi::stdio::Stream;
use crate::abi::types::UserState;

entry! {
    /// Notes that a key is being made for an account, and returns a `newkey` for it. `EEXIST` if one is being made.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, the names NULL or C strings, `newkey` NULL or writable.
    on panic GcryError::INTERNAL;
    pub fn otrl_privkey_generate_start(
        us: *mut UserState as Option<Borrowed<UserState>>,
        account: *const c_char as Option<&[u8]>,
        protocol: *const c_char as Option<&[u8]>,
        newkey: *mut *mut c_void as Out<*mut c_void>,
    ) -> GcryError as Result<(), GcryError> {
        newkey.put(ptr::null_mut());
        let (us, owner) = account_of(us, account, protocol)?;
        newkey.put(start(us, owner, newkey.is_wanted())?);
        Ok(())
    }
}

entry! {
    /// Makes the key; may run in any thread. Harmless if the key was cancelled before or is cancelled during this.
    ///
    /// # Safety
    /// None: a value that is not a `newkey` is refused, and never dereferenced.
    on panic GcryError::INTERNAL;
    pub fn otrl_privkey_generate_calculate(newkey: *mut c_void) -> GcryError as Result<(), GcryError> {
        calculate(newkey)
    }
}

entry! {
    /// Writes all keys and the new one to a file (the old file stays complete until the new one is), and adds the new key.
    /// `newkey` is invalid afterwards, whatever the result. On an error the keys stay as they were.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, whose old keys are not used afterwards; `filename` is NULL or a C string.
    on panic GcryError::INTERNAL;
    pub fn otrl_privkey_generate_finish(
        us: *mut UserState as Option<Borrowed<UserState>>,
        newkey: *mut c_void,
        filename: *const c_char as Option<&CStr>,
    ) -> GcryError as Result<(), GcryError> {
        // SAFETY: the caller does not use the old keys, as `# Safety` requires, and no `Borrowed` of one is alive here.
        unsafe { finish(us, newkey, |us, file| write_to_path(us, filename, file)) }
    }
}

entry! {
    /// As [`otrl_privkey_generate_finish`], to a stream that is open for writing and reading; it is read again from its start.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, whose old keys are not used afterwards; `stream` is NULL or open.
    on panic GcryError::INTERNAL;
    pub fn otrl_privkey_generate_finish_FILEp(
        us: *mut UserState as Option<Borrowed<UserState>>,
        newkey: *mut c_void,
        stream: *mut libc::FILE as Option<Stream>,
    ) -> GcryError as Result<(), GcryError> {
        let write = |us: Borrowed<'_, UserState>, file: &[u8]| {
            write_to_stream(us, stream.ok_or(GcryError::INV_VALUE)?, file)
        };
        // SAFETY: as above.
        unsafe { finish(us, newkey, write) }
    }
}

entry! {
    /// Cancels a key. Harmless if it is finished or cancelled already.
    ///
    /// # Safety
    /// `us` is NULL or a live user state.
    on panic ();
    pub fn otrl_privkey_generate_cancelled(us: *mut UserState as Option<Borrowed<UserState>>, newkey: *mut c_void) {
        cancel(us, newkey);
    }
}

/// `is_wanted`: whether the client takes the `newkey`. Otherwise nobody could end the job.
fn start(
    us: Borrowed<'_, UserState>,
    owner: Owner<'_>,
    is_wanted: bool,
) -> Result<*mut c_void, GcryError> {
    let Owner { name, protocol } = owner;
    while let Some(failed) = jobs::take_failed(us, name, protocol) {
        pending::forget(us, &failed.name, &failed.protocol);
    }
    pending::add(us, name, protocol)?;
    let begun = if is_wanted {
        jobs::begin(us, name, protocol).map_err(GcryError::from)
    } else {
        Err(GcryError::INV_VALUE)
    };
    begun.inspect_err(|_| pending::forget(us, name, protocol))
}

fn calculate(newkey: *mut c_void) -> Result<(), GcryError> {
    if !jobs::is_live(newkey) {
        return Err(GcryError::INV_VALUE);
    }
    jobs::conclude(newkey, make())
}

/// Makes a key in one call; `write` gets the contents of the file, and returns the new list of keys.
///
/// # Safety
/// The old keys of the user state are not used afterwards.
pub(crate) unsafe fn generate(
    us: Borrowed<'_, UserState>,
    owner: Owner<'_>,
    write: impl FnOnce(&[u8]) -> Result<KeyList, GcryError>,
) -> Result<(), GcryError> {
    let newkey = start(us, owner, true)?;
    calculate(newkey).inspect_err(|_| cancel(Some(us), newkey))?;
    // SAFETY: the old keys are not used afterwards, as the caller guarantees.
    unsafe { finish(Some(us), newkey, |_, file| write(file)) }
}

fn cancel(us: Option<Borrowed<'_, UserState>>, newkey: *mut c_void) {
    if let (Some(job), Some(us)) = (jobs::take(newkey), us) {
        pending::forget(us, &job.name, &job.protocol);
    }
}

/// Ends a job: `write` gets the contents of the file, and returns the new list of keys.
///
/// # Safety
/// The old keys of the user state are not used afterwards.
unsafe fn finish<'a>(
    us: Option<Borrowed<'a, UserState>>,
    newkey: *mut c_void,
    write: impl FnOnce(Borrowed<'a, UserState>, &[u8]) -> Result<KeyList, GcryError>,
) -> Result<(), GcryError> {
    let job = jobs::take(newkey).ok_or(GcryError::INV_VALUE)?;
    let us = us.ok_or(GcryError::INV_VALUE)?;
    let owner = Owner {
        name: &job.name,
        protocol: &job.protocol,
    };
    let keys = job
        .key()
        .ok_or(GcryError::UNUSABLE_SECKEY)
        .and_then(|key| file_with(us, owner, key))
        .and_then(|file| write(us, &file));
    pending::forget(us, &job.name, &job.protocol);
    // SAFETY: as above.
    unsafe { keys?.replace(us) };
    Ok(())
}
