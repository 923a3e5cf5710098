//! Where a message goes when a correspondent has one context, and what the user gets to see of what can't be read.

use std::ptr;

use super::telling::{displayed_or_inline, notice};
use crate::abi::bridge::with_secrets;
use crate::abi::context::Names;
use crate::abi::memory::c_string;
use crate::abi::message::client::Client;
use crate::abi::message::receiving::{Arrival, PendingCommit, Shown};
use crate::abi::types::*;
use otr_protocol::ake::Auth;
use otr_protocol::effects::Notice;
use otr_protocol::policy::Policy;
use otr_protocol::wire::error_message::from_mark;
use otr_protocol::wire::fragment::Reassembly;
use otr_protocol::wire::instance::Instances;
use otr_protocol::wire::kind::MessageKind;
use otr_protocol::wire::version::Version;

/// Never: there is no other.
///
/// # Safety
/// None.
pub unsafe fn other_instance_is_secure(
    _client: Client,
    _names: Names,
    _ctx: *mut ConnContext,
) -> bool {
    false
}

/// None: the context has its exchange itself.
///
/// # Safety
/// None.
pub unsafe fn exchange_of_master(_ctx: *const ConnContext) -> Option<Auth> {
    None
}

/// Whether a message of this version is looked at: a data message is, whatever the policy says.
pub fn accepts(policy: Policy, kind: MessageKind, version: Version) -> bool {
    kind == MessageKind::Data || policy.versions.contains(version)
}

/// Nothing: nobody asks when.
///
/// # Safety
/// None.
pub unsafe fn note_heard(_ctx: *mut ConnContext) {}

impl Arrival {
    /// Drops a fragment of version 3: to libotr 3 it is a whole message, of an unknown kind.
    ///
    /// # Safety
    /// As for [`receive`](super::super::receiving::receive).
    pub unsafe fn route_fragment(&mut self, _tags: Instances) -> Result<bool, Shown> {
        // SAFETY: the caller's promise.
        unsafe {
            let ctx = self.live(self.from)?;
            let _ = with_secrets(ctx, |secrets| secrets.reassembly = Reassembly::default());
            if self.policy.send_whitespace_tag {
                self.note_answer_to_offer(MessageKind::Unknown)?;
            }
            notice(self.client, ctx, Notice::ReceivedUnrecognised, ptr::null());
        }
        Err(Shown::Nothing)
    }

    /// Drops a message of version 3. None comes here: their kind is unknown.
    ///
    /// # Safety
    /// None.
    pub unsafe fn route(&mut self, _kind: MessageKind, _context_is_new: bool) -> Result<(), Shown> {
        Err(Shown::Nothing)
    }

    /// None: our own DH-commit is in the same context as the one that has arrived.
    ///
    /// # Safety
    /// None.
    pub unsafe fn rival_commit(self) -> Result<Option<PendingCommit>, Shown> {
        Ok(None)
    }

    /// Displays an error message; if the client does not, it is shown as it is.
    ///
    /// # Safety
    /// As for [`receive`](super::super::receiving::receive).
    pub unsafe fn show_error(self) -> Result<Shown, Shown> {
        // SAFETY: the caller's promise.
        unsafe {
            let ctx = self.live(self.from)?;
            let words = c_string(from_mark(self.bytes()));
            if words.is_null() {
                return Ok(Shown::Yes);
            }
            let displayed = self.client.display(ctx, words);
            libc::free(words.cast());
            Ok(if displayed {
                Shown::Nothing
            } else {
                Shown::Yes
            })
        }
    }

    /// Plaintext is shown, with a warning if there should be none.
    ///
    /// # Safety
    /// As for [`receive`](super::super::receiving::receive).
    pub unsafe fn plaintext(self) -> Shown {
        // SAFETY: the caller's promise.
        unsafe {
            let Ok(ctx) = self.live(self.from) else {
                return Shown::Nothing;
            };
            if !self.policy.require_encryption && (*ctx).msgstate == MSGSTATE_PLAINTEXT {
                return Shown::Yes;
            }
            // Without its whitespace tag, if it had one.
            let stripped = *self.out.newmessagep;
            *self.out.newmessagep = ptr::null_mut();
            let text = if stripped.is_null() {
                self.text
            } else {
                stripped.cast_const()
            };
            displayed_or_inline(self.client, ctx, Notice::ReceivedUnencrypted, text);
            libc::free(stripped.cast());
            if (*self.out.newmessagep).is_null() {
                Shown::Nothing
            } else {
                Shown::Yes
            }
        }
    }
}
