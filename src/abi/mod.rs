//! The C face: the only room with `unsafe` in it.
//!
//! One file per header of libotr; each exported function is a translation and no more. [`entry`] says how a function is
//! exported, [`types`] how the structs lie in memory, [`gcry`] what stands for libgcrypt's objects.
#![cfg_attr(
    test,
    allow(
        clippy::undocumented_unsafe_blocks,
        reason = "a test owns every object it hands over; the library's own blocks are checked in the build without tests"
    )
)]

pub mod entry;
pub mod error;
mod error_table;
pub mod gcry;
pub mod memory;
mod reserve;
pub mod stdio;
#[cfg(feature = "abi5")]
pub mod types;

#[cfg(feature = "abi5")]
pub mod auth;
#[cfg(feature = "abi5")]
pub mod auth_info;
#[cfg(feature = "abi5")]
pub mod b64;
#[cfg(feature = "abi5")]
mod bridge;
#[cfg(feature = "abi5")]
pub mod context;
#[cfg(feature = "abi5")]
pub mod context_priv;
#[cfg(feature = "abi5")]
pub mod dh;
#[cfg(feature = "abi5")]
pub mod dh_objects;
#[cfg(feature = "abi5")]
mod exchange;
#[cfg(feature = "abi5")]
pub mod instag;
#[cfg(feature = "abi5")]
pub mod mem;
#[cfg(feature = "abi5")]
pub mod message;
#[cfg(feature = "abi5")]
pub mod private;
#[cfg(feature = "abi5")]
pub mod privkey;
#[cfg(feature = "abi5")]
pub mod proto;
#[cfg(feature = "abi5")]
pub mod sm;
#[cfg(feature = "abi5")]
pub mod sm_objects;
#[cfg(feature = "abi5")]
mod smp_numbers;
#[cfg(feature = "abi5")]
pub mod tlv;
#[cfg(feature = "abi5")]
pub mod userstate;
#[cfg(feature = "abi5")]
pub mod version;
