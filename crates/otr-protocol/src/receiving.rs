//! Handling data messages and error messages of the correspondent, which [`incoming`](super::incoming) passes on. The
//! messages of a key exchange are handled in [`key_exchange`](super::key_exchange).

use super::buffer::{self, OutOfMemory};
use super::conversation::{Conversation, MessageState, Retransmit};
use super::correspondent::Correspondent;
use super::effects::{Effect, ErrorCode, Notice, Task};
use super::error::ProtocolError;
use super::session::{Plaintext, Received, Refused, Session};
use super::smp_exchange::smp_messages;
use crate::wire::messages::data::{FLAG_IGNORE_UNREADABLE, data_flags, data_mac};
use crate::wire::tlv::{self, Tlv};
use otr_crypto::secret::SecretKey;

/// How long messages of the previous session are still read, in seconds, if no message of the current one arrives.
const PREVIOUS_SESSION_LIFETIME: i64 = 60;

impl Conversation {
    /// Reads a data message with the keys of the session, or of the previous one if its messages may still be in transit.
    fn decrypt<T: Plaintext>(
        &mut self,
        message: &[u8],
        received: &mut Received<T>,
        now: i64,
    ) -> Result<(), Refused> {
        let expired = self.secrets.previous.as_ref().is_some_and(|previous| {
            !(previous.replaced..=previous.replaced.saturating_add(PREVIOUS_SESSION_LIFETIME))
                .contains(&now)
        });
        if expired {
            self.end_previous();
        }
        let secrets = &mut *self.secrets;
        let Some(session) = &mut secrets.session else {
            return Err(Refused {
                error: ProtocolError::Conflict,
                flags: data_flags(message).unwrap_or(0),
                mac: None,
            });
        };
        let refused = match decrypt_in(session, message, received) {
            Ok(()) => {
                // They know of the new session now, and send nothing more in the previous one.
                self.end_previous();
                return Ok(());
            }
            Err(refused) => refused,
        };
        match &mut secrets.previous {
            Some(previous) if refused.error == ProtocolError::Conflict => {
                decrypt_in(&mut previous.session, message, received).map_err(|_| refused)
            }
            _ => Err(refused),
        }
    }

    /// Handles a data message (OTRv3, "Receiving a Data Message"): what is in it for the user goes to `received`, its effects to
    /// `effects`. False if there is nothing in it for the user.
    /// `other_instance_is_secure`: whether another instance of the correspondent has a session with us.
    pub fn on_data<T: Plaintext>(
        &mut self,
        message: &[u8],
        other_instance_is_secure: impl FnOnce() -> bool,
        shared: &mut Correspondent,
        now: i64,
        received: &mut Received<T>,
        effects: &mut Vec<Effect>,
    ) -> bool {
        // A client that left the callback by longjmp has not cleared it.
        self.secrets.delivering_abort = false;
        if self.state != MessageState::Encrypted {
            let is_silent = data_flags(message).unwrap_or(0) & FLAG_IGNORE_UNREADABLE != 0;
            if is_silent || data_mac(message).is_some_and(|mac| self.secrets.seen.contains(&mac)) {
                return false;
            }
            let notice = if other_instance_is_secure() {
                Notice::ReceivedForOtherInstance
            } else {
                Notice::ReceivedNotInPrivate
            };
            effects.push(Effect::Notify(notice, None));
            // Otherwise the sender would keep using a session that does not exist.
            if shared.tell_not_in_private(now) {
                effects.push(Effect::ReportError(ErrorCode::NotInPrivate));
            }
            return false;
        }
        match self.decrypt(message, received, now) {
            Ok(()) => {
                self.secrets.seen.note(received.mac);
                let heartbeat_is_due = self.heartbeat_is_due(now);
                match follow_ups(received, heartbeat_is_due, effects) {
                    Ok(()) => true,
                    Err(OutOfMemory) => {
                        *effects = unreadable().into();
                        false
                    }
                }
            }
            // Networks deliver some messages twice.
            Err(refused)
                if refused
                    .mac
                    .is_some_and(|mac| self.secrets.seen.contains(&mac)) =>
            {
                false
            }
            Err(refused) => {
                if refused.flags & FLAG_IGNORE_UNREADABLE == 0 {
                    effects.extend(match refused.error {
                        ProtocolError::Conflict | ProtocolError::OutOfMemory => unreadable(),
                        _ => [
                            Effect::Notify(Notice::ReceivedMalformed, None),
                            Effect::ReportError(ErrorCode::Malformed),
                        ],
                    });
                }
                false
            }
        }
    }

    /// Notes (OTRv3, "Receiving an Error Message") that the correspondent has reported an error: the last text may be lost.
    pub fn note_error(&mut self) {
        if self.state == MessageState::Encrypted {
            self.retransmit = Retransmit::Again;
        }
    }
}

/// Tells both sides that a message was lost because there was no memory, if there is a session.
pub fn lost(state: MessageState) -> Vec<Effect> {
    match state {
        MessageState::Encrypted => unreadable().into(),
        _ => Vec::new(),
    }
}

/// Tells both sides that a data message could not be read, because the keys or the memory were missing.
pub fn unreadable() -> [Effect; 2] {
    [
        Effect::Notify(Notice::ReceivedUnreadable, None),
        Effect::ReportError(ErrorCode::Unreadable),
    ]
}

fn decrypt_in<T: Plaintext>(
    session: &mut Session,
    message: &[u8],
    received: &mut Received<T>,
) -> Result<(), Refused> {
    session.decrypt(message, received)?;
    if tlv::find(&received.tlvs, tlv::SYMKEY).is_some() {
        received.extra_key = session.extra_key(received.keys);
    }
    Ok(())
}

/// The effects of a data message besides showing it. `heartbeat_is_due`: if it has a text, it is answered with a heartbeat.
fn follow_ups<T>(
    received: &mut Received<T>,
    heartbeat_is_due: bool,
    effects: &mut Vec<Effect>,
) -> Result<(), OutOfMemory> {
    if !received.tlvs.is_empty() {
        follow_tlvs(&received.tlvs, received.extra_key.take(), effects)?;
    }
    if received.text.is_none() {
        effects.push(Effect::Notify(Notice::HeartbeatReceived, None));
    } else if heartbeat_is_due {
        effects.push(Effect::Then(Task::Heartbeat));
    }
    Ok(())
}

fn follow_tlvs(
    tlvs: &[Tlv],
    extra_key: Option<SecretKey>,
    effects: &mut Vec<Effect>,
) -> Result<(), OutOfMemory> {
    let ended = tlv::find(tlvs, tlv::DISCONNECTED).is_some();
    if ended {
        effects.push(Effect::Finish);
    }
    let use_of_key = tlv::find(tlvs, tlv::SYMKEY);
    let use_of_key = use_of_key.and_then(|tlv| tlv.value.split_first_chunk::<4>());
    if let Some(((purpose, data), key)) = use_of_key.zip(extra_key) {
        let purpose = u32::from_be_bytes(*purpose);
        effects.push(Effect::ExtraKey(purpose, buffer::copy(data)?, key));
    }
    // The SMP continues only in a session.
    if !ended {
        let smp = smp_messages(tlvs).map(Tlv::copy);
        let smp = buffer::collect(smp)?;
        if !smp.is_empty() {
            effects.push(Effect::Then(Task::SmpMessages(smp)));
        }
    }
    Ok(())
}
