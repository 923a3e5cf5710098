//! Forgetting contexts. Calls the client's `app_data_free`, when the context is out of every list already.

use std::ptr;

use super::fingerprint;
use super::interface::{is_instance, leave_family, members, stand_alone};
use super::state::force_plaintext;
use crate::abi::context_priv;
use crate::abi::in_use;
use crate::abi::linked_list;
use crate::abi::memory::free_and_clear;
use crate::abi::types::{ConnContext, MSGSTATE_PLAINTEXT, UserState};

/// Forgets a context, and with a master its instances, if none of them has or had a session. True when it is gone.
///
/// # Safety
/// `context` is NULL or a live context of a list, and is used no more if the answer is true.
pub unsafe fn forget(context: *mut ConnContext) -> bool {
    // SAFETY: the caller's promise. A context that is being forgotten already is in no list.
    unsafe {
        if context.is_null()
            || (*context).tous.is_null()
            || (*context).msgstate != MSGSTATE_PLAINTEXT
        {
            return false;
        }
        if is_instance(context) {
            leave_family(context);
            unlink(context, context);
            count(context);
            stand_alone(context);
            dispose(context);
            return true;
        }
        if members(context).any(|member| (*member).msgstate != MSGSTATE_PLAINTEXT) {
            return false;
        }
        let last = members(context).last().unwrap_or(context);
        unlink(context, last);
        count(context);
        // A callback may ask the master for its instances: those that are gone are none any more.
        while !(*context).next.is_null() {
            let member = (*context).next;
            (*context).next = (*member).next;
            (*member).next = ptr::null_mut();
            leave_family(member);
            stand_alone(member);
            dispose(member);
        }
        dispose(context);
        true
    }
}

/// Forgets every context, whatever its state.
///
/// # Safety
/// `us` is NULL or a live user state.
pub unsafe fn forget_all(us: *mut UserState) {
    if us.is_null() {
        return;
    }
    // SAFETY: not NULL, and a list of live contexts.
    unsafe {
        let mut context = (*us).context_root;
        while !context.is_null() {
            force_plaintext(context);
            context = (*context).next;
        }
        while !(*us).context_root.is_null() {
            let first = (*us).context_root;
            (*first).tous = &raw mut (*us).context_root;
            // Only a callback that starts a session meanwhile makes this fail; then it would fail for ever.
            if !forget(first) {
                return;
            }
        }
    }
}

/// Takes a run of contexts out of the list. The run keeps its own links and ends in NULL.
///
/// # Safety
/// `first` to `last` stand side by side in one list.
pub(crate) unsafe fn unlink(first: *mut ConnContext, last: *mut ConnContext) {
    // SAFETY: the caller's promise.
    unsafe {
        let after = (*last).next;
        *(*first).tous = after;
        if !after.is_null() {
            (*after).tous = (*first).tous;
        }
        (*last).next = ptr::null_mut();
        let mut context = first;
        while !context.is_null() {
            (*context).tous = ptr::null_mut();
            context = (*context).next;
        }
    }
}

/// Counts the contexts of a run that is in no list any more, before a callback can free the user state with its count.
///
/// # Safety
/// `first` is a live context, as are those behind it.
unsafe fn count(first: *mut ConnContext) {
    // SAFETY: live contexts, whose count is live still.
    unsafe {
        for context in linked_list::iter(first) {
            context_priv::count_forgotten(context);
            context_priv::set_count(context, ptr::null());
        }
    }
}

/// Frees a context that is in no list.
///
/// # Safety
/// `context` is a live context, and is used no more.
unsafe fn dispose(context: *mut ConnContext) {
    // SAFETY: the caller's promise. Whatever the callback does, it can't reach this context through the list.
    unsafe {
        force_plaintext(context);
        while !(*context).fingerprint_root.next.is_null() {
            fingerprint::free((*context).fingerprint_root.next);
        }
        free_and_clear(&raw mut (*context).username);
        free_and_clear(&raw mut (*context).accountname);
        free_and_clear(&raw mut (*context).protocol);
        free_and_clear(&raw mut (*context).smstate);
        let app_data = (*context).app_data;
        if !app_data.is_null()
            && let Some(app_data_free) = (*context).app_data_free
        {
            (*context).app_data = ptr::null_mut();
            app_data_free(app_data);
        }
        context_priv::free_context(context);
    }
}

/// Forgets every context.
///
/// # Safety
/// As for [`forget_all`].
#[unsafe(no_mangle)]
#[allow(unreachable_pub, reason = "C calls it")]
pub unsafe extern "C-unwind" fn otrl_context_forget_all(us: *mut UserState) {
    // SAFETY: the caller's promise.
    unsafe { in_use::during(us, || forget_all(us)) }
}
