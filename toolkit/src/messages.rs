//! Encoded messages in a stream that may contain anything else.

use std::io::{self, BufRead, ErrorKind};

use otr_protocol::wire::armour::{self, PREFIX};
use otr_protocol::wire::error::Malformed;
use otr_protocol::wire::reader::Reader;

/// The longest number that libgcrypt reads. libotr's programs do not look whether it has read one, and end by a memory fault.
const LONGEST_MPI: usize = 16 << 20;

/// The next text from a "?OTR:" to the "." behind it, or to the end of the stream; cut at its first NUL. `None` if there is no
/// more.
///
/// # Errors
/// Those of the stream.
pub fn next_message(input: &mut dyn BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut seen = 0;
    while seen < PREFIX.len() {
        let Some(byte) = next_byte(input)? else {
            return Ok(None);
        };
        seen = if PREFIX.get(seen) == Some(&byte) {
            seen + 1
        } else {
            usize::from(PREFIX.first() == Some(&byte))
        };
    }
    let mut message = PREFIX.to_vec();
    input.read_until(b'.', &mut message)?;
    if let Some(end) = message.iter().position(|&byte| byte == 0) {
        message.truncate(end);
    }
    Ok(Some(message))
}

fn next_byte(input: &mut dyn BufRead) -> io::Result<Option<u8>> {
    loop {
        match input.fill_buf() {
            Ok(buffer) => {
                let byte = buffer.first().copied();
                input.consume(usize::from(byte.is_some()));
                return Ok(byte);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The bytes that a message of [`next_message`] stands for.
pub fn decode(message: &[u8]) -> Vec<u8> {
    // A missing "." is none to libotr's programs.
    armour::dearmour(message, false).unwrap_or_default()
}

/// Reads a number of any length that libgcrypt reads.
///
/// # Errors
/// `Truncated`, and `FieldLength` for a longer one.
pub fn mpi<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Malformed> {
    let body = reader.mpi()?;
    if body.len() > LONGEST_MPI {
        return Err(Malformed::FieldLength);
    }
    Ok(body)
}

/// What versions 2 and 3 of a message begin with, and version 1 of some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// The version.
    pub version: u8,
    /// The instance tags of sender and receiver, in version 3.
    pub instances: Option<(u32, u32)>,
}

impl Start {
    /// Reads the start of a message of this type in one of these versions.
    ///
    /// # Errors
    /// Another version or type, or an early end.
    pub fn read(reader: &mut Reader<'_>, kind: u8, versions: &[u8]) -> Result<Self, Malformed> {
        let [zero, version, found] = *reader.array()?;
        if zero != 0 || !versions.contains(&version) {
            return Err(Malformed::Version);
        }
        if found != kind {
            return Err(Malformed::MessageType);
        }
        let instances = match version {
            3 => Some((reader.u32()?, reader.u32()?)),
            _ => None,
        };
        Ok(Self { version, instances })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut stream: &[u8]) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| next_message(&mut stream).unwrap()).collect()
    }

    #[test]
    fn messages_are_found_in_anything() {
        assert_eq!(all(b"").len(), 0);
        assert_eq!(all(b"?OTR").len(), 0);
        assert_eq!(all(b"?OTR?v2? ?OTR Error: x").len(), 0);
        assert_eq!(all(b"x?OT?OTR:a.b?OTR:c"), [&b"?OTR:a."[..], b"?OTR:c"]);
        assert_eq!(all(b"?OTR:?OTR:a."), [b"?OTR:?OTR:a."]);
        assert_eq!(all(b"?OTR:a\0b.?OTR:."), [&b"?OTR:a"[..], b"?OTR:."]);
    }
}
