//! The SMP inside a conversation: its messages are TLVs of data messages.

use super::buffer::{self, OutOfMemory};
use super::conversation::{Conversation, MessageState};
use super::effects::{Effect, SmpEvent, Task};
use super::error::ProtocolError;
use super::session_id::SessionId;
use super::smp::state::{Expected, Progress, Smp};
use super::smp::steps::SecretBinding;
use crate::wire::messages::smp::{join_question, split_question};
use crate::wire::tlv::{self, Tlv};

/// The order in which the SMP messages of one data message are handled: one of each kind at most.
const ORDER: [u16; 6] = [
    tlv::SMP1Q,
    tlv::SMP1,
    tlv::SMP2,
    tlv::SMP3,
    tlv::SMP4,
    tlv::SMP_ABORT,
];

/// How far the exchange is, in percent, as clients show it.
mod percent {
    pub(crate) const BROKEN: u16 = 0;
    pub(crate) const ASKED: u16 = 25;
    pub(crate) const COMPARING: u16 = 60;
    pub(crate) const DONE: u16 = 100;
}

/// The SMP messages of one data message, in the order in which they are handled.
pub fn smp_messages(tlvs: &[Tlv]) -> impl Iterator<Item = &Tlv> {
    ORDER.iter().filter_map(|kind| tlv::find(tlvs, *kind))
}

/// Whom an SMP is with, and in which session it was begun. The secrets of both sides are bound to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmpPartner {
    fingerprint: [u8; 20],
    session_id: SessionId,
}

impl Conversation {
    /// Begins the SMP (OTRv3, "User requests to begin SMP"): the user typed `secret`, and perhaps a question for the
    /// correspondent. After an error everything is as it was.
    pub fn initiate_smp(
        &mut self,
        smp: &mut Smp,
        our_fingerprint: &[u8; 20],
        question: Option<&[u8]>,
        secret: &[u8],
    ) -> Result<Vec<Effect>, ProtocolError> {
        let partner = self.smp_partner_now().ok_or(ProtocolError::Conflict)?;
        let binding = SecretBinding {
            initiator: our_fingerprint,
            responder: &partner.fingerprint,
            session_id: partner.session_id.as_bytes(),
        };
        let mut begun = smp.clone();
        let message = begun.initiate(binding.bind(secret)?)?;
        let tlv = match question {
            Some(question) => Tlv {
                kind: tlv::SMP1Q,
                value: join_question(question, &message)?,
            },
            None => Tlv {
                kind: tlv::SMP1,
                value: message,
            },
        };
        let effects = self.send_smp(tlv, Expected::Message2)?;
        *smp = begun;
        self.secrets.smp_partner = Some(partner);
        Ok(effects)
    }

    /// Answers the correspondent's SMP with what the user typed. The answer belongs to the session in which it was asked:
    /// anybody can cause another one in the meantime. After an error nothing has changed.
    pub fn respond_smp(
        &mut self,
        smp: &mut Smp,
        our_fingerprint: &[u8; 20],
        secret: &[u8],
    ) -> Result<Vec<Effect>, ProtocolError> {
        if self.smp_partner_changed() || self.state != MessageState::Encrypted {
            return Err(ProtocolError::Conflict);
        }
        let partner = self.secrets.smp_partner.or_else(|| self.smp_partner_now());
        let partner = partner.ok_or(ProtocolError::Conflict)?;
        let binding = SecretBinding {
            initiator: &partner.fingerprint,
            responder: our_fingerprint,
            session_id: partner.session_id.as_bytes(),
        };
        let mut answered = smp.clone();
        let message = answered.respond(binding.bind(secret)?)?;
        let effects = self.send_smp(
            Tlv {
                kind: tlv::SMP2,
                value: message,
            },
            Expected::Message3,
        )?;
        *smp = answered;
        Ok(effects)
    }

    /// Breaks off the SMP (OTRv3, "User requests to abort SMP"). While the correspondent's own abort is being delivered
    /// nothing is sent: two clients that answer each abort with another would never stop.
    pub fn abort_smp(&mut self, smp: &mut Smp) -> Vec<Effect> {
        smp.forget_numbers();
        let mut effects = vec![Effect::SmpExpect(Expected::Message1)];
        if !self.secrets.delivering_abort {
            let abort = Tlv {
                kind: tlv::SMP_ABORT,
                value: Vec::new(),
            };
            effects.extend(self.encrypt_internal(&[abort]).ok().map(Effect::Inject));
        }
        effects
    }

    /// Whom an SMP would be with that begins now.
    fn smp_partner_now(&self) -> Option<SmpPartner> {
        let peer = self.peer.filter(|_| self.state == MessageState::Encrypted);
        peer.map(|peer| SmpPartner {
            fingerprint: peer.fingerprint,
            session_id: self.session_id,
        })
    }

    /// Whether somebody with another key has taken the place of whom the SMP under way is with.
    fn smp_partner_changed(&self) -> bool {
        let now = self.peer.map(|peer| peer.fingerprint);
        let then = self.secrets.smp_partner;
        then.is_some_and(|partner| Some(partner.fingerprint) != now)
    }

    /// What a verdict means for the trust in the correspondent's key. Secrets that belong to different sessions do not match
    /// whatever was typed: that says nothing.
    fn trust_by_verdict(&self, smp: &Smp) -> Option<Effect> {
        let succeeded = smp.progress == Progress::Succeeded;
        let then = self.secrets.smp_partner;
        let same_session =
            then.is_none_or(|partner| partner.session_id.as_bytes() == self.session_id.as_bytes());
        (succeeded || same_session).then_some(Effect::Trust(succeeded))
    }

    /// Sorts the SMP messages of one data message; each is judged by what was expected before the first.
    pub fn on_smp_messages(&mut self, smp: &Smp, tlvs: &[Tlv]) -> Vec<Effect> {
        let mut effects = Vec::new();
        for tlv in smp_messages(tlvs) {
            match tlv.copy() {
                Ok(tlv) => effects.push(Effect::Then(Task::SmpMessage(tlv, smp.expected))),
                Err(OutOfMemory) => effects.extend(out_of_turn()),
            }
        }
        effects
    }

    /// Handles one SMP message (OTRv3, "Receiving a TLV type 2 (SMP message 1)" to "type 7 (SMP message 1Q)").
    pub fn on_smp_message(&mut self, smp: &mut Smp, tlv: &Tlv, expected: Expected) -> Vec<Effect> {
        let body = tlv.value.as_slice();
        match (tlv.kind, expected) {
            (tlv::SMP2, Expected::Message2)
            | (tlv::SMP3, Expected::Message3)
            | (tlv::SMP4, Expected::Message4)
                if self.smp_partner_changed() =>
            {
                smp.forget_numbers();
                begun_with_another()
            }
            (tlv::SMP1Q, Expected::Message1) => match split_question(body) {
                Some((question, message)) => {
                    let Ok(question) = buffer::copy(question) else {
                        return out_of_turn();
                    };
                    match smp.on_message1(message, true) {
                        Ok(()) => {
                            self.secrets.smp_partner = self.smp_partner_now();
                            asked(Some(question))
                        }
                        Err(_) => cheated(smp),
                    }
                }
                None => out_of_turn(),
            },
            (tlv::SMP1, Expected::Message1) => match smp.on_message1(body, false) {
                Ok(()) => {
                    self.secrets.smp_partner = self.smp_partner_now();
                    asked(None)
                }
                Err(_) => cheated(smp),
            },
            (tlv::SMP2, Expected::Message2) => match smp.on_message2(body) {
                Ok(reply) => compared(reply),
                Err(_) => cheated(smp),
            },
            (tlv::SMP3, Expected::Message3) => {
                let outcome = smp.on_message3(body);
                self.judged(smp, outcome)
            }
            (tlv::SMP4, Expected::Message4) => {
                let outcome = smp.on_message4(body);
                self.decided(smp, outcome)
            }
            (tlv::SMP_ABORT, _) => {
                smp.forget_numbers();
                aborted()
            }
            _ => out_of_turn(),
        }
    }

    #[inline(never)]
    fn judged(&mut self, smp: &mut Smp, outcome: Result<Vec<u8>, ProtocolError>) -> Vec<Effect> {
        let mut effects = Vec::new();
        // Who was asked a question learns nothing about the other's identity from the verdict.
        if !smp.received_question {
            effects.extend(self.trust_by_verdict(smp));
        }
        match outcome {
            Ok(reply) => {
                effects.push(Effect::Then(Task::SendTlv(Tlv {
                    kind: tlv::SMP4,
                    value: reply,
                })));
                effects.extend(verdict(smp));
            }
            Err(_) => effects.extend(cheated(smp)),
        }
        effects
    }

    #[inline(never)]
    fn decided(&mut self, smp: &mut Smp, outcome: Result<(), ProtocolError>) -> Vec<Effect> {
        let mut effects = Vec::from_iter(self.trust_by_verdict(smp));
        effects.extend(match outcome {
            Ok(()) => verdict(smp),
            Err(_) => cheated(smp),
        });
        effects
    }

    /// Sends an internal message with one TLV; without a session nothing happens.
    pub fn send_tlv(&mut self, tlv: Tlv) -> Vec<Effect> {
        self.encrypt_internal(&[tlv])
            .map(|message| vec![Effect::Inject(message)])
            .unwrap_or_default()
    }

    fn send_smp(&mut self, tlv: Tlv, then: Expected) -> Result<Vec<Effect>, ProtocolError> {
        let message = self.encrypt_internal(&[tlv])?;
        Ok(vec![Effect::Inject(message), Effect::SmpExpect(then)])
    }
}

// Each has a frame of its own: the arithmetic is under the function that calls them.

#[inline(never)]
fn compared(reply: Vec<u8>) -> Vec<Effect> {
    vec![
        Effect::Then(Task::SendTlv(Tlv {
            kind: tlv::SMP3,
            value: reply,
        })),
        Effect::Smp(SmpEvent::InProgress, percent::COMPARING, None),
        Effect::SmpAdvance(Expected::Message4),
    ]
}

#[inline(never)]
fn asked(question: Option<Vec<u8>>) -> Vec<Effect> {
    let event = match question {
        Some(_) => SmpEvent::AskForAnswer,
        None => SmpEvent::AskForSecret,
    };
    vec![Effect::Smp(event, percent::ASKED, question)]
}

#[inline(never)]
fn aborted() -> Vec<Effect> {
    vec![
        Effect::SmpExpect(Expected::Message1),
        Effect::Smp(SmpEvent::Abort, percent::BROKEN, None),
    ]
}

#[inline(never)]
fn begun_with_another() -> Vec<Effect> {
    let mut effects = out_of_turn();
    effects.push(Effect::SmpReset);
    effects
}

#[inline(never)]
fn verdict(smp: &mut Smp) -> Vec<Effect> {
    smp.forget_numbers();
    let event = if smp.progress == Progress::Succeeded {
        SmpEvent::Success
    } else {
        SmpEvent::Failure
    };
    vec![
        Effect::Smp(event, percent::DONE, None),
        Effect::SmpAdvance(Expected::Message1),
    ]
}

/// The client sees the state of the cheat; only then does it go back to the beginning.
#[inline(never)]
fn cheated(smp: &mut Smp) -> Vec<Effect> {
    smp.forget_numbers();
    vec![
        Effect::Smp(SmpEvent::Cheated, percent::BROKEN, None),
        Effect::SmpReset,
    ]
}

#[inline(never)]
fn out_of_turn() -> Vec<Effect> {
    vec![Effect::Smp(SmpEvent::Error, percent::BROKEN, None)]
}
