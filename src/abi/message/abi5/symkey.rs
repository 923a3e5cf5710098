//! The extra symmetric key.

use std::ffi::{c_uint, c_void};
use std::mem::ManuallyDrop;

use crate::abi::borrowed::{Borrowed, bytes};
use crate::abi::bridge::with_conversation;
use crate::abi::context::Ctx;
use crate::abi::entry::entry;
use crate::abi::error::GcryError;
use crate::abi::message::call::{Call, Client};
use crate::abi::message::transmit::transmit_all;
use crate::abi::types::*;

entry! {
    /// Puts the current extra key into `symkey` and tells the correspondent what it is for.
    ///
    /// # Safety
    /// `us` is live and contains `context`; `usedata` has `usedatalen` bytes; `symkey` points at 32 writable bytes; `ops` is
    /// NULL or live.
    calls back;
    pub fn otrl_message_symkey(
        us: OtrlUserState,
        ops: *const OtrlMessageAppOps,
        opdata: *mut c_void,
        context: *mut ConnContext as Option<Borrowed<ConnContext>>,
        purpose: c_uint,
        usedata: *const u8,
        usedatalen: usize,
        symkey: *mut u8 as Option<Borrowed<[u8; EXTRAKEY_BYTES]>>,
    ) -> GcryError as Result<(), GcryError>
    where client = Client::new(us, ops, opdata), data = bytes(usedata, usedatalen) {
        let ctx = context.map(Ctx::from);
        let (Some(ctx), Some(symkey), false) = (ctx, symkey, us.is_null()) else {
            return Err(GcryError::INV_VALUE);
        };
        if data.len() != usedatalen {
            return Err(GcryError::INV_VALUE);
        }
        let (message, extra_key) = with_conversation(ctx, |c| c.use_extra_key(purpose, data))??;
        symkey.set(*extra_key);
        drop(extra_key);
        let message = ManuallyDrop::new(message);
        // The context and the data are not read after the first callback.
        let handle = ctx.handle();
        let outcome = Call::about_contexts(client, |call| transmit_all(call, handle, &message));
        drop(ManuallyDrop::into_inner(message));
        outcome
    }
}
