//! The texts of errors: `gcry_strerror` and `gcry_error_from_errno`, which clients get through libotr's own dependencies.

use std::ffi::{c_char, c_int};

use super::entry::entry;
use super::error::{GcryError, SYSTEM_ERROR, UNKNOWN_ERRNO, errno_from_code};
use super::error_table::{MESSAGES, UNKNOWN_CODE};
use super::gcry::loaded;

/// The English text that libgpg-error has for a code. Never allocates.
fn message(code: u16) -> *const c_char {
    if code & SYSTEM_ERROR != 0 {
        if let Some(errno) = errno_from_code(code) {
            // SAFETY: strerror takes any number; for a known errno the text is a constant of the C library.
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
    /// `gcry_strerror`, for clients that take it from libotr's own dependencies: libgcrypt's text if the process has libgcrypt,
    /// and the same English text otherwise. The text is a constant.
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;

    fn text(error: u32) -> &'static CStr {
        unsafe { CStr::from_ptr(gcry_strerror(GcryError(error))) }
    }

    #[test]
    fn texts_are_those_of_libgpg_error() {
        assert_eq!(text(0), c"Success");
        assert_eq!(text(0x2000_0037), c"Invalid value");
        assert_eq!(text(0x0100_00cb), c"Unmatched parentheses in S-expression");
        assert_eq!(text(0x0100_8051), c"No such file or directory");
        assert_eq!(text(0x2000_1388), c"Unknown error code");
        assert_eq!(text(0x2000_bfff), c"Unknown system error");
    }

    /// Codes that libgpg-error 1.46, of Debian 12, does not know.
    const NEWER: std::ops::RangeInclusive<u16> = 320..=322;

    /// Every code and every errno, where libgcrypt is loaded (the second run that `gcry` starts).
    #[test]
    fn our_table_equals_libgpg_errors() {
        let Some(strerror) = loaded::strerror(std::ptr::null()) else {
            return;
        };
        let from_errno = loaded::error_from_errno(std::ptr::null()).unwrap();
        for code in 0..=u16::MAX {
            let theirs = unsafe { CStr::from_ptr(strerror(GcryError::new(code))) }.to_owned();
            if NEWER.contains(&code) && theirs.as_c_str() == UNKNOWN_CODE {
                continue;
            }
            assert_eq!(
                unsafe { CStr::from_ptr(message(code)) },
                theirs.as_c_str(),
                "{code}"
            );
        }
        for errno in 0..5000 {
            assert_eq!(
                GcryError::from_errno(errno),
                unsafe { from_errno(errno) },
                "{errno}"
            );
        }
    }
}
