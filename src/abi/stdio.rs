//! The client's C streams, which belong to its libc and are read and written only through it.

use std::ffi::{CStr, c_void};
use std::marker::PhantomData;
use std::ptr::NonNull;

use super::borrowed::FromC;
use super::error::GcryError;
use otr_protocol::buffer::{self, OutOfMemory};

const CHUNK: usize = 8192;
/// More than any list can have; a longer stream, such as a device, is not read to its end.
const LIMIT: usize = 64 << 20;

/// An open stream of the client's.
#[derive(Clone, Copy, Debug)]
pub struct Stream<'a> {
    file: NonNull<libc::FILE>,
    borrowed: PhantomData<&'a libc::FILE>,
}

impl FromC<*mut libc::FILE> for Option<Stream<'_>> {
    unsafe fn from_c(value: *mut libc::FILE) -> Self {
        NonNull::new(value).map(|file| Stream {
            file,
            borrowed: PhantomData,
        })
    }
}

impl Stream<'_> {
    /// Reads as much as fits, and returns how much that was.
    pub fn read(self, space: &mut [u8]) -> usize {
        // SAFETY: a buffer with its length, and an open stream, as the type guarantees.
        unsafe {
            libc::fread(
                space.as_mut_ptr().cast::<c_void>(),
                1,
                space.len(),
                self.file.as_ptr(),
            )
        }
    }

    /// Why it could not be read, right after that. musl sets no errno for a stream that is not for reading.
    pub fn read_error(self) -> GcryError {
        let error = GcryError::last_os_error();
        #[cfg(unix)]
        {
            // SAFETY: an open stream, as the type guarantees; only asks for the flags of its file.
            let flags = unsafe { libc::fcntl(libc::fileno(self.file.as_ptr()), libc::F_GETFL) };
            if flags >= 0 && flags & libc::O_ACCMODE == libc::O_WRONLY {
                return GcryError::from_errno(libc::EBADF);
            }
        }
        error
    }

    /// Whether the end was reached.
    pub fn is_at_end(self) -> bool {
        // SAFETY: an open stream, as the type guarantees.
        unsafe { libc::feof(self.file.as_ptr()) != 0 }
    }

    /// The size of its file; 0 if it is not a regular file.
    pub fn size(self) -> usize {
        let mut status = std::mem::MaybeUninit::<libc::stat>::uninit();
        // SAFETY: an open stream, and an out-parameter, which is read only on success.
        let size = unsafe {
            if libc::fstat(libc::fileno(self.file.as_ptr()), status.as_mut_ptr()) != 0 {
                return 0;
            }
            status.assume_init().st_size
        };
        usize::try_from(size).unwrap_or(0)
    }

    /// Goes back to the start.
    ///
    /// # Errors
    /// The error of the C library.
    pub fn rewind(self) -> Result<(), GcryError> {
        // SAFETY: an open stream, as the type guarantees.
        match unsafe { libc::fseek(self.file.as_ptr(), 0, libc::SEEK_SET) } {
            0 => Ok(()),
            _ => Err(GcryError::last_os_error()),
        }
    }

    /// Reads from the current position to the end. On a read error the rest is missing, as in libotr.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn read_all(self) -> Result<Vec<u8>, OutOfMemory> {
        let mut contents = Vec::new();
        let mut chunk = zeroize::Zeroizing::new(buffer::zeros(CHUNK)?);
        loop {
            let count = self.read(&mut chunk);
            buffer::append(&mut contents, chunk.get(..count).unwrap_or_default())?;
            if count < CHUNK || contents.len() >= LIMIT {
                return Ok(contents);
            }
        }
    }

    /// Writes and flushes everything, so that a full disk is noticed.
    ///
    /// # Errors
    /// The error of the C library.
    pub fn write_all(self, bytes: &[u8]) -> Result<(), GcryError> {
        let stream = self.file.as_ptr();
        // SAFETY: a buffer with its length, and an open stream, as the type guarantees.
        let written = unsafe { libc::fwrite(bytes.as_ptr().cast(), 1, bytes.len(), stream) };
        // SAFETY: an open stream, as the type guarantees.
        if written < bytes.len() || unsafe { libc::fflush(stream) } != 0 {
            return Err(GcryError::last_os_error());
        }
        Ok(())
    }
}

/// Opens a file for reading, for as long as `body` runs. `body` calls no code of the client.
///
/// # Errors
/// `INV_VALUE` for no name, the error of `fopen`, and that of `body`.
pub fn with_file(
    filename: Option<&CStr>,
    body: impl FnOnce(Stream<'_>) -> Result<(), GcryError>,
) -> Result<(), GcryError> {
    let filename = filename.ok_or(GcryError::INV_VALUE)?;
    // SAFETY: C strings.
    let stream = unsafe { libc::fopen(filename.as_ptr(), c"rbe".as_ptr()) };
    let file = NonNull::new(stream).ok_or_else(GcryError::last_os_error)?;
    let result = body(Stream {
        file,
        borrowed: PhantomData,
    });
    // SAFETY: opened above. Nothing was written, so closing has nothing to report.
    unsafe { libc::fclose(stream) };
    result
}
