//! `context.h`: the sorted list of conversations. A context that was found stays where it is until it is forgotten.
//!
//! The list is the client's as well: it walks it, keeps pointers into it and calls back into this file from its callbacks.
//! So every link is read afresh, and nothing of ours is alive while `add_app_data` or `app_data_free` runs.

mod family;
mod fingerprint;
mod forget;
mod handle;
mod list;
mod state;

pub use family::{
    count_members, find_recent_instance, recent_secure_instance, update_recent_child,
};
pub use fingerprint::{find_fingerprint, forget_fingerprint, is_trusted, set_trust};
pub use forget::{forget, forget_all};
pub use handle::{CONTEXTS_FORGOTTEN, Handle, is_live};
pub use list::{find, find_behind};
pub use state::{force_finished, force_plaintext};

#[cfg(test)]
mod tests;
