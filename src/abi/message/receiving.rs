//! A message on its way in: which instance it comes from and is meant for, then what it is.

use std::ffi::{c_char, c_int};
use std::ptr;

use super::super::bridge::{policy_from, with_conversation, with_exchange};
use super::super::context::{self, Handle};
use super::super::error::GcryError;
use super::super::exchange;
use super::super::memory::{bytes_of, c_string, free_and_clear, wipe_string_and_clear};
use super::super::types::*;
use super::super::{privkey, tlv};
use super::client::Client;
use super::clock::now;
use super::deliver::{deliver, error_number};
use super::instance::{Names, NewContexts, ensure_our_tag};
use crate::protocol::ake::{Auth, SigningKey};
use crate::protocol::conversation::{Conversation, Offer};
use crate::protocol::effects::{Effect, ErrorCode};
use crate::protocol::policy::Policy;
use crate::wire::error_message::text_of;
use crate::wire::fragment::{Accumulated, fragment_instances};
use crate::wire::instance::MIN_VALID;
use crate::wire::kind::{MessageKind, instances, message_kind, message_version, otr_tag};
use crate::wire::query::query_versions;
use crate::wire::version::Version;
use crate::wire::whitespace;

/// The most that the fragments of one message may amount to, in bytes.
pub const REASSEMBLY_LIMIT: usize = 16 << 20;

/// The same for an instance without a session, where only the messages of an exchange make sense.
pub const REASSEMBLY_LIMIT_WITHOUT_SESSION: usize = 256 << 10;

/// How many contexts, the master included, a correspondent's messages may make: the tags in them are proved by nobody.
pub const INSTANCE_LIMIT: usize = 256;

/// Where the client wants the answers; the last two may be NULL.
#[derive(Clone, Copy)]
pub struct Out {
    /// What to show instead of the message.
    pub newmessagep: *mut *mut c_char,
    /// What came beside the text.
    pub tlvsp: *mut *mut OtrlTLV,
    /// The context of the instance it came from.
    pub contextp: *mut *mut ConnContext,
}

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
struct Arrival {
    client: Client,
    names: Names,
    new: NewContexts,
    /// The message, or the one that its fragments made.
    text: *const c_char,
    master: Handle,
    /// The instance it comes from; the master as long as none is known.
    from: Handle,
    policy: Policy,
    out: Out,
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
        let Some(found) = names.find_or_add(client, INSTAG_MASTER, new) else {
            return Shown::Nothing;
        };
        let master = found.handle;
        if found.added {
            client.update_context_list();
        }
        ensure_our_tag(client, names, master);
        let Some(ctx) = master.get(client.us) else {
            return Shown::Nothing;
        };
        let policy = policy_from(client.policy(ctx));
        if !policy.speaks_otr() {
            return Shown::Yes;
        }
        let arrival = Arrival {
            client,
            names,
            new,
            text: message,
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
        if let Some(ctx) = master.get(client.us) {
            super::poll::expire(ctx);
        }
        shown
    }
}

impl Arrival {
    unsafe fn bytes<'a>(self) -> &'a [u8] {
        // SAFETY: the client's string, or ours, lives as long as the call.
        unsafe { bytes_of(self.text) }.unwrap_or_default()
    }

    unsafe fn event(self, event: OtrlMessageEvent, about: Handle, text: *const c_char) {
        // SAFETY: the handle says whether the context is there.
        unsafe {
            if let Some(ctx) = about.get(self.client.us) {
                self.client
                    .message_event(event, ctx, text, GcryError::NO_ERROR);
            }
        }
    }

    unsafe fn malformed(self) {
        // SAFETY: as above.
        unsafe {
            self.event(MSGEVENT_RCVDMSG_MALFORMED, self.from, ptr::null());
            if let Some(ctx) = self.from.get(self.client.us)
                && self.client.can_inject()
            {
                let message = self
                    .client
                    .error_message(ctx, error_number(ErrorCode::Malformed));
                let _ = super::transmit::transmit(
                    self.client,
                    self.from,
                    message,
                    FRAGMENT_SEND_ALL,
                    ptr::null_mut(),
                );
                libc::free(message.cast());
            }
        }
    }

    /// Takes up a fragment. `Ok`: here is a whole message, and whether its context is new.
    unsafe fn reassemble(mut self, whole: *mut *mut c_char) -> Result<(Self, bool), Shown> {
        // SAFETY: as for `receive`.
        unsafe {
            let mut context_is_new = false;
            if otr_tag(self.bytes()).is_none() {
                return Ok((self, context_is_new));
            }
            if let Some(tags) = fragment_instances(self.bytes()) {
                let ctx = self.live(self.master)?;
                if tags.to != 0 && tags.to != (*ctx).our_instance {
                    self.event(
                        MSGEVENT_RCVDMSG_FOR_OTHER_INSTANCE,
                        self.master,
                        ptr::null(),
                    );
                    return Err(Shown::Nothing);
                }
                if tags.from < MIN_VALID {
                    self.malformed();
                    return Err(Shown::Nothing);
                }
                context_is_new = self.switch_to_instance(tags.from)?;
            }
            let ctx = self.live(self.from)?;
            let limit = match (*ctx).msgstate {
                MSGSTATE_ENCRYPTED => REASSEMBLY_LIMIT,
                _ => REASSEMBLY_LIMIT_WITHOUT_SESSION,
            };
            let accumulated =
                with_conversation(ctx, |c| c.secrets.reassembly.accept(self.bytes(), limit));
            match accumulated {
                Ok(Accumulated::Unfragmented) => {}
                Ok(Accumulated::Complete(message)) => {
                    *whole = c_string(&message);
                    if (*whole).is_null() {
                        return Err(Shown::Nothing);
                    }
                    self.text = *whole;
                }
                Ok(Accumulated::Incomplete) | Err(_) => return Err(Shown::Nothing),
            }
            Ok((self, context_is_new))
        }
    }

    unsafe fn live(self, handle: Handle) -> Result<*mut ConnContext, Shown> {
        // SAFETY: the user state is live.
        unsafe { handle.get(self.client.us) }.ok_or(Shown::Nothing)
    }

    /// Goes on with the context of this instance; whether it had to be made.
    unsafe fn switch_to_instance(&mut self, tag: OtrlInstag) -> Result<bool, Shown> {
        // SAFETY: as for `receive`.
        unsafe {
            if self.names.find(self.client, tag).is_none()
                && context::count_members(self.live(self.master)?) >= INSTANCE_LIMIT
            {
                return Err(Shown::Nothing);
            }
            let found = self
                .names
                .find_or_add(self.client, tag, self.new)
                .ok_or(Shown::Nothing)?;
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

    /// Handles a whole message.
    unsafe fn dispatch(mut self, mut context_is_new: bool) -> Shown {
        // SAFETY: as for `receive`.
        unsafe {
            let kind = message_kind(self.bytes());
            let version = message_version(self.bytes());
            if self.policy.send_whitespace_tag && self.note_answer_to_offer(kind).is_err() {
                return Shown::Nothing;
            }
            if version.is_some_and(|version| !self.policy.versions.contains(version)) {
                return Shown::Nothing;
            }
            if version == Some(Version::V3) {
                match self.check_instances(kind) {
                    Ok(added) => context_is_new |= added,
                    Err(shown) => return shown,
                }
                if self.take_over_from_master(kind, context_is_new).is_err() {
                    return Shown::Nothing;
                }
            }
            let Some(ctx) = self.from.get(self.client.us) else {
                return Shown::Nothing;
            };
            super::super::memory::put(self.out.contextp, ctx);
            (*(*ctx).context_priv).lastrecv = now();
            context::update_recent_child(ctx, false);
            self.handle(kind, version).unwrap_or(Shown::Nothing)
        }
    }

    /// Notes whether they answered our whitespace tag.
    unsafe fn note_answer_to_offer(self, kind: MessageKind) -> Result<(), Shown> {
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

    /// Checks whom a version 3 message is for and goes on with the context it comes from.
    unsafe fn check_instances(&mut self, kind: MessageKind) -> Result<bool, Shown> {
        // SAFETY: as for `receive`.
        unsafe {
            let bytes = self.bytes();
            let tagged = otr_tag(bytes)
                .and_then(|start| bytes.get(start..))
                .map(instances);
            let Some(Ok(tags)) = tagged else {
                self.malformed();
                return Err(Shown::Nothing);
            };
            let ours = (*self.live(self.from)?).our_instance;
            // Only a DH-commit may be meant for any of our instances.
            let for_any = kind == MessageKind::DhCommit && tags.to == 0;
            if tags.to != ours && !for_any {
                self.event(
                    MSGEVENT_RCVDMSG_FOR_OTHER_INSTANCE,
                    self.master,
                    ptr::null(),
                );
                return Err(Shown::Nothing);
            }
            if tags.from < MIN_VALID {
                self.malformed();
                return Err(Shown::Nothing);
            }
            self.switch_to_instance(tags.from)
        }
    }

    /// An instance seen for the first time takes over from the master context: the state, and a text
    /// that was held back.
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
                (*ctx).msgstate = (*master).msgstate;
                take_held_back(ctx, master);
                if !matches!(kind, MessageKind::DhKey | MessageKind::DhCommit) {
                    return Err(Shown::Nothing);
                }
                self.client.update_context_list();
            }
            Ok(())
        }
    }

    /// Handles a message by its kind, in the context it comes from.
    unsafe fn handle(self, kind: MessageKind, version: Option<Version>) -> Result<Shown, Shown> {
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
                MessageKind::DhKey => self.with_key(|ctx, c, auth, key| {
                    let master = exchange_of_master(ctx);
                    c.on_dh_key(auth, master.as_ref(), self.bytes(), key, now())
                })?,
                MessageKind::RevealSig => {
                    self.with_key(|_, c, auth, key| c.on_reveal_signature(auth, self.bytes(), key))?
                }
                MessageKind::Signature => {
                    let ctx = self.live(self.from)?;
                    self.deliver(with_exchange(ctx, |c, auth| {
                        c.on_signature(auth, self.bytes())
                    }));
                }
                MessageKind::V1KeyExchange => {
                    self.with_key(|_, c, auth, key| c.on_v1_key_exchange(auth, self.bytes(), key))?
                }
                MessageKind::Data => return self.data(),
                MessageKind::Error => return self.error(),
                MessageKind::TaggedPlaintext => {
                    self.whitespace_tag()?;
                    return Ok(self.plaintext());
                }
                MessageKind::NotOtr => return Ok(self.plaintext()),
                MessageKind::Unknown => {
                    self.event(MSGEVENT_RCVDMSG_UNRECOGNIZED, self.from, ptr::null());
                }
            }
            Ok(Shown::Nothing)
        }
    }

    unsafe fn dh_commit(self, version: Version) -> Result<Result<Vec<Effect>, GcryError>, Shown> {
        // SAFETY: as for `receive`.
        unsafe {
            let (ctx, master) = (self.live(self.from)?, self.live(self.master)?);
            let rival = if ctx == master {
                None
            } else {
                pending_commit(master)
            };
            let rival = rival
                .as_ref()
                .map(|(hash, message)| (hash, message.as_slice()));
            Ok(with_exchange(ctx, |c, auth| {
                c.on_dh_commit(auth, self.bytes(), version, rival, now())
            }))
        }
    }

    unsafe fn deliver(self, effects: Result<Vec<Effect>, GcryError>) {
        // SAFETY: as for `receive`; after a panic there is nothing to deliver.
        unsafe { deliver(self.client, self.from, effects.unwrap_or_default()) }
    }

    unsafe fn start_ake(self, version: Option<Version>) -> Result<(), Shown> {
        // SAFETY: as for `receive`.
        unsafe {
            match version {
                Some(Version::V1) => self.with_key(|_, c, auth, key| c.start_v1(auth, key, now())),
                Some(version) => {
                    let ctx = self.live(self.from)?;
                    self.deliver(with_exchange(ctx, |c, auth| {
                        c.start_ake(auth, version, now())
                    }));
                    Ok(())
                }
                None => Ok(()),
            }
        }
    }

    /// Runs a step that needs our private key; without one (the client may make it now) nothing happens.
    unsafe fn with_key(
        self,
        step: impl FnOnce(*mut ConnContext, &mut Conversation, &mut Auth, &SigningKey) -> Vec<Effect>,
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
                    let effects = with_exchange(ctx, |c, auth| step(ctx, c, auth, &key));
                    drop(key);
                    self.deliver(effects);
                }
                Err(error) => {
                    self.client
                        .message_event(MSGEVENT_SETUP_ERROR, ctx, ptr::null(), error);
                }
            }
            Ok(())
        }
    }

    unsafe fn data(self) -> Result<Shown, Shown> {
        // SAFETY: as for `receive`.
        unsafe {
            let ctx = self.live(self.from)?;
            let other_is_secure = self
                .names
                .find(self.client, INSTAG_BEST)
                .is_some_and(|best| best != ctx && (*best).msgstate == MSGSTATE_ENCRYPTED);
            let mut effects = Vec::new();
            let delivery = with_conversation(ctx, |c| {
                c.on_data(self.bytes(), other_is_secure, &mut effects)
            });
            let Ok(Some(delivery)) = delivery else {
                self.deliver(Ok(effects));
                return Ok(Shown::Nothing);
            };
            let mut text = c_string(&delivery.received.text);
            let empty = delivery.received.text.is_empty();
            let chain = tlv::from_chain(&delivery.received.tlvs);
            drop(delivery.received);
            // The chain is the client's from here on, whatever the callbacks do.
            let unwanted = self.out.tlvsp.is_null();
            super::super::memory::put(self.out.tlvsp, chain);
            self.deliver(Ok(delivery.effects));
            if unwanted {
                tlv::free(chain);
            }
            if empty || text.is_null() {
                free_and_clear(&raw mut text);
                return Ok(Shown::Nothing);
            }
            if let Some(ctx) = self.from.get(self.client.us) {
                let converted = self.client.convert(self.from, ctx, CONVERT_RECEIVING, text);
                if !converted.is_null() {
                    wipe_string_and_clear(&raw mut text);
                    text = converted;
                }
            }
            *self.out.newmessagep = text;
            Ok(Shown::Yes)
        }
    }

    unsafe fn error(self) -> Result<Shown, Shown> {
        // SAFETY: as for `receive`.
        unsafe {
            let ctx = self.live(self.from)?;
            let our_name = bytes_of(self.names.account).unwrap_or_default();
            self.deliver(with_conversation(ctx, |c| {
                c.on_error(self.policy, our_name)
            }));
            let text = text_of(self.bytes()).map_or(ptr::null_mut(), c_string);
            if text.is_null() || !self.client.handles_message_events() {
                libc::free(text.cast());
                return Ok(Shown::Yes);
            }
            self.event(MSGEVENT_RCVDMSG_GENERAL_ERR, self.from, text);
            libc::free(text.cast());
            Ok(Shown::Nothing)
        }
    }

    /// Cuts the whitespace tag out of the text, and starts the AKE if the policy says so.
    unsafe fn whitespace_tag(self) -> Result<(), Shown> {
        // SAFETY: as for `receive`.
        unsafe {
            let Some((text, versions)) = whitespace::strip(self.bytes()) else {
                return Ok(());
            };
            *self.out.newmessagep = c_string(&text);
            drop(text);
            let ctx = self.live(self.from)?;
            if self.policy.whitespace_start_ake && (*ctx).msgstate != MSGSTATE_ENCRYPTED {
                self.start_ake(versions.best_common(self.policy.versions))?;
            }
            Ok(())
        }
    }

    /// Plaintext is shown, unless there should be none: then the client decides how to.
    unsafe fn plaintext(self) -> Shown {
        // SAFETY: as for `receive`.
        unsafe {
            let expected = !self.policy.require_encryption
                && self
                    .names
                    .find(self.client, INSTAG_BEST)
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
            self.event(MSGEVENT_RCVDMSG_UNENCRYPTED, self.from, text);
            libc::free(new.cast());
            Shown::Nothing
        }
    }
}

/// The DH-commit that a master context has sent and that waits for an answer: its hash and the message.
unsafe fn pending_commit(master: *const ConnContext) -> Option<([u8; 32], Vec<u8>)> {
    // SAFETY: the caller vouches for the context.
    unsafe {
        let auth = exchange::load(&raw const (*master).auth, None);
        Some((*auth.pending_commit()?, auth.last_message?))
    }
}

/// The exchange of the master context, for one of its instances.
unsafe fn exchange_of_master(ctx: *const ConnContext) -> Option<Auth> {
    // SAFETY: the caller vouches for the context, and so for its master.
    unsafe {
        let master = (*ctx).m_context;
        (!ptr::eq(master, ctx)).then(|| exchange::load(&raw const (*master).auth, None))
    }
}

/// Moves a text that the master held back to the instance that answers.
unsafe fn take_held_back(ctx: *mut ConnContext, master: *mut ConnContext) {
    // SAFETY: the caller vouches for both, which are different contexts.
    unsafe {
        let parent = (*master).context_priv;
        if ctx == master || (*parent).may_retransmit == 0 {
            return;
        }
        let moved = with_conversation(master, |m| {
            (m.secrets.last_message.take(), m.retransmit, m.last_sent)
        });
        if let Ok((message, retransmit, last_sent)) = moved {
            let _ = with_conversation(ctx, |c| {
                c.secrets.last_message = message;
                c.retransmit = retransmit;
                c.last_sent = c.last_sent.max(last_sent);
            });
            (*parent).may_retransmit = 0;
        }
    }
}
