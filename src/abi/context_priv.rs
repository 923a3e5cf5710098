//! The private part of a context: members that C declares and clients do not use ([`PrivateMembers`]), and behind them, in the same
//! block of memory, state for which C has no members ([`Tail`]).
//!
//! Their place differs: see `context_priv/abi5.rs` and `context_priv/abi2.rs`. A client may build a context itself, which
//! then ends where C says; the library's own have marks.

use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::borrowed::Borrowed;
use super::dh_objects::{keypair_free, session_free};
use super::entry::guard;
use super::private::Private;
use super::types::ConnContext;

#[cfg(feature = "abi2")]
mod abi2;
#[cfg(feature = "abi5")]
mod abi5;
mod marks;

#[cfg(feature = "abi2")]
use abi2 as interface;
#[cfg(feature = "abi5")]
use abi5 as interface;

pub(crate) use interface::{PrivateMembers, free_context, new_context, private_members};

/// Counts the contexts that were made, renewed or forgotten in the process: the time that [`Moment`] is about.
static TIME: AtomicUsize = AtomicUsize::new(0);
/// The time when the last context was forgotten.
static LAST_FORGOTTEN: AtomicUsize = AtomicUsize::new(0);
/// How many contexts were forgotten that no user state counts, because a client made them itself.
static FORGOTTEN_OF_CLIENTS: AtomicUsize = AtomicUsize::new(0);

/// The state behind the members that C knows. Only the library knows where it is.
struct Tail {
    /// When the context was made or renewed.
    made: Cell<usize>,
    /// A box of our own.
    private: Cell<*mut Private>,
    /// The counter of its user state; NULL if it is in none.
    count: Cell<*const AtomicUsize>,
}

impl Tail {
    fn new() -> Self {
        Self {
            made: Cell::new(next_time()),
            private: Cell::new(Box::into_raw(Private::new())),
            count: Cell::new(ptr::null()),
        }
    }

    fn private(&self) -> Option<&Private> {
        // SAFETY: a box of our own, to which there is no reference when it is dropped.
        unsafe { self.private.get().as_ref() }
    }

    /// The counter of the user state.
    fn count(&self) -> Option<&AtomicUsize> {
        // SAFETY: NULL or live, as `set_count` requires.
        unsafe { self.count.get().as_ref() }
    }

    /// Drops the private part.
    ///
    /// # Safety
    /// There is no reference to it.
    unsafe fn drop_private(&self) {
        let private = self.private.replace(ptr::null_mut());
        if !private.is_null() {
            // SAFETY: a box of our own, to which there is no reference, as the caller guarantees.
            drop(unsafe { Box::from_raw(private) });
        }
    }

    /// Forgets the session. This must succeed, so what cannot be emptied is dropped.
    fn force_finished(&self) {
        if let Some(private) = self.private() {
            let _ = guard(|| private.force_finished());
        }
    }
}

/// How many contexts of a user state had been forgotten at some time. As long as that has not changed, every pointer to one of its
/// contexts is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Forgotten {
    there: usize,
    of_clients: usize,
}

impl Forgotten {
    /// The number now; `count` is the counter of the user state.
    pub(crate) fn now(count: &AtomicUsize) -> Self {
        Self {
            there: count.load(Ordering::Acquire),
            of_clients: FORGOTTEN_OF_CLIENTS.load(Ordering::Acquire),
        }
    }
}

/// A point in time, by which contexts that are alive are known again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment(usize);

impl Moment {
    /// The present one.
    pub(crate) fn now() -> Self {
        Self(TIME.load(Ordering::Acquire))
    }

    /// Whether no context was forgotten since: then all that were alive are.
    pub(crate) fn all_are_alive_since(self) -> bool {
        LAST_FORGOTTEN.load(Ordering::Acquire) <= self.0
    }

    /// Whether this context is older. One that a client made itself always is.
    pub(crate) fn is_after_the_making_of(self, context: Borrowed<'_, ConnContext>) -> bool {
        interface::tail(context).is_none_or(|tail| tail.made.get() <= self.0)
    }
}

fn next_time() -> usize {
    TIME.fetch_add(1, Ordering::AcqRel) + 1
}

/// The counter of the user state that a context is in; `None` for a context that a client made itself, or that is in no user
/// state yet.
fn count_of(context: Borrowed<'_, ConnContext>) -> Option<&AtomicUsize> {
    interface::tail(context)?.count()
}

/// Stores the counter of the user state that a context is added to.
///
/// # Safety
/// The counter lives until another one or none is stored.
pub(crate) unsafe fn set_count(context: Borrowed<'_, ConnContext>, count: &AtomicUsize) {
    if let Some(tail) = interface::tail(context) {
        tail.count.set(count);
    }
}

/// Removes the counter, because the context is in no user state any more.
pub(crate) fn leave_count(context: Borrowed<'_, ConnContext>) {
    if let Some(tail) = interface::tail(context) {
        tail.count.set(ptr::null());
    }
}

/// Counts a context that is being forgotten.
pub(crate) fn count_forgotten(context: Borrowed<'_, ConnContext>) {
    count_of(context)
        .unwrap_or(&FORGOTTEN_OF_CLIENTS)
        .fetch_add(1, Ordering::AcqRel);
    LAST_FORGOTTEN.fetch_max(next_time(), Ordering::AcqRel);
}

/// The private part of a context; `None` for a context that a client made itself.
pub(crate) fn private_of(context: Borrowed<'_, ConnContext>) -> Option<&Private> {
    interface::tail(context)?.private()
}

/// Resets a context to a new one, made now: no session, never heard from.
#[cfg(feature = "abi5")]
pub(crate) fn renew(context: Borrowed<'_, ConnContext>) {
    if let Some(members) = private_members(context) {
        members.generation().set(0);
        members.lastsent().set(0);
        members.lastrecv().set(0);
    }
    if let Some(tail) = interface::tail(context) {
        count_forgotten(context);
        if let Some(private) = tail.private() {
            private.renew();
        }
        tail.made.set(next_time());
    }
}

/// Forgets everything about a session, and keeps the times and the count of sessions.
pub(crate) fn force_finished(context: Borrowed<'_, ConnContext>) {
    if let Some(members) = private_members(context) {
        forget_members(members);
        interface::forget_more(members);
    }
    if let Some(tail) = interface::tail(context) {
        tail.force_finished();
    }
}

fn forget_members(members: Borrowed<'_, PrivateMembers>) {
    let ours = marks::stand_in(members);
    members.fragment().free();
    // MAC keys that were to be published.
    members.saved_mac_keys().free();
    // SAFETY: the member is NULL or points to a C string, as the struct defines.
    unsafe { members.lastmessage().wipe_text() };
    for keys in members.sesskeys().each() {
        session_free(keys);
    }
    members.fragment_len().set(0);
    members.fragment_n().set(0);
    members.fragment_k().set(0);
    members.numsavedkeys().set(0);
    members.may_retransmit().set(0);
    members.their_keyid().set(0);
    members.their_y().clear();
    members.their_old_y().clear();
    members.our_keyid().set(0);
    keypair_free(members.our_dh_key());
    keypair_free(members.our_old_dh_key());
    // With 32-bit pointers they were among the keys.
    if ours {
        marks::put(members);
    }
}
