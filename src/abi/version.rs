//! `version.h` and the start of the library.

use std::ffi::{c_char, c_uint};
use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};

use super::entry::entry;
use super::gcry;

#[cfg(feature = "abi2")]
mod abi2;
#[cfg(feature = "abi5")]
mod abi5;

#[cfg(feature = "abi2")]
use abi2::{MAJOR, MINOR, VERSION};
#[cfg(feature = "abi5")]
use abi5::{MAJOR, MINOR, VERSION};

/// The lowest API version that a client of this process was built for, as `major << 16 | minor << 8 | sub`; 0 before
/// `otrl_init`. It is part of the interface: by a copy relocation it may be in the program, which may write it, so it is
/// public, has C's type `unsigned int`, and is only accessed atomically.
#[unsafe(no_mangle)]
pub static otrl_api_version: AtomicU32 = AtomicU32::new(0);

entry! {
    /// The version of the interface, as a constant string.
    ///
    /// # Safety
    /// None beyond C's calling convention.
    on panic VERSION.as_ptr();
    pub fn otrl_version() -> *const c_char {
        VERSION.as_ptr()
    }
}

/// The client was built for another interface.
struct Unserved;

/// Initialises the library for a client that was built for this version of the interface. If it is not supported, prints the
/// reason on stderr.
fn serve(major: c_uint, minor: c_uint, sub: c_uint) -> Result<(), Unserved> {
    if major != MAJOR || minor > MINOR {
        // A client that only sees the error would not learn the reason. It is not an error if nobody reads stderr.
        let line = format!(
            "libotr: the client was built for version {major}.{minor}.{sub}, which this library ({}) can't serve\n",
            VERSION.to_string_lossy(),
        );
        let _ = std::io::stderr().write_all(line.as_bytes());
        return Err(Unserved);
    }
    let wanted = major << 16 | minor << 8 | sub.min(0xff);
    let lowest = |known: u32| (known == 0 || known > wanted).then_some(wanted);
    // It is not an error if no update is needed.
    let _ = otrl_api_version.fetch_update(Ordering::AcqRel, Ordering::Acquire, lowest);
    gcry::get_ready();
    Ok(())
}
