//! Which context a message belongs to, and our instance tag in it.

use std::ffi::c_int;
use std::ptr;

use crate::abi::context::{self, Handle, Names, NewContexts};
use crate::abi::instag;
use crate::abi::message::client::Client;
use crate::abi::message::correspondent::Found;
use crate::abi::types::*;

/// The context of one instance (or meta tag), made if there is none. `None` without memory.
///
/// # Safety
/// The client's user state is live and the names are C strings; callbacks may run.
pub unsafe fn find_or_add(
    client: Client,
    names: Names,
    their_tag: OtrlInstag,
    new: NewContexts,
) -> Option<Found> {
    // SAFETY: the caller's promise.
    unsafe {
        let mut added: c_int = 0;
        let ctx = context::find(client.us, names, their_tag, &raw mut added, Some(new));
        Found::of(ctx, added)
    }
}

/// The context of one instance (or meta tag), if there is one.
///
/// # Safety
/// As for [`find_or_add`], but no callback runs.
pub unsafe fn find(
    client: Client,
    names: Names,
    their_tag: OtrlInstag,
) -> Option<*mut ConnContext> {
    // SAFETY: the caller's promise.
    let ctx = unsafe { context::find(client.us, names, their_tag, ptr::null_mut(), None) };
    (!ctx.is_null()).then_some(ctx)
}

/// The context of the instance that is talked to, if there is one.
///
/// # Safety
/// As for [`find`].
pub unsafe fn find_best(client: Client, names: Names) -> Option<*mut ConnContext> {
    // SAFETY: the caller's promise.
    unsafe { find(client, names, INSTAG_BEST) }
}

/// Gives a context our instance tag: the account's, one that the client makes now, that of the
/// master (all instances of a correspondent must see the same one), or a random one.
///
/// # Safety
/// `handle` names a context of the client's user state; callbacks may run.
pub unsafe fn ensure_our_tag(client: Client, names: Names, handle: Handle) {
    // SAFETY: the caller's promise; the context is looked up again after the callback.
    unsafe {
        if handle
            .get(client.us)
            .is_none_or(|ctx| (*ctx).our_instance != 0)
        {
            return;
        }
        let mut tag = instag::find(client.us, names.account, names.protocol);
        if tag.is_null() {
            client.create_instag(names.account, names.protocol);
            tag = instag::find(client.us, names.account, names.protocol);
        }
        let Some(ctx) = handle.get(client.us) else {
            return;
        };
        if !tag.is_null() && (*tag).instag >= MIN_VALID_INSTAG {
            (*ctx).our_instance = (*tag).instag;
            return;
        }
        let masters = (*(*ctx).m_context).our_instance;
        (*ctx).our_instance = if masters != 0 {
            masters
        } else {
            instag::new_tag()
        };
    }
}
