//! `context.h`: the sorted list of conversations. A context stays at its address until it is forgotten.
//!
//! Clients use the list too: they walk it, keep pointers into it and call functions of this file from its callbacks. So
//! every link is read afresh, and nothing of ours is alive while `add_app_data` or `app_data_free` runs.
//!
//! `context/abi2.rs` has one context for a correspondent, `context/abi5.rs` a master with instances.

mod ctx;
mod describe;
mod fingerprint;
mod forget;
mod handle;
mod list;
mod state;

#[cfg(feature = "abi2")]
mod abi2;
#[cfg(feature = "abi5")]
mod abi5;

#[cfg(feature = "abi2")]
use abi2 as interface;
#[cfg(feature = "abi5")]
use abi5 as interface;

pub use ctx::Ctx;
pub(crate) use fingerprint::{add_fingerprint, set_trust};
pub(crate) use forget::forget_all;
pub use handle::Handle;
#[cfg(feature = "abi5")]
pub(crate) use interface::{become_instance, find_or_add, tags_of};
pub(crate) use interface::{find, find_correspondent, is_instance};
#[cfg(test)]
pub(crate) use interface::{otrl_context_find, otrl_context_forget};
pub use list::{Names, NewContexts};
