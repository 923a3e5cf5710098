//! The SMP as the user starts, answers and breaks it off.

use std::ffi::{c_char, c_void};
use std::ptr;

use super::super::bridge::with_smp;
use super::super::context::Handle;
use super::super::in_use;
use super::super::memory::{bytes_of, slice_of};
use super::super::privkey;
use super::super::types::*;
use super::client::Client;
use super::deliver::deliver;
use super::interface;
use otr_protocol::conversation::Conversation;
use otr_protocol::effects::Effect;
use otr_protocol::error::ProtocolError;
use otr_protocol::smp::state::Smp;

/// Runs a step that needs our fingerprint, in an encrypted conversation; else nothing happens.
unsafe fn run(
    client: Client,
    ctx: *mut ConnContext,
    step: impl FnOnce(&mut Conversation, &mut Smp, &[u8; 20]) -> Result<Vec<Effect>, ProtocolError>,
) {
    // SAFETY: the callers pass what their clients vouch for.
    unsafe {
        if client.us.is_null() || ctx.is_null() || (*ctx).msgstate != MSGSTATE_ENCRYPTED {
            return;
        }
        let Some(ours) = privkey::fingerprint_of(client.us, (*ctx).accountname, (*ctx).protocol)
        else {
            return;
        };
        match with_smp(ctx, |c, smp| step(c, smp, &ours)) {
            Ok(Ok(effects)) => {
                in_use::during(client.us, || deliver(client, Handle::of(ctx), effects));
            }
            // Nobody asked, or somebody else is there now.
            Ok(Err(ProtocolError::Conflict)) | Err(_) => {}
            Ok(Err(_)) => in_use::during(client.us, || interface::smp_not_sent(client, ctx)),
        }
    }
}

/// Begins the SMP with a secret that the user typed.
///
/// # Safety
/// `us` is live and has `context`, which may be NULL; `secret` has `secretlen` bytes; `ops` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn otrl_message_initiate_smp(
    us: OtrlUserState,
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
    context: *mut ConnContext,
    secret: *const u8,
    secretlen: usize,
) {
    // SAFETY: the caller's promise.
    unsafe { otrl_message_initiate_smp_q(us, ops, opdata, context, ptr::null(), secret, secretlen) }
}

/// Begins the SMP with a question for the correspondent; NULL for none.
///
/// # Safety
/// As for [`otrl_message_initiate_smp`]; `question` is NULL or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn otrl_message_initiate_smp_q(
    us: OtrlUserState,
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
    context: *mut ConnContext,
    question: *const c_char,
    secret: *const u8,
    secretlen: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        run(Client::new(us, ops, opdata), context, |c, smp, ours| {
            c.initiate_smp(smp, ours, bytes_of(question), slice_of(secret, secretlen))
        });
    }
}

/// Answers the correspondent's SMP.
///
/// # Safety
/// As for [`otrl_message_initiate_smp`].
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn otrl_message_respond_smp(
    us: OtrlUserState,
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
    context: *mut ConnContext,
    secret: *const u8,
    secretlen: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        run(Client::new(us, ops, opdata), context, |c, smp, ours| {
            c.respond_smp(smp, ours, slice_of(secret, secretlen))
        });
    }
}

/// Breaks off the SMP.
///
/// # Safety
/// `us` is live and has `context`, which may be NULL; `ops` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn otrl_message_abort_smp(
    us: OtrlUserState,
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
    context: *mut ConnContext,
) {
    // SAFETY: the caller's promise.
    unsafe {
        if us.is_null() || context.is_null() {
            return;
        }
        if let Ok(effects) = with_smp(context, Conversation::abort_smp) {
            let client = Client::new(us, ops, opdata);
            in_use::during(us, || deliver(client, Handle::of(context), effects));
        }
    }
}
