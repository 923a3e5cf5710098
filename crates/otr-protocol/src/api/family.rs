//! The contexts of a chat: the master, which stands for the correspondent without an instance, and one for each instance.

use crate::ake::Auth;
use crate::conversation::{Conversation, MessageState};
use crate::incoming::Family;
use crate::instances::{self, Instance};
use crate::smp::state::Smp;

/// One context.
#[derive(Debug, Default)]
pub(super) struct Context {
    /// The instance; 0 is the master.
    pub(super) tag: u32,
    pub(super) conversation: Conversation,
    pub(super) auth: Auth,
    pub(super) smp: Smp,
    pub(super) last_heard: i64,
}

impl Context {
    /// The properties that the choice of an instance depends on.
    pub(super) fn describe(&self) -> Instance {
        let c = &self.conversation;
        Instance {
            state: c.state,
            had_session: c.generation > 0,
            is_trusted: c.peer.is_some_and(|peer| peer.trusted),
            in_exchange: self.auth.is_under_way(),
            last_heard: self.last_heard,
            last_sent: c.last_sent,
        }
    }

    /// Ends the session.
    pub(super) fn reset(&mut self, state: MessageState) {
        let c = &mut self.conversation;
        c.state = state;
        c.peer = None;
        c.version = None;
        c.session_id = Default::default();
        c.secrets.clear();
        self.auth = Auth::default();
        self.smp = Smp::default();
    }
}

/// All contexts while one of them, `current`, has been taken out for a step; its own entry in the list is empty.
pub(super) struct Others<'a> {
    pub(super) contexts: &'a [Context],
    pub(super) at: usize,
    pub(super) current: Instance,
}

impl Family for Others<'_> {
    fn state(&self) -> MessageState {
        self.current.state
    }

    fn state_of_master(&self) -> MessageState {
        match self.contexts.first() {
            Some(master) if self.at != 0 => master.conversation.state,
            _ => self.current.state,
        }
    }

    fn best(&self) -> (MessageState, bool) {
        let all = self.contexts.iter().enumerate().map(|(index, context)| {
            let its = if index == self.at {
                self.current
            } else {
                context.describe()
            };
            ((index, its.state), its)
        });
        let (index, state) = instances::best(all).unwrap_or((self.at, self.current.state));
        (state, index != self.at)
    }

    fn exchange_of_master(&self) -> Option<Auth> {
        let master = self.contexts.first().filter(|_| self.at != 0)?;
        Some(master.auth.clone())
    }

    fn has_lost(&self, commit: &[u8; 32]) -> bool {
        let mut all = self.contexts.iter();
        all.any(|it| it.conversation.secrets.masters_commit.has_lost(commit))
    }
}
