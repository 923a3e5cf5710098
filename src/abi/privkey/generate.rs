//! Making a key: start, calculate (in any thread), finish or cancel. The file is touched when the key is there, not before.

use std::ffi::{c_char, c_void};
use std::ptr;

use zeroize::Zeroizing;

use super::contents::{self, path_of};
use super::jobs::{self, Job};
use super::list::{self, Key, KeyList};
use super::pending;
use crate::abi::entry::{entry, guard};
use crate::abi::error::GcryError;
use crate::abi::memory::{bytes_of, put};
use crate::abi::stdio;
use crate::abi::types::UserState;
use crate::crypto::dsa::PrivateKey;
use crate::store::private_keys::{self, DsaNumbers, Entry};
use crate::store::replace::{Mode, replace};

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
        unsafe { finish_file(us, newkey, filename) }.into()
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
        unsafe { finish_stream(us, newkey, stream) }.into()
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

entry! {
    /// Makes a key for an account, in the place of an old one, and writes all keys to a file, which only its owner can read if
    /// it is new. On an error the keys stay as they were.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, the others NULL or C strings.
    on panic GcryError::INTERNAL;
    pub fn otrl_privkey_generate(
        us: *mut UserState,
        filename: *const c_char,
        account: *const c_char,
        protocol: *const c_char,
    ) -> GcryError {
        if filename.is_null() {
            return GcryError::INV_VALUE;
        }
        // SAFETY: the caller's promise.
        unsafe { generate(us, account, protocol, |newkey| finish_file(us, newkey, filename)) }.into()
    }
}

entry! {
    /// As [`otrl_privkey_generate`], to a stream that is open for writing and reading; it is read again from its start.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, `stream` NULL or open, the names NULL or C strings.
    on panic GcryError::INTERNAL;
    pub fn otrl_privkey_generate_FILEp(
        us: *mut UserState,
        stream: *mut libc::FILE,
        account: *const c_char,
        protocol: *const c_char,
    ) -> GcryError {
        if stream.is_null() {
            return GcryError::INV_VALUE;
        }
        // SAFETY: the caller's promise.
        unsafe { generate(us, account, protocol, |newkey| finish_stream(us, newkey, stream)) }.into()
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
    Ok(jobs::begin(us, account, protocol))
}

fn calculate(newkey: *mut c_void) -> Result<(), GcryError> {
    if !jobs::is_live(newkey) {
        return Err(GcryError::INV_VALUE);
    }
    // Guarded here so that a panic, too, counts as a calculation that failed.
    let result = match guard(PrivateKey::generate) {
        Ok(Ok(key)) => Ok(key),
        // What the system says when it has no randomness is no errno that clients know.
        Ok(Err(_)) => Err(GcryError::EIO),
        Err(panicked) => Err(panicked.into()),
    };
    jobs::conclude(newkey, result)
}

/// # Safety
/// As for [`otrl_privkey_generate`]; `finish` ends the job.
unsafe fn generate(
    us: *mut UserState,
    account: *const c_char,
    protocol: *const c_char,
    finish: impl FnOnce(*mut c_void) -> Result<(), GcryError>,
) -> Result<(), GcryError> {
    // SAFETY: the caller's promise.
    let newkey = unsafe { start(us, account, protocol, true) }?;
    if let Err(error) = calculate(newkey) {
        // SAFETY: likewise.
        unsafe { cancel(us, newkey) };
        return Err(error);
    }
    finish(newkey)
}

/// # Safety
/// As for [`otrl_privkey_generate_cancelled`].
unsafe fn cancel(us: *mut UserState, newkey: *mut c_void) {
    if let Some(job) = jobs::take(newkey) {
        // SAFETY: the caller's promise.
        unsafe { pending::forget(us, &job.name, &job.protocol) };
    }
}

/// # Safety
/// As for [`otrl_privkey_generate_finish`].
unsafe fn finish_file(
    us: *mut UserState,
    newkey: *mut c_void,
    filename: *const c_char,
) -> Result<(), GcryError> {
    let write = |file: &[u8]| {
        // SAFETY: the caller's promise.
        let path = unsafe { path_of(filename) }?;
        // Made first: once the file is there, nothing can go wrong any more.
        let keys = KeyList::of_file(file)?;
        replace(&path, file, Mode::Private).map_err(|error| GcryError::from_io(&error))?;
        Ok(keys)
    };
    // SAFETY: likewise.
    unsafe { finish(us, newkey, write) }
}

/// # Safety
/// As for [`otrl_privkey_generate_finish_FILEp`].
unsafe fn finish_stream(
    us: *mut UserState,
    newkey: *mut c_void,
    stream: *mut libc::FILE,
) -> Result<(), GcryError> {
    let write = |file: &[u8]| {
        if stream.is_null() {
            return Err(GcryError::INV_VALUE);
        }
        KeyList::of_file(file)?;
        // SAFETY: not NULL, so open.
        unsafe {
            stdio::write_all(stream, file)?;
            if libc::fseek(stream, 0, libc::SEEK_SET) != 0 {
                return Err(GcryError::last_os_error());
            }
            KeyList::of_file(&contents::of_stream(stream)?)
        }
    };
    // SAFETY: the caller's promise.
    unsafe { finish(us, newkey, write) }
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
    // SAFETY: not NULL.
    let result = unsafe { file_with(us, &job) }.and_then(|file| write(&file));
    // SAFETY: likewise.
    unsafe {
        pending::forget(us, &job.name, &job.protocol);
        result?.replace(us);
    }
    Ok(())
}

/// The file of all keys: the known ones in the order of the list, but for the one that is replaced, and the new one last.
///
/// # Safety
/// `us` is a live user state.
unsafe fn file_with(us: *const UserState, job: &Job) -> Result<Zeroizing<Vec<u8>>, GcryError> {
    let key = job.key().ok_or(GcryError::UNUSABLE_SECKEY)?;
    let numbers = DsaNumbers {
        p: key.public().p().to_vec(),
        q: key.public().q().to_vec(),
        g: key.public().g().to_vec(),
        y: key.public().y().to_vec(),
        x: key.x().to_vec(),
    };
    // SAFETY: the caller's promise.
    let mut keys = unsafe { list::copies(us) }?;
    keys.retain(|key| key.name != job.name || key.protocol != job.protocol);
    keys.push(Key {
        name: job.name.clone(),
        protocol: job.protocol.clone(),
        key: numbers.to_sexp(),
    });
    let entries = keys.iter().map(|key| Entry {
        name: &key.name,
        protocol: &key.protocol,
        key: &key.key,
    });
    private_keys::write(entries).map_err(|error| {
        u16::try_from(error.code()).map_or(GcryError::INV_VALUE, GcryError::from_gcrypt)
    })
}
