//! `version.h` and the start of the library.

use std::ffi::{CStr, c_char, c_uint};
use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};

use super::entry::entry;
use super::error::GcryError;
use super::gcry;

const VERSION: &CStr = c"4.1.1";
const MAJOR: c_uint = 4;
const MINOR: c_uint = 1;

/// The lowest API version that a client of this process was built for, as `major << 16 | minor << 8 | sub`; 0 before
/// `otrl_init`. An object of the interface: a program may own the copy that counts, and write it, so it is public, of C's
/// `unsigned int`, and only ever touched atomically.
#[unsafe(no_mangle)]
pub static otrl_api_version: AtomicU32 = AtomicU32::new(0);

entry! {
    /// Gets the library ready for a client that was built for this version of the interface. May be called again, by other
    /// clients in the process too; the lowest version is remembered.
    ///
    /// # Safety
    /// None beyond C's calling convention.
    on panic GcryError::INTERNAL;
    pub fn otrl_init(major: c_uint, minor: c_uint, sub: c_uint) -> GcryError {
        if major != MAJOR || minor > MINOR {
            // A client that only looks at the error never learns why. Nobody listening is no fault.
            let _ = writeln!(
                std::io::stderr(),
                "libotr: the client was built for version {major}.{minor}.{sub}, which this library ({}) can't serve",
                VERSION.to_string_lossy(),
            );
            return GcryError::INV_VALUE;
        }
        let wanted = major << 16 | minor << 8 | sub.min(0xff);
        let lowest = |known: u32| (known == 0 || known > wanted).then_some(wanted);
        // No update needed is no failure.
        let _ = otrl_api_version.fetch_update(Ordering::AcqRel, Ordering::Acquire, lowest);
        gcry::get_ready();
        GcryError::NO_ERROR
    }
}

entry! {
    /// The version whose interface this is, as a constant.
    ///
    /// # Safety
    /// None beyond C's calling convention.
    on panic VERSION.as_ptr();
    pub fn otrl_version() -> *const c_char {
        VERSION.as_ptr()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
