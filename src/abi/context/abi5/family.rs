//! A master and its instances: which of them was heard last, which is best.

use std::ffi::c_uint;
use std::ptr;

use crate::abi::context::describe::describe;
use crate::abi::entry::entry;
use crate::abi::numbers::time_from;
use crate::abi::types::{
    ConnContext, ConnContextPriv, INSTAG_RECENT, INSTAG_RECENT_RECEIVED, INSTAG_RECENT_SENT,
    OtrlInstag,
};
use otr_protocol::instances;

/// The contexts of one master, itself first. They stand side by side in the list.
///
/// # Safety
/// `master` is NULL or a live context; the list stays as it is meanwhile.
pub(crate) unsafe fn members(master: *mut ConnContext) -> impl Iterator<Item = *mut ConnContext> {
    std::iter::successors((!master.is_null()).then_some(master), move |context| {
        // SAFETY: a live context of the list.
        let next = unsafe { (**context).next };
        // SAFETY: likewise, once it is not NULL.
        (!next.is_null() && unsafe { (*next).m_context } == master).then_some(next)
    })
}

/// The instance that was last heard, written to, or either; the master while there was none. NULL for another `which`. One
/// without a session does not come before one that has one: see [`instances::most_recent`].
///
/// # Safety
/// `context` is NULL or a live context.
pub(crate) unsafe fn find_recent_instance(
    context: *mut ConnContext,
    which: OtrlInstag,
) -> *mut ConnContext {
    // SAFETY: the caller's promise.
    let master = unsafe { master_of(context) };
    if master.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: not NULL, so a live context.
    let recent = unsafe {
        match which {
            INSTAG_RECENT => (*master).recent_child,
            INSTAG_RECENT_RECEIVED => (*master).recent_rcvd_child,
            INSTAG_RECENT_SENT => (*master).recent_sent_child,
            _ => return ptr::null_mut(),
        }
    };
    let recent = if recent.is_null() { master } else { recent };
    // SAFETY: live contexts of one list.
    unsafe {
        let others = members(master).map(|member| describe(member));
        instances::most_recent(describe(recent), others)
    }
}

/// The safest instance, and among equals the one heard last, to the second.
///
/// # Safety
/// `context` is NULL or a live context.
pub(crate) unsafe fn recent_secure_instance(context: *mut ConnContext) -> *mut ConnContext {
    if context.is_null() {
        return context;
    }
    // SAFETY: not NULL, so a live context; members of one list.
    unsafe {
        let candidates = std::iter::once(context).chain(members(master_of(context)));
        instances::best(candidates.map(|member| describe(member))).unwrap_or(context)
    }
}

/// Notes that `context` was written to (`sent`) or heard.
///
/// # Safety
/// `context` is NULL or a live context.
pub(crate) unsafe fn update_recent_child(context: *mut ConnContext, sent: bool) {
    // SAFETY: the caller's promise.
    let master = unsafe { master_of(context) };
    if master.is_null() {
        return;
    }
    // SAFETY: not NULL, so a live context.
    unsafe {
        if sent {
            (*master).recent_sent_child = context;
        } else {
            (*master).recent_rcvd_child = context;
        }
        (*master).recent_child = context;
    }
}

/// Lets the master point at itself where it pointed at this instance.
///
/// # Safety
/// `context` is a live context.
pub(crate) unsafe fn leave_family(context: *mut ConnContext) {
    // SAFETY: the caller's promise; the master outlives its instances.
    unsafe {
        let master = (*context).m_context;
        if master.is_null() {
            return;
        }
        for place in [
            &raw mut (*master).recent_child,
            &raw mut (*master).recent_rcvd_child,
            &raw mut (*master).recent_sent_child,
        ] {
            if *place == context {
                *place = master;
            }
        }
    }
}

/// Makes an instance that is in no list any more its own master.
///
/// # Safety
/// `context` is a live context.
pub(crate) unsafe fn stand_alone(context: *mut ConnContext) {
    // SAFETY: the caller's promise.
    unsafe { (*context).m_context = context };
}

/// NULL for NULL.
///
/// # Safety
/// `context` is NULL or a live context.
pub(crate) unsafe fn master_of(context: *const ConnContext) -> *mut ConnContext {
    if context.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: not NULL.
    unsafe { (*context).m_context }
}

/// When a context was last heard.
pub(crate) fn last_heard(members: &ConnContextPriv) -> i64 {
    time_from(members.lastrecv)
}

entry! {
    /// The instance that was last heard, written to, or either.
    ///
    /// # Safety
    /// As for [`find_recent_instance`].
    on panic ptr::null_mut();
    pub fn otrl_context_find_recent_instance(context: *mut ConnContext, which: OtrlInstag) -> *mut ConnContext {
        // SAFETY: the caller's promise.
        unsafe { find_recent_instance(context, which) }
    }
}

entry! {
    /// The safest instance, and among equals the one heard last.
    ///
    /// # Safety
    /// As for [`recent_secure_instance`].
    on panic ptr::null_mut();
    pub fn otrl_context_find_recent_secure_instance(context: *mut ConnContext) -> *mut ConnContext {
        // SAFETY: the caller's promise.
        unsafe { recent_secure_instance(context) }
    }
}

entry! {
    /// Notes that a context was written to (`sent` is not 0) or heard.
    ///
    /// # Safety
    /// As for [`update_recent_child`].
    on panic ();
    pub fn otrl_context_update_recent_child(context: *mut ConnContext, sent: c_uint) {
        // SAFETY: the caller's promise.
        unsafe { update_recent_child(context, sent != 0) }
    }
}
