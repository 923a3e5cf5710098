//! Making a key in one step.

use super::{Owner, file_with, make};
use crate::abi::borrowed::Borrowed;
use crate::abi::error::GcryError;
use crate::abi::privkey::list::KeyList;
use crate::abi::types::UserState;

/// Makes a key; `write` gets the contents of the file, and returns the new list of keys.
///
/// # Safety
/// The old keys of the user state are not used afterwards.
pub(crate) unsafe fn generate(
    us: Borrowed<'_, UserState>,
    owner: Owner<'_>,
    write: impl FnOnce(&[u8]) -> Result<KeyList, GcryError>,
) -> Result<(), GcryError> {
    let file = file_with(us, owner, &make()?)?;
    let keys = write(&file)?;
    // SAFETY: the old keys are not used afterwards, as the caller guarantees.
    unsafe { keys.replace(us) };
    Ok(())
}
