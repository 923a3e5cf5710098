//! Finding out whether a context still exists after a callback.

use std::ptr;

use crate::abi::borrowed::Borrowed;
use crate::abi::context_priv::Moment;
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
    moment: Moment,
}

impl Handle {
    /// Makes a handle, before a callback.
    pub fn of(context: Borrowed<'_, ConnContext>) -> Self {
        Self {
            context: context.as_ptr(),
            moment: Moment::now(),
        }
    }

    /// The same context after the callback, if it still exists. `us` is the user state that it belonged to, if there is one.
    pub fn get<'a>(self, us: Option<Borrowed<'a, UserState>>) -> Option<Borrowed<'a, ConnContext>> {
        if self.moment.all_are_alive_since() {
            // SAFETY: it was live then, and none was forgotten since.
            return unsafe { Borrowed::new(self.context) };
        }
        // Another one at the same address was made later.
        at_address(us?, self.context).filter(|context| self.moment.is_after_the_making_of(*context))
    }
}
