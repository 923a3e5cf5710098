//! The state of a conversation that the library keeps behind the public structs.

use std::cell::{Cell, RefCell};

use otr_protocol::ake::{Auth, AuthState, Begun, Responding};
use otr_protocol::conversation::Secrets;
use otr_protocol::correspondent::Correspondent;
use otr_protocol::dh::AuthKeys;

/// The private part of one context.
#[derive(Default)]
pub struct Private {
    /// Keys, fragments and the last message. Boxed, since each step takes them out and puts them back; `None` during a step and
    /// after a panic.
    pub secrets: Cell<Option<Box<Secrets>>>,
    /// Values of an exchange under way that `OtrlAuthInfo` has no members for.
    pub exchange: RefCell<ExchangeExtras>,
    /// In a context that is its own master: what all instances of the correspondent share. It outlives their sessions.
    pub shared: RefCell<Correspondent>,
    /// In a context that is its own master: when the correspondent's exchanges were last checked for expired values.
    pub looked_at: Cell<i64>,
    /// When a message of an exchange was last sent. In libotr 4 such a message counts like every other one.
    #[cfg(feature = "abi2")]
    pub exchange_sent: Cell<i64>,
}

/// Values of an exchange that the public struct has no members for. Each is stored with the public values that it belongs to,
/// and is valid only as long as those have not changed.
#[derive(Default)]
pub struct ExchangeExtras {
    /// The keys between two public values, ours and theirs.
    keys: Option<([Vec<u8>; 2], Box<AuthKeys>)>,
    /// The exchange that we had begun when the DH-commit with this hash arrived.
    begun: Option<([u8; 32], Begun)>,
    /// The exchange that we have answered while our reveal signature for this public value of ours waits.
    answered: Option<(Vec<u8>, Box<Responding>)>,
    /// When the message that waits for an answer was sent.
    since: i64,
    /// The public value of a key pair that was made for the version 1 exchange under way.
    fresh: Option<Vec<u8>>,
}

impl Private {
    /// The private part of a new context.
    pub fn new() -> Box<Self> {
        Box::default()
    }

    /// Takes the secrets of the conversation out; empty ones if there are none.
    pub fn take_secrets(&self) -> Box<Secrets> {
        self.secrets.take().unwrap_or_default()
    }

    /// Puts them back.
    pub fn put_secrets(&self, secrets: Box<Secrets>) {
        self.secrets.set(Some(secrets));
    }

    /// Forgets everything.
    #[cfg(feature = "abi5")]
    pub fn renew(&self) {
        self.secrets.take();
        self.exchange.take();
        self.shared.take();
        self.looked_at.take();
    }

    /// Forgets the session and the exchange.
    pub fn force_finished(&self) {
        self.exchange.take();
        if let Some(mut secrets) = self.secrets.take() {
            secrets.clear();
            self.secrets.set(Some(secrets));
        }
    }
}

impl ExchangeExtras {
    /// Stores the values of `auth` that the public struct has no members for.
    pub fn keep(&mut self, auth: &Auth) {
        *self = Self {
            since: auth.waits_since,
            ..Self::default()
        };
        match &auth.state {
            AuthState::AwaitingSig(revealed) => {
                let ours = revealed.commitment.our_dh.public().to_bytes();
                let publics = [ours.clone(), revealed.their_dh.to_bytes()];
                self.keys = Some((publics, revealed.keys.clone()));
                self.answered = revealed.answered.clone().map(|answered| (ours, answered));
            }
            AuthState::AwaitingRevealSig(responding) => {
                let begun = responding.begun.clone();
                self.begun = begun.map(|begun| (responding.hashed_gx, begun));
            }
            AuthState::V1Setup(setup) if setup.is_fresh => {
                self.fresh = Some(setup.our_dh.public().to_bytes());
            }
            _ => {}
        }
    }

    /// When the message that waits for an answer was sent.
    pub fn since(&self) -> i64 {
        self.since
    }

    /// The keys between these two public values, if they are known already.
    pub fn keys_between(&self, ours: &[u8], theirs: &[u8]) -> Option<Box<AuthKeys>> {
        let (publics, keys) = self.keys.as_ref()?;
        (publics[0] == ours && publics[1] == theirs).then(|| keys.clone())
    }

    /// The exchange that we had begun when the DH-commit with this hash arrived.
    pub fn begun_before(&self, hash: &[u8; 32]) -> Option<Begun> {
        let (theirs, begun) = self.begun.as_ref()?;
        (theirs == hash).then(|| begun.clone())
    }

    /// The exchange that we have answered while the reveal signature for this public value of ours waits.
    pub fn answered_beside(&self, ours: &[u8]) -> Option<Box<Responding>> {
        let (revealed, answered) = self.answered.as_ref()?;
        (revealed == ours).then(|| answered.clone())
    }

    /// Whether this public value of ours was made for the version 1 exchange under way.
    pub fn is_fresh(&self, ours: &[u8]) -> bool {
        self.fresh.as_deref() == Some(ours)
    }
}
