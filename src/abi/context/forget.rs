//! Forgetting contexts. Calls the client's `app_data_free` once the context is out of every list.

use super::interface::{is_instance, leave_family, members, stand_alone};
use super::state::force_plaintext;
use super::{fingerprint, list};
use crate::abi::borrowed::Borrowed;
use crate::abi::context_priv;
use crate::abi::entry::entry;
use crate::abi::in_use;
use crate::abi::linked_list;
use crate::abi::types::{ConnContext, MSGSTATE_PLAINTEXT, UserState};

/// Forgets a context, and with a master its instances, unless one of them has or had a session. True if it was forgotten.
///
/// # Safety
/// If the result is true, no context of the family is used afterwards; the client's code has run then.
pub(crate) unsafe fn forget(context: Borrowed<'_, ConnContext>) -> bool {
    let has_session =
        |context: Borrowed<'_, ConnContext>| context.msgstate().get() != MSGSTATE_PLAINTEXT;
    // A context that is already being forgotten is in no list.
    if context.tous().is_null() || has_session(context) {
        return false;
    }
    if is_instance(context) {
        leave_family(context);
        unlink(context, context);
        count(context);
        stand_alone(context);
        // SAFETY: it is in no list and is not used afterwards, as the caller guarantees.
        unsafe { dispose(context) };
        return true;
    }
    if members(context).any(has_session) {
        return false;
    }
    let last = members(context).last().unwrap_or(context);
    unlink(context, last);
    count(context);
    // A callback may ask the master for its instances, so each one is unlinked before its callback runs.
    while let Some(member) = context.next().follow() {
        context.next().point_at(member.next().follow());
        member.next().point_at(None);
        leave_family(member);
        stand_alone(member);
        // SAFETY: as above.
        unsafe { dispose(member) };
    }
    // SAFETY: as above.
    unsafe { dispose(context) };
    true
}

/// Forgets every context, whatever its state.
///
/// # Safety
/// They are not used afterwards.
pub(crate) unsafe fn forget_all(us: Borrowed<'_, UserState>) {
    let root = us.context_root();
    for context in linked_list::iter(root.follow()) {
        force_plaintext(context);
    }
    while let Some(first) = root.follow() {
        first.tous().point_at(Some(root));
        // This fails only if a callback starts a session; then it would fail forever.
        // SAFETY: no context is used afterwards, as the caller guarantees.
        if !unsafe { forget(first) } {
            return;
        }
    }
}

/// Takes a run of adjacent contexts out of the list. The run keeps its own links and ends in NULL.
pub(crate) fn unlink(first: Borrowed<'_, ConnContext>, last: Borrowed<'_, ConnContext>) {
    let (before, after) = (first.tous().follow(), last.next().follow());
    if let Some(before) = before {
        before.point_at(after);
    }
    if let Some(after) = after {
        after.tous().point_at(before);
    }
    last.next().point_at(None);
    for context in linked_list::iter(Some(first)) {
        context.tous().point_at(None);
    }
}

/// Counts the contexts of a run that was taken out of the list as forgotten, before a callback can free the user state and its
/// counter.
fn count(first: Borrowed<'_, ConnContext>) {
    for context in linked_list::iter(Some(first)) {
        context_priv::count_forgotten(context);
        context_priv::leave_count(context);
    }
}

/// Frees a context that is in no list.
///
/// # Safety
/// It is not used afterwards. The callback cannot reach this context through the list.
unsafe fn dispose(context: Borrowed<'_, ConnContext>) {
    force_plaintext(context);
    // SAFETY: in no list and not used afterwards, as the caller guarantees; nothing else owns its fingerprints and parts.
    unsafe {
        while let Some(first) = context.fingerprint_root().next().follow() {
            fingerprint::free(first);
        }
        list::free_parts(context);
        context.free_app_data();
        context_priv::free_context(context);
    }
}

entry! {
    /// Forgets every context.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, whose contexts are not used afterwards. The client's `app_data_free` may call back.
    calls back;
    pub fn otrl_context_forget_all(us: *mut UserState as Option<Borrowed<UserState>>) {
        if let Some(us) = us {
            // SAFETY: the caller gives up all contexts, and uses the user state only if no callback has freed it.
            unsafe { in_use::during(us, || forget_all(us)) };
        }
    }
}
