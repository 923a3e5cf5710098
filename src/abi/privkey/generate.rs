//! Making a key, and the file of all keys with it. The file is touched when the key is there, not before.

use std::ffi::c_char;

use zeroize::Zeroizing;

use super::contents;
use super::list::{self, Key, KeyList};
use crate::abi::entry::{entry, guard};
use crate::abi::error::GcryError;
use crate::abi::known_files::{self, path_of};
use crate::abi::stdio;
use crate::abi::types::UserState;
use otr_crypto::dsa::PrivateKey;
use otr_protocol::buffer;
use otr_protocol::store::atomic_file::Mode;
use otr_protocol::store::private_keys::{self, DsaNumbers, Entry, Unwritten};

#[cfg(feature = "abi2")]
mod abi2;
#[cfg(feature = "abi5")]
mod abi5;

#[cfg(feature = "abi2")]
use abi2::generate;
#[cfg(feature = "abi5")]
use abi5::generate;
#[cfg(all(test, feature = "abi5"))]
pub(crate) use abi5::*;

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
        unsafe { generate(us, account, protocol, |file| write_to_path(us, filename, file)) }.into()
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
        unsafe { generate(us, account, protocol, |file| write_to_stream(us, stream, file)) }.into()
    }
}

/// A key that was made, and for whom.
struct NewKey<'a> {
    name: &'a [u8],
    protocol: &'a [u8],
    key: &'a PrivateKey,
}

/// Makes a key. Guarded here so that a panic, too, counts as a calculation that failed.
fn make() -> Result<PrivateKey, GcryError> {
    match guard(PrivateKey::generate) {
        Ok(Ok(key)) => Ok(key),
        // What the system says when it has no randomness is no errno that clients know.
        Ok(Err(_)) => Err(GcryError::EIO),
        Err(panicked) => Err(panicked.into()),
    }
}

/// Puts a file in the place of the one at a path, and gives the keys in it.
///
/// # Safety
/// `us` is a live user state, `filename` NULL or a C string.
unsafe fn write_to_path(
    us: *const UserState,
    filename: *const c_char,
    file: &[u8],
) -> Result<KeyList, GcryError> {
    // SAFETY: the caller's promise.
    let path = unsafe { path_of(filename) }?;
    // Made first: once the file is there, nothing can go wrong any more.
    let keys = KeyList::of_file(file)?;
    known_files::replace(us, path, file, Mode::Private)?;
    Ok(keys)
}

/// Writes a file to a stream, and gives the keys that can be read from its start then.
///
/// # Safety
/// `stream` is NULL or open.
unsafe fn write_to_stream(
    us: *const UserState,
    stream: *mut libc::FILE,
    file: &[u8],
) -> Result<KeyList, GcryError> {
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
        let contents = contents::of_stream(stream)?;
        let keys = KeyList::of_file(&contents)?;
        known_files::remember(us, &contents);
        Ok(keys)
    }
}

/// The file of all keys: the known ones in the order of the list, but for the one that is replaced, and the new one last.
///
/// # Safety
/// `us` is a live user state.
unsafe fn file_with(us: *const UserState, new: &NewKey) -> Result<Zeroizing<Vec<u8>>, GcryError> {
    let key = new.key;
    let numbers = DsaNumbers {
        p: buffer::bounded(key.public().p()),
        q: buffer::bounded(key.public().q()),
        g: buffer::bounded(key.public().g()),
        y: buffer::bounded(key.public().y()),
        x: buffer::bounded(key.x()),
    };
    // SAFETY: the caller's promise.
    let mut keys = unsafe { list::copies(us) }?;
    keys.retain(|key| key.name != new.name || key.protocol != new.protocol);
    let new = Key {
        name: buffer::copy(new.name)?,
        protocol: buffer::copy(new.protocol)?,
        key: numbers.to_sexp()?,
    };
    buffer::push(&mut keys, new)?;
    let entries = keys.iter().map(|key| Entry {
        name: &key.name,
        protocol: &key.protocol,
        key: &key.key,
    });
    private_keys::write(entries).map_err(|error| match error {
        Unwritten::OutOfMemory => GcryError::ENOMEM,
        Unwritten::NameTooLong => {
            u16::try_from(error.code()).map_or(GcryError::INV_VALUE, GcryError::from_gcrypt)
        }
    })
}
