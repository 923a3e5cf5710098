//! The encoded messages: what is inside the armour, one file per step of the protocol.
//!
//! `parse` takes the decoded bytes and is total; it accepts needless leading zeros in MPIs. `serialise` gives bytes for
//! [`armour`](super::armour::armour).

pub mod data;
pub mod dh;
pub mod header;
pub mod public_key;
pub mod signature;
pub mod smp;
pub mod v1;

pub use data::Data;
pub use dh::{DhCommit, DhKey};
pub use header::Header;
pub use public_key::DsaNumbers;
pub use signature::{AuthPlain, RevealSignature, Signature};
pub use v1::V1KeyExchange;

#[cfg(test)]
mod tests;
