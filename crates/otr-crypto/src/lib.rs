//! The cryptographic primitives of OTR. Nothing here knows about messages.
#![cfg_attr(not(test), deny(clippy::disallowed_types))]
// The kernels for some CPUs are exempt: see `montgomery`.
#![deny(unsafe_code)]
#![warn(missing_debug_implementations)]

pub mod aes_ctr;
pub mod bignum;
#[cfg(feature = "count")]
pub mod count;
pub mod dsa;
pub mod group;
pub mod hash;
mod inverse;
pub mod mac;
mod montgomery;
mod multiexp;
pub mod random;
pub mod secret;
pub mod stack;
mod uint;
pub mod verdict;

/// Whether the kernels for AVX-512 IFMA and AVX-IFMA are compiled in, which takes Rust 1.89 and x86-64 (build.rs).
pub const HAS_VECTORS: bool = cfg!(otr_vectors);
