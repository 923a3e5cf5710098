//! libotr 3.2: `otrl_init` cannot return an error, so it exits the process if the version is unsupported.

use std::ffi::{CStr, c_uint};

use super::serve;
use crate::abi::entry::{entry, guard};

/// The result of `otrl_version`.
pub(crate) const VERSION: &CStr = c"3.2.1";
/// The supported interface.
pub(crate) const MAJOR: c_uint = 3;
/// The newest of its minor versions.
pub(crate) const MINOR: c_uint = 2;

entry! {
    /// Initialises the library for a client that was built for this version of the interface. May be called again, by other
    /// clients in the process too; the lowest version is remembered. Exits the process if the version is not supported.
    ///
    /// # Safety
    /// None beyond C's calling convention.
    calls back;
    pub fn otrl_init(major: c_uint, minor: c_uint, sub: c_uint) {
        if !matches!(guard(|| serve(major, minor, sub)), Ok(Ok(()))) {
            // This runs the exit handlers of the process.
            std::process::exit(1);
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
    fn the_lowest_version_is_remembered() {
        let known = || otrl_api_version.load(Ordering::Acquire);
        unsafe {
            for (minor, sub, lowest) in [
                (2, 1, 0x3_0201),
                (2, 0, 0x3_0200),
                (1, 0, 0x3_0100),
                (2, 0, 0x3_0100),
                (1, 999, 0x3_0100),
            ] {
                otrl_init(3, minor, sub);
                assert_eq!(known(), lowest);
            }
            assert_eq!(CStr::from_ptr(otrl_version()), c"3.2.1");
        }
    }
}
