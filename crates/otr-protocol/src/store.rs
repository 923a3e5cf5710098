//! The three files of libotr on disk, byte for byte.
//!
//! Each file has a `parse` from bytes and a `write` to bytes; [`atomic_file`] writes bytes safely to a path, and keeps a
//! copy of contents that would be lost. Nothing here opens a `FILE*` or uses a conversation.

pub mod atomic_file;
mod backup;
pub mod fingerprints;
pub mod instance_tags;
mod lines;
pub mod private_keys;
#[cfg(test)]
mod scratch;
pub mod sexp;
mod system;

/// The result of reading one of the line files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lines<T> {
    /// The entries, in the order of the file.
    pub entries: Vec<T>,
    /// Whether the file contained nothing else except comments and empty lines, so no entry is missing here.
    pub is_whole: bool,
}

/// The contents of one of the line files, and how many entries were left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The whole file.
    pub bytes: Vec<u8>,
    /// The number of entries left out because no reader would get them back and they could have damaged or forged others.
    pub left_out: usize,
}
