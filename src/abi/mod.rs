//! The C face: the only room with `unsafe` in it.
//!
//! One file per header of libotr; each exported function is a translation and no more. [`entry`] says how a function is
//! exported, [`types`] how the structs lie in memory, [`gcry`] what stands for libgcrypt's objects.

pub mod entry;
pub mod error;
mod error_table;
pub mod gcry;
pub mod memory;
#[cfg(feature = "abi5")]
pub mod types;
