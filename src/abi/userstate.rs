//! `userstate.h`: everything of one user.

use std::ptr;

use super::entry::entry;
use super::memory::c_zeroed;
use super::types::UserState;
use super::{context, known_files, privkey};

entry! {
    /// A new, empty user state. NULL without memory.
    ///
    /// # Safety
    /// None beyond C's calling convention.
    on panic ptr::null_mut();
    pub fn otrl_userstate_create() -> *mut UserState {
        let us: *mut UserState = c_zeroed();
        known_files::forget_all(us);
        us
    }
}

/// Forgets everything of a user. Calls the client's `app_data_free` for each context that has one.
///
/// # Safety
/// `us` is NULL or a live user state, and is used no more.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn otrl_userstate_free(us: *mut UserState) {
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
        libc::free(us.cast());
    }
}
