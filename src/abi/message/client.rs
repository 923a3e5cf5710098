//! The client's callbacks, each behind a function that answers for a missing one. Those that only one of the interfaces
//! has are in `abi2/callbacks.rs` and `abi5/callbacks.rs`.
//!
//! A callback may do anything: call back into the library, forget contexts, leave by longjmp or by an
//! exception. So the table is read afresh each time, and the frames in this file and in
//! [`super::deliver`] own nothing with a destructor while client code runs.

use std::ffi::{c_char, c_int, c_void};

use super::super::types::*;
use super::interface;

/// Whose callbacks: the user state, the table and the client's own pointer.
#[derive(Clone, Copy)]
pub struct Client {
    /// The user state.
    pub us: OtrlUserState,
    /// NULL or the table.
    pub ops: *const OtrlMessageAppOps,
    /// The client's own pointer.
    pub opdata: *mut c_void,
    /// Where a text goes, malloc'ed, that the client does not show itself. NULL where there is no place for one.
    #[cfg(feature = "abi2")]
    pub inline: *mut *mut c_char,
}

/// One member of the table, if the table and the member are there, and the user state was not freed in another callback.
macro_rules! callback {
    ($client:expr, $member:ident) => {
        if $client.ops.is_null() || crate::abi::in_use::is_freed($client.us) {
            None
        } else {
            (*$client.ops).$member
        }
    };
}
pub(super) use callback;

impl Client {
    /// `ops` may be NULL, as may be any of its members.
    pub fn new(us: OtrlUserState, ops: *const OtrlMessageAppOps, opdata: *mut c_void) -> Self {
        Self {
            us,
            ops,
            opdata,
            #[cfg(feature = "abi2")]
            inline: std::ptr::null_mut(),
        }
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
            let names = [(*ctx).accountname, (*ctx).protocol, (*ctx).username];
            self.inject_to(names.map(<*mut c_char>::cast_const), message);
        }
    }

    /// Sends a message to whom these name: our account, the protocol and the correspondent.
    ///
    /// # Safety
    /// As for all callbacks; the names and `message` outlive the call.
    pub unsafe fn inject_to(self, names: [*const c_char; 3], message: *const c_char) {
        // SAFETY: the caller's promise.
        unsafe {
            if let Some(inject) = callback!(self, inject_message) {
                let [account, protocol, user] = names;
                inject(self.opdata, account, protocol, user, message);
            }
        }
    }

    /// The longest message that the network takes; `None` for no limit.
    ///
    /// # Safety
    /// As for all callbacks.
    pub unsafe fn max_message_size(self, ctx: *mut ConnContext) -> Option<usize> {
        // SAFETY: the caller's promise.
        let size = unsafe {
            if !interface::has_max_message_size() {
                return None;
            }
            callback!(self, max_message_size).map_or(0, |ask| ask(self.opdata, ctx))
        };
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
}
