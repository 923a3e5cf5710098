//! `userstate.h`: all data of one user. A callback may free it: see `in_use.rs`.

use std::ptr;

use super::borrowed::Borrowed;
use super::entry::entry;
use super::types::UserState;
use super::{context, in_use, known_files, privkey};

entry! {
    /// A new, empty user state. NULL without memory.
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
    /// Forgets everything of a user. Calls the client's `app_data_free` for each context that has one.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, and is used no more.
    calls back;
    pub fn otrl_userstate_free(us: *mut UserState as Option<Borrowed<UserState>>) {
        if let Some(us) = us {
            // SAFETY: C gives up the user state: nobody but the calls that have it uses it any more.
            unsafe { in_use::free(us) };
        }
    }
}

/// Forgets what is in a user state.
///
/// # Safety
/// Nobody uses what is in it any more.
unsafe fn empty(us: Borrowed<'_, UserState>) {
    // SAFETY: `in_use` calls this once the user state was freed: nobody uses what is in it.
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
