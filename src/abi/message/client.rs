//! The client's callbacks, each behind a function that answers for a missing one.
//!
//! A callback may do anything: call back into the library, forget contexts, leave by longjmp or by an
//! exception. So the table is read afresh each time, and the frames in this file and in
//! [`super::deliver`] own nothing with a destructor while client code runs.

use std::ffi::{c_char, c_int, c_uint, c_ushort, c_void};
use std::ptr;

use super::super::context::Handle;
use super::super::error::GcryError;
use super::super::memory::{bytes_of, c_string};
use super::super::types::*;

/// Whose callbacks: the user state, the table and the client's own pointer.
#[derive(Clone, Copy)]
pub struct Client {
    /// The user state.
    pub us: OtrlUserState,
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
}

/// One member of the table, if the table and the member are there.
macro_rules! callback {
    ($client:expr, $member:ident) => {
        if $client.ops.is_null() {
            None
        } else {
            (*$client.ops).$member
        }
    };
}

impl Client {
    /// `ops` may be NULL, as may be any of its members.
    pub fn new(us: OtrlUserState, ops: *const OtrlMessageAppOps, opdata: *mut c_void) -> Self {
        Self { us, ops, opdata }
    }
}

// "As for all callbacks" below: the table is NULL or live, `ctx` is live when the function is called,
// and no reference into memory that the client can reach is in use.
impl Client {
    /// The policy for this correspondent.
    ///
    /// # Safety
    /// As for all callbacks.
    pub unsafe fn policy(self, ctx: *mut ConnContext) -> OtrlPolicy {
        // SAFETY: the caller's promise.
        unsafe {
            match callback!(self, policy) {
                Some(policy) => policy(self.opdata, ctx),
                None => POLICY_OPPORTUNISTIC,
            }
        }
    }

    /// Asks for a private key.
    ///
    /// # Safety
    /// As for all callbacks; the names outlive the call.
    pub unsafe fn create_privkey(self, account: *const c_char, protocol: *const c_char) {
        // SAFETY: the caller's promise.
        unsafe {
            if let Some(create) = callback!(self, create_privkey) {
                create(self.opdata, account, protocol);
            }
        }
    }

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

    /// Whether the correspondent is on line for certain.
    ///
    /// # Safety
    /// As for all callbacks.
    pub unsafe fn is_logged_in(self, ctx: *mut ConnContext) -> bool {
        // SAFETY: the caller's promise.
        unsafe {
            match callback!(self, is_logged_in) {
                Some(ask) => {
                    ask(
                        self.opdata,
                        (*ctx).accountname,
                        (*ctx).protocol,
                        (*ctx).username,
                    ) == 1
                }
                None => false,
            }
        }
    }

    /// Whether messages can be sent at all.
    ///
    /// # Safety
    /// As for all callbacks.
    pub unsafe fn can_inject(self) -> bool {
        // SAFETY: the caller's promise.
        unsafe { callback!(self, inject_message) }.is_some()
    }

    /// Sends a message.
    ///
    /// # Safety
    /// As for all callbacks; `message` outlives the call.
    pub unsafe fn inject(self, ctx: *mut ConnContext, message: *const c_char) {
        // SAFETY: the caller's promise.
        unsafe {
            if let Some(inject) = callback!(self, inject_message) {
                inject(
                    self.opdata,
                    (*ctx).accountname,
                    (*ctx).protocol,
                    (*ctx).username,
                    message,
                );
            }
        }
    }

    /// The longest message that the network takes; `None` for no limit.
    ///
    /// # Safety
    /// As for all callbacks.
    pub unsafe fn max_message_size(self, ctx: *mut ConnContext) -> Option<usize> {
        // SAFETY: the caller's promise.
        let size =
            unsafe { callback!(self, max_message_size).map_or(0, |ask| ask(self.opdata, ctx)) };
        usize::try_from(size).ok().filter(|size| *size != 0)
    }

    /// The list of contexts changed.
    ///
    /// # Safety
    /// As for all callbacks.
    pub unsafe fn update_context_list(self) {
        // SAFETY: the caller's promise.
        unsafe {
            if let Some(update) = callback!(self, update_context_list) {
                update(self.opdata);
            }
        }
    }

    /// A fingerprint was seen for the first time.
    ///
    /// # Safety
    /// As for all callbacks; `fingerprint` points at 20 bytes that outlive the call.
    pub unsafe fn new_fingerprint(self, ctx: *mut ConnContext, fingerprint: *mut u8) {
        // SAFETY: the caller's promise.
        unsafe {
            if let Some(tell) = callback!(self, new_fingerprint) {
                tell(
                    self.opdata,
                    self.us,
                    (*ctx).accountname,
                    (*ctx).protocol,
                    (*ctx).username,
                    fingerprint,
                );
            }
        }
    }

    /// The fingerprints should be written.
    ///
    /// # Safety
    /// As for all callbacks.
    pub unsafe fn write_fingerprints(self) {
        // SAFETY: the caller's promise.
        unsafe {
            if let Some(write) = callback!(self, write_fingerprints) {
                write(self.opdata);
            }
        }
    }

    /// A session began.
    ///
    /// # Safety
    /// As for all callbacks.
    pub unsafe fn gone_secure(self, ctx: *mut ConnContext) {
        // SAFETY: the caller's promise.
        unsafe {
            if let Some(tell) = callback!(self, gone_secure) {
                tell(self.opdata, ctx);
            }
        }
    }

    /// A session was refreshed.
    ///
    /// # Safety
    /// As for all callbacks.
    pub unsafe fn still_secure(self, ctx: *mut ConnContext, initiated: c_int) {
        // SAFETY: the caller's promise.
        unsafe {
            if let Some(tell) = callback!(self, still_secure) {
                tell(self.opdata, ctx, initiated);
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
                Some(text) => c_string(&crate::wire::error_message::compose(text)),
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
    /// # Safety
    /// As for all callbacks; `text` outlives the call.
    pub unsafe fn convert(
        self,
        handle: Handle,
        ctx: *mut ConnContext,
        direction: OtrlConvertType,
        text: *const c_char,
    ) -> *mut c_char {
        // SAFETY: the caller's promise; the context is looked up again before it is handed out again.
        unsafe {
            let Some(convert) = callback!(self, convert_msg) else {
                return ptr::null_mut();
            };
            let mut converted: *mut c_char = ptr::null_mut();
            convert(self.opdata, ctx, direction, &raw mut converted, text);
            if converted.is_null() {
                return ptr::null_mut();
            }
            let copy = bytes_of(converted).map_or(ptr::null_mut(), c_string);
            if let Some(ctx) = handle.get(self.us)
                && let Some(free) = callback!(self, convert_free)
            {
                free(self.opdata, ctx, converted);
            }
            copy
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
