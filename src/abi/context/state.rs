//! Ending a session by force.

use crate::abi::entry::entry;
use crate::abi::memory::wipe;
use crate::abi::types::{ConnContext, MSGSTATE_FINISHED, MSGSTATE_PLAINTEXT, OtrlMessageState};
use crate::abi::{auth_info, context_priv, sm_objects};

/// Forgets the session: finished state.
///
/// # Safety
/// `context` is NULL or a live context.
pub unsafe fn force_finished(context: *mut ConnContext) {
    // SAFETY: the caller's promise.
    unsafe { end_session(context, MSGSTATE_FINISHED) }
}

/// Forgets the session: plaintext state.
///
/// # Safety
/// `context` is NULL or a live context.
pub unsafe fn force_plaintext(context: *mut ConnContext) {
    // SAFETY: the caller's promise.
    unsafe { end_session(context, MSGSTATE_PLAINTEXT) }
}

/// # Safety
/// `context` is NULL or a live context.
unsafe fn end_session(context: *mut ConnContext, state: OtrlMessageState) {
    if context.is_null() {
        return;
    }
    // SAFETY: not NULL, so a context; a client's own may lack parts.
    unsafe {
        (*context).msgstate = state;
        auth_info::clear(&raw mut (*context).auth);
        (*context).active_fingerprint = std::ptr::null_mut();
        wipe(
            (&raw mut (*context).sessionid).cast(),
            (*context).sessionid.len(),
        );
        (*context).sessionid_len = 0;
        (*context).protocol_version = 0;
        if !(*context).smstate.is_null() {
            sm_objects::state_free((*context).smstate);
        }
        context_priv::force_finished(context);
    }
}

entry! {
    /// Forgets the session: finished state.
    ///
    /// # Safety
    /// As for [`force_finished`].
    on panic ();
    pub fn otrl_context_force_finished(context: *mut ConnContext) {
        // SAFETY: the caller's promise.
        unsafe { force_finished(context) }
    }
}

entry! {
    /// Forgets the session: plaintext state.
    ///
    /// # Safety
    /// As for [`force_plaintext`].
    on panic ();
    pub fn otrl_context_force_plaintext(context: *mut ConnContext) {
        // SAFETY: the caller's promise.
        unsafe { force_plaintext(context) }
    }
}
