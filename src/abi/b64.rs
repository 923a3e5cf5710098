//! `b64.h`: base64 into the client's buffers, and the armour of OTR messages.

use std::ffi::{c_char, c_int, c_uchar};
use std::ptr;

use super::borrowed::{Out, Output, bytes};
use super::entry::entry;
use super::memory::c_buffer;
use super::text::{CText, StepText};
use otr_protocol::wire::armour;
use otr_protocol::wire::error::Undecoded;

/// Results of `otrl_base64_otr_decode`.
const DECODED: c_int = 0;
const NO_MEMORY: c_int = -1;
const NOT_ARMOURED: c_int = -2;

entry! {
    /// Writes the base64 form, without a NUL, and returns its length.
    ///
    /// # Safety
    /// `data` is NULL or `len` bytes long; `base64` points at `(len + 2) / 3 * 4` writable bytes.
    on panic 0;
    pub fn otrl_base64_encode(base64: *mut c_char, data: *const c_uchar, len: usize) -> usize
    where data = bytes(data, len), output = Output::new(base64) {
        let mut output = output;
        armour::encode(data, |piece| output.write(piece));
        output.length()
    }
}

entry! {
    /// Decodes the base64 text, skipping other characters and stopping at a "=", and returns the length of the result.
    ///
    /// # Safety
    /// `base64` is NULL or `len` bytes long; `data` points at `(len + 3) / 4 * 3` writable bytes.
    on panic 0;
    pub fn otrl_base64_decode(data: *mut c_uchar, base64: *const c_char, len: usize) -> usize
    where text = bytes(base64, len), output = Output::new(data) {
        let mut output = output;
        let count = text.len();
        if let Ok(decoded) = armour::decode(text) {
            output.write(&decoded);
            return output.length();
        }
        // Slower, but needs no memory.
        let mut decoder = armour::Decoder::default();
        for at in 0..count {
            // SAFETY: within the text. The output may overwrite the text, but only what was read already.
            let character = unsafe { base64.cast::<u8>().add(at).read() };
            decoder.take(character, |byte| output.write(&[byte]));
        }
        output.length()
    }
}

entry! {
    /// The armoured form "?OTR:....", malloc'ed; NULL if out of memory.
    ///
    /// # Safety
    /// `data` is NULL or `len` bytes long.
    on panic ptr::null_mut();
    pub fn otrl_base64_otr_encode(data: *const c_uchar, len: usize) -> *mut c_char
    where bytes = bytes(data, len) {
        if len > usize::MAX / 2 {
            return ptr::null_mut();
        }
        let text = StepText::armoured(bytes).map(StepText::into_text);
        text.map_or(ptr::null_mut(), CText::into_raw)
    }
}

entry! {
    /// Decodes what is between the "?OTR:" and the "." of a message. Returns 0 and a malloc'ed buffer, -1 if out of memory, -2
    /// if the message has no such part.
    ///
    /// # Safety
    /// `message` is NULL or a C string; the out-parameters are NULL or writable.
    on panic NO_MEMORY;
    pub fn otrl_base64_otr_decode(
        message: *const c_char as Option<&[u8]>,
        buffer: *mut *mut c_uchar as Out<*mut c_uchar>,
        len: *mut usize as Out<usize>,
    ) -> c_int {
        let decoded = match message.map(|message| armour::dearmour(message, true)) {
            Some(Ok(decoded)) => decoded,
            Some(Err(Undecoded::OutOfMemory)) => return NO_MEMORY,
            Some(Err(Undecoded::Malformed(_))) | None => return NOT_ARMOURED,
        };
        let copy = c_buffer(&decoded);
        if copy.is_null() {
            return NO_MEMORY;
        }
        buffer.put(copy);
        len.put(decoded.len());
        DECODED
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::memory::{bytes_of, slice_of};

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
            // In place, which clients may do.
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
