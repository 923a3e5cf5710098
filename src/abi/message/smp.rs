//! Starting, answering and aborting the SMP.

use std::ffi::{c_char, c_void};

use super::call::{Call, Client};
use super::deliver::deliver;
use super::interface;
use crate::abi::borrowed::{Borrowed, bytes};
use crate::abi::bridge::with_smp;
use crate::abi::context::Ctx;
use crate::abi::entry::entry;
use crate::abi::privkey;
use crate::abi::types::*;
use otr_protocol::conversation::Conversation;
use otr_protocol::effects::Effect;
use otr_protocol::error::ProtocolError;
use otr_protocol::smp::state::Smp;

/// Runs a step that needs our fingerprint. Does nothing if the step does not apply to the current session.
fn run(
    client: Client,
    context: Option<Borrowed<'_, ConnContext>>,
    step: impl FnOnce(&mut Conversation, &mut Smp, &[u8; 20]) -> Result<Vec<Effect>, ProtocolError>,
) {
    let Some((handle, outcome)) = context.map(Ctx::from).and_then(|ctx| {
        let ours = Call::about_contexts(client, |call| {
            privkey::fingerprint_of(call.us()?, ctx.account(), ctx.protocol())
        })?;
        let outcome = with_smp(ctx, |c, smp| step(c, smp, &ours)).ok()?;
        Some((ctx.handle(), outcome))
    }) else {
        return;
    };
    Call::about_contexts(client, |call| match outcome {
        Ok(effects) => deliver(call, handle, effects),
        // There is no question, or the session is with somebody else now.
        Err(ProtocolError::Conflict) => {}
        Err(_) => interface::smp_not_sent(call, handle),
    });
}

entry! {
    /// Begins the SMP with a secret that the user typed.
    ///
    /// # Safety
    /// `us` is live and contains `context`, which may be NULL; `secret` has `secretlen` bytes; `ops` is NULL or live.
    calls back;
    pub fn otrl_message_initiate_smp(
        us: OtrlUserState,
        ops: *const OtrlMessageAppOps,
        opdata: *mut c_void,
        context: *mut ConnContext as Option<Borrowed<ConnContext>>,
        secret: *const u8,
        secretlen: usize,
    )
    where client = Client::new(us, ops, opdata), secret = bytes(secret, secretlen) {
        run(client, context, |c, smp, ours| c.initiate_smp(smp, ours, None, secret));
    }
}

entry! {
    /// Begins the SMP with a question for the correspondent; NULL for none.
    ///
    /// # Safety
    /// As for [`otrl_message_initiate_smp`]; `question` is NULL or a C string.
    calls back;
    pub fn otrl_message_initiate_smp_q(
        us: OtrlUserState,
        ops: *const OtrlMessageAppOps,
        opdata: *mut c_void,
        context: *mut ConnContext as Option<Borrowed<ConnContext>>,
        question: *const c_char as Option<&[u8]>,
        secret: *const u8,
        secretlen: usize,
    )
    where client = Client::new(us, ops, opdata), secret = bytes(secret, secretlen) {
        run(client, context, |c, smp, ours| c.initiate_smp(smp, ours, question, secret));
    }
}

entry! {
    /// Answers the correspondent's SMP.
    ///
    /// # Safety
    /// As for [`otrl_message_initiate_smp`].
    calls back;
    pub fn otrl_message_respond_smp(
        us: OtrlUserState,
        ops: *const OtrlMessageAppOps,
        opdata: *mut c_void,
        context: *mut ConnContext as Option<Borrowed<ConnContext>>,
        secret: *const u8,
        secretlen: usize,
    )
    where client = Client::new(us, ops, opdata), secret = bytes(secret, secretlen) {
        run(client, context, |c, smp, ours| c.respond_smp(smp, ours, secret));
    }
}

entry! {
    /// Aborts the SMP.
    ///
    /// # Safety
    /// `us` is live and contains `context`, which may be NULL; `ops` is NULL or live.
    calls back;
    pub fn otrl_message_abort_smp(
        us: OtrlUserState,
        ops: *const OtrlMessageAppOps,
        opdata: *mut c_void,
        context: *mut ConnContext as Option<Borrowed<ConnContext>>,
    )
    where client = Client::new(us, ops, opdata) {
        let Some(ctx) = context.map(Ctx::from).filter(|_| !us.is_null()) else {
            return;
        };
        if let Ok(effects) = with_smp(ctx, Conversation::abort_smp) {
            let handle = ctx.handle();
            Call::about_contexts(client, |call| deliver(call, handle, effects));
        }
    }
}
