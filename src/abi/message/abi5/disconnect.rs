//! Ending sessions with one instance, or all.

use std::ffi::{c_char, c_void};
use std::ptr;

use crate::abi::context::{self, Ctx, Names};
use crate::abi::entry::entry;
use crate::abi::message::call::{Call, Client};
use crate::abi::message::disconnect::disconnect;
use crate::abi::types::*;

entry! {
    /// Ends the session with one instance (or meta tag) of a correspondent.
    ///
    /// # Safety
    /// `us` is NULL or live; strings are NULL or C strings; `ops` is NULL or live.
    calls back;
    pub fn otrl_message_disconnect(
        us: OtrlUserState,
        ops: *const OtrlMessageAppOps,
        opdata: *mut c_void,
        accountname: *const c_char,
        protocol: *const c_char,
        username: *const c_char,
        instance: OtrlInstag,
    )
    where client = Client::new(us, ops, opdata), names = Names::new(username, accountname, protocol) {
        // The names are not read after the first callback.
        Call::about_contexts(client, |call| {
            if let Some(handle) = find(call, names, instance).map(Ctx::handle) {
                disconnect(call, handle);
            }
        });
    }
}

entry! {
    /// Ends the sessions with all instances of a correspondent.
    ///
    /// # Safety
    /// As for [`otrl_message_disconnect`].
    calls back;
    pub fn otrl_message_disconnect_all_instances(
        us: OtrlUserState,
        ops: *const OtrlMessageAppOps,
        opdata: *mut c_void,
        accountname: *const c_char,
        protocol: *const c_char,
        username: *const c_char,
    )
    where client = Client::new(us, ops, opdata), names = Names::new(username, accountname, protocol) {
        // The names are not read after the first callback.
        Call::about_contexts(client, |call| {
            let master = find(call, names, INSTAG_MASTER);
            let mut next = master.map(Ctx::handle);
            let master = master.map_or(ptr::null_mut(), Ctx::as_ptr);
            // A callback may forget the current context: then the walk ends.
            while let Some(handle) = next {
                disconnect(call, handle);
                let behind = call.get(handle).and_then(|ctx| ctx.and_next().nth(1));
                next = behind.filter(|ctx| ptr::eq(ctx.master().as_ptr(), master)).map(Ctx::handle);
            }
        });
    }
}

/// The context of one instance (or meta tag), if it exists and all names were given.
fn find<'a>(call: &'a Call<'_>, names: Option<Names<'a>>, instance: OtrlInstag) -> Option<Ctx<'a>> {
    context::find(call.us()?, &names?, instance).map(Ctx::from)
}
