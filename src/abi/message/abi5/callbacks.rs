//! The callbacks that only libotr 4 has. What is said of all callbacks in [`super::super::client`] holds for them.

use std::ffi::{c_char, c_uint, c_ushort};
use std::ptr;

use crate::abi::context::Handle;
use crate::abi::error::GcryError;
use crate::abi::memory::{bytes_of, c_string};
use crate::abi::message::client::{Client, callback};
use crate::abi::types::*;
use otr_protocol::wire::error_message::compose;

/// Every table has the member.
pub fn has_max_message_size() -> bool {
    true
}

impl Client {
    /// Asks for an instance tag.
    ///
    /// # Safety
    /// As for all callbacks; the names outlive the call.
    pub unsafe fn create_instag(self, account: *const c_char, protocol: *const c_char) {
        // SAFETY: the caller's promise.
        unsafe {
            if let Some(create) = callback!(self, create_instag) {
                create(self.opdata, account, protocol);
            }
        }
    }

    /// Whether the client handles message events.
    ///
    /// # Safety
    /// As for all callbacks.
    pub unsafe fn handles_message_events(self) -> bool {
        // SAFETY: the caller's promise.
        unsafe { callback!(self, handle_msg_event) }.is_some()
    }

    /// Something happened to a message.
    ///
    /// # Safety
    /// As for all callbacks; `text` is NULL or outlives the call.
    pub unsafe fn message_event(
        self,
        event: OtrlMessageEvent,
        ctx: *mut ConnContext,
        text: *const c_char,
        error: GcryError,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            if let Some(tell) = callback!(self, handle_msg_event) {
                tell(self.opdata, event, ctx, text, error);
            }
        }
    }

    /// Something happened in the SMP.
    ///
    /// # Safety
    /// As for all callbacks; `question` is NULL or outlives the call.
    pub unsafe fn smp_event(
        self,
        event: OtrlSmpEvent,
        ctx: *mut ConnContext,
        percent: c_ushort,
        question: *mut c_char,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            if let Some(tell) = callback!(self, handle_smp_event) {
                tell(self.opdata, event, ctx, percent, question);
            }
        }
    }

    /// The correspondent wants to use the extra key.
    ///
    /// # Safety
    /// As for all callbacks; `data` points at `len` bytes and `key` at 32, which outlive the call.
    pub unsafe fn received_symkey(
        self,
        ctx: *mut ConnContext,
        purpose: c_uint,
        data: *const u8,
        len: usize,
        key: *const u8,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            if let Some(tell) = callback!(self, received_symkey) {
                tell(self.opdata, ctx, purpose, data, len, key);
            }
        }
    }

    /// An OTR error message in the client's words, malloc'ed; NULL if the client has none.
    ///
    /// # Safety
    /// As for all callbacks.
    pub unsafe fn error_message(self, ctx: *mut ConnContext, code: OtrlErrorCode) -> *mut c_char {
        // SAFETY: the caller's promise; the text is copied before it is given back.
        unsafe {
            let Some(ask) = callback!(self, otr_error_message) else {
                return ptr::null_mut();
            };
            let text = ask(self.opdata, ctx, code);
            let message = match bytes_of(text) {
                Some(text) => compose(text).map_or(ptr::null_mut(), |message| c_string(&message)),
                None => ptr::null_mut(),
            };
            if !text.is_null()
                && let Some(free) = callback!(self, otr_error_message_free)
            {
                free(self.opdata, text);
            }
            message
        }
    }

    /// What the client puts before a text sent again, malloc'ed; NULL if it has nothing.
    ///
    /// # Safety
    /// As for all callbacks.
    pub unsafe fn resent_prefix(self, ctx: *mut ConnContext) -> *mut c_char {
        // SAFETY: the caller's promise; the text is copied before it is given back.
        unsafe {
            let Some(ask) = callback!(self, resent_msg_prefix) else {
                return ptr::null_mut();
            };
            let prefix = ask(self.opdata, ctx);
            let copy = bytes_of(prefix).map_or(ptr::null_mut(), c_string);
            if !prefix.is_null()
                && let Some(free) = callback!(self, resent_msg_prefix_free)
            {
                free(self.opdata, prefix);
            }
            copy
        }
    }

    /// A text as the client wants it sent or shown, malloc'ed; NULL to leave it as it is.
    ///
    /// # Errors
    /// `ENOMEM`: the client has put it otherwise, and there is no memory for that.
    ///
    /// # Safety
    /// As for all callbacks; `text` outlives the call.
    pub unsafe fn convert(
        self,
        handle: Handle,
        ctx: *mut ConnContext,
        direction: OtrlConvertType,
        text: *const c_char,
    ) -> Result<*mut c_char, GcryError> {
        // SAFETY: the caller's promise; the context is looked up again before it is handed out again.
        unsafe {
            let Some(convert) = callback!(self, convert_msg) else {
                return Ok(ptr::null_mut());
            };
            let mut converted: *mut c_char = ptr::null_mut();
            convert(self.opdata, ctx, direction, &raw mut converted, text);
            if converted.is_null() {
                return Ok(ptr::null_mut());
            }
            let copy = bytes_of(converted).map_or(ptr::null_mut(), c_string);
            if let Some(ctx) = handle.get(self.us)
                && let Some(free) = callback!(self, convert_free)
            {
                free(self.opdata, ctx, converted);
            }
            if copy.is_null() {
                Err(GcryError::ENOMEM)
            } else {
                Ok(copy)
            }
        }
    }

    /// Starts (an interval in seconds) or stops (0) the client's timer; whether it has one.
    ///
    /// # Safety
    /// As for all callbacks.
    pub unsafe fn timer_control(self, interval: c_uint) -> bool {
        // SAFETY: the caller's promise.
        unsafe {
            match callback!(self, timer_control) {
                Some(control) => {
                    control(self.opdata, interval);
                    true
                }
                None => false,
            }
        }
    }
}
