//! The three files of libotr on disk, byte for byte.
#![forbid(unsafe_code)]
