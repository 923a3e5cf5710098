//! Bytes to typed messages and back. Total: any input gives a value or a typed error.
//!
//! Text is bytes, never assumed to be UTF-8, and contains no NUL. Sections named in this module are those of the document
//! "Off-the-Record Messaging Protocol version 3".

pub mod armour;
pub mod classify;
pub mod dialect;
pub mod error;
pub mod error_message;
pub mod fragment;
pub mod instance;
pub mod messages;
pub mod mpi;
pub mod query;
pub mod reader;
pub mod tlv;
pub mod version;
pub mod whitespace;
pub mod writer;

mod scan;
pub mod search;
#[cfg(test)]
mod totality;
