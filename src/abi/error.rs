//! Error values, equal to libgpg-error's bit for bit, and the two functions of libgcrypt that clients expect to find.

use std::ffi::{c_char, c_int, c_uint};

use super::entry::{Panicked, entry};
use super::error_table::{ERRNO_CODES, MESSAGES, UNKNOWN_CODE};
use super::gcry::loaded;

/// `gcry_error_t`: in the top byte who reports, in the lower half what.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GcryError(pub c_uint);

/// Set in the codes that stand for an errno.
const SYSTEM_ERROR: u16 = 1 << 15;
/// The code of an errno that libgpg-error does not know.
const UNKNOWN_ERRNO: u16 = 16382;
/// libgcrypt's own source: errno values and what its functions report.
const SOURCE_GCRYPT: c_uint = 1;
/// The source of `gcry_error()` in a program that defines none, as libotr is.
const SOURCE_USER_1: c_uint = 32;
const SOURCE_SHIFT: u32 = 24;
const SOURCE_MASK: c_uint = 0x7f;

impl GcryError {
    /// No error: 0, whoever says so.
    pub const NO_ERROR: Self = Self(0);
    /// The data of a signature does not match it.
    pub const BAD_SIGNATURE: Self = Self::new(8);
    /// Unusable public key.
    pub const UNUSABLE_PUBKEY: Self = Self::new(53);
    /// No private key where one is needed.
    pub const UNUSABLE_SECKEY: Self = Self::new(54);
    /// An argument or a message is not acceptable.
    pub const INV_VALUE: Self = Self::new(55);
    /// A panic was caught: this conversation can't go on.
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

    /// What a function of libgcrypt itself reports, such as a parser of S-expressions.
    pub const fn from_gcrypt(code: u16) -> Self {
        Self::with_source(SOURCE_GCRYPT, code)
    }

    /// `gcry_error_from_errno(errno)`; 0 is no error.
    pub fn from_errno(errno: c_int) -> Self {
        Self::from_gcrypt(code_from_errno(errno))
    }

    /// The errno in an error of the standard library, or else a failed input or output.
    pub fn from_io(error: &std::io::Error) -> Self {
        error.raw_os_error().map_or(Self::EIO, Self::from_errno)
    }

    /// The value of errno that the C library left behind.
    pub fn last_os_error() -> Self {
        Self::from_io(&std::io::Error::last_os_error())
    }

    /// The lower half: what went wrong.
    pub const fn code(self) -> u16 {
        self.0 as u16
    }

    /// Who reports it.
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

fn code_from_errno(errno: c_int) -> u16 {
    if errno == 0 {
        return 0;
    }
    ERRNO_CODES
        .iter()
        .find(|(known, _)| *known == errno)
        .map_or(UNKNOWN_ERRNO, |(_, code)| *code)
}

fn errno_from_code(code: u16) -> Option<c_int> {
    ERRNO_CODES
        .iter()
        .find(|(_, known)| *known == code)
        .map(|(errno, _)| *errno)
}

/// The English text that libgpg-error has for a code. Never allocates.
fn message(code: u16) -> *const c_char {
    if code & SYSTEM_ERROR != 0 {
        if let Some(errno) = errno_from_code(code) {
            // SAFETY: strerror takes any number; the text for an errno that the C library knows is a constant of it.
            return unsafe { libc::strerror(errno) };
        }
        return message(UNKNOWN_ERRNO);
    }
    MESSAGES
        .binary_search_by_key(&code, |(known, _)| *known)
        .ok()
        .and_then(|index| MESSAGES.get(index))
        .map_or(UNKNOWN_CODE, |(_, text)| text)
        .as_ptr()
}

entry! {
    /// `gcry_strerror`, for clients that take it from libotr's own dependencies: libgcrypt's answer when the process has
    /// libgcrypt, and the same English words otherwise. The text is a constant.
    ///
    /// # Safety
    /// None beyond C's calling convention.
    on panic UNKNOWN_CODE.as_ptr();
    pub fn gcry_strerror(err: GcryError) -> *const c_char {
        match loaded::strerror(gcry_strerror as *const ()) {
            // SAFETY: the address is that of libgcrypt's own function of this type, and libgcrypt stays loaded.
            Some(theirs) => unsafe { theirs(err) },
            None => message(err.code()),
        }
    }
}

entry! {
    /// `gcry_error_from_errno`, for the same clients.
    ///
    /// # Safety
    /// None beyond C's calling convention.
    on panic GcryError::INTERNAL;
    pub fn gcry_error_from_errno(errno: c_int) -> GcryError {
        match loaded::error_from_errno(gcry_error_from_errno as *const ()) {
            // SAFETY: as in gcry_strerror.
            Some(theirs) => unsafe { theirs(errno) },
            None => GcryError::from_errno(errno),
        }
    }
}
