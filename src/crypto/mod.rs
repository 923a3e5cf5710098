//! The primitives that OTR names. Nothing here has heard of a message.
#![forbid(unsafe_code)]

pub mod aes_ctr;
pub mod group;
pub mod hash;
pub mod mac;
mod number;
pub mod random;
