//! What the core is told by a client of libotr 3.2.

use crate::abi::context_priv::private_of;
use crate::abi::numbers::{c_time, time_from};
use crate::abi::types::{ConnContext, OtrlPolicy};
use otr_protocol::conversation::Conversation;
use otr_protocol::wire::dialect::Dialect;
use otr_protocol::wire::version::Version;

/// Whose messages are written and understood.
pub const DIALECT: Dialect = Dialect::Libotr3;

/// Whether a policy allows version 3: there is no such policy.
pub fn allows_v3(_bits: OtrlPolicy) -> bool {
    false
}

/// The version that a context shows: that of the session. While there is none, libotr 3.2 shows none.
pub fn shown_version(conversation: &Conversation) -> Option<Version> {
    let session = conversation.secrets.session.as_ref()?;
    Some(session.version())
}

/// Takes what an exchange has sent out of the time when something was last sent: only texts count there, and decide
/// whether one is sent again. It is kept for the heartbeats.
///
/// # Safety
/// `ctx` is a live context with the library's private part.
pub unsafe fn note_exchange(ctx: *mut ConnContext, sent_before: i64) {
    // SAFETY: the caller's promise.
    unsafe {
        if let Some(private) = private_of(ctx) {
            let sent = time_from((*ctx).lastsent);
            (*private).exchange_sent = (*private).exchange_sent.max(sent);
        }
        (*ctx).lastsent = c_time(sent_before);
    }
}
