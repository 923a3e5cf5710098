//! The SMP as the user starts, answers and breaks it off.

use std::ffi::{c_char, c_void};
use std::ptr;

use super::call::{Call, Client};
use super::deliver::deliver;
use super::interface;
use crate::abi::bridge::with_smp;
use crate::abi::context::Ctx;
use crate::abi::memory::{bytes_of, slice_of};
use crate::abi::privkey;
use crate::abi::types::*;
use otr_protocol::conversation::Conversation;
use otr_protocol::effects::Effect;
use otr_protocol::error::ProtocolError;
use otr_protocol::smp::state::Smp;

/// Runs a step that needs our fingerprint, in an encrypted conversation; else nothing happens.
///
/// # Safety
/// As for [`Call::about_contexts`]; `context` is NULL or a live context of the user state.
unsafe fn run(
    client: Client,
    context: *mut ConnContext,
    step: impl FnOnce(&mut Conversation, &mut Smp, &[u8; 20]) -> Result<Vec<Effect>, ProtocolError>,
) {
    // SAFETY: the caller's promise. No callback has run when the context is read.
    unsafe {
        let Some(ctx) = Ctx::lend(context).filter(|ctx| ctx.is_encrypted()) else {
            return;
        };
        if client.us.is_null() {
            return;
        }
        let (account, protocol) = ((*context).accountname, (*context).protocol);
        let Some(ours) = privkey::fingerprint_of(client.us, account, protocol) else {
            return;
        };
        let handle = ctx.handle();
        match with_smp(ctx, |c, smp| step(c, smp, &ours)) {
            Ok(Ok(effects)) => {
                Call::about_contexts(client, |call| deliver(call, handle, effects));
            }
            // Nobody asked, or somebody else is there now.
            Ok(Err(ProtocolError::Conflict)) | Err(_) => {}
            Ok(Err(_)) => {
                Call::about_contexts(client, |call| interface::smp_not_sent(call, handle));
            }
        }
    }
}

/// Begins the SMP with a secret that the user typed.
///
/// # Safety
/// `us` is live and has `context`, which may be NULL; `secret` has `secretlen` bytes; `ops` is NULL or live.
#[unsafe(no_mangle)]
#[allow(unreachable_pub, reason = "C calls it")]
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
#[allow(unreachable_pub, reason = "C calls it")]
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
        run(Client { us, ops, opdata }, context, |c, smp, ours| {
            c.initiate_smp(smp, ours, bytes_of(question), slice_of(secret, secretlen))
        });
    }
}

/// Answers the correspondent's SMP.
///
/// # Safety
/// As for [`otrl_message_initiate_smp`].
#[unsafe(no_mangle)]
#[allow(unreachable_pub, reason = "C calls it")]
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
        run(Client { us, ops, opdata }, context, |c, smp, ours| {
            c.respond_smp(smp, ours, slice_of(secret, secretlen))
        });
    }
}

/// Breaks off the SMP.
///
/// # Safety
/// `us` is live and has `context`, which may be NULL; `ops` is NULL or live.
#[unsafe(no_mangle)]
#[allow(unreachable_pub, reason = "C calls it")]
pub unsafe extern "C-unwind" fn otrl_message_abort_smp(
    us: OtrlUserState,
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
    context: *mut ConnContext,
) {
    // SAFETY: the caller's promise. No callback has run when the context is read.
    unsafe {
        let Some(ctx) = Ctx::lend(context).filter(|_| !us.is_null()) else {
            return;
        };
        if let Ok(effects) = with_smp(ctx, Conversation::abort_smp) {
            let handle = ctx.handle();
            Call::about_contexts(Client { us, ops, opdata }, |call| {
                deliver(call, handle, effects)
            });
        }
    }
}
