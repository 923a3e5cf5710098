//! What a client of libotr 3.2 tells the core.

use crate::abi::context::Ctx;
use crate::abi::types::OtrlPolicy;
use otr_protocol::conversation::Conversation;
use otr_protocol::wire::dialect::Dialect;
use otr_protocol::wire::version::Version;

/// The dialect of the messages.
pub(crate) const DIALECT: Dialect = Dialect::Libotr3;

/// Whether a policy allows version 3: none does.
pub(crate) fn allows_v3(_bits: OtrlPolicy) -> bool {
    false
}

/// The version that a context shows: that of the session. While there is none, libotr 3.2 shows none.
pub(crate) fn shown_version(conversation: &Conversation) -> Option<Version> {
    let session = conversation.secrets.session.as_ref()?;
    Some(session.version())
}

/// Resets the time of the last message sent to that before the exchange: only texts count there, for the decision whether a
/// text is sent again. The time of the exchange is kept for the heartbeats.
pub(crate) fn note_exchange(ctx: Ctx<'_>, sent_before: i64) {
    ctx.note_exchange_sent(sent_before);
}
