//! Making a key in one step.

use super::{Owner, file_with, make};
use crate::abi::borrowed::Borrowed;
use crate::abi::error::GcryError;
use crate::abi::privkey::list::KeyList;
use crate::abi::types::UserState;

/// Makes a key from start to finish; `write` gets the file, and gives the keys as they are from now on.
///
/// # Safety
/// Nobody uses the keys of the user state any more.
pub(crate) unsafe fn generate(
    us: Borrowed<'_, UserState>,
    owner: Owner<'_>,
    write: impl FnOnce(&[u8]) -> Result<KeyList, GcryError>,
) -> Result<(), GcryError> {
    let file = file_with(us, owner, &make()?)?;
    let keys = write(&file)?;
    // SAFETY: nobody uses the keys of before, by this function's own `# Safety`.
    unsafe { keys.replace(us) };
    Ok(())
}
