//! A context, lent for as long as nothing of the client's runs.

use std::ffi::c_int;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use super::fingerprint::{find_fingerprint, is_trusted, set_trust};
use super::{Handle, describe, interface, state};
use crate::abi::context_priv::{hidden, private_of};
use crate::abi::memory::bytes_of;
use crate::abi::numbers::{c_time, time_from};
use crate::abi::private::Private;
use crate::abi::types::{ConnContext, NextExpectedSmp, OtrlAuthInfo, SMP_EXPECT1, SMP_PROG_OK};
use otr_protocol::ake::Tags;
use otr_protocol::conversation::{MessageState, Secrets};
use otr_protocol::correspondent::Correspondent;
use otr_protocol::instances::Instance;

/// A live context of a user state, and the way to its members.
///
/// Members are read and written one by one: no reference to the struct exists, since the client has pointers to it as well.
/// Contexts go in functions that may run the client's code alone, and a [`Ctx`] cannot outlive the start of one: see
/// [`Call`](crate::abi::message).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ctx<'a> {
    context: NonNull<ConnContext>,
    lent: PhantomData<&'a ConnContext>,
}

impl<'a> Ctx<'a> {
    /// `None` for NULL.
    ///
    /// # Safety
    /// `context` is NULL or a live context, as are its master and all contexts of its list, and its pointers are NULL or live
    /// objects. Nobody forgets any of them for `'a`, and no other thread uses them.
    pub unsafe fn lend(context: *mut ConnContext) -> Option<Self> {
        NonNull::new(context).map(|context| Self {
            context,
            lent: PhantomData,
        })
    }

    /// For a function of C.
    pub fn as_ptr(self) -> *mut ConnContext {
        self.context.as_ptr()
    }

    /// What finds it again after the client's code has run.
    pub fn handle(self) -> Handle {
        // SAFETY: live, as `lend` demands.
        unsafe { Handle::of(self.as_ptr()) }
    }

    /// The message state. What is none of the three counts as plaintext.
    pub fn state(self) -> MessageState {
        // SAFETY: live, as `lend` demands.
        unsafe { describe::message_state(self.as_ptr()) }
    }

    /// Whether there is a session.
    pub fn is_encrypted(self) -> bool {
        self.state() == MessageState::Encrypted
    }

    /// What the choice of an instance depends on.
    pub fn describe(self) -> (Self, Instance) {
        // SAFETY: live, as `lend` demands.
        (self, unsafe { describe::describe(self.as_ptr()) }.1)
    }

    /// The correspondent's master context; itself, if a client's own context has none.
    pub fn master(self) -> Self {
        // SAFETY: a live context's master is NULL or live for as long, as `lend` demands.
        unsafe { Self::lend(interface::master_of(self.as_ptr())) }.unwrap_or(self)
    }

    /// All contexts of the correspondent, the master first.
    pub fn members(self) -> impl Iterator<Item = Self> {
        // SAFETY: contexts of the list, which stays as it is for as long, as `lend` demands.
        unsafe {
            interface::members(self.master().as_ptr()).filter_map(|member| Self::lend(member))
        }
    }

    /// This context and those behind it in the list.
    pub fn and_next(self) -> impl Iterator<Item = Self> {
        // SAFETY: likewise.
        std::iter::successors(Some(self), |context| unsafe {
            Self::lend((*context.as_ptr()).next)
        })
    }

    /// The instance tags; zeros where there are none.
    pub fn tags(self) -> Tags {
        // SAFETY: live, as `lend` demands.
        unsafe { interface::tags_of(self.as_ptr()) }
    }

    /// The correspondent's name.
    pub fn user(self) -> &'a [u8] {
        // SAFETY: a C string or NULL, which stays for as long, as `lend` demands.
        unsafe { bytes_of((*self.as_ptr()).username) }.unwrap_or_default()
    }

    /// The name of our account.
    pub fn account(self) -> &'a [u8] {
        // SAFETY: likewise.
        unsafe { bytes_of((*self.as_ptr()).accountname) }.unwrap_or_default()
    }

    /// The network.
    pub fn protocol(self) -> &'a [u8] {
        // SAFETY: likewise.
        unsafe { bytes_of((*self.as_ptr()).protocol) }.unwrap_or_default()
    }

    /// The version that the struct shows.
    pub fn protocol_version(self) -> u32 {
        // SAFETY: live, as `lend` demands.
        unsafe { (*self.as_ptr()).protocol_version }
    }

    /// Whether a text that was sent may be sent again in a new session.
    pub fn may_retransmit(self) -> bool {
        // SAFETY: hidden members are NULL or live with the context.
        unsafe { hidden(self.as_ptr()).as_ref() }.is_some_and(|members| members.may_retransmit != 0)
    }

    /// The number of the correspondent's key; 0 without a session.
    pub fn their_keyid(self) -> u32 {
        // SAFETY: likewise.
        unsafe { hidden(self.as_ptr()).as_ref() }.map_or(0, |members| members.their_keyid)
    }

    /// The struct of the key exchange.
    pub fn auth(self) -> *mut OtrlAuthInfo {
        // SAFETY: live, as `lend` demands; a place within it.
        unsafe { &raw mut (*self.as_ptr()).auth }
    }

    /// What stands behind the members that C knows. `None` in a context that a client put together itself.
    pub fn private(self) -> Option<*mut Private> {
        // SAFETY: live, as `lend` demands.
        unsafe { private_of(self.as_ptr()) }
    }

    /// Takes the secrets of the conversation out; empty ones if there are none. `None` in a client's own context.
    pub fn take_secrets(self) -> Option<Box<Secrets>> {
        let private = self.private()?;
        // SAFETY: it lives as long as the context, and nothing in it is borrowed.
        Some(unsafe { (*private).secrets.take() }.unwrap_or_default())
    }

    /// Puts them back.
    pub fn put_secrets(self, secrets: Box<Secrets>) {
        if let Some(private) = self.private() {
            // SAFETY: likewise.
            unsafe { (*private).secrets = Some(secrets) };
        }
    }

    /// Looks at the secrets of the conversation, if there are any. They are taken out meanwhile.
    pub fn look_at_secrets<T>(self, look: impl FnOnce(&mut Secrets) -> T) -> Option<T> {
        let private = self.private()?;
        // SAFETY: likewise.
        let mut secrets = unsafe { (*private).secrets.take() }?;
        let outcome = look(&mut secrets);
        self.put_secrets(secrets);
        Some(outcome)
    }

    /// Takes out what all instances of the correspondent share. `None` in a client's own context.
    pub fn take_shared(self) -> Option<Correspondent> {
        let private = self.private()?;
        let masters = self.master().private().unwrap_or(private);
        // SAFETY: likewise.
        Some(unsafe { std::mem::take(&mut (*masters).shared) })
    }

    /// Puts it back.
    pub fn put_shared(self, shared: Correspondent) {
        if let Some(private) = self.master().private().or(self.private()) {
            // SAFETY: likewise.
            unsafe { (*private).shared = shared };
        }
    }

    /// When the correspondent's exchanges were last looked at for what has waited too long; from here on it is `now`.
    pub fn look_at_exchanges(self, now: i64) -> i64 {
        let private = self.master().private();
        // SAFETY: likewise.
        private.map_or(0, |private| unsafe {
            std::mem::replace(&mut (*private).looked_at, now)
        })
    }

    /// How many sessions are recorded as opened with the correspondent.
    pub(crate) fn opened_sessions(self) -> usize {
        let private = self.master().private();
        // SAFETY: likewise.
        private.map_or(0, |private| unsafe { (*private).shared.opened.len() })
    }

    /// Whether this is a master context.
    pub fn is_master(self) -> bool {
        // SAFETY: live, as `lend` demands.
        unsafe { interface::is_master(self.as_ptr()) }
    }

    /// When something was last sent.
    pub fn last_sent(self) -> i64 {
        // SAFETY: hidden members are NULL or live with the context.
        unsafe { hidden(self.as_ptr()).as_ref() }.map_or(0, |members| time_from(members.lastsent))
    }

    /// The fingerprint of the key that the session is with, and whether it is trusted.
    pub fn active_fingerprint(self) -> Option<([u8; 20], bool)> {
        // SAFETY: the active fingerprint is NULL or live, as `lend` demands; its bytes are NULL or 20.
        unsafe {
            let active = (*self.as_ptr()).active_fingerprint;
            if active.is_null() || (*active).fingerprint.is_null() {
                return None;
            }
            let fingerprint = (*active).fingerprint.cast::<[u8; 20]>().read();
            Some((fingerprint, is_trusted(active)))
        }
    }

    /// Makes this fingerprint, which is added if it is new, the active one.
    pub fn activate_fingerprint(self, fingerprint: &[u8; 20]) {
        // SAFETY: live, as `lend` demands; 20 bytes.
        unsafe {
            let node = find_fingerprint(self.as_ptr(), fingerprint.as_ptr(), true, ptr::null_mut());
            (*self.as_ptr()).active_fingerprint = node;
        }
    }

    /// Finds or adds a fingerprint of the correspondent's; true if it was added.
    pub fn add_fingerprint(self, fingerprint: &[u8; 20]) -> bool {
        let mut added: c_int = 0;
        // SAFETY: live, as `lend` demands; 20 bytes, and a place of ours.
        unsafe { find_fingerprint(self.as_ptr(), fingerprint.as_ptr(), true, &raw mut added) };
        added != 0
    }

    /// Notes that the active fingerprint is trusted by the SMP, or not at all.
    pub fn trust_active_fingerprint(self, is_trusted: bool) {
        let trust = if is_trusted { c"smp" } else { c"" };
        // SAFETY: the active fingerprint is NULL or live, as `lend` demands.
        unsafe { set_trust((*self.as_ptr()).active_fingerprint, trust.as_ptr()) };
    }

    /// Notes which message of the SMP is expected next, where C has its state.
    pub fn expect_in_smp(self, expected: NextExpectedSmp) {
        // SAFETY: the state is NULL or live, as `lend` demands, and nobody else has a reference to it.
        if let Some(state) = unsafe { (*self.as_ptr()).smstate.as_mut() } {
            state.next_expected = expected;
        }
    }

    /// Notes that there is no SMP under way.
    pub fn reset_smp(self) {
        self.expect_in_smp(SMP_EXPECT1);
        // SAFETY: likewise.
        if let Some(state) = unsafe { (*self.as_ptr()).smstate.as_mut() } {
            state.sm_prog_state = SMP_PROG_OK;
        }
    }

    /// Forgets the session: finished state.
    pub fn force_finished(self) {
        // SAFETY: live, as `lend` demands.
        unsafe { state::force_finished(self.as_ptr()) };
    }

    /// Forgets the session: plaintext state.
    pub fn force_plaintext(self) {
        // SAFETY: live, as `lend` demands.
        unsafe { state::force_plaintext(self.as_ptr()) };
    }

    /// Notes that this instance was written to.
    pub fn note_written_to(self) {
        // SAFETY: live, as `lend` demands.
        unsafe { interface::update_recent_child(self.as_ptr(), true) };
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
        // SAFETY: live, as `lend` demands.
        unsafe { (*self.as_ptr()).our_instance = tag };
    }

    /// Notes that a message came from this instance.
    pub fn note_heard(self, now: i64) {
        // SAFETY: hidden members are NULL or live with the context.
        if let Some(members) = unsafe { hidden(self.as_ptr()).as_mut() } {
            members.lastrecv = c_time(now);
        }
        // SAFETY: live, as `lend` demands.
        unsafe { interface::update_recent_child(self.as_ptr(), false) };
    }
}

#[cfg(feature = "abi2")]
impl Ctx<'_> {
    /// Counts what was sent since then as messages of an exchange, and not among the texts.
    pub fn note_exchange_sent(self, sent_before: i64) {
        let last_sent = self.last_sent();
        if let Some(private) = self.private() {
            // SAFETY: it lives as long as the context, and nothing in it is borrowed.
            unsafe { (*private).exchange_sent = (*private).exchange_sent.max(last_sent) };
        }
        // SAFETY: live, as `lend` demands.
        unsafe { (*self.as_ptr()).lastsent = c_time(sent_before) };
    }

    /// When a message of an exchange was last sent.
    pub fn exchange_sent(self) -> i64 {
        // SAFETY: as above.
        self.private()
            .map_or(0, |private| unsafe { (*private).exchange_sent })
    }
}
