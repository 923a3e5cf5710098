//! Ending sessions.

use super::super::bridge::with_conversation;
use super::super::context::{self, Handle};
use super::super::context_priv::hidden;
use super::super::types::*;
use super::client::Client;
use otr_protocol::conversation::Conversation;

/// Tells the correspondent, if there is a session and somebody to hear it, and goes to plaintext.
///
/// # Safety
/// `handle` names a context of the client's user state; callbacks may run.
pub unsafe fn disconnect(client: Client, handle: Handle) {
    // SAFETY: the caller vouches for the user state; after each callback the context is looked up again.
    unsafe {
        let Some(ctx) = handle.get(client.us) else {
            return;
        };
        if (*ctx).msgstate == MSGSTATE_ENCRYPTED
            && (*hidden(ctx)).their_keyid > 0
            && client.is_logged_in(ctx)
            && let Some(ctx) = handle.get(client.us)
        {
            let sent = with_conversation(ctx, Conversation::say_goodbye).unwrap_or_default();
            super::deliver::deliver(client, handle, sent);
        }
        if let Some(ctx) = handle.get(client.us) {
            context::force_plaintext(ctx);
            client.update_context_list();
        }
    }
}
