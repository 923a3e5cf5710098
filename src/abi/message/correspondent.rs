//! The context that a message belongs to.

use std::ffi::c_int;

use super::super::context::{self, Handle, Names, NewContexts};
use super::super::types::ConnContext;
use super::client::Client;

/// A context that was looked up, and whether it is new.
#[derive(Clone, Copy)]
pub struct Found {
    /// The context.
    pub handle: Handle,
    /// Made by this look-up.
    pub added: bool,
}

impl Found {
    /// `None` for NULL.
    ///
    /// # Safety
    /// `ctx` is NULL or live.
    pub unsafe fn of(ctx: *mut ConnContext, added: c_int) -> Option<Self> {
        (!ctx.is_null()).then(|| Self {
            // SAFETY: the caller's promise.
            handle: unsafe { Handle::of(ctx) },
            added: added != 0,
        })
    }
}

/// The context of a correspondent (the master, where there are instances), made if there is none. `None` without memory.
///
/// # Safety
/// The client's user state is live and the names are C strings; callbacks may run.
pub unsafe fn find_or_add(client: Client, names: Names, new: NewContexts) -> Option<Found> {
    // SAFETY: the caller's promise.
    unsafe {
        let mut added: c_int = 0;
        let ctx = context::find_correspondent(client.us, names, &raw mut added, Some(new));
        Found::of(ctx, added)
    }
}
