//! Ending sessions.

use super::call::Call;
use super::deliver::deliver;
use crate::abi::bridge::with_conversation;
use crate::abi::context::Handle;
use otr_protocol::conversation::Conversation;

/// Tells the correspondent, if there is a session and they are online, and changes to plaintext state.
pub(crate) fn disconnect(call: &mut Call<'_>, handle: Handle) {
    let has_listener = |call: &Call<'_>| {
        let ctx = call.get(handle)?;
        with_conversation(ctx, |c| c.has_listener()).ok()
    };
    let to_tell = has_listener(call).unwrap_or(false) && call.is_logged_in(handle);
    if let Some(ctx) = call.get(handle).filter(|_| to_tell) {
        let sent = with_conversation(ctx, Conversation::say_goodbye).unwrap_or_default();
        deliver(call, handle, sent);
    }
    if let Some(ctx) = call.get(handle) {
        ctx.force_plaintext();
        call.update_context_list();
    }
}
