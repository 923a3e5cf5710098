//! Texts that C code frees.

use std::ffi::{CStr, c_char};
use std::ptr;

use super::borrowed::{Borrowed, Char};
use super::memory::{c_string, c_text, c_text_of, wipe_string_and_clear};

/// A C string from malloc, or NULL: there is none, or no memory for one.
///
/// It has no destructor, since a client's code may leave by longjmp, and must find nothing on its way that has to be dropped.
/// Whoever has one frees it or hands it on.
#[must_use = "nobody else frees it"]
#[derive(Debug)]
pub(crate) struct CText(*mut c_char);

impl CText {
    /// None.
    pub(crate) const NONE: Self = Self(ptr::null_mut());

    /// With these bytes up to the first NUL.
    pub(crate) fn up_to_nul(bytes: &[u8]) -> Self {
        Self(c_string(bytes))
    }

    /// With these bytes, which are known to have no NUL among them.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self(c_text(bytes))
    }

    /// The same in two parts.
    pub(crate) fn of_parts(parts: [&[u8]; 2]) -> Self {
        Self(c_text_of(parts))
    }

    /// What somebody else has made.
    ///
    /// # Safety
    /// `text` is NULL, or a C string from malloc that nobody else frees.
    pub(crate) const unsafe fn from_raw(text: *mut c_char) -> Self {
        Self(text)
    }

    /// Whether there is none.
    pub(crate) fn is_null(&self) -> bool {
        self.0.is_null()
    }

    /// The text, unless there is none.
    pub(crate) fn c_str(&self) -> Option<&CStr> {
        // SAFETY: a C string, by every constructor, if it is not NULL; it stays as long as this is borrowed.
        (!self.0.is_null()).then(|| unsafe { CStr::from_ptr(self.0) })
    }

    /// For a function of the client's that wants a string it could write to.
    #[cfg(feature = "abi5")]
    pub(crate) fn as_mut_ptr(&mut self) -> *mut c_char {
        self.0
    }

    /// Its bytes, without the NUL.
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        self.c_str().map(CStr::to_bytes)
    }

    /// Frees what is here and puts another text in its place.
    pub(crate) fn replace(&mut self, other: Self) {
        std::mem::replace(self, other).free();
    }

    /// For the client to free.
    pub(crate) fn into_raw(self) -> *mut c_char {
        self.0
    }

    /// Gives it back.
    pub(crate) fn free(self) {
        // SAFETY: NULL or from malloc, by every constructor, and used no more.
        unsafe { libc::free(self.0.cast()) };
    }

    /// Wipes it and gives it back.
    pub(crate) fn wipe(mut self) {
        // SAFETY: NULL or a C string from malloc, by every constructor, and used no more.
        unsafe { wipe_string_and_clear(&raw mut self.0) };
    }
}

impl Borrowed<'_, *mut Char> {
    /// Lets the member lead to this text, which is the struct's from here on. False if there is none.
    pub(crate) fn store(self, text: CText) -> bool {
        // SAFETY: a live member; NULL or a C string that nobody else frees.
        unsafe { self.as_ptr().write(text.into_raw().cast()) };
        self.bytes().is_some()
    }
}
