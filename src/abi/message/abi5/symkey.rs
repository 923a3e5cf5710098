//! The extra symmetric key.

use std::ffi::{c_uint, c_void};
use std::mem::ManuallyDrop;
use std::ptr;

use crate::abi::bridge::with_conversation;
use crate::abi::context::Ctx;
use crate::abi::error::GcryError;
use crate::abi::memory::slice_of;
use crate::abi::message::call::{Call, Client};
use crate::abi::message::transmit::transmit_all;
use crate::abi::types::*;
use otr_protocol::buffer;
use otr_protocol::wire::tlv::{self, Tlv};

/// Puts the current extra key into `symkey` and tells the correspondent what it is for.
///
/// # Safety
/// `us` is live and has `context`; `usedata` has `usedatalen` bytes; `symkey` points at 32 writable bytes; `ops` is NULL or live.
#[unsafe(no_mangle)]
#[allow(unreachable_pub, reason = "C calls it")]
pub unsafe extern "C-unwind" fn otrl_message_symkey(
    us: OtrlUserState,
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
    context: *mut ConnContext,
    purpose: c_uint,
    usedata: *const u8,
    usedatalen: usize,
    symkey: *mut u8,
) -> GcryError {
    // SAFETY: the caller's promise; the context and the data are not read after the first callback.
    unsafe {
        let has_data = usedatalen == 0 || !usedata.is_null();
        let Some(ctx) = Ctx::lend(context) else {
            return GcryError::INV_VALUE;
        };
        if us.is_null() || symkey.is_null() || !has_data {
            return GcryError::INV_VALUE;
        }
        if !ctx.is_encrypted() || usedatalen > usize::from(u16::MAX) - 4 {
            return GcryError::INV_VALUE;
        }
        let sent = with_conversation(ctx, |c| {
            let value = buffer::concat(&[&purpose.to_be_bytes(), slice_of(usedata, usedatalen)])?;
            c.encrypt_internal(&[Tlv {
                kind: tlv::SYMKEY,
                value,
            }])
        });
        let sent = match sent {
            Ok(Ok(sent)) => ManuallyDrop::new(sent),
            Ok(Err(error)) => return error.into(),
            Err(error) => return error,
        };
        ptr::copy_nonoverlapping(sent.extra_key.as_ptr(), symkey, sent.extra_key.len());
        let handle = ctx.handle();
        let outcome = Call::about_contexts(Client { us, ops, opdata }, |call| {
            transmit_all(call, handle, &sent.message)
        });
        drop(ManuallyDrop::into_inner(sent));
        outcome.into()
    }
}
