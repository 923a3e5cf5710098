//! Ending a session by force.

use crate::abi::borrowed::Borrowed;
use crate::abi::entry::entry;
use crate::abi::types::{ConnContext, MSGSTATE_FINISHED, MSGSTATE_PLAINTEXT, OtrlMessageState};
use crate::abi::{auth_info, context_priv, sm_objects};

/// Forgets the session: finished state.
pub(crate) fn force_finished(context: Borrowed<'_, ConnContext>) {
    end_session(context, MSGSTATE_FINISHED);
}

/// Forgets the session: plaintext state.
pub(crate) fn force_plaintext(context: Borrowed<'_, ConnContext>) {
    end_session(context, MSGSTATE_PLAINTEXT);
}

/// A context that a client made itself may lack parts.
fn end_session(context: Borrowed<'_, ConnContext>, state: OtrlMessageState) {
    context.msgstate().set(state);
    auth_info::clear(context.auth());
    context.active_fingerprint().point_at(None);
    context.sessionid().wipe();
    context.sessionid_len().set(0);
    context.protocol_version().set(0);
    if let Some(smp) = context.smstate().follow() {
        sm_objects::state_free(smp);
    }
    context_priv::force_finished(context);
}

entry! {
    /// Forgets the session: finished state.
    ///
    /// # Safety
    /// `context` is NULL or a live context.
    on panic ();
    pub fn otrl_context_force_finished(context: *mut ConnContext as Option<Borrowed<ConnContext>>) {
        if let Some(context) = context {
            force_finished(context);
        }
    }
}

entry! {
    /// Forgets the session: plaintext state.
    ///
    /// # Safety
    /// `context` is NULL or a live context.
    on panic ();
    pub fn otrl_context_force_plaintext(context: *mut ConnContext as Option<Borrowed<ConnContext>>) {
        if let Some(context) = context {
            force_plaintext(context);
        }
    }
}
