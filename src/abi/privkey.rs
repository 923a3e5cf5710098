//! `privkey.h`: our long-lived keys, their files, and the file of the fingerprints of others.
//!
//! The list of keys is the client's as well: it links in nodes of its own, and takes some away. So it is walked afresh each
//! time, and every part of a node may be the client's work. Some clients generate a key in a second thread on the user state
//! that the first one uses; the lock keeps the lists whole then.

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
