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

/// A user state, and behind it what C has no members for. Only the library makes them.
#[repr(C)]
struct Block {
    /// The client has pointers to it, and writes through them.
    public: UnsafeCell<UserState>,
    /// How many of its contexts were forgotten.
    forgotten: AtomicUsize,
    /// How many calls are going on that may call the client back.
    calls: Cell<usize>,
    /// Where to begin looking for a context.
    index: ContextIndex,
    /// Whether the client has freed it meanwhile.
    is_freed: Cell<bool>,
    /// Forgets what is in it. May call the client back.
    empty: unsafe fn(Borrowed<'_, UserState>),
}

/// A new, empty user state, and the function that forgets what will be in it. `None` without memory.
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
/// The user state may be gone afterwards: nobody uses it any more then.
pub(crate) unsafe fn during<T>(us: Borrowed<'_, UserState>, call: impl FnOnce() -> T) -> T {
    let block = block_of(us);
    // A callback that never returns leaves the count too high: then the empty struct is never given back.
    block.calls.set(block.calls.get() + 1);
    let outcome = call();
    block.calls.set(block.calls.get() - 1);
    if block.is_freed.get() {
        // SAFETY: the client has freed it.
        unsafe { release(us) };
    }
    outcome
}

/// Where a user state counts its contexts that were forgotten.
pub(crate) fn forgotten(us: Borrowed<'_, UserState>) -> &AtomicUsize {
    &block_of(us).forgotten
}

/// Where to begin looking for a context of a user state.
pub(crate) fn index(us: Borrowed<'_, UserState>) -> &ContextIndex {
    &block_of(us).index
}

/// Whether the client has freed a user state while a call that uses it goes on.
pub(crate) fn is_freed(us: Borrowed<'_, UserState>) -> bool {
    block_of(us).is_freed.get()
}

fn block_of(us: Borrowed<'_, UserState>) -> &Block {
    let block: *const Block = us.as_ptr().cast_const().cast();
    // SAFETY: only the library makes user states, as the beginnings of such blocks. What C knows is never looked at by this
    // reference, and what it does not know changes in cells.
    unsafe { &*block }
}

/// Frees a user state, once no call has it any more. What is in it is forgotten at once.
///
/// # Safety
/// Nobody uses it any more but the calls that have it.
pub(crate) unsafe fn free(us: Borrowed<'_, UserState>) {
    block_of(us).is_freed.set(true);
    // SAFETY: nobody uses the user state afterwards, by this function's own `# Safety`.
    unsafe { during(us, || ()) };
}

/// # Safety
/// A user state that was freed, and that nobody uses but the calls that have it.
unsafe fn release(us: Borrowed<'_, UserState>) {
    let block = block_of(us);
    block.calls.set(block.calls.get() + 1);
    // SAFETY: the user state was freed, and `app_data_free` runs while it is in use still.
    unsafe { (block.empty)(us) };
    block.calls.set(block.calls.get() - 1);
    if block.calls.get() != 0 {
        return;
    }
    // A callback may have begun a session, whose context stays.
    for context in linked_list::iter(us.context_root().follow()) {
        context_priv::leave_count(context);
    }
    let block: *mut Block = us.as_ptr().cast();
    // SAFETY: made by `new`, and nobody has it any more.
    unsafe {
        (&raw mut (*block).index).drop_in_place();
        libc::free(block.cast());
    }
}
