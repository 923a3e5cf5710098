//! Ending sessions.

use std::ffi::{c_char, c_void};

use super::super::bridge::with_conversation;
use super::super::context::{self, Handle};
use super::super::types::*;
use super::client::Client;
use super::instance::Names;
use crate::wire::tlv::{self, Tlv};

/// Tells the correspondent, if there is a session and somebody to hear it, and goes to plaintext.
unsafe fn disconnect(client: Client, handle: Handle) {
    // SAFETY: the caller vouches for the user state; after each callback the context is looked up again.
    unsafe {
        let Some(ctx) = handle.get(client.us) else {
            return;
        };
        if (*ctx).msgstate == MSGSTATE_ENCRYPTED
            && (*(*ctx).context_priv).their_keyid > 0
            && client.is_logged_in(ctx)
            && let Some(ctx) = handle.get(client.us)
        {
            let goodbye = Tlv {
                kind: tlv::DISCONNECTED,
                value: Vec::new(),
            };
            let sent = with_conversation(ctx, |c| c.send_tlv(goodbye)).unwrap_or_default();
            super::deliver::deliver(client, handle, sent);
        }
        if let Some(ctx) = handle.get(client.us) {
            context::force_plaintext(ctx);
            client.update_context_list();
        }
    }
}

/// Ends the session with one instance (or meta tag) of a correspondent.
///
/// # Safety
/// `us` is NULL or live; strings are NULL or C strings; `ops` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn otrl_message_disconnect(
    us: OtrlUserState,
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
    accountname: *const c_char,
    protocol: *const c_char,
    username: *const c_char,
    instance: OtrlInstag,
) {
    let client = Client::new(us, ops, opdata);
    let names = Names {
        user: username,
        account: accountname,
        protocol,
    };
    // SAFETY: the caller's promise.
    unsafe {
        if let Some(ctx) = names.find(client, instance) {
            disconnect(client, Handle::of(ctx));
        }
    }
}

/// Ends the sessions with all instances of a correspondent.
///
/// # Safety
/// As for [`otrl_message_disconnect`].
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn otrl_message_disconnect_all_instances(
    us: OtrlUserState,
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
    accountname: *const c_char,
    protocol: *const c_char,
    username: *const c_char,
) {
    let client = Client::new(us, ops, opdata);
    let names = Names {
        user: username,
        account: accountname,
        protocol,
    };
    // SAFETY: the caller's promise. A callback may forget any context: then the walk ends.
    unsafe {
        let Some(master) = names.find(client, INSTAG_MASTER) else {
            return;
        };
        let mut ctx = master;
        while !ctx.is_null() && (*ctx).m_context == master {
            let handle = Handle::of(ctx);
            disconnect(client, handle);
            ctx = match handle.get(us) {
                Some(ctx) => (*ctx).next,
                None => return,
            };
        }
    }
}
