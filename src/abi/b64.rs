//! `b64.h`: base64 into the client's buffers, and the armour of OTR messages.

use std::ffi::{c_char, c_int, c_uchar};
use std::ptr;

use super::entry::entry;
use super::memory::{bytes_of, c_buffer, c_string, put, slice_of};
use crate::wire::armour;

/// What `otrl_base64_otr_decode` answers.
const DECODED: c_int = 0;
const NO_MEMORY: c_int = -1;
const NOT_ARMOURED: c_int = -2;

entry! {
    /// Writes the base64 form, without a NUL, and answers its length.
    ///
    /// # Safety
    /// `data` is NULL or `len` bytes long; `base64` has room for `(len + 2) / 3 * 4` bytes.
    on panic 0;
    pub fn otrl_base64_encode(base64: *mut c_char, data: *const c_uchar, len: usize) -> usize {
        // SAFETY: the caller's promise.
        let encoded = armour::encode(unsafe { slice_of(data, len) });
        // SAFETY: the room that the caller promises is the length of the encoded form.
        unsafe { write(base64.cast(), encoded.as_bytes()) }
    }
}

entry! {
    /// Writes what the base64 text stands for, skipping other characters and stopping at a "=", and answers its length.
    ///
    /// # Safety
    /// `base64` is NULL or `len` bytes long; `data` has room for `(len + 3) / 4 * 3` bytes.
    on panic 0;
    pub fn otrl_base64_decode(data: *mut c_uchar, base64: *const c_char, len: usize) -> usize {
        // SAFETY: the caller's promise.
        let decoded = armour::decode(unsafe { slice_of(base64.cast(), len) });
        // SAFETY: four characters give at most three bytes.
        unsafe { write(data, &decoded) }
    }
}

entry! {
    /// The armoured form "?OTR:....", malloc'ed; NULL without memory.
    ///
    /// # Safety
    /// `data` is NULL or `len` bytes long.
    on panic ptr::null_mut();
    pub fn otrl_base64_otr_encode(data: *const c_uchar, len: usize) -> *mut c_char {
        if len > usize::MAX / 2 {
            return ptr::null_mut();
        }
        // SAFETY: the caller's promise.
        c_string(&armour::armour(unsafe { slice_of(data, len) }))
    }
}

entry! {
    /// What stands between the "?OTR:" and the "." of a message: 0 and a malloc'ed buffer, -1 without memory, -2 when the
    /// message has no such part.
    ///
    /// # Safety
    /// `message` is NULL or a C string; the out-parameters are NULL or writable.
    on panic NO_MEMORY;
    pub fn otrl_base64_otr_decode(message: *const c_char, buffer: *mut *mut c_uchar, len: *mut usize) -> c_int {
        // SAFETY: the caller's promise.
        let Some(Ok(decoded)) = (unsafe { bytes_of(message) }).map(|message| armour::dearmour(message, true)) else {
            return NOT_ARMOURED;
        };
        let copy = c_buffer(&decoded);
        if copy.is_null() {
            return NO_MEMORY;
        }
        // SAFETY: the caller's promise.
        unsafe {
            put(buffer, copy);
            put(len, decoded.len());
        }
        DECODED
    }
}

/// # Safety
/// `place` is NULL or has room for all of `bytes`.
unsafe fn write(place: *mut u8, bytes: &[u8]) -> usize {
    if place.is_null() {
        return 0;
    }
    // SAFETY: the caller's promise; `bytes` is in memory of ours.
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), place, bytes.len()) };
    bytes.len()
}
