//! The authenticated key exchange of versions 2 and 3 (OTR protocol, "AKE"), one side of it.
//!
//! Every handler either succeeds completely or leaves the state unchanged. Only a verified signature
//! makes an [`Established`], and only that makes a session.
//!
//! ```text
//!                 query, or the user asks: send a DH-commit
//!        ┌─── None ──────────────────────────────────────► AwaitingDhKey ───┐
//!        │     ▲ ▲                                           │              │
//!        │     │ │                                           │              │
//!   DH-commit: │ └──── signature ──── AwaitingSig ◄──────────┘ DH-key:      │ DH-commit with
//!   send a     │       (a session)      │  ▲                   send a       │ the higher hash:
//!   DH-key     │                        │  │                   reveal       │ send a DH-key
//!        │     │                        │  └─────────────┐     signature    │
//!        ▼     │                        ▼ DH-commit      │                  │
//!   AwaitingRevealSig ◄─────────────────┴────────────────│──────────────────┘
//!        │     ▲ │                                       │
//!        │     └─┘ DH-commit: the same DH-key again      │
//!        │                                               │
//!        ├── DH-key, to the DH-commit that we had begun ─┘
//!        └── reveal signature: send a signature (a session), back to None
//! ```
//!
//! A DH-commit with the lower hash is answered by sending our own again. An exchange that we had begun when a DH-commit arrives
//! goes on in parallel to the answer ([`Begun`]), since anybody can forge a DH-commit: the one that is signed first counts.
//! Version 1 ([`ake_v1`](super::ake_v1)) only has the state `V1Setup`. In version 3 a DH-commit belongs to the master context
//! and any number of instances may answer it: see [`MastersCommit`](super::instances::MastersCommit).

mod authenticator;
pub mod crossed;
mod established;
pub mod expiry;
mod signing_key;
mod state;

use self::authenticator::{Authenticator, check_outer_mac, outer_mac};
pub use self::established::Established;
pub use self::signing_key::SigningKey;
pub use self::state::{Auth, AuthState, Begun, Commitment, Responding, Revealed, V1Setup};
use super::dh::{AuthKeys, DhKeyPair};
use super::error::ProtocolError;
use super::opened_pairs::OpenedPairs;
use super::session_id::{BoldHalf, SessionId};
use crate::wire::armour::{armour, dearmour};
use crate::wire::classify::message_version;
use crate::wire::instance::Instances;
use crate::wire::messages::{DhCommit, DhKey, Header, RevealSignature, Signature};
use crate::wire::mpi;
use crate::wire::version::Version;
use otr_crypto::aes_ctr;
use otr_crypto::group::Element;
use otr_crypto::hash::sha256;
use otr_crypto::mac;

/// A counter block of zeros: each key of the exchange encrypts one message only.
const ZERO_COUNTER: [u8; 16] = [0; 16];

/// Our instance tag and theirs, for the headers of version 3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tags {
    /// Ours.
    pub ours: u32,
    /// Theirs, 0 while unknown.
    pub theirs: u32,
}

impl Tags {
    /// The header of a message of `version` from us to them.
    pub fn header(self, version: Version) -> Header {
        Header::new(
            version,
            Instances {
                from: self.ours,
                to: self.theirs,
            },
        )
    }
}

/// How a DH-commit message is handled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommitOutcome {
    /// The answer is in `last_message`.
    Answered,
    /// It crossed ours and ours wins: send our commit again, from `last_message`.
    OursWins,
    /// It crossed the commit that `rival` named and that one wins: send that again.
    RivalWins,
    /// It is our own: nothing changes.
    Reflected,
    /// We have answered it, and revealed our value in an exchange of our own since. It is answered with this, our DH-key again,
    /// and nothing changes: which of the two exchanges counts is decided when their reveal signature arrives.
    Repeated(Vec<u8>),
}

impl Auth {
    /// Starts an exchange; the DH-commit to send is in `last_message`.
    pub fn start(version: Version, tags: Tags) -> Result<Self, ProtocolError> {
        let commitment = Commitment::make(version)?;
        let message = DhCommit {
            header: tags.header(version),
            encrypted_gx: commitment.encrypted_gx.clone(),
            hashed_gx: commitment.hashed_gx,
        };
        Ok(Self {
            last_message: Some(armour(&message.serialise()?)?),
            state: AuthState::AwaitingDhKey(Box::new(commitment)),
            initiated: true,
            version: Some(version),
            waits_since: 0,
        })
    }

    /// Handles a DH-commit message (OTRv3, "Receiving a D-H Commit Message"). When two commits cross, the numerically
    /// higher hash wins on both sides; `rival` is the hash of a commit of ours that waits elsewhere (version 3: in the
    /// master context).
    pub fn on_commit(
        &mut self,
        message: &[u8],
        version: Version,
        tags: Tags,
        rival: Option<&[u8; 32]>,
    ) -> Result<CommitOutcome, ProtocolError> {
        let commit = DhCommit::parse(&dearmour(message, true)?)?;
        let ours = self.commitment().map(|ours| &ours.hashed_gx).or(rival);
        if ours == Some(&commit.hashed_gx) {
            return Ok(CommitOutcome::Reflected);
        }
        match &self.state {
            AuthState::AwaitingDhKey(ours)
                if ours.hashed_gx > commit.hashed_gx && ours.version == version =>
            {
                return Ok(CommitOutcome::OursWins);
            }
            AuthState::None if rival.is_some_and(|rival| *rival > commit.hashed_gx) => {
                return Ok(CommitOutcome::RivalWins);
            }
            _ => {}
        }
        // A DH-key that we have sent stays valid; only the value that it will be combined with is new.
        let sent = self.responding().filter(|sent| sent.version == version);
        let (our_dh, our_keyid) = match sent {
            Some(sent) => (sent.our_dh.clone(), sent.our_keyid),
            None => (DhKeyPair::generate()?, 1),
        };
        let reply = DhKey {
            header: tags.header(version),
            gy: our_dh.public().to_bytes(),
        };
        let reply = armour(&reply.serialise()?)?;
        let is_again = sent.is_some_and(|sent| sent.hashed_gx == commit.hashed_gx);
        if is_again && matches!(self.state, AuthState::AwaitingSig(_)) {
            return Ok(CommitOutcome::Repeated(reply));
        }
        let begun = if let Some(commitment) = self.commitment() {
            Some(Begun::Committed(Box::new(commitment.clone())))
        } else {
            self.revealed().map(|revealed| {
                Begun::Revealed(Box::new(Revealed {
                    answered: None,
                    ..revealed.clone()
                }))
            })
        };
        *self = Self {
            last_message: Some(reply),
            // A second DH-commit does not extend the lifetime of the exchange: anybody can send one.
            waits_since: if begun.is_some() || self.responding().is_some() {
                self.waits_since
            } else {
                0
            },
            state: AuthState::AwaitingRevealSig(Box::new(Responding {
                version,
                our_dh,
                our_keyid,
                encrypted_gx: commit.encrypted_gx,
                hashed_gx: commit.hashed_gx,
                begun,
            })),
            initiated: false,
            version: Some(version),
        };
        Ok(CommitOutcome::Answered)
    }

    /// Handles a DH-key message (OTRv3, "Receiving a D-H Key Message") that answers our own DH-commit. True: send
    /// `last_message`, a reveal signature (again). A value with which our commitment has opened a session is ignored.
    pub fn on_dh_key(
        &mut self,
        message: &[u8],
        key: &SigningKey,
        tags: Tags,
        opened: &OpenedPairs,
    ) -> Result<bool, ProtocolError> {
        if let AuthState::AwaitingSig(_) = &self.state {
            DhKey::parse(&dearmour(message, true)?)?;
            return Ok(self.has_revealed_for(message));
        }
        match self.commitment().cloned() {
            Some(commitment) => self.answer_dh_key(commitment, message, key, tags, opened),
            None => DhKey::parse(&dearmour(message, true)?)
                .map(|_| false)
                .map_err(ProtocolError::from),
        }
    }

    /// Takes a DH-key message as the answer to `commitment`, ours or that of our master context.
    pub fn answer_dh_key(
        &mut self,
        commitment: Commitment,
        message: &[u8],
        key: &SigningKey,
        tags: Tags,
        opened: &OpenedPairs,
    ) -> Result<bool, ProtocolError> {
        let incoming = DhKey::parse(&dearmour(message, true)?)?;
        let version = commitment.version;
        // They may have answered another instance, with another version.
        if message_version(message) != Some(version) {
            return Ok(false);
        }
        let their_dh = Element::from_bytes(&incoming.gy).ok_or(ProtocolError::Invalid)?;
        let is_own = |responding: &Responding| responding.our_dh.public() == &their_dh;
        if self.responding().is_some_and(is_own)
            || !opened.may_open(commitment.our_dh.public(), &their_dh)
        {
            return Ok(false);
        }
        let keys = AuthKeys::derive(commitment.our_dh.shared_secret(&their_dh));
        let ours = Authenticator {
            encryption: &keys.c,
            inner_mac: &keys.m1,
            signer_dh: commitment.our_dh.public(),
            reader_dh: &their_dh,
        };
        let encrypted_signature = ours.seal(key, commitment.our_keyid)?;
        let reply = RevealSignature {
            header: tags.header(version),
            revealed_key: *commitment.r,
            mac: outer_mac(&keys.m2, &encrypted_signature)?,
            encrypted_signature,
        };
        let answered = self.responding().map(|responding| {
            Box::new(Responding {
                begun: None,
                ..responding.clone()
            })
        });
        *self = Self {
            last_message: Some(armour(&reply.serialise()?)?),
            state: AuthState::AwaitingSig(Box::new(Revealed {
                commitment,
                their_dh,
                keys,
                answered,
            })),
            initiated: true,
            version: Some(version),
            waits_since: 0,
        };
        Ok(true)
    }

    /// Handles a reveal signature message (OTRv3, "Receiving a Reveal Signature Message"). `Some`: the exchange is done,
    /// send `last_message`, our signature.
    pub fn on_reveal_signature(
        &mut self,
        message: &[u8],
        key: &SigningKey,
        tags: Tags,
        opened: &mut OpenedPairs,
    ) -> Result<Option<Established>, ProtocolError> {
        let incoming = RevealSignature::parse(&dearmour(message, true)?)?;
        let Some(responding) = self.responding() else {
            return Ok(None);
        };
        let version = responding.version;
        let mut gx = responding.encrypted_gx.clone();
        aes_ctr::apply(&incoming.revealed_key, &ZERO_COUNTER, &mut gx);
        if !mac::equal(&sha256(&[&gx]), &responding.hashed_gx) {
            // Made for another commitment.
            return Ok(None);
        }
        let their_dh = Element::from_bytes(mpi::decode(&gx)?).ok_or(ProtocolError::Invalid)?;
        let our_dh = &responding.our_dh;
        if !opened.may_open(our_dh.public(), &their_dh) {
            return Ok(None);
        }
        let keys = AuthKeys::derive(our_dh.shared_secret(&their_dh));
        check_outer_mac(&keys.m2, &incoming.encrypted_signature, &incoming.mac)?;
        let theirs = Authenticator {
            encryption: &keys.c,
            inner_mac: &keys.m1,
            signer_dh: &their_dh,
            reader_dh: our_dh.public(),
        };
        let signer = theirs.open(incoming.encrypted_signature)?;

        let ours = Authenticator {
            encryption: &keys.c_prime,
            inner_mac: &keys.m1_prime,
            signer_dh: our_dh.public(),
            reader_dh: &their_dh,
        };
        let encrypted_signature = ours.seal(key, responding.our_keyid)?;
        let reply = Signature {
            header: tags.header(version),
            mac: outer_mac(&keys.m2_prime, &encrypted_signature)?,
            encrypted_signature,
        };
        let established = Established {
            data_keys: Some(keys.first_data_keys(our_dh, &their_dh)),
            our_dh: our_dh.clone(),
            our_keyid: responding.our_keyid,
            their_dh,
            their_keyid: signer.keyid,
            their_fingerprint: signer.fingerprint,
            session_id: SessionId::new(&keys.session_id, BoldHalf::Second),
            version,
            initiated: false,
        };
        self.finish(&established, Some(armour(&reply.serialise()?)?), opened);
        Ok(Some(established))
    }

    /// Handles a signature message (OTRv3, "Receiving a Signature Message"). `Some`: the exchange is done, nothing to send.
    pub fn on_signature(
        &mut self,
        message: &[u8],
        opened: &mut OpenedPairs,
    ) -> Result<Option<Established>, ProtocolError> {
        let Some(revealed) = self.revealed() else {
            Signature::parse(&dearmour(message, true)?)?;
            return Ok(None);
        };
        let Some(established) = revealed.finish(message, opened)? else {
            return Ok(None);
        };
        self.finish(&established, None, opened);
        Ok(Some(established))
    }

    /// The exchange is done: its private values are discarded, and its pair of DH values opens no second session.
    fn finish(
        &mut self,
        established: &Established,
        reply: Option<Vec<u8>>,
        opened: &mut OpenedPairs,
    ) {
        opened.note(established.our_dh.public(), &established.their_dh);
        *self = Self {
            state: AuthState::None,
            initiated: established.initiated,
            version: Some(established.version),
            last_message: reply,
            waits_since: 0,
        };
    }
}

impl Revealed {
    /// Reads the signature message that finishes this exchange. `None`: it has opened a session already.
    fn finish(
        &self,
        message: &[u8],
        opened: &OpenedPairs,
    ) -> Result<Option<Established>, ProtocolError> {
        let incoming = Signature::parse(&dearmour(message, true)?)?;
        let Revealed {
            commitment,
            their_dh,
            keys,
            ..
        } = self;
        if !opened.may_open(commitment.our_dh.public(), their_dh) {
            return Ok(None);
        }
        check_outer_mac(&keys.m2_prime, &incoming.encrypted_signature, &incoming.mac)?;
        let theirs = Authenticator {
            encryption: &keys.c_prime,
            inner_mac: &keys.m1_prime,
            signer_dh: their_dh,
            reader_dh: commitment.our_dh.public(),
        };
        let signer = theirs.open(incoming.encrypted_signature)?;
        Ok(Some(Established {
            data_keys: Some(keys.first_data_keys(&commitment.our_dh, their_dh)),
            our_dh: commitment.our_dh.clone(),
            our_keyid: commitment.our_keyid,
            their_dh: their_dh.clone(),
            their_keyid: signer.keyid,
            their_fingerprint: signer.fingerprint,
            session_id: SessionId::new(&keys.session_id, BoldHalf::First),
            version: commitment.version,
            initiated: true,
        }))
    }
}
