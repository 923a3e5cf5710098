//! The states of an exchange, and queries about them.

use zeroize::Zeroizing;

use super::{ZERO_COUNTER, expiry};
use crate::dh::{AuthKeys, DhKeyPair};
use crate::error::ProtocolError;
use crate::wire::armour::dearmour;
use crate::wire::messages::DhKey;
use crate::wire::mpi;
use crate::wire::version::Version;
use otr_crypto::aes_ctr;
use otr_crypto::group::Element;
use otr_crypto::hash::sha256;
use otr_crypto::random;

/// What a DH-commit message commits to: our key pair, and the key r that hides its public half until the reveal.
#[derive(Clone)]
pub struct Commitment {
    /// The version of the DH-commit: only an answer of the same version is accepted.
    pub version: Version,
    /// Our key pair.
    pub our_dh: DhKeyPair,
    /// Our key's number, 1 in a fresh exchange.
    pub our_keyid: u32,
    /// The key that encrypts g^x.
    pub r: Zeroizing<[u8; 16]>,
    /// AES(r, MPI of g^x).
    pub encrypted_gx: Vec<u8>,
    /// SHA-256 of the MPI of g^x.
    pub hashed_gx: [u8; 32],
}

impl Commitment {
    pub(super) fn make(version: Version) -> Result<Self, ProtocolError> {
        let our_dh = DhKeyPair::generate()?;
        let r = Zeroizing::new(random::bytes::<16>()?);
        let mut encrypted_gx = mpi::encode(&our_dh.public().to_bytes())?;
        let hashed_gx = sha256(&[&encrypted_gx]);
        aes_ctr::apply(&r, &ZERO_COUNTER, &mut encrypted_gx);
        Ok(Self {
            version,
            our_dh,
            our_keyid: 1,
            r,
            encrypted_gx,
            hashed_gx,
        })
    }
}

impl std::fmt::Debug for Commitment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Commitment(..)")
    }
}

/// The state of the side that received a DH-commit and answered with a DH-key.
#[derive(Clone, Debug)]
pub struct Responding {
    /// The version of the exchange.
    pub version: Version,
    /// Our key pair.
    pub our_dh: DhKeyPair,
    /// Our key's number.
    pub our_keyid: u32,
    /// Their g^x, still encrypted.
    pub encrypted_gx: Vec<u8>,
    /// Its hash.
    pub hashed_gx: [u8; 32],
    /// The exchange that we had begun ourselves when their DH-commit arrived. Nothing is proved yet, so that commit may be
    /// anybody's: ours goes on in parallel, and the one that is signed first counts.
    pub begun: Option<Begun>,
}

/// The state of the side that has revealed its key and waits for the other's signature.
#[derive(Clone, Debug)]
pub struct Revealed {
    /// Our commitment.
    pub commitment: Commitment,
    /// Their public value.
    pub their_dh: Element,
    /// The keys of this exchange.
    pub keys: Box<AuthKeys>,
    /// The DH-commit that we have answered in the meantime, with nothing in `begun`.
    pub answered: Option<Box<Responding>>,
}

/// An exchange that we began, while one that the other side began has priority.
#[derive(Clone, Debug)]
pub enum Begun {
    /// Our DH-commit waits for a DH-key.
    Committed(Box<Commitment>),
    /// Our reveal signature waits for a signature; nothing is in `answered`.
    Revealed(Box<Revealed>),
}

/// The state of the exchange, with the names of the specification.
#[derive(Clone, Debug, Default)]
pub enum AuthState {
    /// No exchange under way.
    #[default]
    None,
    /// We sent a DH-commit.
    AwaitingDhKey(Box<Commitment>),
    /// We sent a DH-key.
    AwaitingRevealSig(Box<Responding>),
    /// We sent a reveal signature.
    AwaitingSig(Box<Revealed>),
    /// We sent a version 1 key exchange message.
    V1Setup(Box<V1Setup>),
}

/// The state of a version 1 exchange.
#[derive(Clone, Debug)]
pub struct V1Setup {
    /// Our key pair.
    pub our_dh: DhKeyPair,
    /// Our key's number.
    pub our_keyid: u32,
    /// Whether the key pair was made for this exchange. Otherwise it is that of the session, and can only confirm it.
    pub is_fresh: bool,
}

/// One side of an exchange.
#[derive(Clone, Debug, Default)]
pub struct Auth {
    /// Its state.
    pub state: AuthState,
    /// Whether we began it.
    pub initiated: bool,
    /// Its version.
    pub version: Option<Version>,
    /// Our last message, armoured, kept for retransmission.
    pub last_message: Option<Vec<u8>>,
    /// When the message that waits for an answer was first sent, in seconds since 1970; 0 if none was. See [`expiry`].
    pub waits_since: i64,
}

impl Auth {
    /// Whether an exchange is under way whose last step was a moment ago: the answer to its last message may still be in
    /// transit.
    pub fn is_recent(&self, now: i64) -> bool {
        let under_way = !matches!(self.state, AuthState::None | AuthState::V1Setup(_));
        under_way && (self.waits_since..self.waits_since + expiry::REPEAT_INTERVAL).contains(&now)
    }

    /// Whether an exchange is under way.
    pub fn is_under_way(&self) -> bool {
        !matches!(self.state, AuthState::None)
    }

    /// Our DH-commit that waits for its answer, alone or in parallel to an exchange that the other side began.
    pub fn commitment(&self) -> Option<&Commitment> {
        match &self.state {
            AuthState::AwaitingDhKey(commitment) => Some(commitment),
            AuthState::AwaitingRevealSig(responding) => match &responding.begun {
                Some(Begun::Committed(commitment)) => Some(commitment),
                _ => None,
            },
            _ => None,
        }
    }

    /// Our reveal signature that waits for its answer, likewise.
    pub fn revealed(&self) -> Option<&Revealed> {
        match &self.state {
            AuthState::AwaitingSig(revealed) => Some(revealed),
            AuthState::AwaitingRevealSig(responding) => match &responding.begun {
                Some(Begun::Revealed(revealed)) => Some(revealed),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether our reveal signature that waits was the answer to this DH-key message, or to one with the same value.
    pub fn has_revealed_for(&self, dh_key: &[u8]) -> bool {
        let value = || {
            let message = DhKey::parse(&dearmour(dh_key, true).ok()?).ok()?;
            Element::from_bytes(&message.gy)
        };
        self.revealed()
            .is_some_and(|revealed| value().as_ref() == Some(&revealed.their_dh))
    }

    /// The other side's exchange that we have answered, likewise.
    pub fn responding(&self) -> Option<&Responding> {
        match &self.state {
            AuthState::AwaitingRevealSig(responding) => Some(responding),
            AuthState::AwaitingSig(revealed) => revealed.answered.as_deref(),
            _ => None,
        }
    }

    /// The hash we committed to, while our DH-commit is the last message of the exchange.
    pub fn pending_commit(&self) -> Option<&[u8; 32]> {
        match &self.state {
            AuthState::AwaitingDhKey(commitment) => Some(&commitment.hashed_gx),
            _ => None,
        }
    }
}
