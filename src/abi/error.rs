//! Error values, equal to libgpg-error's bit for bit, and the two functions of libgcrypt that clients expect to find.

use std::ffi::{c_int, c_uint};

use super::borrowed::IntoC;
use super::entry::Panicked;
use super::error_table::errno_codes;

/// `gcry_error_t`: the source in the top byte, the code in the lower half.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GcryError(pub c_uint);

/// The bit that marks the code of an errno.
pub const SYSTEM_ERROR: u16 = 1 << 15;
/// The code of an errno that libgpg-error does not know.
pub const UNKNOWN_ERRNO: u16 = 16382;
/// libgcrypt's own source: errno values and what its functions report.
const SOURCE_GCRYPT: c_uint = 1;
/// The source that `gcry_error()` uses in a program that defines none, such as libotr.
const SOURCE_USER_1: c_uint = 32;
const SOURCE_SHIFT: u32 = 24;
const SOURCE_MASK: c_uint = 0x7f;

impl GcryError {
    /// No error: 0, whatever the source.
    pub const NO_ERROR: Self = Self(0);
    /// The data of a signature does not match it.
    pub const BAD_SIGNATURE: Self = Self::new(8);
    /// Unusable public key.
    pub const UNUSABLE_PUBKEY: Self = Self::new(53);
    /// No private key where one is needed.
    pub const UNUSABLE_SECKEY: Self = Self::new(54);
    /// An argument or a message is not acceptable.
    pub const INV_VALUE: Self = Self::new(55);
    /// A panic was caught: this conversation cannot continue.
    pub const INTERNAL: Self = Self::new(63);
    /// An old or repeated message.
    pub const CONFLICT: Self = Self::new(70);
    /// Out of memory.
    pub const ENOMEM: Self = Self::new(SYSTEM_ERROR | 86);
    /// It exists already.
    pub const EEXIST: Self = Self::new(SYSTEM_ERROR | 35);
    /// Input or output failed without an errno.
    pub const EIO: Self = Self::new(SYSTEM_ERROR | 49);

    /// `gcry_error(code)`.
    pub const fn new(code: u16) -> Self {
        Self::with_source(SOURCE_USER_1, code)
    }

    /// An error from libgcrypt itself, for instance from its S-expression parser.
    pub const fn from_gcrypt(code: u16) -> Self {
        Self::with_source(SOURCE_GCRYPT, code)
    }

    /// `gcry_error_from_errno(errno)`; 0 is no error.
    pub fn from_errno(errno: c_int) -> Self {
        Self::from_gcrypt(code_from_errno(errno))
    }

    /// The errno in an error of the standard library, or else `EIO`.
    pub fn from_io(error: &std::io::Error) -> Self {
        error.raw_os_error().map_or(Self::EIO, Self::from_errno)
    }

    /// The current value of errno.
    pub fn last_os_error() -> Self {
        Self::from_io(&std::io::Error::last_os_error())
    }

    /// The code, in the lower half.
    pub const fn code(self) -> u16 {
        self.0 as u16
    }

    /// The source.
    pub const fn source(self) -> c_uint {
        (self.0 >> SOURCE_SHIFT) & SOURCE_MASK
    }

    /// Whether this is an error.
    pub const fn is_error(self) -> bool {
        self.code() != 0
    }

    /// `Ok` for no error, for use with `?`.
    pub const fn ok(self) -> Result<(), Self> {
        if self.is_error() { Err(self) } else { Ok(()) }
    }

    const fn with_source(source: c_uint, code: u16) -> Self {
        if code == 0 {
            Self::NO_ERROR
        } else {
            Self((source << SOURCE_SHIFT) | code as c_uint)
        }
    }
}

impl From<Panicked> for GcryError {
    fn from(_: Panicked) -> Self {
        Self::INTERNAL
    }
}

impl From<Result<(), GcryError>> for GcryError {
    fn from(result: Result<(), GcryError>) -> Self {
        result.err().unwrap_or(Self::NO_ERROR)
    }
}

impl IntoC<GcryError> for Result<(), GcryError> {
    fn into_c(self) -> GcryError {
        self.into()
    }
}

fn code_from_errno(errno: c_int) -> u16 {
    if errno == 0 {
        return 0;
    }
    errno_codes()
        .find(|(known, _)| *known == errno)
        .map_or(UNKNOWN_ERRNO, |(_, code)| code)
}

/// The errno of a code; `None` for one of libgpg-error's own codes.
pub fn errno_from_code(code: u16) -> Option<c_int> {
    errno_codes()
        .find(|(_, known)| *known == code)
        .map(|(errno, _)| errno)
}

#[cfg(test)]
mod tests {
    use super::super::error_table::MESSAGES;
    use super::*;
    /// Measured with libotr 4.1.1 on libgcrypt 1.10 and libgpg-error 1.46.
    #[test]
    fn values_are_those_of_libgcrypt() {
        assert_eq!(GcryError::from_errno(libc::ENOENT).0, 0x0100_8051);
        assert_eq!(GcryError::from_errno(0).0, 0);
        assert_eq!(GcryError::from_errno(99_999).0, 0x0100_3ffe);
        assert_eq!(GcryError::new(0).0, 0);
        assert_eq!(GcryError::EEXIST.0, 0x2000_8023);
        assert_eq!(GcryError::ENOMEM.0, 0x2000_8056);
        assert_eq!(GcryError::INV_VALUE.0, 0x2000_0037);
        assert_eq!(GcryError::UNUSABLE_SECKEY.0, 0x2000_0036);
        assert_eq!(GcryError::CONFLICT.0, 0x2000_0046);
        assert_eq!(GcryError::INTERNAL.0, 0x2000_003f);
        assert_eq!(GcryError::from_gcrypt(203).0, 0x0100_00cb);
        assert_eq!(GcryError::from_errno(libc::EACCES).0, 0x0100_8001);
        assert_eq!(
            (GcryError::EEXIST.source(), GcryError::EEXIST.code()),
            (32, 0x8023)
        );
    }

    #[test]
    fn the_tables_can_be_searched() {
        assert!(MESSAGES.is_sorted_by(|a, b| a.0 < b.0));
        for (errno, code) in errno_codes() {
            assert_eq!(errno_from_code(code), Some(errno));
            assert_eq!(errno_from_code(code_from_errno(errno)), Some(errno));
        }
    }
}
