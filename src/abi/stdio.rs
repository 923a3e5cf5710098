//! The client's C streams, which are its libc's and are read and written through it alone.

use std::ffi::{c_char, c_void};

use super::error::GcryError;
use otr_protocol::buffer::{self, OutOfMemory};

const CHUNK: usize = 8192;
/// More than any list can be; what goes on for longer, such as a device, is not read to its end.
const LIMIT: usize = 64 << 20;

/// Everything from here to the end of a stream. What an error cuts off is missing, as with libotr.
///
/// # Errors
/// There is no memory for it.
///
/// # Safety
/// `stream` is open for reading.
pub unsafe fn read_all(stream: *mut libc::FILE) -> Result<Vec<u8>, OutOfMemory> {
    let mut contents = Vec::new();
    let mut chunk = zeroize::Zeroizing::new(buffer::zeros(CHUNK)?);
    loop {
        // SAFETY: a buffer with its length, and an open stream.
        let count = unsafe { libc::fread(chunk.as_mut_ptr().cast::<c_void>(), 1, CHUNK, stream) };
        buffer::append(&mut contents, chunk.get(..count).unwrap_or_default())?;
        if count < CHUNK || contents.len() >= LIMIT {
            return Ok(contents);
        }
    }
}

/// Writes and flushes everything, so that a full disk is noticed. Nothing happens for NULL.
///
/// # Errors
/// What the C library said.
///
/// # Safety
/// `stream` is NULL or open for writing.
pub unsafe fn write_all(stream: *mut libc::FILE, bytes: &[u8]) -> Result<(), GcryError> {
    if stream.is_null() {
        return Ok(());
    }
    // SAFETY: a buffer with its length, and an open stream.
    let written = unsafe { libc::fwrite(bytes.as_ptr().cast(), 1, bytes.len(), stream) };
    // SAFETY: an open stream.
    if written < bytes.len() || unsafe { libc::fflush(stream) } != 0 {
        return Err(GcryError::last_os_error());
    }
    Ok(())
}

/// Opens a file for reading, for as long as `body` runs.
///
/// # Errors
/// What `fopen` said, and what `body` says.
///
/// # Safety
/// `filename` is NULL or a C string. `body` calls no code of the client.
pub unsafe fn with_file(
    filename: *const c_char,
    body: impl FnOnce(*mut libc::FILE) -> Result<(), GcryError>,
) -> Result<(), GcryError> {
    if filename.is_null() {
        return Err(GcryError::INV_VALUE);
    }
    // SAFETY: C strings.
    let stream = unsafe { libc::fopen(filename, c"rbe".as_ptr()) };
    if stream.is_null() {
        return Err(GcryError::last_os_error());
    }
    let result = body(stream);
    // SAFETY: opened above. Nothing was written, so closing has nothing to report.
    unsafe { libc::fclose(stream) };
    result
}
