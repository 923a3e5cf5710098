//! A context as the core sees it when it chooses among several.

use super::interface;
use crate::abi::borrowed::Borrowed;
use crate::abi::context_priv::private_members;
use crate::abi::numbers::time_from;
use crate::abi::types::{AUTHSTATE_NONE, ConnContext, MSGSTATE_ENCRYPTED, MSGSTATE_FINISHED};
use otr_protocol::conversation::MessageState;
use otr_protocol::instances::Instance;

/// The context, and the properties that the choice of an instance depends on.
pub(crate) fn describe(
    context: Borrowed<'_, ConnContext>,
) -> (Borrowed<'_, ConnContext>, Instance) {
    // A context that a client made itself may have no private part.
    let members = private_members(context);
    let fingerprint = context.active_fingerprint().follow();
    let instance = Instance {
        state: message_state(context),
        had_session: members.is_some_and(|members| members.generation().get() > 0),
        is_trusted: fingerprint.is_some_and(Borrowed::is_trusted),
        in_exchange: context.auth().authstate().get() != AUTHSTATE_NONE,
        last_heard: members.map_or(0, interface::last_heard),
        last_sent: members.map_or(0, |members| time_from(members.lastsent().get())),
    };
    (context, instance)
}

/// The message state that a context shows. An invalid one counts as plaintext.
pub(crate) fn message_state(context: Borrowed<'_, ConnContext>) -> MessageState {
    match context.msgstate().get() {
        MSGSTATE_ENCRYPTED => MessageState::Encrypted,
        MSGSTATE_FINISHED => MessageState::Finished,
        _ => MessageState::Plaintext,
    }
}
