//! libotr 4: an unsupported version is an error.

use std::ffi::{CStr, c_uint};

use super::serve;
use crate::abi::entry::entry;
use crate::abi::error::GcryError;

/// The result of `otrl_version`.
pub(crate) const VERSION: &CStr = c"4.1.1";
/// The supported interface.
pub(crate) const MAJOR: c_uint = 4;
/// The newest of its minor versions.
pub(crate) const MINOR: c_uint = 1;

entry! {
    /// Initialises the library for a client that was built for this version of the interface. May be called again, by other
    /// clients in the process too; the lowest version is remembered.
    ///
    /// # Safety
    /// None beyond C's calling convention.
    on panic GcryError::INTERNAL;
    pub fn otrl_init(major: c_uint, minor: c_uint, sub: c_uint) -> GcryError {
        match serve(major, minor, sub) {
            Ok(()) => GcryError::NO_ERROR,
            Err(_) => GcryError::INV_VALUE,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::abi::version::{otrl_api_version, otrl_version};

    /// One test, because there is one version in the process.
    #[test]
    fn the_lowest_version_is_remembered_and_others_refused() {
        let known = || otrl_api_version.load(Ordering::Acquire);
        unsafe {
            for (major, minor) in [(3, 2), (4, 2), (5, 0)] {
                assert_eq!(otrl_init(major, minor, 0), GcryError(0x2000_0037));
                assert_eq!(known(), 0);
            }
            for (sub, minor, lowest) in [
                (1, 1, 0x4_0101),
                (0, 0, 0x4_0000),
                (0, 1, 0x4_0000),
                (999, 0, 0x4_0000),
            ] {
                assert_eq!(otrl_init(4, minor, sub), GcryError::NO_ERROR);
                assert_eq!(known(), lowest);
            }
            assert_eq!(CStr::from_ptr(otrl_version()), c"4.1.1");
        }
    }
}
