//! The contexts of a correspondent as the core asks for them while it handles a message.

use crate::abi::context::Ctx;
use crate::abi::exchange;
use otr_protocol::ake::Auth;
use otr_protocol::conversation::MessageState;
use otr_protocol::incoming::Family;
use otr_protocol::instances;

/// The context that a message belongs to, and the correspondent's other ones.
pub(crate) struct Contexts<'a> {
    context: Ctx<'a>,
    master: Ctx<'a>,
}

impl<'a> Contexts<'a> {
    /// Those of the correspondent of this context.
    pub(crate) fn of(context: Ctx<'a>) -> Self {
        Self {
            context,
            master: context.master(),
        }
    }
}

impl Family for Contexts<'_> {
    fn state(&self) -> MessageState {
        self.context.state()
    }

    fn state_of_master(&self) -> MessageState {
        self.master.state()
    }

    fn best(&self) -> (MessageState, bool) {
        let best = instances::best(self.master.members().map(Ctx::describe));
        let best = best.unwrap_or(self.master);
        (best.state(), best != self.context)
    }

    fn exchange_of_master(&self) -> Option<Auth> {
        (self.master != self.context).then(|| exchange::load_of(self.master))
    }

    fn has_lost(&self, commit: &[u8; 32]) -> bool {
        self.master.members().any(|member| {
            let lost = member.look_at_secrets(|secrets| secrets.masters_commit.has_lost(commit));
            lost.unwrap_or(false)
        })
    }
}
