//! The state machines of OTR over typed messages, without I/O and without calling out.
#![forbid(unsafe_code)]

pub mod ake;
pub mod ake_v1;
pub mod conversation;
pub mod correspondent;
pub mod dh;
pub mod effects;
pub mod error;
pub mod held_texts;
pub mod instances;
pub mod message_cipher;
pub mod opened_pairs;
pub mod policy;
pub mod receiving;
pub mod seen_messages;
pub mod session;
pub mod session_id;
pub mod smp;
pub mod smp_exchange;

#[cfg(test)]
mod tests;
