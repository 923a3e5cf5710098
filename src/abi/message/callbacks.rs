//! The client's callbacks, each behind a function that has a result if the callback is missing. Those that only one of the
//! interfaces has are in `abi2/callbacks.rs` and `abi5/callbacks.rs`.

use std::ffi::{c_char, c_int};

use super::call::Call;
use super::interface;
use crate::abi::borrowed::{Borrowed, Char};
use crate::abi::context::Handle;
use crate::abi::types::{OtrlPolicy, POLICY_OPPORTUNISTIC};

/// Calls a function of the client's table, if the table and the member exist and the user state was not freed in another
/// callback. `None` if not.
macro_rules! call_back {
    ($call:expr, $member:ident $(, $argument:expr)* $(,)?) => {{
        let call: &mut $crate::abi::message::call::Call<'_> = $call;
        let client = call.client();
        if client.ops.is_null() || call.is_over() {
            None
        } else {
            // SAFETY: the table is live, as `Client::new` requires, and its functions have the types that `message.h` declares.
            // Nothing is borrowed from the call, which is borrowed as `&mut`; the macro's caller keeps alive what the arguments
            // point to.
            unsafe { (*client.ops).$member.map(|member| member(client.opdata, $($argument),*)) }
        }
    }};
}
pub(super) use call_back;

/// Whether a member of the table is not NULL.
macro_rules! has_callback {
    ($call:expr, $member:ident) => {{
        let client = $call.client();
        // SAFETY: NULL, or a live table, as `Client::new` requires.
        !client.ops.is_null() && !$call.is_over() && unsafe { (*client.ops).$member.is_some() }
    }};
}
#[cfg(feature = "abi5")]
pub(super) use has_callback;

impl Call<'_> {
    /// The policy for a correspondent. `None` if the context is gone.
    pub(crate) fn policy(&mut self, handle: Handle) -> Option<OtrlPolicy> {
        let ctx = self.get(handle)?.as_ptr();
        Some(call_back!(self, policy, ctx).unwrap_or(POLICY_OPPORTUNISTIC))
    }

    /// Asks for a private key of our account.
    pub(crate) fn create_privkey(&mut self) {
        let names = self.names();
        call_back!(
            self,
            create_privkey,
            names.account.as_c_char(),
            names.protocol.as_c_char()
        );
    }

    /// Whether the correspondent is certainly online.
    pub(crate) fn is_logged_in(&mut self, handle: Handle) -> bool {
        let Some([account, protocol, user]) = self.names_in(handle) else {
            return false;
        };
        call_back!(self, is_logged_in, account, protocol, user) == Some(1)
    }

    /// Whether messages can be sent.
    pub(crate) fn can_inject(&self) -> bool {
        has_callback!(self, inject_message)
    }

    /// Sends a message, unless the context is gone.
    pub(crate) fn inject(&mut self, handle: Handle, message: Borrowed<'_, Char>) {
        if let Some(names) = self.names_in(handle) {
            self.inject_to(names, message);
        }
    }

    /// Sends a message; the names are our account, the protocol and the correspondent.
    pub(crate) fn inject_to(&mut self, names: [*const c_char; 3], message: Borrowed<'_, Char>) {
        let [account, protocol, user] = names;
        call_back!(
            self,
            inject_message,
            account,
            protocol,
            user,
            message.as_c_char()
        );
    }

    /// The maximum message size of the network; `None` for no limit.
    pub(crate) fn max_message_size(&mut self, handle: Handle) -> Option<usize> {
        if !interface::has_max_message_size() {
            return None;
        }
        let ctx = self.get(handle)?.as_ptr();
        let size = call_back!(self, max_message_size, ctx)?;
        usize::try_from(size).ok().filter(|size| *size != 0)
    }

    /// The list of contexts changed.
    pub(crate) fn update_context_list(&mut self) {
        call_back!(self, update_context_list);
    }

    /// A fingerprint was seen for the first time.
    pub(crate) fn new_fingerprint(&mut self, handle: Handle, fingerprint: &mut [u8; 20]) {
        let us = self.client().us;
        if let Some([account, protocol, user]) = self.names_in(handle) {
            call_back!(
                self,
                new_fingerprint,
                us,
                account,
                protocol,
                user,
                fingerprint.as_mut_ptr()
            );
        }
    }

    /// The fingerprints should be written.
    pub(crate) fn write_fingerprints(&mut self) {
        call_back!(self, write_fingerprints);
    }

    /// A session began.
    pub(crate) fn gone_secure(&mut self, handle: Handle) {
        if let Some(ctx) = self.get(handle).map(|ctx| ctx.as_ptr()) {
            call_back!(self, gone_secure, ctx);
        }
    }

    /// A session was refreshed.
    pub(crate) fn still_secure(&mut self, handle: Handle, initiated: c_int) {
        if let Some(ctx) = self.get(handle).map(|ctx| ctx.as_ptr()) {
            call_back!(self, still_secure, ctx, initiated);
        }
    }

    /// The names in a context, which live as long as the context: our account, the protocol and the correspondent.
    pub(crate) fn names_in(&self, handle: Handle) -> Option<[*const c_char; 3]> {
        let ctx = self.get(handle)?.borrowed();
        let pointer = |name: Borrowed<'_, *mut Char>| {
            name.text()
                .map_or(std::ptr::null(), |name| name.as_c_char())
        };
        Some([ctx.accountname(), ctx.protocol(), ctx.username()].map(pointer))
    }
}
