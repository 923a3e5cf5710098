//! The authenticated key exchange of versions 2 and 3 (OTR protocol, "AKE"), one side of it.
//!
//! Every handler either succeeds whole or leaves the state as it was. Only a verified signature
//! makes an [`Established`], and only that makes a session.

use zeroize::Zeroize;

use super::dh::{AuthKeys, DataKeys, DhKeyPair};
use super::error::ProtocolError;
use super::session_id::{BoldHalf, SessionId};
use crate::crypto::aes_ctr;
use crate::crypto::dsa;
use crate::crypto::group::Element;
use crate::crypto::hash::{sha1, sha256};
use crate::crypto::mac::{self, hmac_sha256};
use crate::crypto::proof;
use crate::crypto::random;
use crate::wire::armour::{armour, dearmour};
use crate::wire::instance::Instances;
use crate::wire::kind::message_version;
use crate::wire::messages::signature::{mac_input, signed_input};
use crate::wire::messages::{
    AuthPlain, DhCommit, DhKey, DsaNumbers, Header, RevealSignature, Signature,
};
use crate::wire::mpi;
use crate::wire::version::Version;

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

/// Our long-term key, with its public half as the wire and the fingerprint need it.
#[derive(Clone, Debug)]
pub struct SigningKey {
    key: dsa::PrivateKey,
    public_block: Vec<u8>,
}

impl SigningKey {
    /// Makes ready a private key.
    pub fn new(key: dsa::PrivateKey) -> Result<Self, ProtocolError> {
        let public = key.public();
        let numbers = DsaNumbers {
            p: public.p(),
            q: public.q(),
            g: public.g(),
            y: public.y(),
        };
        Ok(Self {
            public_block: numbers.encode()?,
            key,
        })
    }

    /// The key itself.
    pub fn key(&self) -> &dsa::PrivateKey {
        &self.key
    }

    /// The public numbers as MPIs, as they stand in messages.
    pub fn public_block(&self) -> &[u8] {
        &self.public_block
    }

    /// SHA-1 of the public numbers: what people compare.
    pub fn fingerprint(&self) -> [u8; 20] {
        sha1(&[&self.public_block])
    }
}

/// What a DH-commit message commits to: our key pair, and the key r that hides its public half until the reveal.
#[derive(Clone)]
pub struct Commitment {
    /// Our key pair.
    pub our_dh: DhKeyPair,
    /// Our key's number, 1 in a fresh exchange.
    pub our_keyid: u32,
    /// The key that encrypts g^x.
    pub r: [u8; 16],
    /// AES(r, MPI of g^x).
    pub encrypted_gx: Vec<u8>,
    /// SHA-256 of the MPI of g^x.
    pub hashed_gx: [u8; 32],
}

impl Commitment {
    fn make() -> Result<Self, ProtocolError> {
        let our_dh = DhKeyPair::generate()?;
        let r = random::bytes::<16>()?;
        let mut encrypted_gx = mpi::encode(&our_dh.public().to_bytes())?;
        let hashed_gx = sha256(&[&encrypted_gx]);
        aes_ctr::apply(&r, &ZERO_COUNTER, &mut encrypted_gx);
        Ok(Self {
            our_dh,
            our_keyid: 1,
            r,
            encrypted_gx,
            hashed_gx,
        })
    }
}

impl Drop for Commitment {
    fn drop(&mut self) {
        self.r.zeroize();
    }
}

impl std::fmt::Debug for Commitment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Commitment(..)")
    }
}

/// The side that received a DH-commit and answered with a DH-key.
#[derive(Clone, Debug)]
pub struct Responding {
    /// Our key pair.
    pub our_dh: DhKeyPair,
    /// Our key's number.
    pub our_keyid: u32,
    /// Their g^x, still encrypted.
    pub encrypted_gx: Vec<u8>,
    /// Its hash.
    pub hashed_gx: [u8; 32],
    /// Our own commitment, if it crossed theirs and lost. A peer that yields as well (libotr 4 does
    /// so for version 2) answers it with a DH-key, and then it still serves.
    pub yielded: Option<Box<Commitment>>,
}

/// The side that has revealed its key and waits for the other's signature.
#[derive(Clone, Debug)]
pub struct Revealed {
    /// What we had committed to.
    pub commitment: Commitment,
    /// Their public value.
    pub their_dh: Element,
    /// The keys of this exchange.
    pub keys: Box<AuthKeys>,
}

/// Where the exchange stands; the names are the specification's.
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
}

/// One side of an exchange.
#[derive(Clone, Debug, Default)]
pub struct Auth {
    /// Where it stands.
    pub state: AuthState,
    /// Whether we began it.
    pub initiated: bool,
    /// The version it is held in.
    pub version: Option<Version>,
    /// Our last message, armoured, kept for retransmission.
    pub last_message: Option<Vec<u8>>,
    /// When a master context sent a version 3 DH-commit that still waits, in seconds since 1970; else 0.
    pub commit_sent: i64,
}

/// A finished exchange: their signature was verified. Nothing else makes one.
#[derive(Clone, Debug)]
pub struct Established {
    our_dh: DhKeyPair,
    our_keyid: u32,
    their_dh: Element,
    their_keyid: u32,
    their_fingerprint: [u8; 20],
    session_id: SessionId,
    version: Version,
    initiated: bool,
    /// The keys between these two DH keys, if the exchange had to find their shared secret anyway.
    data_keys: Option<Box<DataKeys>>,
}

impl Established {
    /// Our key pair of the exchange, the first of the session.
    pub fn our_dh(&self) -> &DhKeyPair {
        &self.our_dh
    }
    /// Its number.
    pub fn our_keyid(&self) -> u32 {
        self.our_keyid
    }
    /// Their public value.
    pub fn their_dh(&self) -> &Element {
        &self.their_dh
    }
    /// Its number, never 0.
    pub fn their_keyid(&self) -> u32 {
        self.their_keyid
    }
    /// The fingerprint of the key that signed.
    pub fn their_fingerprint(&self) -> &[u8; 20] {
        &self.their_fingerprint
    }
    /// The secure session id.
    pub fn session_id(&self) -> SessionId {
        self.session_id
    }
    /// The version the session speaks.
    pub fn version(&self) -> Version {
        self.version
    }
    /// Whether we began the exchange.
    pub fn initiated(&self) -> bool {
        self.initiated
    }
    /// The keys of the session's first messages, if the exchange found them on its way.
    pub fn data_keys(&self) -> Option<&DataKeys> {
        self.data_keys.as_deref()
    }
    /// An exchange of version 1, whose one message was signed and verified.
    pub(super) fn of_version_1(
        session_id: SessionId,
        (our_dh, our_keyid): (DhKeyPair, u32),
        (their_dh, their_keyid): (Element, u32),
        their_fingerprint: [u8; 20],
        initiated: bool,
    ) -> Self {
        let version = Version::V1;
        Self {
            our_dh,
            our_keyid,
            their_dh,
            their_keyid,
            their_fingerprint,
            session_id,
            version,
            initiated,
            data_keys: None,
        }
    }

    /// Whether the other side is ourselves: a message of ours came back.
    pub fn is_reflected(&self) -> bool {
        self.our_dh.public() == &self.their_dh
    }
}

/// What becomes of a DH-commit message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitOutcome {
    /// The answer is in `last_message`.
    Answered,
    /// It crossed ours and ours wins: send our commit again, from `last_message`.
    OursWins,
    /// It crossed the commit that `rival` named and that one wins: send that again.
    RivalWins,
}

impl Auth {
    /// Starts an exchange; the DH-commit to send is in `last_message`.
    pub fn start(version: Version, tags: Tags) -> Result<Self, ProtocolError> {
        let commitment = Commitment::make()?;
        let message = DhCommit {
            header: tags.header(version),
            encrypted_gx: commitment.encrypted_gx.clone(),
            hashed_gx: commitment.hashed_gx,
        };
        Ok(Self {
            last_message: Some(armour(&message.serialise()?)),
            state: AuthState::AwaitingDhKey(Box::new(commitment)),
            initiated: true,
            version: Some(version),
            commit_sent: 0,
        })
    }

    /// The hash we committed to, while our DH-commit waits for its answer.
    pub fn pending_commit(&self) -> Option<&[u8; 32]> {
        match &self.state {
            AuthState::AwaitingDhKey(commitment) => Some(&commitment.hashed_gx),
            _ => None,
        }
    }

    /// The hash we committed to, while our reveal signature waits for its answer.
    pub fn revealed_commit(&self) -> Option<&[u8; 32]> {
        match &self.state {
            AuthState::AwaitingSig(revealed) => Some(&revealed.commitment.hashed_gx),
            _ => None,
        }
    }

    /// A copy of the commitment for one instance of the correspondent that answered it.
    pub fn for_instance(&self) -> Option<Self> {
        let commitment = match &self.state {
            AuthState::AwaitingDhKey(commitment) => commitment.as_ref(),
            AuthState::AwaitingSig(revealed) => &revealed.commitment,
            _ => return None,
        };
        Some(Self {
            state: AuthState::AwaitingDhKey(Box::new(commitment.clone())),
            initiated: self.initiated,
            version: Some(Version::V3),
            last_message: self.last_message.clone(),
            commit_sent: 0,
        })
    }

    /// Handles a DH-commit message. When two commits cross, the numerically higher hash wins on both
    /// sides; `rival` is the hash of a commit of ours that waits elsewhere (version 3: in the master context).
    pub fn on_commit(
        &mut self,
        message: &[u8],
        version: Version,
        tags: Tags,
        rival: Option<&[u8; 32]>,
    ) -> Result<CommitOutcome, ProtocolError> {
        let commit = DhCommit::parse(&dearmour(message, true)?)?;
        let mut yielded = None;
        match &mut self.state {
            AuthState::AwaitingDhKey(ours) => {
                if ours.hashed_gx > commit.hashed_gx && self.version == Some(version) {
                    return Ok(CommitOutcome::OursWins);
                }
                yielded = Some(ours.clone());
            }
            AuthState::AwaitingRevealSig(responding) => {
                // Our DH-key stands; only what it will be combined with is new.
                responding.encrypted_gx = commit.encrypted_gx;
                responding.hashed_gx = commit.hashed_gx;
                return Ok(CommitOutcome::Answered);
            }
            AuthState::None => {
                if rival.is_some_and(|rival| *rival > commit.hashed_gx) {
                    return Ok(CommitOutcome::RivalWins);
                }
            }
            AuthState::AwaitingSig(_) | AuthState::V1Setup(_) => {}
        }
        let our_dh = DhKeyPair::generate()?;
        let reply = DhKey {
            header: tags.header(version),
            gy: our_dh.public().to_bytes(),
        };
        *self = Self {
            last_message: Some(armour(&reply.serialise()?)),
            state: AuthState::AwaitingRevealSig(Box::new(Responding {
                our_dh,
                our_keyid: 1,
                encrypted_gx: commit.encrypted_gx,
                hashed_gx: commit.hashed_gx,
                yielded: yielded.filter(|_| version == Version::V2),
            })),
            initiated: false,
            version: Some(version),
            commit_sent: 0,
        };
        Ok(CommitOutcome::Answered)
    }

    /// Handles a DH-key message. True: send `last_message`, a reveal signature (again).
    pub fn on_dh_key(
        &mut self,
        message: &[u8],
        key: &SigningKey,
        tags: Tags,
    ) -> Result<bool, ProtocolError> {
        let version = message_version(message);
        let incoming = DhKey::parse(&dearmour(message, true)?)?;
        let (commitment, initiated) = match &self.state {
            AuthState::AwaitingDhKey(commitment) => (commitment.as_ref(), self.initiated),
            AuthState::AwaitingRevealSig(responding) => match &responding.yielded {
                Some(commitment) => (commitment.as_ref(), true),
                None => return Ok(false),
            },
            AuthState::AwaitingSig(revealed) => {
                return Ok(Element::from_bytes(&incoming.gy).as_ref() == Some(&revealed.their_dh));
            }
            AuthState::None | AuthState::V1Setup(_) => return Ok(false),
        };
        // They may answer another instance that speaks another version.
        let Some(version) = version.filter(|_| version == self.version) else {
            return Ok(false);
        };
        let their_dh = Element::from_bytes(&incoming.gy).ok_or(ProtocolError::Invalid)?;
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
            revealed_key: commitment.r,
            mac: outer_mac(&keys.m2, &encrypted_signature)?,
            encrypted_signature,
        };
        *self = Self {
            last_message: Some(armour(&reply.serialise()?)),
            state: AuthState::AwaitingSig(Box::new(Revealed {
                commitment: commitment.clone(),
                their_dh,
                keys,
            })),
            initiated,
            version: Some(version),
            commit_sent: self.commit_sent,
        };
        Ok(true)
    }

    /// Handles a reveal signature message. `Some`: the exchange is done, send `last_message`, our signature.
    pub fn on_reveal_signature(
        &mut self,
        message: &[u8],
        key: &SigningKey,
        tags: Tags,
    ) -> Result<Option<Established>, ProtocolError> {
        let incoming = RevealSignature::parse(&dearmour(message, true)?)?;
        let AuthState::AwaitingRevealSig(responding) = &self.state else {
            return Ok(None);
        };
        let version = self.version.ok_or(ProtocolError::Conflict)?;
        let mut gx = responding.encrypted_gx.clone();
        aes_ctr::apply(&incoming.revealed_key, &ZERO_COUNTER, &mut gx);
        if !mac::equal(&sha256(&[&gx]), &responding.hashed_gx) {
            // Made for another commitment: not ours to judge.
            return Ok(None);
        }
        let their_dh = Element::from_bytes(mpi::decode(&gx)?).ok_or(ProtocolError::Invalid)?;
        let our_dh = &responding.our_dh;
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
            initiated: self.initiated,
        };
        self.state = AuthState::None;
        self.last_message = Some(armour(&reply.serialise()?));
        Ok(Some(established))
    }

    /// Handles a signature message. `Some`: the exchange is done, nothing to send.
    pub fn on_signature(&mut self, message: &[u8]) -> Result<Option<Established>, ProtocolError> {
        let incoming = Signature::parse(&dearmour(message, true)?)?;
        let AuthState::AwaitingSig(revealed) = &self.state else {
            return Ok(None);
        };
        let version = self.version.ok_or(ProtocolError::Conflict)?;
        let Revealed {
            commitment,
            their_dh,
            keys,
        } = revealed.as_ref();
        check_outer_mac(&keys.m2_prime, &incoming.encrypted_signature, &incoming.mac)?;
        let theirs = Authenticator {
            encryption: &keys.c_prime,
            inner_mac: &keys.m1_prime,
            signer_dh: their_dh,
            reader_dh: commitment.our_dh.public(),
        };
        let signer = theirs.open(incoming.encrypted_signature)?;
        let established = Established {
            data_keys: Some(keys.first_data_keys(&commitment.our_dh, their_dh)),
            our_dh: commitment.our_dh.clone(),
            our_keyid: commitment.our_keyid,
            their_dh: their_dh.clone(),
            their_keyid: signer.keyid,
            their_fingerprint: signer.fingerprint,
            session_id: SessionId::new(&keys.session_id, BoldHalf::First),
            version,
            initiated: self.initiated,
        };
        self.state = AuthState::None;
        self.last_message = None;
        Ok(Some(established))
    }
}

/// One of the two encrypted signatures of the exchange: X, and the M that is signed in it.
struct Authenticator<'a> {
    encryption: &'a [u8; 16],
    inner_mac: &'a [u8; 32],
    signer_dh: &'a Element,
    reader_dh: &'a Element,
}

/// Who signed, once the signature has been verified.
struct Signer {
    fingerprint: [u8; 20],
    keyid: u32,
}

impl Authenticator<'_> {
    /// The number M that is signed: the MAC over both public values, the signer's key and its key id.
    fn signed_number(&self, public_key: &[u8], keyid: u32) -> Result<[u8; 32], ProtocolError> {
        let input = signed_input(
            &self.signer_dh.to_bytes(),
            &self.reader_dh.to_bytes(),
            public_key,
            keyid,
        )?;
        Ok(hmac_sha256(self.inner_mac, &[&input]))
    }

    fn seal(&self, key: &SigningKey, keyid: u32) -> Result<Vec<u8>, ProtocolError> {
        let number = self.signed_number(&key.public_block, keyid)?;
        let signature = key
            .key
            .sign(&number)
            .map_err(|_| ProtocolError::UnusableKey)?;
        let plain = AuthPlain {
            public_key: key.public_block.clone(),
            keyid,
            signature,
        };
        let mut sealed = plain.serialise();
        aes_ctr::apply(self.encryption, &ZERO_COUNTER, &mut sealed);
        Ok(sealed)
    }

    fn open(&self, mut sealed: Vec<u8>) -> Result<Signer, ProtocolError> {
        aes_ctr::apply(self.encryption, &ZERO_COUNTER, &mut sealed);
        let plain = AuthPlain::parse(&sealed)?;
        let number = self.signed_number(&plain.public_key, plain.keyid)?;
        let DsaNumbers { p, q, g, y } = plain.numbers()?;
        let public = dsa::PublicKey::new(p, q, g, y).map_err(|_| ProtocolError::BadSignature)?;
        if !proof::holds(public.verify(&number, &plain.signature)) {
            return Err(ProtocolError::BadSignature);
        }
        Ok(Signer {
            fingerprint: sha1(&[&plain.public_key]),
            keyid: plain.keyid,
        })
    }
}

/// The MAC over an encrypted signature with its length: HMAC-SHA256, 160 bits of it.
fn outer_mac(key: &[u8; 32], encrypted_signature: &[u8]) -> Result<[u8; 20], ProtocolError> {
    let mac = hmac_sha256(key, &[&mac_input(encrypted_signature)?]);
    Ok(*mac.first_chunk::<20>().unwrap_or(&[0; 20]))
}

fn check_outer_mac(
    key: &[u8; 32],
    encrypted_signature: &[u8],
    given: &[u8; 20],
) -> Result<(), ProtocolError> {
    let made = outer_mac(key, encrypted_signature)?;
    if proof::holds(mac::equal(&made, given)) {
        Ok(())
    } else {
        Err(ProtocolError::Invalid)
    }
}
