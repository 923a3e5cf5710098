//! A message that is lost because there is no memory for it. Whoever has a session with its sender is told, and so is the
//! sender, who may send it again.

use super::arguments::Arguments;
use super::client::Client;
use super::deliver::deliver;
use super::interface;
use crate::abi::context::{Handle, Names};
use crate::abi::in_use;
use crate::abi::types::*;
use otr_protocol::receiving::unreadable;

/// Tells both sides that a message was lost, if there is a session.
///
/// # Safety
/// The client's user state is live, and nothing the client can reach is borrowed.
pub unsafe fn tell_lost(client: Client, handle: Handle) {
    // SAFETY: the caller's promise; the handle says whether the context is there.
    unsafe {
        let in_session = |ctx: *mut ConnContext| (*ctx).msgstate == MSGSTATE_ENCRYPTED;
        if handle.get(client.us).is_some_and(in_session) {
            deliver(client, handle, unreadable().into());
        }
    }
}

/// The same for a message that could not even be copied.
///
/// # Safety
/// The client's user state is live, and the names are C strings.
pub unsafe fn tell_lost_from(client: Client, names: Names) {
    // SAFETY: the caller's promise; the copies live until they are freed.
    unsafe {
        let Some(arguments) = Arguments::copy(names, c"".as_ptr(), std::ptr::null()) else {
            return;
        };
        in_use::during(client.us, || {
            if let Some(ctx) = interface::find_best(client, arguments.names) {
                tell_lost(client, Handle::of(ctx));
            }
        });
        arguments.free();
    }
}
