//! Memory shared with C: everything passed to C comes from malloc, everything taken back is freed with free.

use std::ffi::{CStr, c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr;

use otr_protocol::wire::search::find_byte;
#[cfg(not(target_os = "linux"))]
use zeroize::Zeroize;

/// A malloc'ed C string with these bytes, up to the first NUL if there is one. NULL if out of memory.
pub fn c_string(bytes: &[u8]) -> *mut c_char {
    let end = find_byte(bytes, 0).unwrap_or(bytes.len());
    buffer_with_nul(bytes.get(..end).unwrap_or(bytes)).cast()
}

/// The same for bytes that are known to contain no NUL.
pub fn c_text(bytes: &[u8]) -> *mut c_char {
    buffer_with_nul(bytes).cast()
}

/// The same for a text in two parts.
pub fn c_text_of(parts: [&[u8]; 2]) -> *mut c_char {
    buffer_of_parts(&parts).cast()
}

/// A malloc'ed copy of these bytes with a NUL behind them, so that its size is never 0. NULL if out of memory.
pub fn c_buffer(bytes: &[u8]) -> *mut u8 {
    buffer_with_nul(bytes)
}

/// A malloc'ed array of `count` malloc'ed strings; `None` if out of memory. `parts_of` returns the parts of each string, which
/// contain no NUL.
pub fn c_array<T, const PARTS: usize>(
    texts: impl Iterator<Item = T>,
    count: usize,
    parts_of: impl Fn(&T) -> [&[u8]; PARTS],
) -> Option<*mut *mut c_char> {
    // Zeroed, so that it can be freed at any time.
    // SAFETY: calloc takes any numbers.
    let array: *mut *mut c_char =
        unsafe { libc::calloc(count.max(1), size_of::<*mut c_char>()) }.cast();
    if array.is_null() {
        return None;
    }
    for (index, text) in texts.take(count).enumerate() {
        let text = buffer_of_parts(&parts_of(&text)).cast();
        // SAFETY: the array has a slot for each text.
        unsafe { array.add(index).write(text) };
        if text.is_null() {
            // SAFETY: made above, with `count` slots.
            unsafe { free_array(array, count) };
            return None;
        }
    }
    Some(array)
}

/// Frees an array of strings.
///
/// # Safety
/// `array` came from [`c_array`], has `count` slots, and is not used afterwards.
pub unsafe fn free_array(array: *mut *mut c_char, count: usize) {
    for index in 0..count {
        // SAFETY: one of the `count` slots that `c_array` made; it holds a string or NULL.
        unsafe { libc::free((*array.add(index)).cast()) };
    }
    // SAFETY: made by `c_array`.
    unsafe { libc::free(array.cast()) };
}

/// `len` malloc'ed zeros, and one more, so that the size is never 0. NULL if out of memory.
pub fn c_zeros(len: usize) -> *mut u8 {
    // SAFETY: calloc takes any numbers.
    unsafe { libc::calloc(len.saturating_add(1), 1) }.cast()
}

/// A malloc'ed C string of `before`, `len` bytes that `write` makes, and `after`, which contain no NUL. `write` returns what it
/// has written: all of its memory, or there is no string. NULL if out of memory.
pub fn c_text_around(
    before: &[u8],
    len: usize,
    after: &[u8],
    write: impl FnOnce(&mut [MaybeUninit<u8>]) -> &mut [u8],
) -> *mut c_char {
    let text = new_buffer([before.len(), len, after.len()]);
    if text.is_null() {
        return text.cast();
    }
    // SAFETY: new memory, as long as all parts and a NUL. The middle is initialised if `write` returns it.
    unsafe {
        let middle = text.add(before.len());
        let written = write(std::slice::from_raw_parts_mut(middle.cast(), len));
        if (written.as_ptr(), written.len()) != (middle.cast_const(), len) {
            libc::free(text.cast());
            return ptr::null_mut();
        }
        text.copy_from_nonoverlapping(before.as_ptr(), before.len());
        let end = middle.add(len);
        end.copy_from_nonoverlapping(after.as_ptr(), after.len());
        end.add(after.len()).write(0);
    }
    text.cast()
}

/// A malloc'ed, zeroed object. NULL if out of memory.
///
/// The caller chooses a `T` for which all zero bytes are a valid value, as they are for the C structs.
pub fn c_zeroed<T>() -> *mut T {
    // SAFETY: calloc takes any numbers; malloc's alignment is enough for every struct of the interface.
    unsafe { libc::calloc(1, size_of::<T>().max(1)) }.cast()
}

/// The bytes of a C string, without its NUL. `None` for NULL.
///
/// # Safety
/// `text` is NULL or points at a NUL-terminated string that nobody changes or frees while the result is in use.
pub unsafe fn bytes_of<'a>(text: *const c_char) -> Option<&'a [u8]> {
    if text.is_null() {
        return None;
    }
    // SAFETY: not NULL, and so a C string, as the caller guarantees.
    Some(unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// A buffer of the client. Empty for NULL, whatever the length.
///
/// # Safety
/// `data` is NULL or points at `len` readable bytes that nobody changes or frees while the result is in use.
pub unsafe fn slice_of<'a>(data: *const u8, len: usize) -> &'a [u8] {
    if data.is_null() || len == 0 || isize::try_from(len).is_err() {
        return &[];
    }
    // SAFETY: not NULL, not longer than any object, and `len` bytes, as the caller guarantees.
    unsafe { std::slice::from_raw_parts(data, len) }
}

/// Frees memory, and sets the pointer to NULL.
///
/// # Safety
/// `*place` is NULL or came from malloc and is not used afterwards.
pub unsafe fn free_and_clear<T>(place: *mut *mut T) {
    // SAFETY: NULL or memory from malloc that is not used afterwards, as the caller guarantees.
    unsafe {
        let old = place.read();
        place.write(ptr::null_mut());
        libc::free(old.cast::<c_void>());
    }
}

/// Wipes and frees a buffer of the library, and sets the pointer to NULL.
///
/// # Safety
/// `*place` is NULL or came from malloc, is at least `len` bytes long and is not used afterwards.
pub unsafe fn wipe_and_clear<T>(place: *mut *mut T, len: usize) {
    // SAFETY: as above, and `len` bytes.
    unsafe {
        let old = place.read();
        if !old.is_null() {
            wipe(old.cast(), len);
        }
        free_and_clear(place);
    }
}

/// Wipes and frees a C string, and sets the pointer to NULL.
///
/// # Safety
/// `*place` is NULL or a NUL-terminated string from malloc that is not used afterwards.
pub unsafe fn wipe_string_and_clear(place: *mut *mut c_char) {
    // SAFETY: NULL or a string from malloc, as the caller guarantees.
    unsafe {
        let len = bytes_of(place.read()).map_or(0, <[u8]>::len);
        wipe_and_clear(place, len);
    }
}

/// Overwrites memory. The compiler does not optimise this away.
///
/// # Safety
/// `data` points at `len` writable bytes, which are plain data afterwards.
pub unsafe fn wipe(data: *mut u8, len: usize) {
    // SAFETY: `len` writable bytes, as the caller guarantees.
    #[cfg(target_os = "linux")]
    unsafe {
        libc::explicit_bzero(data.cast(), len);
    }
    #[cfg(not(target_os = "linux"))]
    if len != 0 {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(data.cast::<std::mem::MaybeUninit<u8>>(), len) }
            .zeroize();
    }
}

/// Writes an out-parameter, unless the client passed NULL for it.
///
/// # Safety
/// `place` is NULL or writable.
pub unsafe fn put<T>(place: *mut T, value: T) {
    if !place.is_null() {
        // SAFETY: not NULL, so writable.
        unsafe { place.write(value) };
    }
}

fn buffer_with_nul(bytes: &[u8]) -> *mut u8 {
    buffer_of_parts(&[bytes])
}

fn buffer_of_parts(parts: &[&[u8]]) -> *mut u8 {
    let buffer = new_buffer(parts.iter().map(|part| part.len()));
    if buffer.is_null() {
        return buffer;
    }
    let mut end = buffer;
    for part in parts {
        // SAFETY: the buffer is new, and one byte longer than all parts together.
        unsafe {
            ptr::copy_nonoverlapping(part.as_ptr(), end, part.len());
            end = end.add(part.len());
        }
    }
    // SAFETY: its last byte.
    unsafe { end.write(0) };
    buffer
}

/// Memory from malloc for parts of these lengths and a NUL. NULL if out of memory, or for more than an object can have.
fn new_buffer(lengths: impl IntoIterator<Item = usize>) -> *mut u8 {
    let size = lengths
        .into_iter()
        .try_fold(1_usize, |size, length| size.checked_add(length))
        .filter(|size| isize::try_from(*size).is_ok());
    match size {
        // SAFETY: malloc takes any size.
        Some(size) => unsafe { libc::malloc(size) }.cast(),
        None => ptr::null_mut(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_copied_and_end_at_a_nul() {
        let text = c_string(b"abc\0def");
        unsafe {
            assert_eq!(bytes_of(text), Some(&b"abc"[..]));
            assert_eq!(bytes_of(ptr::null()), None);
            libc::free(text.cast());
        }
    }

    #[test]
    fn a_text_is_made_of_what_was_written_or_not_at_all() {
        fn write<'m>(from: &[u8], memory: &'m mut [MaybeUninit<u8>]) -> &'m mut [u8] {
            for (to, byte) in memory.iter_mut().zip(from) {
                to.write(*byte);
            }
            // SAFETY: as many were written.
            unsafe { &mut *(ptr::from_mut(&mut memory[..from.len()]) as *mut [u8]) }
        }
        for length in 0..4 {
            let text = c_text_around(b"<", length, b"/>", |memory| {
                write(&b"abc"[..length], memory)
            });
            let expected = [b"<", &b"abc"[..length], b"/>"].concat();
            unsafe {
                assert_eq!(bytes_of(text), Some(&expected[..]));
                libc::free(text.cast());
            }
        }
        assert!(c_text_around(b"<", 3, b">", |memory| write(b"ab", memory)).is_null());
        assert!(c_text_around(b"<", 3, b">", |_| Box::leak(Box::new([1; 3]))).is_null());
        assert!(c_text_around(b"<", usize::MAX, b">", |_| &mut []).is_null());
    }

    #[test]
    fn buffers_keep_nuls_and_end_with_one() {
        for bytes in [&b""[..], b"a\0b"] {
            let buffer = c_buffer(bytes);
            unsafe {
                assert_eq!(slice_of(buffer, bytes.len()), bytes);
                assert_eq!(buffer.add(bytes.len()).read(), 0);
                libc::free(buffer.cast());
            }
        }
    }

    #[test]
    fn arrays_have_a_string_of_each_text() {
        let texts: [[&[u8]; 2]; 3] = [[b"ab", b"c"], [b"", b""], [b"", b"d"]];
        let array = c_array(texts.into_iter(), 3, |text| *text).unwrap();
        unsafe {
            for (index, text) in [&b"abc"[..], b"", b"d"].into_iter().enumerate() {
                assert_eq!(bytes_of(*array.add(index)), Some(text));
            }
            free_array(array, 3);
            let none: [[&[u8]; 1]; 0] = [];
            free_array(c_array(none.into_iter(), 0, |text| *text).unwrap(), 0);
        }
    }

    #[test]
    fn impossible_lengths_read_nothing() {
        unsafe {
            assert_eq!(slice_of(ptr::null(), 5), b"");
            assert_eq!(slice_of(b"a".as_ptr(), usize::MAX), b"");
        }
    }

    #[test]
    fn wiping_overwrites_and_clears() {
        let mut kept = [1_u8, 2, 3];
        unsafe { wipe(kept.as_mut_ptr(), 2) };
        assert_eq!(kept, [0, 0, 3]);
        let mut text = c_string(b"secret");
        unsafe { wipe_string_and_clear(&mut text) };
        assert!(text.is_null());
        unsafe { wipe_string_and_clear(&mut text) };
    }
}
