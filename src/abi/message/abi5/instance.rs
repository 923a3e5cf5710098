//! Which context a message belongs to, and our instance tag in it.

use crate::abi::context::{self, Ctx, Handle};
use crate::abi::instag;
use crate::abi::message::call::Call;
use crate::abi::types::*;

/// The context of one instance of the correspondent (or of a meta tag), made if there is none, and whether it is new. `None` if
/// out of memory.
#[inline(never)]
pub(crate) fn find_or_add(call: &mut Call<'_>, their_tag: OtrlInstag) -> Option<(Handle, bool)> {
    let (names, new) = (call.names(), call.new_contexts());
    // SAFETY: a callback may run, but the call is borrowed as `&mut`, so no context is borrowed from it.
    let found = unsafe { context::find_or_add(call.us()?, names, their_tag, new) };
    found.map(|(context, is_new)| (Handle::of(context), is_new))
}

/// The context of one instance (or of a meta tag), if there is one.
pub(crate) fn find<'a>(call: &'a Call<'_>, their_tag: OtrlInstag) -> Option<Ctx<'a>> {
    context::find(call.us()?, call.names(), their_tag).map(Ctx::from)
}

/// The context of the best instance, if there is one.
pub(crate) fn find_best<'a>(call: &'a Call<'_>) -> Option<Ctx<'a>> {
    find(call, INSTAG_BEST)
}

/// Gives a context our instance tag: the account's, one that the client makes now, that of the
/// master (all instances of a correspondent must see the same one), or a random one.
pub(crate) fn ensure_our_tag(call: &mut Call<'_>, handle: Handle) {
    if call.get(handle).is_none_or(|ctx| ctx.our_instance() != 0) {
        return;
    }
    let mut tag = tag_of_account(call);
    if tag.is_none() {
        call.create_instag();
        tag = tag_of_account(call);
    }
    // A call within `create_instag` may have given it one, which messages may already contain.
    let Some(ctx) = call.get(handle).filter(|ctx| ctx.our_instance() == 0) else {
        return;
    };
    let masters = ctx.master().our_instance();
    ctx.set_our_instance(match tag {
        Some(tag) if tag >= MIN_VALID_INSTAG => tag,
        _ if masters != 0 => masters,
        _ => instag::new_tag(),
    });
}

fn tag_of_account(call: &Call<'_>) -> Option<OtrlInstag> {
    let names = call.names();
    let tag = instag::find(call.us()?, names.account.bytes(), names.protocol.bytes())?;
    Some(tag.instag().get())
}
