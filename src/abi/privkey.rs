//! `privkey.h`: our long-lived keys, their files, and the file of the fingerprints of others.
//!
//! Clients change the list of keys too: they add nodes of their own, and take some away. So it is walked afresh each time,
//! and every part of a node may come from the client. Some clients generate a key in a second thread on the user state that
//! the first one uses; the lock then keeps the lists consistent.

mod contents;
mod fingerprint;
mod fingerprint_file;
mod generate;
#[cfg(feature = "abi5")]
mod jobs;
mod list;
#[cfg(feature = "abi5")]
mod pending;
mod read;
mod sign;
#[cfg(test)]
mod tests;

pub use fingerprint::fingerprint_of;
#[cfg(test)]
pub use generate::otrl_privkey_generate;
#[cfg(feature = "abi5")]
pub(crate) use jobs::forget_all as jobs_forget_all;
pub use list::find;
pub(crate) use list::forget_all;
#[cfg(feature = "abi5")]
pub(crate) use pending::forget_all as pending_forget_all;
#[cfg(test)]
pub use read::otrl_privkey_read;
pub use sign::{signing_key, signing_key_of};
