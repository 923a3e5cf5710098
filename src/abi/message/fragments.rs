//! How much of unfinished messages is kept for correspondents without a session: anybody can send fragments in anybody's name.

use crate::abi::context::{master_of, members};
use crate::abi::context_priv::private_of;
use crate::abi::types::*;
use otr_protocol::instances::{FRAGMENTS_OF_ALL, FRAGMENTS_OF_ONE, forgets_fragments};

/// Forgets the oldest fragments, of this correspondent and of all, until there are no more than may be.
///
/// # Safety
/// `us` is live, and so are `ctx` and its master; no callback runs meanwhile.
pub unsafe fn bound(us: OtrlUserState, ctx: *mut ConnContext) {
    // SAFETY: the caller's promise.
    unsafe {
        let first = (*us).context_root;
        let all = std::iter::successors((!first.is_null()).then_some(first), |ctx| {
            let next = (**ctx).next;
            (!next.is_null()).then_some(next)
        });
        let waiting = |ctx: *mut ConnContext| (ctx, waiting_in(ctx).0, waiting_in(ctx).1);
        let master = master_of(ctx);
        while let Some(ctx) = forgets_fragments(FRAGMENTS_OF_ONE, members(master).map(waiting)) {
            forget(ctx);
        }
        while let Some(ctx) = forgets_fragments(FRAGMENTS_OF_ALL, all.clone().map(waiting)) {
            forget(ctx);
        }
    }
}

/// The bytes of unfinished fragments of a context without a session, and when the last came.
unsafe fn waiting_in(ctx: *mut ConnContext) -> (usize, i64) {
    // SAFETY: the caller vouches for the context.
    unsafe {
        let secrets = private_of(ctx).and_then(|private| (*private).secrets.as_ref());
        match secrets {
            Some(secrets) if (*ctx).msgstate != MSGSTATE_ENCRYPTED => {
                (secrets.reassembly.data().len(), secrets.fragment_heard)
            }
            _ => (0, 0),
        }
    }
}

unsafe fn forget(ctx: *mut ConnContext) {
    // SAFETY: the caller vouches for the context.
    unsafe {
        if let Some(secrets) = private_of(ctx).and_then(|private| (*private).secrets.as_mut()) {
            secrets.reassembly.discard();
        }
    }
}
