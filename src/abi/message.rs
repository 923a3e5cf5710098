//! `message.h`: the functions that a client calls for each message that its user sends or receives.
//!
//! These functions get what the core needs from the client (policy, keys, texts), run the core's steps and deliver their
//! effects. [`otr_protocol`] decides how a message is handled. How the user is told, and which context a message belongs
//! to, differs between the interfaces: `abi2.rs`, `abi5.rs` and the files below them.

mod arguments;
mod call;
mod callbacks;
mod clock;
mod deliver;
mod disconnect;
mod expiry;
mod family;
mod fragments;
mod lost;
mod receiving;
mod sending;
mod smp;
mod transmit;

#[cfg(feature = "abi2")]
mod abi2;
#[cfg(feature = "abi5")]
mod abi5;

#[cfg(feature = "abi2")]
use abi2 as interface;
#[cfg(feature = "abi5")]
use abi5 as interface;

use std::ffi::c_char;

use super::entry::entry;
use super::text::CText;

#[cfg(all(test, feature = "abi2"))]
pub(crate) use interface::otrl_message_disconnect;
#[cfg(all(test, feature = "abi5"))]
pub use interface::otrl_message_disconnect_all_instances;
#[cfg(test)]
pub(crate) use interface::{otrl_message_receiving, otrl_message_sending};
#[cfg(all(test, feature = "abi5"))]
pub(crate) use smp::otrl_message_abort_smp;
#[cfg(test)]
pub(crate) use smp::{
    otrl_message_initiate_smp, otrl_message_initiate_smp_q, otrl_message_respond_smp,
};

entry! {
    /// Frees a message that the library made, with `free(message)`.
    ///
    /// # Safety
    /// `message` is NULL or came from malloc.
    never panics;
    pub fn otrl_message_free(message: *mut c_char)
    where message = CText::from_raw(message) {
        message.free();
    }
}
