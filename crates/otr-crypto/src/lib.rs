//! The cryptographic primitives of OTR. Nothing here knows about messages.
#![cfg_attr(not(test), deny(clippy::disallowed_types))]
// Two kernels are excepted: see `montgomery`.
#![deny(unsafe_code)]

pub mod aes_ctr;
pub mod bignum;
#[cfg(feature = "count")]
pub mod count;
pub mod dsa;
pub mod group;
pub mod hash;
pub mod mac;
mod montgomery;
mod multiexp;
pub mod random;
pub mod secret;
pub mod stack;
pub mod verdict;
