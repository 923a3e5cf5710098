//! The three files of libotr on disk, byte for byte.
//!
//! Each file has a `parse` from bytes and a `write` to bytes; [`replace`] puts bytes safely under a path. Nothing here opens a
//! `FILE*` or knows a conversation.
#![forbid(unsafe_code)]

pub mod fingerprints;
pub mod instance_tags;
mod lines;
pub mod private_keys;
pub mod replace;
pub mod sexp;

/// The text of one of the line files, and how many entries could not be part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The whole file.
    pub bytes: Vec<u8>,
    /// The number of entries left out because no reader would get them back and they could have damaged or forged others.
    pub left_out: usize,
}
