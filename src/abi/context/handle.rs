//! Finding out whether a context still exists after a callback.

use std::ptr;

use crate::abi::borrowed::Borrowed;
use crate::abi::context_priv::{forgotten_anywhere, serial_of};
use crate::abi::linked_list;
use crate::abi::types::{ConnContext, UserState};

/// The context of a user state at this address, if there is one. It may be another one than was there before: [`Handle`] tells
/// them apart.
pub(crate) fn at_address(
    us: Borrowed<'_, UserState>,
    address: *const ConnContext,
) -> Option<Borrowed<'_, ConnContext>> {
    linked_list::iter(us.context_root().follow()).find(|context| ptr::eq(context.as_ptr(), address))
}

/// A context as it was before a callback.
#[derive(Clone, Copy, Debug)]
pub struct Handle {
    context: *mut ConnContext,
    serial: usize,
    /// How many contexts had been forgotten in the process.
    forgotten: usize,
}

impl Handle {
    /// Makes a handle, before a callback.
    pub fn of(context: Borrowed<'_, ConnContext>) -> Self {
        Self {
            context: context.as_ptr(),
            serial: serial_of(context),
            forgotten: forgotten_anywhere(),
        }
    }

    /// The same context after the callback, if it still exists. `us` is the user state that it belonged to, if there is one.
    pub fn get<'a>(self, us: Option<Borrowed<'a, UserState>>) -> Option<Borrowed<'a, ConnContext>> {
        if self.forgotten == forgotten_anywhere() {
            // SAFETY: no context was forgotten since this one was known to be live.
            return unsafe { Borrowed::new(self.context) };
        }
        at_address(us?, self.context).filter(|context| serial_of(*context) == self.serial)
    }
}
