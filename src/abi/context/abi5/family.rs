//! A master and its instances: which of them was heard last, which is best.

use std::ffi::c_uint;
use std::ptr;

use crate::abi::context::fingerprint::is_trusted;
use crate::abi::entry::entry;
use crate::abi::types::{
    AUTHSTATE_NONE, ConnContext, INSTAG_RECENT, INSTAG_RECENT_RECEIVED, INSTAG_RECENT_SENT,
    MSGSTATE_ENCRYPTED, MSGSTATE_FINISHED, MSGSTATE_PLAINTEXT, OtrlInstag, OtrlMessageState,
};
use otr_protocol::conversation::MessageState;
use otr_protocol::instances::{self, Instance};

/// The contexts of one master, itself first. They stand side by side in the list.
///
/// # Safety
/// `master` is NULL or a live context; the list stays as it is meanwhile.
pub unsafe fn members(master: *mut ConnContext) -> impl Iterator<Item = *mut ConnContext> {
    std::iter::successors((!master.is_null()).then_some(master), move |context| {
        // SAFETY: a live context of the list.
        let next = unsafe { (**context).next };
        // SAFETY: likewise, once it is not NULL.
        (!next.is_null() && unsafe { (*next).m_context } == master).then_some(next)
    })
}

/// How many contexts a master has, itself included.
///
/// # Safety
/// As for [`members`].
pub unsafe fn count_members(master: *mut ConnContext) -> usize {
    // SAFETY: the caller's promise.
    unsafe { members(master) }.count()
}

/// The instance that was last heard, written to, or either; the master while there was none. NULL for another `which`. One
/// without a session does not come before one that has one: see [`instances::most_recent`].
///
/// # Safety
/// `context` is NULL or a live context.
pub unsafe fn find_recent_instance(
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
        let others = members(master).map(|member| (member, describe(member)));
        instances::most_recent((recent, describe(recent)), others)
    }
}

/// What the choice of an instance depends on.
///
/// # Safety
/// `context` is a live context.
unsafe fn describe(context: *mut ConnContext) -> Instance {
    // SAFETY: the caller's promise; a client's own context may have no private part.
    unsafe {
        let private = (*context).context_priv;
        Instance {
            state: message_state(context),
            had_session: !private.is_null() && (*private).generation > 0,
            in_exchange: (*context).auth.authstate != AUTHSTATE_NONE,
            last_heard: last_heard(context),
        }
    }
}

/// The instance whose place a new one may take, as all places are taken; NULL when all of them had sessions.
///
/// # Safety
/// `master` is a live context.
pub unsafe fn instance_that_gives_way(master: *mut ConnContext) -> *mut ConnContext {
    // SAFETY: live contexts of one list.
    unsafe {
        let instances = members(master).filter(|member| *member != master);
        instances::gives_way(instances.map(|member| (member, describe(member))))
            .unwrap_or(ptr::null_mut())
    }
}

/// The safest instance, and among equals the one heard last, to the second.
///
/// # Safety
/// `context` is NULL or a live context.
pub unsafe fn recent_secure_instance(context: *mut ConnContext) -> *mut ConnContext {
    // SAFETY: the caller's promise.
    let master = unsafe { master_of(context) };
    let mut best = context;
    // SAFETY: members of one list.
    unsafe { members(master) }.for_each(|candidate| {
        // SAFETY: both are live contexts.
        if unsafe { is_at_least(candidate, best) } {
            best = candidate;
        }
    });
    best
}

/// Notes that `context` was written to (`sent`) or heard.
///
/// # Safety
/// `context` is NULL or a live context.
pub unsafe fn update_recent_child(context: *mut ConnContext, sent: bool) {
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
pub unsafe fn leave_family(context: *mut ConnContext) {
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
pub unsafe fn stand_alone(context: *mut ConnContext) {
    // SAFETY: the caller's promise.
    unsafe { (*context).m_context = context };
}

/// NULL for NULL.
///
/// # Safety
/// `context` is NULL or a live context.
pub unsafe fn master_of(context: *const ConnContext) -> *mut ConnContext {
    if context.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: not NULL.
    unsafe { (*context).m_context }
}

/// Whether `candidate` is better than `best`, or as good and heard no earlier. Worse in state or in trust is never better.
///
/// # Safety
/// Both are live contexts.
unsafe fn is_at_least(candidate: *const ConnContext, best: *const ConnContext) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let state_differs = (*candidate).msgstate != (*best).msgstate;
        if state_differs && !is_better_state((*candidate).msgstate, (*best).msgstate) {
            return false;
        }
        match (
            is_trusted((*candidate).active_fingerprint),
            is_trusted((*best).active_fingerprint),
        ) {
            (false, true) => false,
            (true, false) => true,
            _ => state_differs || last_heard(candidate) >= last_heard(best),
        }
    }
}

fn is_better_state(candidate: OtrlMessageState, best: OtrlMessageState) -> bool {
    candidate == MSGSTATE_ENCRYPTED
        || (best == MSGSTATE_PLAINTEXT && candidate == MSGSTATE_FINISHED)
}

/// # Safety
/// `context` is a live context.
unsafe fn message_state(context: *const ConnContext) -> MessageState {
    // SAFETY: the caller's promise.
    match unsafe { (*context).msgstate } {
        MSGSTATE_ENCRYPTED => MessageState::Encrypted,
        MSGSTATE_FINISHED => MessageState::Finished,
        _ => MessageState::Plaintext,
    }
}

/// # Safety
/// `context` is a live context.
unsafe fn last_heard(context: *const ConnContext) -> libc::time_t {
    // SAFETY: the caller's promise; a client's own context may have no private part.
    unsafe {
        if (*context).context_priv.is_null() {
            0
        } else {
            (*(*context).context_priv).lastrecv
        }
    }
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
