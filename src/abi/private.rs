//! What the library keeps of a conversation behind the public structs.

use crate::protocol::ake::{Auth, AuthState, Commitment};
use crate::protocol::conversation::Secrets;
use crate::protocol::dh::AuthKeys;

/// The private part of one context.
#[derive(Default)]
pub struct Private {
    /// Keys, fragments and the last message. Boxed, since each step takes them out and puts them back; none while it does,
    /// and after a panic.
    pub secrets: Option<Box<Secrets>>,
    /// What an exchange under way has beyond the members of `OtrlAuthInfo`.
    pub exchange: ExchangeExtras,
    /// When a message of an exchange was last sent. In libotr 4 it counts like every other message.
    #[cfg(feature = "abi2")]
    pub exchange_sent: i64,
}

/// Values of an exchange that the public struct has no place for. Each stands beside the public
/// values it belongs to and counts only as long as those are the same.
#[derive(Default)]
pub struct ExchangeExtras {
    keys: Option<([Vec<u8>; 2], Box<AuthKeys>)>,
    yielded: Option<([u8; 32], Box<Commitment>)>,
}

impl Private {
    /// That of a new context.
    pub fn new() -> Box<Self> {
        Box::default()
    }

    /// Forgets the session and the exchange.
    pub fn force_finished(&mut self) {
        if let Some(secrets) = &mut self.secrets {
            secrets.clear();
        }
        self.exchange = ExchangeExtras::default();
    }
}

impl ExchangeExtras {
    /// Keeps what `auth` has beyond the public struct.
    pub fn keep(&mut self, auth: &Auth) {
        *self = Self::default();
        match &auth.state {
            AuthState::AwaitingSig(revealed) => {
                let publics = [
                    revealed.commitment.our_dh.public().to_bytes(),
                    revealed.their_dh.to_bytes(),
                ];
                self.keys = Some((publics, revealed.keys.clone()));
            }
            AuthState::AwaitingRevealSig(responding) => {
                self.yielded = responding
                    .yielded
                    .clone()
                    .map(|ours| (responding.hashed_gx, ours));
            }
            _ => {}
        }
    }

    /// The keys between these two public values, if they are known already.
    pub fn keys_between(&self, ours: &[u8], theirs: &[u8]) -> Option<Box<AuthKeys>> {
        let (publics, keys) = self.keys.as_ref()?;
        (publics[0] == ours && publics[1] == theirs).then(|| keys.clone())
    }

    /// The commitment of ours that yielded to the one with this hash.
    pub fn yielded_to(&self, hash: &[u8; 32]) -> Option<Box<Commitment>> {
        let (winner, ours) = self.yielded.as_ref()?;
        (winner == hash).then(|| ours.clone())
    }
}
