//! A user state that is in use.
//!
//! A callback may free the user state of the call that it belongs to. Then its contents are freed at once, and the outer
//! call finds nothing any more; the struct itself, which the outer call still reads, is freed when that call returns.

use std::cell::{Cell, UnsafeCell};
use std::sync::atomic::AtomicUsize;

use super::borrowed::Borrowed;
use super::context_index::ContextIndex;
use super::memory::c_zeroed;
use super::types::UserState;
use super::{context_priv, linked_list};

/// A user state, and behind it the state that C has no members for. Only the library makes these blocks.
#[repr(C)]
struct Block {
    /// The client has pointers to it, and writes through them.
    public: UnsafeCell<UserState>,
    /// How many of its contexts were forgotten.
    forgotten: AtomicUsize,
    /// How many calls that may call the client back are in progress.
    calls: Cell<usize>,
    /// Where to begin looking for a context.
    index: ContextIndex,
    /// Whether the client has freed it during such a call.
    is_freed: Cell<bool>,
    /// Forgets its contents. May call the client back.
    empty: unsafe fn(Borrowed<'_, UserState>),
}

/// A new, empty user state. `empty` is the function that will forget its contents. `None` if out of memory.
pub(crate) fn new(
    empty: unsafe fn(Borrowed<'_, UserState>),
) -> Option<Borrowed<'static, UserState>> {
    let block: *mut Block = c_zeroed();
    // SAFETY: NULL, or new memory of the right size; all zeros are an empty user state.
    unsafe {
        if !block.is_null() {
            (&raw mut (*block).empty).write(empty);
            (&raw mut (*block).index).write(ContextIndex::default());
        }
        Borrowed::new(block.cast::<UserState>())
    }
}

/// Runs a call that may call the client back.
///
/// # Safety
/// The user state may have been freed when this returns, and is not used afterwards.
pub(crate) unsafe fn during<T>(us: Borrowed<'_, UserState>, call: impl FnOnce() -> T) -> T {
    let block = block_of(us);
    // A callback that never returns leaves the count too high: then the empty struct is never freed.
    block.calls.set(block.calls.get() + 1);
    let outcome = call();
    block.calls.set(block.calls.get() - 1);
    if block.is_freed.get() {
        // SAFETY: the client has freed it.
        unsafe { release(us) };
    }
    outcome
}

/// The counter of a user state for its forgotten contexts.
pub(crate) fn forgotten(us: Borrowed<'_, UserState>) -> &AtomicUsize {
    &block_of(us).forgotten
}

/// Where to begin looking for a context of a user state.
pub(crate) fn index(us: Borrowed<'_, UserState>) -> &ContextIndex {
    &block_of(us).index
}

/// Whether the client has freed a user state while a call still uses it.
pub(crate) fn is_freed(us: Borrowed<'_, UserState>) -> bool {
    block_of(us).is_freed.get()
}

fn block_of(us: Borrowed<'_, UserState>) -> &Block {
    let block: *const Block = us.as_ptr().cast_const().cast();
    // SAFETY: only the library makes user states, at the start of such blocks. The part that C knows is never accessed through
    // this reference, and the rest is changed through cells.
    unsafe { &*block }
}

/// Frees a user state as soon as no call uses it any more. Its contents are forgotten immediately.
///
/// # Safety
/// Only calls in progress use it afterwards.
pub(crate) unsafe fn free(us: Borrowed<'_, UserState>) {
    block_of(us).is_freed.set(true);
    // SAFETY: the user state is not used afterwards, as the caller guarantees.
    unsafe { during(us, || ()) };
}

/// # Safety
/// The user state was freed, and only calls in progress use it.
unsafe fn release(us: Borrowed<'_, UserState>) {
    let block = block_of(us);
    block.calls.set(block.calls.get() + 1);
    // SAFETY: the user state was freed, and is still marked as in use while `app_data_free` runs.
    unsafe { (block.empty)(us) };
    block.calls.set(block.calls.get() - 1);
    if block.calls.get() != 0 {
        return;
    }
    // A callback may have begun a session, so that its context is still there.
    for context in linked_list::iter(us.context_root().follow()) {
        context_priv::leave_count(context);
    }
    let block: *mut Block = us.as_ptr().cast();
    // SAFETY: made by `new`, and no longer in use.
    unsafe {
        (&raw mut (*block).index).drop_in_place();
        libc::free(block.cast());
    }
}
