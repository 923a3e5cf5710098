//! Telling whether a context outlived a callback.

use std::ptr;
use std::sync::atomic::Ordering;

use crate::abi::context_priv::{CONTEXTS_FORGOTTEN, serial_of};
use crate::abi::types::{ConnContext, UserState};

/// Whether the user state still has this context. Its address may be that of a later one: [`Handle`] knows better.
///
/// # Safety
/// `us` is NULL or a live user state. `context` is compared and not read.
pub unsafe fn is_live(us: *const UserState, context: *const ConnContext) -> bool {
    if us.is_null() || context.is_null() {
        return false;
    }
    // SAFETY: not NULL, and a list of live contexts.
    let mut node = unsafe { (*us).context_root };
    while !node.is_null() {
        if ptr::eq(node, context) {
            return true;
        }
        // SAFETY: a live context of the list.
        node = unsafe { (*node).next };
    }
    false
}

/// A context as it was before a callback.
#[derive(Clone, Copy, Debug)]
pub struct Handle {
    context: *mut ConnContext,
    serial: usize,
    forgotten: usize,
}

impl Handle {
    /// Taken before a callback.
    ///
    /// # Safety
    /// `context` is NULL or a live context.
    pub unsafe fn of(context: *mut ConnContext) -> Self {
        Self {
            context,
            // SAFETY: the caller's promise.
            serial: unsafe { serial_of(context) },
            forgotten: CONTEXTS_FORGOTTEN.load(Ordering::Acquire),
        }
    }

    /// Asked after it: the same context, if it is still alive.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, the one that the context belonged to.
    pub unsafe fn get(self, us: *const UserState) -> Option<*mut ConnContext> {
        if self.context.is_null() {
            return None;
        }
        let nobody_left = CONTEXTS_FORGOTTEN.load(Ordering::Acquire) == self.forgotten;
        // SAFETY: the caller's promise, and a context that is in the list may be read.
        (nobody_left
            || unsafe { is_live(us, self.context) && serial_of(self.context) == self.serial })
        .then_some(self.context)
    }
}
