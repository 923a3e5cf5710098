//! The contexts of a correspondent as the core asks for them while it handles a message. No callback runs here.

use crate::abi::context::{describe, master_of, members, message_state};
use crate::abi::context_priv::private_of;
use crate::abi::exchange;
use crate::abi::types::ConnContext;
use otr_protocol::ake::Auth;
use otr_protocol::conversation::MessageState;
use otr_protocol::incoming::Family;
use otr_protocol::instances;

/// The context that a message belongs to, and those beside it.
pub struct Contexts {
    context: *mut ConnContext,
    master: *mut ConnContext,
}

impl Contexts {
    /// Those of the correspondent of this context.
    ///
    /// # Safety
    /// `context` is live, and so are its master and the list; they stay so, and as they are, as long as the answer is in use.
    pub unsafe fn of(context: *mut ConnContext) -> Self {
        Self {
            context,
            // SAFETY: the caller's promise.
            master: unsafe { master_of(context) },
        }
    }
}

impl Family for Contexts {
    fn state(&self) -> MessageState {
        // SAFETY: live, as `of` demands.
        unsafe { message_state(self.context) }
    }

    fn state_of_master(&self) -> MessageState {
        // SAFETY: live, as `of` demands.
        unsafe { message_state(self.master) }
    }

    fn best(&self) -> (MessageState, bool) {
        // SAFETY: a list that stays as it is, as `of` demands.
        unsafe {
            let best = instances::best(members(self.master).map(|member| describe(member)))
                .unwrap_or(self.master);
            (message_state(best), best != self.context)
        }
    }

    fn exchange_of_master(&self) -> Option<Auth> {
        if self.master == self.context {
            return None;
        }
        // SAFETY: live, as `of` demands.
        unsafe {
            let extras = private_of(self.master).map(|private| &(*private).exchange);
            Some(exchange::load(&raw const (*self.master).auth, extras))
        }
    }

    fn has_lost(&self, commit: &[u8; 32]) -> bool {
        // SAFETY: a list that stays as it is, as `of` demands.
        unsafe {
            members(self.master)
                .filter_map(|member| private_of(member))
                .filter_map(|private| (*private).secrets.as_ref())
                .any(|secrets| secrets.masters_commit.has_lost(commit))
        }
    }
}
