//! The cryptographic primitives of OTR. Nothing here knows about messages.
#![cfg_attr(not(test), deny(clippy::disallowed_types))]
// Two kernels are exempt: see `montgomery`.
#![deny(unsafe_code)]

pub mod aes_ctr;
pub mod bignum;
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
