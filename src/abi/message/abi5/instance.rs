//! Which context a message belongs to, and our instance tag in it.

use std::ffi::c_int;
use std::ptr;

use crate::abi::context::{self, Ctx, Handle};
use crate::abi::instag;
use crate::abi::message::call::Call;
use crate::abi::types::*;

/// The context of one instance of the correspondent (or of a meta tag), made if there is none, and whether it is new. `None`
/// without memory.
#[inline(never)]
pub(crate) fn find_or_add(call: &mut Call<'_>, their_tag: OtrlInstag) -> Option<(Handle, bool)> {
    let mut added: c_int = 0;
    let new = Some(call.new_contexts());
    // SAFETY: the user state is live and the names are C strings, as `Call` demands. A callback may run, and the call is
    // borrowed as `&mut`; what is given back was alive after it.
    unsafe {
        let ctx = context::find(
            call.client().us,
            call.names(),
            their_tag,
            &raw mut added,
            new,
        );
        (!ctx.is_null()).then(|| (Handle::of(ctx), added != 0))
    }
}

/// The context of one instance (or of a meta tag), if there is one.
pub(crate) fn find<'a>(call: &'a Call<'_>, their_tag: OtrlInstag) -> Option<Ctx<'a>> {
    // SAFETY: likewise; no callback runs.
    unsafe {
        let us = call.client().us;
        Ctx::lend(context::find(
            us,
            call.names(),
            their_tag,
            ptr::null_mut(),
            None,
        ))
    }
}

/// The context of the instance that is talked to, if there is one.
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
    // A call within `create_instag` may have given it one, which messages bear already.
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
    // SAFETY: the user state is live and the names are C strings, as `Call` demands; a node lives until it is forgotten.
    unsafe {
        let node = instag::find(call.client().us, names.account, names.protocol);
        node.as_ref().map(|node| node.instag)
    }
}
