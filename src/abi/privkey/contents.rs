//! Reading a file that contains secrets: in buffers that are wiped, and no more than a key file can have.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use zeroize::Zeroizing;

use crate::abi::error::GcryError;
use crate::abi::stdio::Stream;
use otr_protocol::buffer;

/// Enough for about ten thousand accounts.
const LIMIT: usize = 16 << 20;
/// The size of the first buffer if the size is unknown, as for a pipe.
const SMALL: usize = 4096;

/// Reads a whole file.
///
/// # Errors
/// The errno of opening or reading it, `EFBIG` if it is too long for a key file, and `ENOMEM`.
pub(crate) fn of_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, GcryError> {
    let failed = |error: std::io::Error| GcryError::from_io(&error);
    let mut file = File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    collect(usize::try_from(size).unwrap_or(LIMIT), |space| {
        file.read(space).map_err(failed)
    })
}

/// Reads a stream from the current position to its end.
///
/// # Errors
/// As for [`of_file`].
pub(crate) fn of_stream(stream: Stream<'_>) -> Result<Zeroizing<Vec<u8>>, GcryError> {
    let mut ended = false;
    collect(stream.size(), |space| {
        if ended {
            return Ok(0);
        }
        let count = stream.read(space);
        ended = count < space.len() && stream.is_at_end();
        if count == 0 && !ended {
            return Err(stream.read_error());
        }
        Ok(count)
    })
}

/// Calls `read` until it returns 0. Usually one buffer, of the size of the file, is enough.
fn collect(
    size: usize,
    mut read: impl FnMut(&mut [u8]) -> Result<usize, GcryError>,
) -> Result<Zeroizing<Vec<u8>>, GcryError> {
    let mut buffer = Zeroizing::new(buffer::zeros(size.clamp(SMALL, LIMIT) + 1)?);
    let mut len = 0;
    loop {
        let space = buffer.get_mut(len..).unwrap_or_default();
        let count = read(space)?;
        if count == 0 {
            buffer.truncate(len);
            return Ok(buffer);
        }
        len += count;
        if len > LIMIT {
            return Err(GcryError::from_errno(libc::EFBIG));
        }
        if len >= buffer.len() {
            let mut larger = Zeroizing::new(buffer::zeros(len.saturating_mul(2).min(LIMIT) + 1)?);
            if let Some(start) = larger.get_mut(..buffer.len()) {
                start.copy_from_slice(&buffer);
            }
            buffer = larger;
        }
    }
}
