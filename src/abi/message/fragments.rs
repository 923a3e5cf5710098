//! Limits for unfinished messages of correspondents without a session: anybody can send fragments in anybody's name.

use super::call::Call;
use crate::abi::context::Ctx;
use otr_protocol::conversation::MessageState;
use otr_protocol::instances::{FRAGMENTS_OF_ALL, FRAGMENTS_OF_ONE, forgets_fragments};

/// Forgets the oldest fragments, of this correspondent and of all, until they are within the limits.
pub(crate) fn bound(call: &Call<'_>, ctx: Ctx<'_>) {
    while let Some(oldest) = forgets_fragments(FRAGMENTS_OF_ONE, ctx.members().map(waiting)) {
        forget(oldest);
    }
    let all = || call.first().into_iter().flat_map(Ctx::and_next);
    while let Some(oldest) = forgets_fragments(FRAGMENTS_OF_ALL, all().map(waiting)) {
        forget(oldest);
    }
}

/// The state of a context, the bytes of its unfinished fragments, and when the last came.
fn waiting(ctx: Ctx<'_>) -> (Ctx<'_>, MessageState, usize, i64) {
    let waiting =
        ctx.look_at_secrets(|secrets| (secrets.reassembly.data().len(), secrets.fragment_heard));
    let (bytes, heard) = waiting.unwrap_or((0, 0));
    (ctx, ctx.state(), bytes, heard)
}

fn forget(ctx: Ctx<'_>) {
    ctx.look_at_secrets(|secrets| secrets.reassembly.discard());
}
