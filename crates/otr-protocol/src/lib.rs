//! Off-the-Record messaging in safe Rust: the state machines of OTR over typed messages, without I/O and without calling out.
//!
//! - [`wire`]: bytes to typed messages and back.
//! - [`ake`] and [`ake_v1`]: the authenticated key exchange, one side of it.
//! - [`session`]: the keys of a session and their rotation; [`message_cipher`] encrypts with them.
//! - [`smp`] and [`smp_exchange`]: the Socialist Millionaires' Protocol.
//! - [`conversation`]: one conversation with one instance of a correspondent. [`receiving`] is what becomes of each kind of
//!   message; [`correspondent`] what all instances share; [`instances`] which one is meant.
//! - [`effects`]: what a step asks its caller to send and to tell, in order.
//! - [`store`]: the files of libotr.
//! - [`buffer`]: memory for what is as long as its input, which there may not be.
#![cfg_attr(not(test), deny(clippy::disallowed_types, clippy::disallowed_methods))]
#![forbid(unsafe_code)]

pub mod ake;
pub mod ake_v1;
pub mod buffer;
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
pub mod store;
pub mod wire;

#[cfg(test)]
mod tests;
