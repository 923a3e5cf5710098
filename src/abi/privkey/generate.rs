//! Making a key, and writing the file of all keys. The file is not touched before the key is there.

use std::ffi::{CStr, c_char};

use zeroize::Zeroizing;

use super::contents;
use super::list::{self, Key, KeyList};
use crate::abi::borrowed::Borrowed;
use crate::abi::entry::{entry, guard};
use crate::abi::error::GcryError;
use crate::abi::known_files::{self, path_of};
use crate::abi::stdio::Stream;
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
    /// Makes a key for an account, which replaces an old one, and writes all keys to a file. If the file is new, only its owner
    /// can read it. On an error the keys stay as they were.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, whose old keys are not used afterwards; the others are NULL or C strings.
    on panic GcryError::INTERNAL;
    pub fn otrl_privkey_generate(
        us: *mut UserState as Option<Borrowed<UserState>>,
        filename: *const c_char as Option<&CStr>,
        account: *const c_char as Option<&[u8]>,
        protocol: *const c_char as Option<&[u8]>,
    ) -> GcryError as Result<(), GcryError> {
        let (us, account) = account_of(us, account, protocol)?;
        if filename.is_none() {
            return Err(GcryError::INV_VALUE);
        }
        // SAFETY: the caller does not use the old keys, as `# Safety` requires, and no `Borrowed` of one is alive here.
        unsafe { generate(us, account, |file| write_to_path(us, filename, file)) }
    }
}

entry! {
    /// As [`otrl_privkey_generate`], to a stream that is open for writing and reading; it is read again from its start.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, whose old keys are not used afterwards; `stream` is NULL or open, the names NULL or C
    /// strings.
    on panic GcryError::INTERNAL;
    pub fn otrl_privkey_generate_FILEp(
        us: *mut UserState as Option<Borrowed<UserState>>,
        stream: *mut libc::FILE as Option<Stream>,
        account: *const c_char as Option<&[u8]>,
        protocol: *const c_char as Option<&[u8]>,
    ) -> GcryError as Result<(), GcryError> {
        let (us, account) = account_of(us, account, protocol)?;
        let stream = stream.ok_or(GcryError::INV_VALUE)?;
        // SAFETY: as above.
        unsafe { generate(us, account, |file| write_to_stream(us, stream, file)) }
    }
}

/// The account that a key is for.
#[derive(Clone, Copy)]
struct Owner<'a> {
    name: &'a [u8],
    protocol: &'a [u8],
}

/// `INV_VALUE` if anything is NULL.
fn account_of<'a>(
    us: Option<Borrowed<'a, UserState>>,
    name: Option<&'a [u8]>,
    protocol: Option<&'a [u8]>,
) -> Result<(Borrowed<'a, UserState>, Owner<'a>), GcryError> {
    match (us, name, protocol) {
        (Some(us), Some(name), Some(protocol)) => Ok((us, Owner { name, protocol })),
        _ => Err(GcryError::INV_VALUE),
    }
}

/// Makes a key. Guarded here so that a panic also counts as a failed calculation.
fn make() -> Result<PrivateKey, GcryError> {
    match guard(PrivateKey::generate) {
        Ok(Ok(key)) => Ok(key),
        // The system's error for missing randomness is not an errno that clients know.
        Ok(Err(_)) => Err(GcryError::EIO),
        Err(panicked) => Err(panicked.into()),
    }
}

/// Replaces the file at a path, and returns the keys in it.
fn write_to_path(
    us: Borrowed<'_, UserState>,
    filename: Option<&CStr>,
    file: &[u8],
) -> Result<KeyList, GcryError> {
    let path = path_of(filename)?;
    // Made first: after the file is written, nothing may fail.
    let keys = KeyList::of_file(file)?;
    known_files::replace(us, path, file, Mode::Private)?;
    Ok(keys)
}

/// Writes the file to a stream, and returns the keys that are then read from its start.
fn write_to_stream(
    us: Borrowed<'_, UserState>,
    stream: Stream<'_>,
    file: &[u8],
) -> Result<KeyList, GcryError> {
    KeyList::of_file(file)?;
    stream.write_all(file)?;
    stream.rewind()?;
    let contents = contents::of_stream(stream)?;
    let keys = KeyList::of_file(&contents)?;
    known_files::remember(us, &contents);
    Ok(keys)
}

/// The contents of the file with all keys: the known ones in the order of the list, except the one that is replaced, and the
/// new one last.
fn file_with(
    us: Borrowed<'_, UserState>,
    owner: Owner<'_>,
    key: &PrivateKey,
) -> Result<Zeroizing<Vec<u8>>, GcryError> {
    let numbers = DsaNumbers {
        p: buffer::bounded(key.public().p()),
        q: buffer::bounded(key.public().q()),
        g: buffer::bounded(key.public().g()),
        y: buffer::bounded(key.public().y()),
        x: buffer::bounded(key.x()),
    };
    let mut keys = list::copies(us)?;
    keys.retain(|key| key.name != owner.name || key.protocol != owner.protocol);
    let new = Key {
        name: buffer::copy(owner.name)?,
        protocol: buffer::copy(owner.protocol)?,
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
