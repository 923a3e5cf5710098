//! The callbacks that only libotr 4 has.

use std::ffi::{CStr, c_char, c_uint};

use crate::abi::borrowed::{Borrowed, Char};
use crate::abi::context::Handle;
use crate::abi::error::GcryError;
use crate::abi::memory::bytes_of;
use crate::abi::message::call::Call;
use crate::abi::message::callbacks::{call_back, has_callback};
use crate::abi::text::CText;
use crate::abi::types::*;
use otr_protocol::wire::error_message::compose;

/// Always true: every table has the member.
pub(crate) fn has_max_message_size() -> bool {
    true
}

impl Call<'_> {
    /// Asks for an instance tag of our account.
    pub(crate) fn create_instag(&mut self) {
        let names = self.names();
        call_back!(
            self,
            create_instag,
            names.account.as_c_char(),
            names.protocol.as_c_char()
        );
    }

    /// Whether the client handles message events.
    pub(crate) fn handles_message_events(&self) -> bool {
        has_callback!(self, handle_msg_event)
    }

    /// Something happened to a message. The text may be none.
    pub(crate) fn message_event(
        &mut self,
        event: OtrlMessageEvent,
        handle: Handle,
        text: Option<&CStr>,
        error: GcryError,
    ) {
        if let Some(ctx) = self.get(handle).map(|ctx| ctx.as_ptr()) {
            let text = text.map_or(std::ptr::null(), CStr::as_ptr);
            call_back!(self, handle_msg_event, event, ctx, text, error);
        }
    }

    /// Something happened in the SMP. The question may be none.
    pub(crate) fn smp_event(
        &mut self,
        event: OtrlSmpEvent,
        handle: Handle,
        percent: u16,
        question: &mut CText,
    ) {
        if let Some(ctx) = self.get(handle).map(|ctx| ctx.as_ptr()) {
            call_back!(
                self,
                handle_smp_event,
                event,
                ctx,
                percent,
                question.as_mut_ptr()
            );
        }
    }

    /// The correspondent wants to use the extra key.
    pub(crate) fn received_symkey(
        &mut self,
        handle: Handle,
        purpose: c_uint,
        data: &[u8],
        key: &[u8; 32],
    ) {
        if let Some(ctx) = self.get(handle).map(|ctx| ctx.as_ptr()) {
            call_back!(
                self,
                received_symkey,
                ctx,
                purpose,
                data.as_ptr(),
                data.len(),
                key.as_ptr()
            );
        }
    }

    /// The text of an OTR error message from the client; none if it has none.
    pub(crate) fn error_message(&mut self, handle: Handle, code: OtrlErrorCode) -> CText {
        let Some(ctx) = self.get(handle).map(|ctx| ctx.as_ptr()) else {
            return CText::NONE;
        };
        let Some(text) = call_back!(self, otr_error_message, ctx, code) else {
            return CText::NONE;
        };
        // SAFETY: NULL or a C string, as `message.h` says; it is copied before it is freed.
        let message = match unsafe { bytes_of(text) } {
            Some(text) => compose(text).map_or(CText::NONE, |message| CText::up_to_nul(&message)),
            None => return CText::NONE,
        };
        call_back!(self, otr_error_message_free, text);
        message
    }

    /// The client's prefix for a text that is sent again; none if it has none.
    pub(crate) fn prefix_of_resent(&mut self, handle: Handle) -> CText {
        let Some(ctx) = self.get(handle).map(|ctx| ctx.as_ptr()) else {
            return CText::NONE;
        };
        let Some(prefix) = call_back!(self, resent_msg_prefix, ctx) else {
            return CText::NONE;
        };
        // SAFETY: as for the error message above.
        let Some(copy) = unsafe { bytes_of(prefix) }.map(CText::new) else {
            return CText::NONE;
        };
        call_back!(self, resent_msg_prefix_free, prefix);
        copy
    }

    /// A text as converted by the client for sending or display; none to leave it as it is.
    ///
    /// # Errors
    /// `ENOMEM`: the client has converted it, but there is no memory for the result.
    pub(crate) fn convert(
        &mut self,
        handle: Handle,
        direction: OtrlConvertType,
        text: Borrowed<'_, Char>,
    ) -> Result<CText, GcryError> {
        let Some(ctx) = self.get(handle).map(|ctx| ctx.as_ptr()) else {
            return Ok(CText::NONE);
        };
        let mut converted: *mut c_char = std::ptr::null_mut();
        call_back!(
            self,
            convert_msg,
            ctx,
            direction,
            &raw mut converted,
            text.as_c_char()
        );
        // SAFETY: NULL or a C string, as `message.h` says; it is copied before it is freed.
        let Some(copy) = unsafe { bytes_of(converted) }.map(CText::new) else {
            return Ok(CText::NONE);
        };
        // The context is looked up again, because it is passed to the client once more.
        if let Some(ctx) = self.get(handle).map(|ctx| ctx.as_ptr()) {
            call_back!(self, convert_free, ctx, converted);
        }
        if copy.is_null() {
            return Err(GcryError::ENOMEM);
        }
        Ok(copy)
    }

    /// Starts (an interval in seconds) or stops (0) the client's timer; whether it has one.
    pub(crate) fn timer_control(&mut self, interval: c_uint) -> bool {
        call_back!(self, timer_control, interval).is_some()
    }
}
