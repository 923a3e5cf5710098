//! `mem.h`. Here libotr replaces libgcrypt's allocator for the whole process; this library does not.

use super::entry::entry;

#[cfg(feature = "abi5")]
mod differ;

entry! {
    /// Does nothing, and exists because clients link to it.
    ///
    /// # Safety
    /// None beyond C's calling convention.
    on panic ();
    pub fn otrl_mem_init() {}
}
