//! The three files of libotr on disk, byte for byte.
//!
//! Each file has a `parse` from bytes and a `write` to bytes. Nothing here opens a
//! `FILE*` or knows a conversation.
#![forbid(unsafe_code)]

pub mod private_keys;
pub mod sexp;
