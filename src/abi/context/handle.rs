//! Telling whether a context outlived a callback.

use std::ptr;

use crate::abi::context_priv::{Forgotten, count_of, serial_of};
use crate::abi::in_use;
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
    /// In its user state.
    there: Forgotten,
    /// In the process, for who has no user state to ask.
    anywhere: Forgotten,
}

impl Handle {
    /// Taken before a callback.
    ///
    /// # Safety
    /// `context` is NULL or a live context.
    pub unsafe fn of(context: *mut ConnContext) -> Self {
        // SAFETY: the caller's promise; a live context's count is live, or NULL.
        unsafe {
            Self {
                context,
                serial: serial_of(context),
                there: Forgotten::now(count_of(context)),
                anywhere: Forgotten::now(ptr::null()),
            }
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
        // SAFETY: the caller's promise.
        let now = unsafe { Forgotten::now(in_use::forgotten(us)) };
        let then = if us.is_null() {
            self.anywhere
        } else {
            self.there
        };
        // SAFETY: likewise, and a context that is in the list may be read.
        (now == then
            || unsafe { is_live(us, self.context) && serial_of(self.context) == self.serial })
        .then_some(self.context)
    }
}
