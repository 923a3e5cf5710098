//! A user state that is in use.
//!
//! A callback may free the user state of the call that it belongs to. What is in it goes at once, and the outer call then finds
//! nothing of it any more; the struct itself, which the outer call goes on reading, goes when that call returns.

use std::sync::atomic::AtomicUsize;

use super::context_index::ContextIndex;
use super::memory::c_zeroed;
use super::types::UserState;
use super::{context_priv, linked_list};

/// A user state, and behind it what C has no members for. Only the library makes them.
#[repr(C)]
struct Block {
    public: UserState,
    /// How many of its contexts were forgotten.
    forgotten: AtomicUsize,
    /// How many calls are going on that may call the client back.
    calls: usize,
    /// Where to begin looking for a context.
    index: ContextIndex,
    /// Whether the client has freed it meanwhile.
    is_freed: bool,
    /// Forgets what is in it. May call the client back.
    empty: unsafe fn(*mut UserState),
}

/// A new, empty user state, and the function that forgets what will be in it. NULL without memory.
pub(crate) fn new(empty: unsafe fn(*mut UserState)) -> *mut UserState {
    let block: *mut Block = c_zeroed();
    if !block.is_null() {
        // SAFETY: new memory of the right size; all zeros are an empty user state.
        unsafe {
            (&raw mut (*block).empty).write(empty);
            (&raw mut (*block).index).write(ContextIndex::default());
        }
    }
    block.cast()
}

/// Runs a call that may call the client back.
///
/// # Safety
/// `us` is NULL or a live user state. It may be gone afterwards.
pub(crate) unsafe fn during<T>(us: *mut UserState, call: impl FnOnce() -> T) -> T {
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
            release(block);
        }
        outcome
    }
}

/// Where a user state counts its contexts that were forgotten. NULL for NULL.
///
/// # Safety
/// `us` is NULL or a live user state, and the count dies with it.
pub(crate) unsafe fn forgotten(us: *const UserState) -> *const AtomicUsize {
    if us.is_null() {
        return std::ptr::null();
    }
    // SAFETY: a live user state is a block of ours; a place within it.
    unsafe { &raw const (*us.cast::<Block>()).forgotten }
}

/// Where to begin looking for a context of a user state.
///
/// # Safety
/// `us` is a live user state. The answer is not used when its list or the index changes.
pub(crate) unsafe fn index<'a>(us: *mut UserState) -> &'a mut ContextIndex {
    // SAFETY: a live user state is a block of ours.
    unsafe { &mut (*us.cast::<Block>()).index }
}

/// Whether the client has freed a user state while a call that uses it goes on.
///
/// # Safety
/// `us` is NULL or a user state that such a call has.
pub(crate) unsafe fn is_freed(us: *const UserState) -> bool {
    // SAFETY: the caller's promise.
    !us.is_null() && unsafe { (*us.cast::<Block>()).is_freed }
}

/// Frees a user state, once no call has it any more. What is in it is forgotten at once.
///
/// # Safety
/// `us` is a live user state, and is used no more but by calls that have it.
pub(crate) unsafe fn free(us: *mut UserState) {
    // SAFETY: the caller's promise.
    unsafe {
        (*us.cast::<Block>()).is_freed = true;
        during(us, || ());
    }
}

/// # Safety
/// A user state that was freed.
unsafe fn release(block: *mut Block) {
    // SAFETY: the caller's promise. The client's `app_data_free` runs with the user state in use.
    unsafe {
        (*block).calls += 1;
        ((*block).empty)(block.cast());
        (*block).calls -= 1;
        if (*block).calls == 0 {
            // A callback may have begun a session, whose context stays.
            for context in linked_list::iter((*block).public.context_root) {
                context_priv::set_count(context, std::ptr::null());
            }
            (&raw mut (*block).index).drop_in_place();
            libc::free(block.cast());
        }
    }
}
