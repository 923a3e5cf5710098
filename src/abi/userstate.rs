//! `userstate.h`: everything of one user. A callback may free it: see `in_use.rs`.

use std::ptr;

use super::entry::entry;
use super::types::UserState;
use super::{context, in_use, known_files, privkey};

entry! {
    /// A new, empty user state. NULL without memory.
    ///
    /// # Safety
    /// None beyond C's calling convention.
    on panic ptr::null_mut();
    pub fn otrl_userstate_create() -> *mut UserState {
        let us = in_use::new(empty);
        known_files::forget_all(us);
        us
    }
}

/// Forgets everything of a user. Calls the client's `app_data_free` for each context that has one.
///
/// # Safety
/// `us` is NULL or a live user state, and is used no more.
#[unsafe(no_mangle)]
#[allow(unreachable_pub, reason = "C calls it")]
pub unsafe extern "C-unwind" fn otrl_userstate_free(us: *mut UserState) {
    if us.is_null() {
        return;
    }
    // SAFETY: the caller's promise.
    unsafe { in_use::free(us) };
}

/// Forgets what is in a user state.
///
/// # Safety
/// `us` is a user state.
unsafe fn empty(us: *mut UserState) {
    // SAFETY: the caller's promise.
    unsafe {
        context::forget_all(us);
        privkey::forget_all(us);
        #[cfg(feature = "abi5")]
        {
            privkey::jobs_forget_all(us);
            privkey::pending_forget_all(us);
            super::instag::forget_all(us);
        }
        known_files::forget_all(us);
    }
}
