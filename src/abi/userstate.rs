//! `userstate.h`: all data of one user. A callback may free it: see `in_use.rs`.

use std::ptr;

use super::borrowed::Borrowed;
use super::entry::entry;
use super::types::UserState;
use super::{context, in_use, known_files, privkey};

entry! {
    /// A new, empty user state. NULL if out of memory.
    ///
    /// # Safety
    /// None beyond C's calling convention.
    on panic ptr::null_mut();
    pub fn otrl_userstate_create() -> *mut UserState as Option<Borrowed<UserState>> {
        let us = in_use::new(empty)?;
        known_files::forget_all(us);
        Some(us)
    }
}

entry! {
    /// Frees a user state with all its contents. Calls the client's `app_data_free` for each context that has one.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, and is not used afterwards.
    calls back;
    pub fn otrl_userstate_free(us: *mut UserState as Option<Borrowed<UserState>>) {
        if let Some(us) = us {
            // SAFETY: the caller gives up the user state: only calls in progress use it afterwards.
            unsafe { in_use::free(us) };
        }
    }
}

/// Forgets the contents of a user state.
///
/// # Safety
/// The contents are not used afterwards.
unsafe fn empty(us: Borrowed<'_, UserState>) {
    // SAFETY: `in_use` calls this when the user state was freed: nobody uses its contents.
    unsafe {
        context::forget_all(us);
        privkey::forget_all(us);
        #[cfg(feature = "abi5")]
        {
            privkey::jobs_forget_all(us);
            privkey::pending_forget_all(us);
            super::instag::forget_all(us);
        }
    }
    known_files::forget_all(us);
}
