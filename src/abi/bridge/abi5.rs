//! What a client of libotr 4 tells the core.

use crate::abi::context::Ctx;
use crate::abi::types::{OtrlPolicy, POLICY_ALLOW_V3};
use otr_protocol::conversation::Conversation;
use otr_protocol::wire::dialect::Dialect;
use otr_protocol::wire::version::Version;

/// The dialect of the messages.
pub(crate) const DIALECT: Dialect = Dialect::Libotr4;

/// Whether a policy allows version 3.
pub(crate) fn allows_v3(bits: OtrlPolicy) -> bool {
    bits & POLICY_ALLOW_V3 != 0
}

/// The version that a context shows: that of the session, or of the exchange that was begun last.
pub(crate) fn shown_version(conversation: &Conversation) -> Option<Version> {
    conversation.version
}

/// Does nothing: messages of an exchange count like all others.
pub(crate) fn note_exchange(_ctx: Ctx<'_>, _sent_before: i64) {}
