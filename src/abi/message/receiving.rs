//! A message on its way in. Which instance it comes from and is meant for, and how the user is told of what can't be read,
//! is the matter of `abi5/routing.rs` and `abi2/routing.rs`; what the message is and does is here.

use std::ffi::{c_char, c_int};
use std::ptr;

use super::super::bridge::{
    policy_from, with_conversation, with_correspondent, with_exchange, with_secrets,
};
use super::super::context::{Handle, Names, NewContexts, members};
use super::super::error::GcryError;
use super::super::hidden::{hidden, private_of};
use super::super::memory::{
    bytes_of, c_text, free_and_clear, put, slice_of, wipe_string_and_clear,
};
use super::super::proto::{kind_of, version_of};
use super::super::types::*;
use super::super::{privkey, tlv};
use super::client::Client;
use super::clock::now;
use super::correspondent::find_or_add;
use super::deliver::deliver;
use super::expiry::expire;
use super::face;
use super::fragments;
use otr_protocol::ake::{Auth, SigningKey};
use otr_protocol::conversation::{Conversation, Offer};
use otr_protocol::correspondent::Correspondent;
use otr_protocol::effects::{Effect, Notice};
use otr_protocol::policy::Policy;
use otr_protocol::wire::fragment::{Accumulated, fragment_instances};
use otr_protocol::wire::kind::{MessageKind, otr_tag};
use otr_protocol::wire::query::query_versions;
use otr_protocol::wire::version::Version;
use otr_protocol::wire::whitespace;

/// The most that the fragments of one message may amount to, in bytes.
pub const REASSEMBLY_LIMIT: usize = 16 << 20;

/// The same for a context without a session, where only the messages of an exchange make sense.
pub const REASSEMBLY_LIMIT_WITHOUT_SESSION: usize = 256 << 10;

/// Where the client wants the answers; the last two may be NULL. libotr 3 does not give the context.
#[derive(Clone, Copy)]
pub struct Out {
    /// What to show instead of the message.
    pub newmessagep: *mut *mut c_char,
    /// What came beside the text.
    pub tlvsp: *mut *mut OtrlTLV,
    /// The context of the instance it came from.
    pub contextp: *mut *mut ConnContext,
}

/// A DH-commit of ours that waits for an answer: its hash, and the message.
pub type PendingCommit = ([u8; 32], Vec<u8>);

/// Whether the user gets to see anything.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Yes: what `newmessagep` says.
    Yes,
    /// No: it was a message of the protocol.
    Nothing,
}

impl From<Shown> for c_int {
    fn from(shown: Shown) -> Self {
        (shown == Shown::Nothing).into()
    }
}

/// One message being received. Plain data: a callback may never come back.
#[derive(Clone, Copy)]
pub struct Arrival {
    /// Whose it is.
    pub client: Client,
    /// Who sent it, and to whom.
    pub names: Names,
    /// What the client wants done with new contexts.
    #[cfg_attr(
        feature = "abi2",
        expect(dead_code, reason = "there are no instances to go on to")
    )]
    pub new: NewContexts,
    /// The message, or the one that its fragments made.
    pub text: *const c_char,
    /// Its length: a long one is looked at often.
    length: usize,
    /// The correspondent's context, or the master of them.
    #[cfg_attr(
        feature = "abi2",
        expect(dead_code, reason = "there are no instances to go on to")
    )]
    pub master: Handle,
    /// The context it belongs to; the master as long as no instance is known.
    pub from: Handle,
    /// The client's policy for it.
    pub policy: Policy,
    /// Where the answers go.
    pub out: Out,
}

/// Handles a message.
///
/// # Safety
/// As the exported function demands; no argument but the optional ones is NULL.
pub unsafe fn receive(
    client: Client,
    names: Names,
    new: NewContexts,
    message: *const c_char,
    out: Out,
) -> Shown {
    // SAFETY: the caller's promise; after each callback the contexts are looked up again.
    unsafe {
        let Some(found) = find_or_add(client, names, new) else {
            return Shown::Nothing;
        };
        let master = found.handle;
        if found.added {
            client.update_context_list();
        }
        face::ready(client, names, master);
        let Some(ctx) = master.get(client.us) else {
            return Shown::Nothing;
        };
        expire(ctx);
        let policy = policy_from(client.policy(ctx));
        if !policy.speaks_otr() {
            return Shown::Yes;
        }
        let arrival = Arrival {
            client,
            names,
            new,
            text: message,
            length: bytes_of(message).map_or(0, <[u8]>::len),
            master,
            from: master,
            policy,
            out,
        };
        let mut whole = ptr::null_mut();
        let shown = match arrival.reassemble(&raw mut whole) {
            Ok((arrival, context_is_new)) => arrival.dispatch(context_is_new),
            Err(shown) => shown,
        };
        wipe_string_and_clear(&raw mut whole);
        shown
    }
}

impl Arrival {
    /// The message.
    ///
    /// # Safety
    /// The answer is not used once the message is gone.
    pub unsafe fn bytes<'a>(self) -> &'a [u8] {
        // SAFETY: the client's string, or ours, lives as long as the call.
        unsafe { slice_of(self.text.cast(), self.length) }
    }

    /// Takes up a fragment. `Ok`: here is a whole message, and whether its context is new.
    #[inline(never)]
    unsafe fn reassemble(mut self, whole: *mut *mut c_char) -> Result<(Self, bool), Shown> {
        // SAFETY: as for `receive`.
        unsafe {
            if otr_tag(self.bytes()).is_none() {
                return Ok((self, false));
            }
            let context_is_new = match fragment_instances(self.bytes()) {
                Some(tags) => self.route_fragment(tags)?,
                None => false,
            };
            let ctx = self.live(self.from)?;
            let limit = match (*ctx).msgstate {
                MSGSTATE_ENCRYPTED => REASSEMBLY_LIMIT,
                _ => REASSEMBLY_LIMIT_WITHOUT_SESSION,
            };
            let accumulated = with_secrets(ctx, |secrets| {
                secrets.accept_fragment(self.bytes(), limit, now())
            });
            if limit == REASSEMBLY_LIMIT_WITHOUT_SESSION
                && matches!(accumulated, Ok(Accumulated::Incomplete))
            {
                fragments::bound(self.client.us, ctx);
            }
            match accumulated {
                Ok(Accumulated::Unfragmented) => {}
                Ok(Accumulated::Complete(message)) => {
                    *whole = c_text(&message);
                    if (*whole).is_null() {
                        return Err(Shown::Nothing);
                    }
                    (self.text, self.length) = (*whole, message.len());
                }
                Ok(Accumulated::Incomplete) | Err(_) => return Err(Shown::Nothing),
            }
            Ok((self, context_is_new))
        }
    }

    /// A context, if it is still there.
    ///
    /// # Safety
    /// The client's user state is live.
    pub unsafe fn live(self, handle: Handle) -> Result<*mut ConnContext, Shown> {
        // SAFETY: the user state is live.
        unsafe { handle.get(self.client.us) }.ok_or(Shown::Nothing)
    }

    /// Handles a whole message.
    unsafe fn dispatch(mut self, context_is_new: bool) -> Shown {
        // SAFETY: as for `receive`.
        unsafe {
            let kind = kind_of(self.bytes());
            let version = version_of(self.bytes());
            if self.policy.send_whitespace_tag && self.note_answer_to_offer(kind).is_err() {
                return Shown::Nothing;
            }
            if version.is_some_and(|version| !face::accepts(self.policy, kind, version)) {
                return Shown::Nothing;
            }
            if version == Some(Version::V3)
                && let Err(shown) = self.route(kind, context_is_new)
            {
                return shown;
            }
            let Some(ctx) = self.from.get(self.client.us) else {
                return Shown::Nothing;
            };
            put(self.out.contextp, ctx);
            face::note_heard(ctx);
            match self.handle(kind, version) {
                // A word to the user may have come instead.
                Ok(Shown::Nothing) if !(*self.out.newmessagep).is_null() => Shown::Yes,
                Ok(shown) | Err(shown) => shown,
            }
        }
    }

    /// Notes whether they answered our whitespace tag.
    ///
    /// # Safety
    /// As for [`receive`].
    pub unsafe fn note_answer_to_offer(self, kind: MessageKind) -> Result<(), Shown> {
        // SAFETY: as for `receive`.
        unsafe {
            let ctx = self.live(self.from)?;
            let noted = with_conversation(ctx, |c| {
                if kind != MessageKind::NotOtr {
                    c.offer = Offer::Accepted;
                } else if c.offer == Offer::Sent {
                    c.offer = Offer::Rejected;
                }
            });
            noted.map_err(|_| Shown::Nothing)
        }
    }

    /// Handles a message by its kind, in the context it comes from.
    #[inline(never)]
    unsafe fn handle(&self, kind: MessageKind, version: Option<Version>) -> Result<Shown, Shown> {
        // SAFETY: as for `receive`.
        unsafe {
            match kind {
                MessageKind::Query => {
                    let version = query_versions(self.bytes()).best_common(self.policy.versions);
                    self.start_ake(version)?;
                }
                MessageKind::DhCommit => {
                    let Some(version) = version else {
                        return Err(Shown::Nothing);
                    };
                    let effects = self.dh_commit(version)?;
                    self.deliver(effects);
                }
                MessageKind::DhKey => self.with_key(|ctx, c, auth, shared, key| {
                    let master = face::exchange_of_master(ctx);
                    c.on_dh_key(
                        auth,
                        master.as_ref(),
                        &shared.opened,
                        self.bytes(),
                        key,
                        now(),
                    )
                })?,
                MessageKind::RevealSig => self.with_key(|_, c, auth, shared, key| {
                    c.on_reveal_signature(auth, &mut shared.opened, self.bytes(), key, now())
                })?,
                MessageKind::Signature => {
                    let ctx = self.live(self.from)?;
                    self.deliver(with_exchange(ctx, |c, auth, shared| {
                        c.on_signature(auth, &mut shared.opened, self.bytes(), now())
                    }));
                }
                MessageKind::V1KeyExchange => self.with_key(|_, c, auth, _, key| {
                    c.on_v1_key_exchange(auth, self.bytes(), key, now())
                })?,
                MessageKind::Data => return self.data(),
                MessageKind::Error => return self.error(),
                MessageKind::TaggedPlaintext => {
                    self.whitespace_tag()?;
                    return Ok(self.plaintext());
                }
                MessageKind::NotOtr => return Ok(self.plaintext()),
                MessageKind::Unknown => {
                    let ctx = self.live(self.from)?;
                    face::notice(self.client, ctx, Notice::ReceivedUnrecognised, ptr::null());
                }
            }
            Ok(Shown::Nothing)
        }
    }

    #[inline(never)]
    unsafe fn dh_commit(&self, version: Version) -> Result<Result<Vec<Effect>, GcryError>, Shown> {
        // SAFETY: as for `receive`.
        unsafe {
            let ctx = self.live(self.from)?;
            let rival = self.rival_commit()?;
            let rival = rival
                .as_ref()
                .map(|(hash, message)| (hash, message.as_slice()));
            Ok(with_exchange(ctx, |c, auth, _| {
                c.on_dh_commit(auth, self.bytes(), version, rival, now())
            }))
        }
    }

    unsafe fn deliver(&self, effects: Result<Vec<Effect>, GcryError>) {
        // SAFETY: as for `receive`; after a panic there is nothing to deliver.
        unsafe { deliver(self.client, self.from, effects.unwrap_or_default()) }
    }

    unsafe fn start_ake(&self, version: Option<Version>) -> Result<(), Shown> {
        // SAFETY: as for `receive`.
        unsafe {
            match version {
                Some(Version::V1) => {
                    self.with_key(|_, c, auth, _, key| c.start_v1(auth, key, now()))
                }
                Some(version) => {
                    let ctx = self.live(self.from)?;
                    let lost = lost_commits(ctx);
                    self.deliver(with_exchange(ctx, |c, auth, shared| {
                        let has_lost = |hash: &[u8; 32]| lost.contains(hash);
                        c.start_ake(auth, &shared.opened, has_lost, version, now())
                    }));
                    Ok(())
                }
                None => Ok(()),
            }
        }
    }

    /// Runs a step that needs our private key; without one (the client may make it now) nothing happens.
    #[inline(never)]
    unsafe fn with_key(
        &self,
        step: impl FnOnce(
            *mut ConnContext,
            &mut Conversation,
            &mut Auth,
            &mut Correspondent,
            &SigningKey,
        ) -> Vec<Effect>,
    ) -> Result<(), Shown> {
        // SAFETY: as for `receive`; `step` borrows only, so that nothing is lost if the callback never returns.
        unsafe {
            let (account, protocol) = (self.names.account, self.names.protocol);
            if privkey::find(self.client.us, account, protocol).is_null() {
                self.client.create_privkey(account, protocol);
            }
            if privkey::find(self.client.us, account, protocol).is_null() {
                return Ok(());
            }
            let ctx = self.live(self.from)?;
            // Looked up again inside: another thread may be replacing the list.
            match privkey::signing_key_of(self.client.us, account, protocol) {
                Ok(key) => {
                    let effects =
                        with_exchange(ctx, |c, auth, shared| step(ctx, c, auth, shared, &key));
                    drop(key);
                    self.deliver(effects);
                }
                Err(error) => face::setup_failed(self.client, ctx, error),
            }
            Ok(())
        }
    }

    #[inline(never)]
    unsafe fn data(&self) -> Result<Shown, Shown> {
        // SAFETY: as for `receive`.
        unsafe {
            let ctx = self.live(self.from)?;
            // Only asked for where the message cannot be read.
            let other_is_secure = (*ctx).msgstate != MSGSTATE_ENCRYPTED
                && face::other_instance_is_secure(self.client, self.names, ctx);
            let mut effects = Vec::new();
            let delivery = with_correspondent(ctx, |c, shared| {
                c.on_data(self.bytes(), other_is_secure, shared, now(), &mut effects)
            });
            let Ok(Some(delivery)) = delivery else {
                self.deliver(Ok(effects));
                return Ok(Shown::Nothing);
            };
            let mut text = c_text(&delivery.received.text);
            let empty = delivery.received.text.is_empty();
            let chain = tlv::from_chain(&delivery.received.tlvs);
            drop(delivery.received);
            // The chain is the client's from here on, whatever the callbacks do.
            let unwanted = self.out.tlvsp.is_null();
            put(self.out.tlvsp, chain);
            self.deliver(Ok(delivery.effects));
            if unwanted {
                tlv::free(chain);
            }
            if empty || text.is_null() {
                free_and_clear(&raw mut text);
                return Ok(Shown::Nothing);
            }
            let converted = face::convert_received(self.client, self.from, text);
            if !converted.is_null() {
                wipe_string_and_clear(&raw mut text);
                text = converted;
            }
            libc::free((*self.out.newmessagep).cast());
            *self.out.newmessagep = text;
            Ok(Shown::Yes)
        }
    }

    #[inline(never)]
    unsafe fn error(&self) -> Result<Shown, Shown> {
        // SAFETY: as for `receive`.
        unsafe {
            let ctx = self.live(self.from)?;
            // It bears no tag: the session with any of the instances may be the one that they have lost.
            if let Some(last) = last_written_to(ctx) {
                let _ = with_conversation(last, Conversation::note_error);
            }
            let our_name = bytes_of(self.names.account).unwrap_or_default();
            self.deliver(with_conversation(ctx, |c| {
                c.on_error(self.policy, our_name)
            }));
            self.show_error()
        }
    }

    /// Cuts the whitespace tag out of the text, and starts the AKE if the policy says so.
    #[inline(never)]
    unsafe fn whitespace_tag(&self) -> Result<(), Shown> {
        // SAFETY: as for `receive`.
        unsafe {
            let Some((text, versions)) = whitespace::strip(self.bytes()) else {
                return Ok(());
            };
            *self.out.newmessagep = c_text(&text);
            drop(text);
            let ctx = self.live(self.from)?;
            if self.policy.whitespace_start_ake && (*ctx).msgstate != MSGSTATE_ENCRYPTED {
                self.start_ake(versions.best_common(self.policy.versions))?;
            }
            Ok(())
        }
    }
}

/// The instance with a session to which something was sent last.
unsafe fn last_written_to(master: *mut ConnContext) -> Option<*mut ConnContext> {
    // SAFETY: the caller vouches for the master and the list.
    unsafe {
        members(master)
            .filter(|member| (**member).msgstate == MSGSTATE_ENCRYPTED)
            .max_by_key(|member| (*hidden(*member)).lastsent)
    }
}

/// The DH-commits of a master context that have lost against one of an instance's.
unsafe fn lost_commits(master: *mut ConnContext) -> Vec<[u8; 32]> {
    // SAFETY: the caller vouches for the master and the list.
    unsafe {
        let secrets = members(master)
            .filter_map(|member| private_of(member))
            .filter_map(|private| (*private).secrets.as_ref());
        secrets.filter_map(|secrets| secrets.lost_commit).collect()
    }
}
