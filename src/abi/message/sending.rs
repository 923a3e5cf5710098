//! Sending a message.

use super::call::Call;
use super::clock::now;
use super::expiry::expire;
use super::interface;
use crate::abi::bridge::{policy_from, with_conversation, with_correspondent};
use crate::abi::context::Handle;
use crate::abi::error::GcryError;
use crate::abi::text::{CText, StepText};
use otr_protocol::conversation::{Outgoing, is_to_encrypt};
use otr_protocol::effects::{ErrorCode, Notice};

/// Decides how the client's text is handled, and sets the message that is sent instead. On an error nothing may be sent.
///
/// `handle` is the context of the correspondent or of the instance.
pub(crate) fn send(call: &mut Call<'_>, handle: Handle, is_new: bool) -> Result<(), GcryError> {
    if is_new {
        call.update_context_list();
    }
    interface::ready(call, handle);
    call.answer.context = Some(handle);
    expire(call.live(handle)?);
    let policy = call.policy(handle).ok_or(GcryError::CONFLICT)?;
    let policy = policy_from(policy);
    let text = call.text().to_bytes();

    let ctx = call.live(handle)?;
    let outgoing = if is_to_encrypt(ctx.state(), text, policy) {
        Outgoing::Encrypt
    } else {
        with_conversation(ctx, |c| c.outgoing(text, policy, call.account()))??
    };
    match outgoing {
        Outgoing::AsIs => {}
        Outgoing::Instead(instead) => call.answer.text.replace(made(&instead)?),
        Outgoing::HoldBack => {
            interface::notice(call, handle, Notice::EncryptionRequired, None);
            let ctx = call.live(handle)?;
            let query = with_correspondent(ctx, |c, shared| {
                c.hold_back(text, &mut shared.held, policy, call.account(), now())
            })??;
            let query = made(&query).inspect_err(|_| {
                // The client is told that it was not sent, so it must not be sent later either.
                let _ = with_correspondent(ctx, |_, shared| shared.held.remove_last());
            })?;
            ctx.note_written_to();
            call.answer.text.replace(query);
        }
        Outgoing::Encrypt => {
            let encrypted = encrypt(call, handle)?;
            call.answer.text.replace(encrypted);
        }
        Outgoing::Refuse => {
            interface::notice(call, handle, Notice::ConnectionEnded, None);
            call.answer.text.replace(made(b"")?);
        }
    }
    Ok(())
}

/// Encrypts. On failure the result is the client's error text if it has one, otherwise an error; never success without a text,
/// which would send the plaintext.
fn encrypt(call: &mut Call<'_>, handle: Handle) -> Result<CText, GcryError> {
    let outcome = interface::convert_sending(call, handle).and_then(|converted| {
        let encrypted = call.live(handle).and_then(|ctx| {
            let encrypted = with_conversation(ctx, |c| {
                let plain = converted.bytes().unwrap_or(call.text().to_bytes());
                // Not moved out of the result: see docs/performance.md.
                let tlvs = call.tlvs().copy();
                let tlvs = tlvs.as_ref().map_err(|error| *error)?;
                c.encrypt_text_as(plain, tlvs, now(), StepText::armoured)
            })?;
            if encrypted.is_ok() {
                ctx.note_written_to();
            }
            Ok(encrypted.map(StepText::into_text))
        });
        converted.wipe();
        encrypted
    });
    let error = match outcome {
        Ok(Ok(message)) => return Ok(message),
        Ok(Err(error)) => GcryError::from(error),
        Err(error) => error,
    };
    interface::notice(call, handle, Notice::EncryptionError, None);
    let message = interface::error_text(call, handle, ErrorCode::Encryption);
    if message.is_null() {
        return Err(error);
    }
    Ok(message)
}

/// A message from the core. It contains no NUL, because the core made it, or made it from C strings.
fn made(message: &[u8]) -> Result<CText, GcryError> {
    let text = CText::new(message);
    if text.is_null() {
        return Err(GcryError::ENOMEM);
    }
    Ok(text)
}
