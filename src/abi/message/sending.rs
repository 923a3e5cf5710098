//! A message on its way out.

use std::ffi::c_char;
use std::ptr;

use super::super::bridge::{policy_from, with_conversation, with_correspondent};
use super::super::context::{self, Handle, Names};
use super::super::error::GcryError;
use super::super::memory::{bytes_of, c_text, put, wipe_string_and_clear};
use super::super::tlv;
use super::super::types::*;
use super::client::Client;
use super::clock::now;
use super::correspondent::Found;
use super::expiry::expire;
use super::interface;
use otr_protocol::conversation::Outgoing;
use otr_protocol::effects::{ErrorCode, Notice};

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
    found: Found,
    text: Text,
    messagep: *mut *mut c_char,
    contextp: *mut *mut ConnContext,
) -> Result<Handle, GcryError> {
    // SAFETY: the caller's promise; after each callback the context is looked up again.
    unsafe {
        let handle = found.handle;
        let live = || handle.get(client.us).ok_or(GcryError::CONFLICT);
        if found.added {
            client.update_context_list();
        }
        interface::ready(client, names, handle);
        put(contextp, live()?);
        expire(live()?);
        let policy = policy_from(client.policy(live()?));
        let our_name = || bytes_of(names.account).unwrap_or_default();

        match with_conversation(live()?, |c| c.outgoing(text.bytes(), policy, our_name()))?? {
            Outgoing::AsIs => {}
            Outgoing::Instead(instead) => give(messagep, &instead)?,
            Outgoing::HoldBack => {
                interface::notice(client, live()?, Notice::EncryptionRequired, ptr::null());
                let ctx = live()?;
                let query = with_correspondent(ctx, |c, shared| {
                    c.hold_back(text.bytes(), &mut shared.held, policy, our_name(), now())
                })??;
                if let Err(error) = give(messagep, &query) {
                    // The client is told that it is not sent, so it is not to be sent later either.
                    let _ = with_correspondent(ctx, |_, shared| shared.held.remove_last());
                    return Err(error);
                }
                context::update_recent_child(ctx, true);
            }
            Outgoing::Encrypt => encrypt(client, handle, text, messagep)?,
            Outgoing::Refuse => {
                interface::notice(client, live()?, Notice::ConnectionEnded, ptr::null());
                give(messagep, b"")?;
            }
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
        let converted = interface::convert_sending(client, handle, text.original);
        let outcome = converted.and_then(|mut converted| {
            let encrypted = live().and_then(|ctx| {
                with_conversation(ctx, |c| {
                    let plain = bytes_of(converted).unwrap_or_else(|| text.bytes());
                    c.encrypt_text(plain, &tlv::to_chain(text.tlvs)?, now())
                })
            });
            wipe_string_and_clear(&raw mut converted);
            encrypted
        });
        let error = match outcome {
            Ok(Ok(message)) => {
                context::update_recent_child(live()?, true);
                return give(messagep, &message);
            }
            Ok(Err(error)) => GcryError::from(error),
            Err(error) => error,
        };
        interface::notice(client, live()?, Notice::EncryptionError, ptr::null());
        let message = interface::error_text(client, live()?, ErrorCode::Encryption);
        if message.is_null() {
            return Err(error);
        }
        *messagep = message;
        Ok(())
    }
}

/// Hands a message over. It has no NUL in it: it was made here, or of C strings.
unsafe fn give(messagep: *mut *mut c_char, message: &[u8]) -> Result<(), GcryError> {
    let text = c_text(message);
    if text.is_null() {
        return Err(GcryError::ENOMEM);
    }
    // SAFETY: the caller vouches for the place.
    unsafe { *messagep = text };
    Ok(())
}
