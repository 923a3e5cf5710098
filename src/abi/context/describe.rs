//! A context as the core sees it when it chooses among several.

use super::fingerprint::is_trusted;
use super::interface;
use crate::abi::context_priv::hidden;
use crate::abi::numbers::time_from;
use crate::abi::types::{AUTHSTATE_NONE, ConnContext, MSGSTATE_ENCRYPTED, MSGSTATE_FINISHED};
use otr_protocol::conversation::MessageState;
use otr_protocol::instances::Instance;

/// The context, and what the choice of an instance depends on.
///
/// # Safety
/// `context` is a live context.
pub unsafe fn describe(context: *mut ConnContext) -> (*mut ConnContext, Instance) {
    // SAFETY: the caller's promise; a client's own context may have no private part.
    let instance = unsafe {
        let members = hidden(context).as_ref();
        Instance {
            state: message_state(context),
            had_session: members.is_some_and(|members| members.generation > 0),
            is_trusted: is_trusted((*context).active_fingerprint),
            in_exchange: (*context).auth.authstate != AUTHSTATE_NONE,
            last_heard: members.map_or(0, interface::last_heard),
            last_sent: members.map_or(0, |members| time_from(members.lastsent)),
        }
    };
    (context, instance)
}

/// The message state that a context shows. What is none of the three counts as plaintext.
///
/// # Safety
/// `context` is a live context.
pub unsafe fn message_state(context: *const ConnContext) -> MessageState {
    // SAFETY: the caller's promise.
    match unsafe { (*context).msgstate } {
        MSGSTATE_ENCRYPTED => MessageState::Encrypted,
        MSGSTATE_FINISHED => MessageState::Finished,
        _ => MessageState::Plaintext,
    }
}
