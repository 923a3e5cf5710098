//! Texts that C code frees.

use std::ffi::{CStr, c_char};
use std::ptr;

use super::borrowed::{Borrowed, Char};
use super::memory::{c_string, c_text, c_text_around, c_text_of, wipe_string_and_clear};
use otr_protocol::buffer::OutOfMemory;
use otr_protocol::session::Plaintext;
use otr_protocol::wire::armour;

/// A C string from malloc, or NULL if there is none or no memory for it.
///
/// It has no destructor, since a client's code may leave by longjmp, and no value with a destructor may be alive then. The
/// owner frees it or passes it on.
#[must_use = "nobody else frees it"]
#[derive(Debug)]
pub(crate) struct CText(*mut c_char);

impl CText {
    /// No text.
    pub(crate) const NONE: Self = Self(ptr::null_mut());

    /// A text with these bytes up to the first NUL.
    pub(crate) fn up_to_nul(bytes: &[u8]) -> Self {
        Self(c_string(bytes))
    }

    /// A text with these bytes, which are known to contain no NUL.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self(c_text(bytes))
    }

    /// The same in two parts.
    pub(crate) fn of_parts(parts: [&[u8]; 2]) -> Self {
        Self(c_text_of(parts))
    }

    /// Takes ownership of a C string.
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
        self.borrowed().map(Borrowed::c_str)
    }

    /// The same, without measuring it.
    pub(crate) fn borrowed(&self) -> Option<Borrowed<'_, Char>> {
        // SAFETY: NULL or a C string, as every constructor ensures; it lives as long as this is borrowed.
        unsafe { Borrowed::new(self.0.cast()) }
    }

    /// For a function of the client that takes a non-const string.
    #[cfg(feature = "abi5")]
    pub(crate) fn as_mut_ptr(&mut self) -> *mut c_char {
        self.0
    }

    /// Its bytes, without the NUL.
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        self.c_str().map(CStr::to_bytes)
    }

    /// Frees the text and replaces it with another one.
    pub(crate) fn replace(&mut self, other: Self) {
        std::mem::replace(self, other).free();
    }

    /// For the client to free.
    pub(crate) fn into_raw(self) -> *mut c_char {
        self.0
    }

    /// Frees it.
    pub(crate) fn free(self) {
        // SAFETY: NULL or from malloc, as every constructor ensures, and not used afterwards.
        unsafe { libc::free(self.0.cast()) };
    }

    /// Wipes and frees it.
    pub(crate) fn wipe(mut self) {
        // SAFETY: NULL or a C string from malloc, as every constructor ensures, and not used afterwards.
        unsafe { wipe_string_and_clear(&raw mut self.0) };
    }
}

/// A text as long as a step of pure Rust has it: freed if the step panics.
#[derive(Debug)]
pub(crate) struct StepText(CText);

impl StepText {
    /// The armoured message of these bytes.
    ///
    /// # Errors
    /// Out of memory.
    pub(crate) fn armoured(bytes: &[u8]) -> Result<Self, OutOfMemory> {
        let text = CText(c_text_around(
            armour::PREFIX,
            armour::base64_len(bytes),
            armour::END,
            |memory| armour::base64_into(bytes, memory),
        ));
        (!text.is_null()).then_some(Self(text)).ok_or(OutOfMemory)
    }

    /// The text, after the step.
    pub(crate) fn into_text(mut self) -> CText {
        std::mem::replace(&mut self.0, CText::NONE)
    }
}

impl Plaintext for StepText {
    fn keep(text: &[u8]) -> Result<Self, OutOfMemory> {
        let text = CText::new(text);
        (!text.is_null()).then_some(Self(text)).ok_or(OutOfMemory)
    }
}

impl Drop for StepText {
    fn drop(&mut self) {
        std::mem::replace(&mut self.0, CText::NONE).free();
    }
}

impl Borrowed<'_, *mut Char> {
    /// Makes the member point to this text, which belongs to the struct from now on. False if there is none.
    pub(crate) fn store(self, text: CText) -> bool {
        // SAFETY: a live member; NULL or a C string that nobody else frees.
        unsafe { self.as_ptr().write(text.into_raw().cast()) };
        self.bytes().is_some()
    }
}
