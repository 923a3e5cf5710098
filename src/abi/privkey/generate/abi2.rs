//! Making a key at one go.

use std::ffi::c_char;

use super::{NewKey, file_with, make};
use crate::abi::error::GcryError;
use crate::abi::memory::bytes_of;
use crate::abi::privkey::list::KeyList;
use crate::abi::types::UserState;

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
    let names = unsafe { bytes_of(account).zip(bytes_of(protocol)) };
    let Some((name, protocol)) = names.filter(|_| !us.is_null()) else {
        return Err(GcryError::INV_VALUE);
    };
    let key = make()?;
    let new = NewKey {
        name,
        protocol,
        key: &key,
    };
    // SAFETY: not NULL.
    unsafe {
        let file = file_with(us, &new)?;
        write(&file)?.replace(us);
    }
    Ok(())
}
