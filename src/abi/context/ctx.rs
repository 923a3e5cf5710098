//! A context, borrowed as long as no client code runs.

use std::cell::RefMut;

use super::fingerprint::{add_fingerprint, set_trust};
use super::{Handle, describe, interface, state};
use crate::abi::borrowed::Borrowed;
use crate::abi::context_priv::{private_members, private_of};
use crate::abi::linked_list;
use crate::abi::numbers::{c_time, time_from};
use crate::abi::private::Private;
use crate::abi::types::{ConnContext, NextExpectedSmp, OtrlAuthInfo, SMP_EXPECT1, SMP_PROG_OK};
use otr_protocol::ake::Tags;
use otr_protocol::conversation::{MessageState, Secrets};
use otr_protocol::correspondent::Correspondent;
use otr_protocol::instances::Instance;

/// A live context of a user state, with access to the core's state of it.
///
/// Contexts are freed only in functions that may run the client's code, and a [`Ctx`] cannot outlive the start of one: see
/// [`Call`](crate::abi::message). A [`Ctx`] never borrows the text of a trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ctx<'a>(Borrowed<'a, ConnContext>);

impl<'a> From<Borrowed<'a, ConnContext>> for Ctx<'a> {
    fn from(context: Borrowed<'a, ConnContext>) -> Self {
        Self(context)
    }
}

impl<'a> Ctx<'a> {
    /// The context with its members.
    pub(crate) fn borrowed(self) -> Borrowed<'a, ConnContext> {
        self.0
    }

    /// The pointer, for a C function.
    pub fn as_ptr(self) -> *mut ConnContext {
        self.0.as_ptr()
    }

    /// A handle that finds it again after the client's code has run.
    pub fn handle(self) -> Handle {
        Handle::of(self.0)
    }

    /// The message state. An invalid one counts as plaintext.
    pub fn state(self) -> MessageState {
        describe::message_state(self.0)
    }

    /// The context, and the properties that the choice of an instance depends on.
    pub fn describe(self) -> (Self, Instance) {
        (self, describe::describe(self.0).1)
    }

    /// The correspondent's master context; itself if it has none (in a context that a client made).
    pub fn master(self) -> Self {
        interface::master_of(self.0).map_or(self, Self)
    }

    /// All contexts of the correspondent, the master first.
    pub fn members(self) -> impl Iterator<Item = Self> {
        interface::members(self.master().0).map(Self)
    }

    /// This context and those after it in the list.
    pub fn and_next(self) -> impl Iterator<Item = Self> {
        linked_list::iter(Some(self.0)).map(Self)
    }

    /// The instance tags; zeros where there are none.
    pub fn tags(self) -> Tags {
        interface::tags_of(self.0)
    }

    /// The correspondent's name.
    pub fn user(self) -> &'a [u8] {
        self.0.username().bytes().unwrap_or_default()
    }

    /// The name of our account.
    pub fn account(self) -> &'a [u8] {
        self.0.accountname().bytes().unwrap_or_default()
    }

    /// The network.
    pub fn protocol(self) -> &'a [u8] {
        self.0.protocol().bytes().unwrap_or_default()
    }

    /// The version that the struct shows.
    pub fn protocol_version(self) -> u32 {
        self.0.protocol_version().get()
    }

    /// Whether a text that was sent may be sent again in a new session.
    pub fn may_retransmit(self) -> bool {
        private_members(self.0).is_some_and(|members| members.may_retransmit().get() != 0)
    }

    /// The struct of the key exchange.
    pub fn auth(self) -> Borrowed<'a, OtrlAuthInfo> {
        self.0.auth()
    }

    /// The private part behind the members that C knows. `None` for a context that a client made itself.
    pub fn private(self) -> Option<&'a Private> {
        private_of(self.0)
    }

    /// The private part of the master if it has one, else its own.
    fn masters_private(self) -> Option<&'a Private> {
        self.master().private().or(self.private())
    }

    /// Looks at the secrets of the conversation, if there are any. They are taken out during the call.
    pub fn look_at_secrets<T>(self, look: impl FnOnce(&mut Secrets) -> T) -> Option<T> {
        let private = self.private()?;
        let mut secrets = private.secrets.take()?;
        let outcome = look(&mut secrets);
        private.put_secrets(secrets);
        Some(outcome)
    }

    /// What all instances of the correspondent share, during a step. `None` for contexts that a client made itself.
    pub fn shared(self) -> Option<RefMut<'a, Correspondent>> {
        self.masters_private()?.shared.try_borrow_mut().ok()
    }

    /// When the correspondent's exchanges were last checked for expired values, which is set to `now`, and how many sessions are
    /// recorded as opened with the correspondent.
    pub fn look_at_exchanges(self, now: i64) -> (i64, usize) {
        let private = self.master().private();
        private.map_or((0, 0), |private| {
            let opened = private.shared.borrow().opened.len();
            (private.looked_at.replace(now), opened)
        })
    }

    /// Whether this is a master context.
    pub fn is_master(self) -> bool {
        interface::is_master(self.0)
    }

    /// When something was last sent.
    pub fn last_sent(self) -> i64 {
        private_members(self.0).map_or(0, |members| time_from(members.lastsent().get()))
    }

    /// The fingerprint of the key that the session is with, and whether it is trusted.
    pub fn active_fingerprint(self) -> Option<([u8; 20], bool)> {
        let active = self.0.active_fingerprint().follow()?;
        Some((*active.hash()?, active.is_trusted()))
    }

    /// Whether the session is with the key that has this fingerprint.
    pub fn is_active(self, fingerprint: &[u8; 20]) -> bool {
        let active = self.0.active_fingerprint().follow();
        active.and_then(Borrowed::hash) == Some(fingerprint)
    }

    /// Makes this fingerprint, which is added if it is new, the active one.
    pub fn activate_fingerprint(self, fingerprint: &[u8; 20]) {
        let node = add_fingerprint(self.0, fingerprint).map(|(node, _)| node);
        self.0.active_fingerprint().point_at(node);
    }

    /// Finds or adds a fingerprint of the correspondent; true if it was added.
    pub fn add_fingerprint(self, fingerprint: &[u8; 20]) -> bool {
        add_fingerprint(self.0, fingerprint).is_some_and(|(_, is_new)| is_new)
    }

    /// Marks the active fingerprint as trusted through the SMP, or as not trusted.
    pub fn trust_active_fingerprint(self, is_trusted: bool) {
        let trust: &[u8] = if is_trusted { b"smp" } else { b"" };
        if let Some(active) = self.0.active_fingerprint().follow() {
            // SAFETY: no `Ctx` borrows the text of a trust.
            unsafe { set_trust(active, Some(trust)) };
        }
    }

    /// Writes to the public SMP state which message is expected next.
    pub fn expect_in_smp(self, expected: NextExpectedSmp) {
        if let Some(state) = self.0.smstate().follow() {
            state.next_expected().set(expected);
        }
    }

    /// Notes that there is no SMP under way.
    pub fn reset_smp(self) {
        self.expect_in_smp(SMP_EXPECT1);
        if let Some(state) = self.0.smstate().follow() {
            state.sm_prog_state().set(SMP_PROG_OK);
        }
    }

    /// Forgets the session: finished state.
    pub fn force_finished(self) {
        state::force_finished(self.0);
    }

    /// Forgets the session: plaintext state.
    pub fn force_plaintext(self) {
        state::force_plaintext(self.0);
    }

    /// Notes that this instance was written to.
    pub fn note_written_to(self) {
        interface::update_recent_child(self.0, true);
    }
}

#[cfg(feature = "abi5")]
impl Ctx<'_> {
    /// Our instance tag; 0 while there is none.
    pub fn our_instance(self) -> u32 {
        self.tags().ours
    }

    /// Gives it our instance tag.
    pub fn set_our_instance(self, tag: u32) {
        self.0.our_instance().set(tag);
    }

    /// Notes that a message came from this instance.
    pub fn note_heard(self, now: i64) {
        if let Some(members) = private_members(self.0) {
            members.lastrecv().set(c_time(now));
        }
        interface::update_recent_child(self.0, false);
    }
}

#[cfg(feature = "abi2")]
impl Ctx<'_> {
    /// Counts what was sent since then as messages of an exchange, not as texts.
    pub fn note_exchange_sent(self, sent_before: i64) {
        if let Some(private) = self.private() {
            let last = private.exchange_sent.get().max(self.last_sent());
            private.exchange_sent.set(last);
        }
        self.0.lastsent().set(c_time(sent_before));
    }

    /// When a message of an exchange was last sent.
    pub fn exchange_sent(self) -> i64 {
        self.private()
            .map_or(0, |private| private.exchange_sent.get())
    }
}
