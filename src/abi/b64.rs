//! `b64.h`: base64 into the client's buffers, and the armour of OTR messages.

use std::ffi::{c_char, c_int, c_uchar};
use std::ptr;

use super::entry::entry;
use super::memory::{bytes_of, c_buffer, c_string, put, slice_of};
use otr_protocol::wire::armour;
use otr_protocol::wire::error::Undecoded;

/// What `otrl_base64_otr_decode` answers.
const DECODED: c_int = 0;
const NO_MEMORY: c_int = -1;
const NOT_ARMOURED: c_int = -2;

entry! {
    /// Writes the base64 form, without a NUL, and answers its length.
    ///
    /// # Safety
    /// `data` is NULL or `len` bytes long; `base64` points at `(len + 2) / 3 * 4` writable bytes.
    on panic 0;
    pub fn otrl_base64_encode(base64: *mut c_char, data: *const c_uchar, len: usize) -> usize {
        let mut length = 0;
        // SAFETY: the caller's promise.
        armour::encode(unsafe { slice_of(data, len) }, |piece| {
            // SAFETY: the caller promises as many writable bytes as all pieces have.
            length += unsafe { write(base64.cast(), length, piece) };
        });
        length
    }
}

entry! {
    /// Writes what the base64 text stands for, skipping other characters and stopping at a "=", and answers its length.
    ///
    /// # Safety
    /// `base64` is NULL or `len` bytes long; `data` points at `(len + 3) / 4 * 3` writable bytes.
    on panic 0;
    pub fn otrl_base64_decode(data: *mut c_uchar, base64: *const c_char, len: usize) -> usize {
        // SAFETY: the caller's promise.
        if let Ok(decoded) = armour::decode(unsafe { slice_of(base64.cast(), len) }) {
            // SAFETY: four characters give at most three bytes.
            return unsafe { write(data, 0, &decoded) };
        }
        // More slowly, without memory.
        let (mut decoder, mut length) = (armour::Decoder::default(), 0);
        for at in 0..len {
            // SAFETY: without a text there was nothing to decode, so it is there.
            let character = unsafe { base64.cast::<u8>().add(at).read() };
            decoder.take(character, |byte| {
                // SAFETY: as above.
                length += unsafe { write(data, length, &[byte]) };
            });
        }
        length
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
        let armoured = armour::armour(unsafe { slice_of(data, len) });
        armoured.map_or(ptr::null_mut(), |armoured| c_string(&armoured))
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
        let decoded = match (unsafe { bytes_of(message) }).map(|message| armour::dearmour(message, true)) {
            Some(Ok(decoded)) => decoded,
            Some(Err(Undecoded::OutOfMemory)) => return NO_MEMORY,
            Some(Err(Undecoded::Malformed(_))) | None => return NOT_ARMOURED,
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

/// Writes after the first `start` bytes, and gives how many were written.
///
/// # Safety
/// `place` is NULL or points at as many writable bytes and as `bytes` has besides.
unsafe fn write(place: *mut u8, start: usize, bytes: &[u8]) -> usize {
    if place.is_null() {
        return 0;
    }
    // SAFETY: the caller's promise; `bytes` is in memory of ours.
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), place.add(start), bytes.len()) };
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_promised_room_is_used() {
        let mut text = [0_u8; 9];
        let mut data = [0xaa_u8; 7];
        unsafe {
            assert_eq!(
                otrl_base64_encode(text.as_mut_ptr().cast(), b"any c".as_ptr(), 5),
                8
            );
            assert_eq!(&text, b"YW55IGM=\0");
            assert_eq!(
                otrl_base64_decode(data.as_mut_ptr(), text.as_ptr().cast(), 8),
                5
            );
            assert_eq!(&data, b"any c\xaa\xaa");
            // In place, as a client may.
            assert_eq!(
                otrl_base64_decode(text.as_mut_ptr(), text.as_ptr().cast(), 8),
                5
            );
            assert_eq!(&text[..5], b"any c");
        }
    }

    #[test]
    fn armour_is_put_on_and_taken_off() {
        unsafe {
            let message = otrl_base64_otr_encode(b"hello".as_ptr(), 5);
            assert_eq!(bytes_of(message), Some(&b"?OTR:aGVsbG8=."[..]));
            let (mut buffer, mut len) = (ptr::null_mut(), 0);
            assert_eq!(otrl_base64_otr_decode(message, &mut buffer, &mut len), 0);
            assert_eq!(slice_of(buffer, len), b"hello");
            libc::free(buffer.cast());
            libc::free(message.cast());
        }
    }

    /// CVE-2012-3461: a message that decodes to nothing.
    #[test]
    fn a_message_of_padding_is_an_empty_buffer() {
        let (mut buffer, mut len) = (ptr::null_mut(), 1);
        unsafe {
            assert_eq!(
                otrl_base64_otr_decode(c"?OTR:===.".as_ptr(), &mut buffer, &mut len),
                0
            );
            assert_eq!(len, 0);
            libc::free(buffer.cast());
        }
    }

    #[test]
    fn what_is_not_armoured_leaves_the_results_alone() {
        let (mut buffer, mut len) = (ptr::null_mut(), 7);
        for message in [c"hello".as_ptr(), c"?OTR:aGVsbG8=".as_ptr(), ptr::null()] {
            assert_eq!(
                unsafe { otrl_base64_otr_decode(message, &mut buffer, &mut len) },
                -2
            );
            assert_eq!((buffer, len), (ptr::null_mut(), 7));
        }
    }
}
