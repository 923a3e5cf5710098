//! `mem.h`. Here libotr replaces libgcrypt's allocator for the whole process; this library does not.

use super::entry::entry;

#[cfg(feature = "abi5")]
mod differ;

entry! {
    /// Does nothing, and is there because clients bind it.
    ///
    /// # Safety
    /// None beyond C's calling convention.
    on panic ();
    pub fn otrl_mem_init() {}
}
