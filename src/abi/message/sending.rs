//! A message on its way out.

use std::ffi::c_char;
use std::ptr;

use super::super::bridge::{policy_from, with_conversation};
use super::super::context::{self, Handle};
use super::super::error::GcryError;
use super::super::memory::{bytes_of, c_string, put};
use super::super::tlv;
use super::super::types::*;
use super::client::Client;
use super::clock::now;
use super::instance::{Names, NewContexts, ensure_our_tag};
use super::transmit::transmit;
use crate::protocol::conversation::Outgoing;

/// What the user sends: the client's string and chain.
#[derive(Clone, Copy)]
pub struct Text {
    /// The text.
    pub original: *const c_char,
    /// What goes beside it when it is encrypted.
    pub tlvs: *const OtrlTLV,
}

impl Text {
    unsafe fn bytes<'a>(self) -> &'a [u8] {
        // SAFETY: the client's string lives as long as its call.
        unsafe { bytes_of(self.original) }.unwrap_or_default()
    }
}

/// Decides what becomes of the text and puts it into `*messagep`. An error: nothing may be sent.
///
/// # Safety
/// As the exported function demands; no argument is NULL.
pub unsafe fn send(
    client: Client,
    names: Names,
    their_tag: OtrlInstag,
    new: NewContexts,
    text: Text,
    messagep: *mut *mut c_char,
    contextp: *mut *mut ConnContext,
) -> Result<Handle, GcryError> {
    // SAFETY: the caller's promise; after each callback the context is looked up again.
    unsafe {
        let found = names
            .find_or_add(client, their_tag, new)
            .ok_or(GcryError::ENOMEM)?;
        let handle = found.handle;
        let live = || handle.get(client.us).ok_or(GcryError::CONFLICT);
        if found.added {
            client.update_context_list();
        }
        ensure_our_tag(client, names, handle);
        put(contextp, live()?);
        let policy = policy_from(client.policy(live()?));
        let our_name = || bytes_of(names.account).unwrap_or_default();

        match with_conversation(live()?, |c| c.outgoing(text.bytes(), policy, our_name()))? {
            Outgoing::AsIs => {}
            Outgoing::Instead(instead) => give(messagep, &instead)?,
            Outgoing::HoldBack => {
                client.message_event(
                    MSGEVENT_ENCRYPTION_REQUIRED,
                    live()?,
                    ptr::null(),
                    GcryError::NO_ERROR,
                );
                let ctx = live()?;
                let query = with_conversation(ctx, |c| {
                    c.hold_back(text.bytes(), policy, our_name(), now())
                })?;
                context::update_recent_child(ctx, true);
                give(messagep, &query)?;
            }
            Outgoing::Encrypt => encrypt(client, handle, text, messagep)?,
            Outgoing::Refuse => {
                client.message_event(
                    MSGEVENT_CONNECTION_ENDED,
                    live()?,
                    ptr::null(),
                    GcryError::NO_ERROR,
                );
                give(messagep, b"")?;
            }
        }
        if let Some(ctx) = handle.get(client.us) {
            super::poll::expire((*ctx).m_context);
        }
        Ok(handle)
    }
}

/// Encrypts, or says that it could not: with the client's error text instead of the message if it
/// has one, else with an error. Never with neither, which would send the plaintext.
unsafe fn encrypt(
    client: Client,
    handle: Handle,
    text: Text,
    messagep: *mut *mut c_char,
) -> Result<(), GcryError> {
    // SAFETY: as for `send`; the converted text is ours.
    unsafe {
        let live = || handle.get(client.us).ok_or(GcryError::CONFLICT);
        let converted = client.convert(handle, live()?, CONVERT_SENDING, text.original);
        let outcome = match live() {
            Ok(ctx) => with_conversation(ctx, |c| {
                let plain = bytes_of(converted).unwrap_or_else(|| text.bytes());
                c.encrypt_text(plain, &tlv::to_chain(text.tlvs), now())
            }),
            Err(gone) => Err(gone),
        };
        let mut converted = converted;
        super::super::memory::wipe_string_and_clear(&raw mut converted);
        let error = match outcome {
            Ok(Ok(message)) => {
                context::update_recent_child(live()?, true);
                return give(messagep, &message);
            }
            Ok(Err(error)) => GcryError::from(error),
            Err(error) => error,
        };
        client.message_event(
            MSGEVENT_ENCRYPTION_ERROR,
            live()?,
            ptr::null(),
            GcryError::NO_ERROR,
        );
        let message = client.error_message(live()?, ERRCODE_ENCRYPTION_ERROR);
        if message.is_null() {
            return Err(error);
        }
        *messagep = message;
        Ok(())
    }
}

/// Sends what is in `*messagep` as the client's fragment policy says; one piece may come back in its place.
///
/// # Safety
/// As for [`send`].
pub unsafe fn transmit_by_policy(
    client: Client,
    handle: Handle,
    messagep: *mut *mut c_char,
    policy: OtrlFragmentPolicy,
) -> Result<(), GcryError> {
    // SAFETY: the caller's promise.
    unsafe {
        if policy == FRAGMENT_SEND_SKIP || (*messagep).is_null() {
            return Ok(());
        }
        let mut returned = ptr::null_mut();
        let outcome = transmit(client, handle, *messagep, policy, &raw mut returned);
        if !returned.is_null() {
            libc::free((*messagep).cast());
            *messagep = returned;
        }
        outcome
    }
}

unsafe fn give(messagep: *mut *mut c_char, message: &[u8]) -> Result<(), GcryError> {
    let text = c_string(message);
    if text.is_null() {
        return Err(GcryError::ENOMEM);
    }
    // SAFETY: the caller vouches for the place.
    unsafe { *messagep = text };
    Ok(())
}
