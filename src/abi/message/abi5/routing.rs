//! Which instance a message comes from and is meant for.

use std::ffi::c_char;
use std::ptr;

use super::instance::{find, find_or_add};
use super::telling::{notice, report_error};
use crate::abi::context::{self, Handle, Names};
use crate::abi::exchange;
use crate::abi::hidden::private_of;
use crate::abi::memory::c_string;
use crate::abi::message::client::Client;
use crate::abi::message::clock::now;
use crate::abi::message::receiving::{Arrival, PendingCommit, Shown};
use crate::abi::types::*;
use otr_protocol::ake::Auth;
use otr_protocol::effects::{ErrorCode, Notice};
use otr_protocol::instances;
use otr_protocol::policy::Policy;
use otr_protocol::wire::error_message::text_of;
use otr_protocol::wire::instance::{Instances, MIN_VALID};
use otr_protocol::wire::kind::{MessageKind, instances as instance_tags, otr_tag};
use otr_protocol::wire::version::Version;

/// Whether another instance of the correspondent has a session with us.
///
/// # Safety
/// The user state is live, the names are C strings, `ctx` is one of the correspondent's contexts.
pub unsafe fn other_instance_is_secure(
    client: Client,
    names: Names,
    ctx: *mut ConnContext,
) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        find(client, names, INSTAG_BEST)
            .is_some_and(|best| best != ctx && (*best).msgstate == MSGSTATE_ENCRYPTED)
    }
}

/// Whether a message of this version is looked at: if the policy allows the version.
pub fn accepts(policy: Policy, _kind: MessageKind, version: Version) -> bool {
    policy.versions.contains(version)
}

/// Notes that a message came from this context.
///
/// # Safety
/// `ctx` is live.
pub unsafe fn note_heard(ctx: *mut ConnContext) {
    // SAFETY: the caller's promise; a context that messages come from is the library's.
    unsafe {
        (*(*ctx).context_priv).lastrecv = now();
        context::update_recent_child(ctx, false);
    }
}

impl Arrival {
    /// Goes on with the context of the instance that a fragment of version 3 comes from; whether it had to be made.
    ///
    /// # Safety
    /// As for [`receive`](super::super::receiving::receive).
    #[inline(never)]
    pub unsafe fn route_fragment(&mut self, tags: Instances) -> Result<bool, Shown> {
        // SAFETY: the caller's promise.
        unsafe { self.follow(tags, tags.to == 0) }
    }

    /// Goes on with the context of the instance that a message of version 3 comes from.
    ///
    /// # Safety
    /// As for [`receive`](super::super::receiving::receive).
    #[inline(never)]
    pub unsafe fn route(&mut self, kind: MessageKind, context_is_new: bool) -> Result<(), Shown> {
        // SAFETY: the caller's promise.
        unsafe {
            let added = self.check_instances(kind)?;
            self.take_over_from_master(kind, context_is_new | added)
        }
    }

    /// The DH-commit of our master context, its hash and the message, that crosses the one that has arrived.
    ///
    /// # Safety
    /// As for [`receive`](super::super::receiving::receive).
    pub unsafe fn rival_commit(self) -> Result<Option<PendingCommit>, Shown> {
        // SAFETY: the caller's promise.
        unsafe {
            let (ctx, master) = (self.live(self.from)?, self.live(self.master)?);
            Ok(if ctx == master {
                None
            } else {
                pending_commit(master)
            })
        }
    }

    /// Tells the client of an error message, whose text it shows; without a callback for that the message itself is shown.
    ///
    /// # Safety
    /// As for [`receive`](super::super::receiving::receive).
    pub unsafe fn show_error(self) -> Result<Shown, Shown> {
        // SAFETY: the caller's promise.
        unsafe {
            let text = text_of(self.bytes()).map_or(ptr::null_mut(), c_string);
            if text.is_null() || !self.client.handles_message_events() {
                libc::free(text.cast());
                return Ok(Shown::Yes);
            }
            self.event(Notice::ReceivedError, self.from, text);
            libc::free(text.cast());
            Ok(Shown::Nothing)
        }
    }

    /// Plaintext is shown, unless there should be none: then the client decides how to.
    ///
    /// # Safety
    /// As for [`receive`](super::super::receiving::receive).
    pub unsafe fn plaintext(self) -> Shown {
        // SAFETY: as for `receive`.
        unsafe {
            let expected = !self.policy.require_encryption
                && find(self.client, self.names, INSTAG_BEST)
                    .is_none_or(|best| (*best).msgstate == MSGSTATE_PLAINTEXT);
            if expected || !self.client.handles_message_events() {
                return Shown::Yes;
            }
            let new = *self.out.newmessagep;
            *self.out.newmessagep = ptr::null_mut();
            let text = if new.is_null() {
                self.text
            } else {
                new.cast_const()
            };
            self.event(Notice::ReceivedUnencrypted, self.from, text);
            libc::free(new.cast());
            Shown::Nothing
        }
    }

    unsafe fn event(self, what: Notice, about: Handle, text: *const c_char) {
        // SAFETY: the handle says whether the context is there.
        unsafe {
            if let Some(ctx) = about.get(self.client.us) {
                notice(self.client, ctx, what, text);
            }
        }
    }

    unsafe fn malformed(self) {
        // SAFETY: as above.
        unsafe {
            self.event(Notice::ReceivedMalformed, self.from, ptr::null());
            if let Some(ctx) = self.from.get(self.client.us) {
                report_error(self.client, self.from, ctx, ErrorCode::Malformed);
            }
        }
    }

    /// Goes on with the context of this instance; whether it had to be made.
    unsafe fn switch_to_instance(&mut self, tag: OtrlInstag) -> Result<bool, Shown> {
        // SAFETY: as for `receive`.
        unsafe {
            let master = self.live(self.master)?;
            if find(self.client, self.names, tag).is_none()
                && context::count_members(master) >= instances::LIMIT
            {
                let old = context::instance_that_gives_way(master);
                if old.is_null() {
                    return Err(Shown::Nothing);
                }
                context::become_instance(self.client.us, old, tag);
                self.from = Handle::of(old);
                (*old).our_instance = (*master).our_instance;
                return Ok(true);
            }
            let found =
                find_or_add(self.client, self.names, tag, self.new).ok_or(Shown::Nothing)?;
            self.from = found.handle;
            if let Some(child) = self.from.get(self.client.us)
                && (*child).our_instance == 0
                && let Some(master) = self.master.get(self.client.us)
            {
                (*child).our_instance = (*master).our_instance;
            }
            Ok(found.added)
        }
    }

    /// Checks whom a version 3 message is for and goes on with the context it comes from.
    unsafe fn check_instances(&mut self, kind: MessageKind) -> Result<bool, Shown> {
        // SAFETY: as for `receive`.
        unsafe {
            let bytes = self.bytes();
            let tagged = otr_tag(bytes)
                .and_then(|start| bytes.get(start..))
                .map(instance_tags);
            let Some(Ok(tags)) = tagged else {
                self.malformed();
                return Err(Shown::Nothing);
            };
            // Only a DH-commit may be meant for any of our instances.
            self.follow(tags, kind == MessageKind::DhCommit && tags.to == 0)
        }
    }

    /// Goes on with the context of the sender, if the message is for this instance of ours.
    unsafe fn follow(&mut self, tags: Instances, for_any: bool) -> Result<bool, Shown> {
        // SAFETY: as for `receive`.
        unsafe {
            let ours = (*self.live(self.from)?).our_instance;
            if tags.to != ours && !for_any {
                self.event(Notice::ReceivedForOtherInstance, self.master, ptr::null());
                return Err(Shown::Nothing);
            }
            if tags.from < MIN_VALID {
                self.malformed();
                return Err(Shown::Nothing);
            }
            self.switch_to_instance(tags.from)
        }
    }

    /// An instance seen for the first time takes over the state of the master context.
    unsafe fn take_over_from_master(
        self,
        kind: MessageKind,
        context_is_new: bool,
    ) -> Result<(), Shown> {
        // SAFETY: as for `receive`.
        unsafe {
            let (ctx, master) = (self.live(self.from)?, self.live(self.master)?);
            if context_is_new {
                (*ctx).auth.protocol_version = 3;
                (*ctx).protocol_version = 3;
                // It has no session yet. As "encrypted" it would be the best instance and get the texts for the session that
                // there is, of version 2; "finished" sends no plaintext either.
                (*ctx).msgstate = match (*master).msgstate {
                    MSGSTATE_ENCRYPTED => MSGSTATE_FINISHED,
                    state => state,
                };
                // A data message shows that they believe in a session that we do not have.
                if !matches!(
                    kind,
                    MessageKind::DhKey | MessageKind::DhCommit | MessageKind::Data
                ) {
                    return Err(Shown::Nothing);
                }
                self.client.update_context_list();
            }
            Ok(())
        }
    }
}

/// The DH-commit of version 3 that a master context has sent and that waits for an answer: its hash and the message.
/// One of version 2 is no rival of theirs: who speaks version 3 alone would never answer it.
unsafe fn pending_commit(master: *const ConnContext) -> Option<PendingCommit> {
    // SAFETY: the caller vouches for the context.
    unsafe {
        let auth = exchange::load(&raw const (*master).auth, None);
        if auth.version != Some(Version::V3) {
            return None;
        }
        Some((*auth.pending_commit()?, auth.last_message?))
    }
}

/// The exchange of the master context, for one of its instances.
///
/// # Safety
/// `ctx` is live, and so is its master.
pub unsafe fn exchange_of_master(ctx: *const ConnContext) -> Option<Auth> {
    // SAFETY: the caller's promise.
    unsafe {
        let master = (*ctx).m_context;
        (!ptr::eq(master, ctx)).then(|| {
            let extras = private_of(master).map(|private| &(*private).exchange);
            exchange::load(&raw const (*master).auth, extras)
        })
    }
}
