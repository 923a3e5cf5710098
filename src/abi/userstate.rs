//! `userstate.h`: everything of one user.
//!
//! A callback may free the user state of the call that it belongs to. What is in it goes at once, and the outer call then finds
//! nothing of it any more; the struct itself, which the outer call goes on reading, goes when that call returns.

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
        let block: *mut Block = c_zeroed();
        let us = block.cast();
        known_files::forget_all(us);
        us
    }
}

/// A user state, and behind it what C has no members for. Only the library makes them.
#[repr(C)]
struct Block {
    public: UserState,
    /// How many calls are going on that may call the client back.
    calls: usize,
    /// Whether the client has freed it meanwhile.
    is_freed: bool,
}

/// Runs a call that may call the client back.
///
/// # Safety
/// `us` is NULL or a live user state. It may be gone afterwards.
pub unsafe fn during<T>(us: *mut UserState, call: impl FnOnce() -> T) -> T {
    let block: *mut Block = us.cast();
    if block.is_null() {
        return call();
    }
    // SAFETY: not NULL. A callback that never returns leaves the count too high: then the empty struct is never given back.
    unsafe {
        (*block).calls += 1;
        let outcome = call();
        (*block).calls -= 1;
        if (*block).is_freed {
            release(us);
        }
        outcome
    }
}

/// Whether the client has freed a user state while a call that uses it goes on.
///
/// # Safety
/// `us` is NULL or a user state that such a call has.
pub unsafe fn is_freed(us: *const UserState) -> bool {
    // SAFETY: the caller's promise.
    !us.is_null() && unsafe { (*us.cast::<Block>()).is_freed }
}

/// Forgets everything of a user. Calls the client's `app_data_free` for each context that has one.
///
/// # Safety
/// `us` is NULL or a live user state, and is used no more.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn otrl_userstate_free(us: *mut UserState) {
    if us.is_null() {
        return;
    }
    // SAFETY: the caller's promise.
    unsafe {
        (*us.cast::<Block>()).is_freed = true;
        during(us, || ());
    }
}

/// Forgets what is in a user state, and gives it back if no call has it.
///
/// # Safety
/// `us` is a user state.
unsafe fn release(us: *mut UserState) {
    // SAFETY: the caller's promise. The client's `app_data_free` runs with the user state in use.
    unsafe {
        let block: *mut Block = us.cast();
        (*block).calls += 1;
        context::forget_all(us);
        privkey::forget_all(us);
        #[cfg(feature = "abi5")]
        {
            privkey::jobs_forget_all(us);
            privkey::pending_forget_all(us);
            super::instag::forget_all(us);
        }
        known_files::forget_all(us);
        (*block).calls -= 1;
        if (*block).calls == 0 {
            libc::free(block.cast());
        }
    }
}
