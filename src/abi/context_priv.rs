//! The part of a context that is nobody's business but the library's: members that C declares and clients leave alone
//! ([`Hidden`]), and behind them, in the same block of memory, what C has no members for ([`Tail`]).
//!
//! Where they stand differs: see `context_priv/abi5.rs` and `context_priv/abi2.rs`. A client may put together a context itself, which
//! then ends where C says; the library's own bear marks.

use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::dh_objects::{keypair_free, session_free};
use super::entry::guard;
use super::gcry::mpi;
use super::memory::{free_and_clear, wipe_string_and_clear};
use super::private::Private;
use super::types::{ConnContext, DhSesskeys};

#[cfg(feature = "abi2")]
mod abi2;
#[cfg(feature = "abi5")]
mod abi5;
mod marks;

#[cfg(feature = "abi2")]
use abi2 as interface;
#[cfg(feature = "abi5")]
use abi5 as interface;

pub(crate) use interface::{Hidden, free_context, hidden, new_context};

/// Counts all contexts that were forgotten. Each user state has a count of its own.
static FORGOTTEN: AtomicUsize = AtomicUsize::new(0);
/// Those among them that were in no user state's count: contexts that a client put together itself.
static FORGOTTEN_OF_CLIENTS: AtomicUsize = AtomicUsize::new(0);

static SERIALS: AtomicUsize = AtomicUsize::new(1);

/// What stands behind the members that C knows.
#[repr(C)]
struct Tail {
    serial: usize,
    private: *mut Private,
    /// The count of its user state; NULL in none.
    count: *const AtomicUsize,
}

impl Tail {
    fn new() -> Self {
        Self {
            serial: SERIALS.fetch_add(1, Ordering::Relaxed),
            private: Box::into_raw(Private::new()),
            count: ptr::null(),
        }
    }
}

/// How many contexts were forgotten, at some time. While that is the same, every pointer to a context is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Forgotten {
    /// In this user state; NULL stands for all of them.
    count: *const AtomicUsize,
    there: usize,
    of_clients: usize,
}

impl Forgotten {
    /// Now, by the count of a user state, or by that of the process for NULL.
    ///
    /// # Safety
    /// The count is NULL or live.
    pub(crate) unsafe fn now(count: *const AtomicUsize) -> Self {
        // SAFETY: the caller's promise.
        let there = unsafe { count.as_ref() }.unwrap_or(&FORGOTTEN);
        Self {
            count,
            there: there.load(Ordering::Acquire),
            of_clients: FORGOTTEN_OF_CLIENTS.load(Ordering::Acquire),
        }
    }
}

/// The count of the user state that a context is in; NULL in a client's own, and before it is in one.
///
/// # Safety
/// `context` is NULL or a live context.
pub(crate) unsafe fn count_of(context: *mut ConnContext) -> *const AtomicUsize {
    // SAFETY: the caller's promise; a tail that was made here.
    unsafe { interface::tail(context).map_or(ptr::null(), |tail| (*tail).count) }
}

/// Notes the count of the user state that a context comes into.
///
/// # Safety
/// `context` is a live context. The count is NULL, or stays until another is noted.
pub(crate) unsafe fn set_count(context: *mut ConnContext, count: *const AtomicUsize) {
    // SAFETY: the caller's promise; a tail that was made here.
    unsafe {
        if let Some(tail) = interface::tail(context) {
            (*tail).count = count;
        }
    }
}

/// Counts a context that is being forgotten.
///
/// # Safety
/// `context` is a live context.
pub(crate) unsafe fn count_forgotten(context: *mut ConnContext) {
    // SAFETY: the caller's promise; the count is NULL or live.
    let count = unsafe { count_of(context).as_ref() };
    count
        .unwrap_or(&FORGOTTEN_OF_CLIENTS)
        .fetch_add(1, Ordering::AcqRel);
    FORGOTTEN.fetch_add(1, Ordering::AcqRel);
}

/// The state behind a context; `None` for a context that a client put together itself.
///
/// # Safety
/// `context` is NULL or a live context. The answer dies with it.
pub(crate) unsafe fn private_of(context: *mut ConnContext) -> Option<*mut Private> {
    // SAFETY: the caller's promise; a tail that was made here.
    unsafe { interface::tail(context).map(|tail| (*tail).private) }
}

/// A number that no other context of this process has; 0 for a context that a client put together itself.
///
/// # Safety
/// `context` is NULL or a live context.
pub(crate) unsafe fn serial_of(context: *const ConnContext) -> usize {
    // SAFETY: the caller's promise; a tail that was made here.
    unsafe { interface::tail(context.cast_mut()).map_or(0, |tail| (*tail).serial) }
}

/// Makes a fresh context of one: it has had no session, was never heard, and goes by another number.
///
/// # Safety
/// `context` is a live context of the library.
#[cfg(feature = "abi5")]
pub(crate) unsafe fn renew(context: *mut ConnContext) {
    // SAFETY: the caller's promise; a tail that was made here.
    unsafe {
        let members = hidden(context);
        (*members).generation = 0;
        (*members).lastsent = 0;
        (*members).lastrecv = 0;
        if let Some(tail) = interface::tail(context) {
            count_forgotten(context);
            let count = (*tail).count;
            drop_private(tail);
            tail.write(Tail::new());
            (*tail).count = count;
        }
    }
}

/// Forgets everything about a session, and keeps the times and the count of sessions.
///
/// # Safety
/// `context` is NULL or a live context; a client's own may lack its hidden members.
pub(crate) unsafe fn force_finished(context: *mut ConnContext) {
    // SAFETY: the caller's promise.
    unsafe {
        let members = hidden(context);
        if !members.is_null() {
            forget_members(members);
            interface::forget_more(members);
        }
        if let Some(tail) = interface::tail(context) {
            forget_private(tail);
        }
    }
}

/// # Safety
/// `members` are those of a context.
unsafe fn forget_members(members: *mut Hidden) {
    // SAFETY: the caller's promise.
    unsafe {
        let ours = marks::stand_in(members);
        free_and_clear(&raw mut (*members).fragment);
        (*members).fragment_len = 0;
        (*members).fragment_n = 0;
        (*members).fragment_k = 0;
        // These were about to be published.
        free_and_clear(&raw mut (*members).saved_mac_keys);
        (*members).numsavedkeys = 0;
        wipe_string_and_clear(&raw mut (*members).lastmessage);
        (*members).may_retransmit = 0;
        (*members).their_keyid = 0;
        mpi::release_and_clear(&raw mut (*members).their_y);
        mpi::release_and_clear(&raw mut (*members).their_old_y);
        (*members).our_keyid = 0;
        keypair_free(&raw mut (*members).our_dh_key);
        keypair_free(&raw mut (*members).our_old_dh_key);
        for keys in 0..4 {
            session_free(
                (&raw mut (*members).sesskeys)
                    .cast::<DhSesskeys>()
                    .add(keys),
            );
        }
        // With 32 bits they stood among the keys.
        if ours {
            marks::put(members);
        }
    }
}

/// # Safety
/// `tail` was made here.
unsafe fn forget_private(tail: *mut Tail) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut private = Box::from_raw((*tail).private);
        (*tail).private = ptr::null_mut();
        let emptied = guard(move || {
            private.force_finished();
            private
        });
        // Forgetting must succeed: what can't be emptied makes place for a fresh state.
        (*tail).private = Box::into_raw(emptied.unwrap_or_else(|_| Private::new()));
    }
}

/// # Safety
/// `tail` was made here, and is used no more.
unsafe fn drop_private(tail: *mut Tail) {
    // SAFETY: the caller's promise.
    unsafe { drop(Box::from_raw((*tail).private)) };
    // SAFETY: likewise.
    unsafe { (*tail).private = ptr::null_mut() };
}
