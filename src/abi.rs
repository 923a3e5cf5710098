//! The C interface, and the only module with `unsafe` in it.
//!
//! One file per header of libotr; each exported function is only a translation. [`entry`] exports functions, [`types`] has
//! the layouts of the structs, and [`gcry`] replaces libgcrypt's objects.
//!
//! Code that differs between the two interfaces is in files named `abi2` and `abi5` below the file it belongs to. Both
//! define the same names, and the file above chooses.
#![cfg_attr(
    test,
    allow(
        clippy::undocumented_unsafe_blocks,
        clippy::missing_safety_doc,
        reason = "a test owns every object that it passes; the library's own blocks are checked in the build without tests"
    )
)]

pub mod borrowed;
pub mod entry;
pub mod error;
mod error_table;
pub mod error_text;
pub mod gcry;
mod linked_list;
pub mod memory;
mod reserve;
pub mod stdio;
mod text;
pub mod types;
mod undumped;

pub mod auth;
pub mod auth_info;
pub mod b64;
mod bridge;
pub mod context;
mod context_index;
mod context_priv;
pub mod dh;
pub mod dh_objects;
mod exchange;
mod in_use;
#[cfg(feature = "abi5")]
pub mod instag;
mod known_files;
mod lock;
mod locked_list;
pub mod mem;
pub mod message;
mod numbers;
pub mod private;
pub mod privkey;
pub mod proto;
pub mod sm;
pub mod sm_objects;
mod smp_numbers;
#[cfg(test)]
mod testing;
pub mod tlv;
pub mod userstate;
pub mod version;
