//! Diffie-Hellman key pairs, ours and theirs, and what is derived from a shared secret.

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::error::ProtocolError;
use super::session_id::{BoldHalf, SessionId};
use otr_crypto::group::{self, Element, Exponent};
use otr_crypto::hash::{sha1_into, sha256_into};

/// Our key pair: a secret exponent and the public value made from it.
#[derive(Clone)]
pub struct DhKeyPair {
    secret: Exponent,
    public: Element,
}

impl DhKeyPair {
    /// A new pair with a 320-bit exponent (OTR protocol, "D-H Commit Message").
    pub fn generate() -> Result<Self, ProtocolError> {
        let secret = Exponent::random_320()?;
        let public = group::generator_pow(&secret)
            .to_element()
            .ok_or(ProtocolError::NoRandomness)?;
        Ok(Self { secret, public })
    }

    /// A pair from its two halves. It is not checked that they match.
    pub fn from_parts(secret: Exponent, public: Element) -> Self {
        Self { secret, public }
    }

    /// The secret exponent.
    pub fn secret(&self) -> &Exponent {
        &self.secret
    }

    /// The public value, to be sent.
    pub fn public(&self) -> &Element {
        &self.public
    }

    /// The secret shared with the owner of `theirs`.
    #[expect(clippy::disallowed_methods, reason = "a number of 192 bytes")]
    pub fn shared_secret(&self, theirs: &Element) -> SharedSecret {
        let value = group::pow(theirs, &self.secret).to_bytes();
        let mut mpi = Zeroizing::new(Vec::with_capacity(4 + value.len()));
        mpi.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes());
        mpi.extend_from_slice(&value);
        SharedSecret { mpi }
    }

    /// Whether ours is the high end: the numerically greater public value.
    fn is_high_end(&self, theirs: &Element) -> bool {
        self.public > *theirs
    }
}

impl std::fmt::Debug for DhKeyPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DhKeyPair(..)")
    }
}

/// A shared secret, as the MPI that all derivations hash.
#[derive(Clone)]
pub struct SharedSecret {
    mpi: Zeroizing<Vec<u8>>,
}

// Everything is written directly to where it is kept, or is wiped: returning values leaves copies on the stack.
impl SharedSecret {
    fn h1(&self, byte: u8, hash: &mut [u8; 20]) {
        sha1_into(&[&[byte], &self.mpi], hash);
    }

    fn h2(&self, byte: u8, hash: &mut [u8; 32]) {
        sha256_into(&[&[byte], &self.mpi], hash);
    }
}

impl std::fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedSecret(..)")
    }
}

/// The keys of the authenticated key exchange (OTR protocol, "AKE": c, c', m1, m2, m1', m2').
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct AuthKeys {
    /// The secure session id, the same on both sides.
    pub session_id: [u8; 8],
    /// Encrypts the reveal signature message.
    pub c: [u8; 16],
    /// Encrypts the signature message.
    pub c_prime: [u8; 16],
    /// MAC key under the signature in the reveal signature message.
    pub m1: [u8; 32],
    /// MAC key over the reveal signature message.
    pub m2: [u8; 32],
    /// MAC key under the signature in the signature message.
    pub m1_prime: [u8; 32],
    /// MAC key over the signature message.
    pub m2_prime: [u8; 32],
    /// The secret that all of them were derived from, and the first keys of the session as well. Wipes itself.
    #[zeroize(skip)]
    secret: SharedSecret,
}

impl AuthKeys {
    /// Derives all of them from the secret shared in the exchange.
    pub fn derive(secret: SharedSecret) -> Box<Self> {
        let mut keys = Box::new(Self {
            session_id: [0; 8],
            c: [0; 16],
            c_prime: [0; 16],
            m1: [0; 32],
            m2: [0; 32],
            m1_prime: [0; 32],
            m2_prime: [0; 32],
            secret,
        });
        let Self {
            session_id,
            c,
            c_prime,
            m1,
            m2,
            m1_prime,
            m2_prime,
            secret,
        } = &mut *keys;
        for (byte, key) in [(0x02, m1), (0x03, m2), (0x04, m1_prime), (0x05, m2_prime)] {
            secret.h2(byte, key);
        }
        let mut hash = Zeroizing::new([0; 32]);
        secret.h2(0x00, &mut hash);
        session_id.copy_from_slice(hash.first_chunk::<8>().unwrap_or(&[0; 8]));
        secret.h2(0x01, &mut hash);
        let (first, second) = hash.split_at(16);
        c.copy_from_slice(first);
        c_prime.copy_from_slice(second);
        keys
    }

    /// The data keys between the two DH keys of the exchange, without calculating the shared secret again.
    pub fn first_data_keys(&self, ours: &DhKeyPair, theirs: &Element) -> Box<DataKeys> {
        DataKeys::from_secret(&self.secret, ours, theirs)
    }
}

impl std::fmt::Debug for AuthKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AuthKeys(..)")
    }
}

/// One direction of a data session: an AES key and the MAC key that is its hash.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct DirectionKeys {
    /// AES-128 key.
    pub encryption: [u8; 16],
    /// HMAC-SHA1 key, revealed once it is no longer needed.
    pub mac: [u8; 20],
}

/// The keys that are derived from one of our DH keys and one of theirs (OTR protocol, "Data Message").
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct DataKeys {
    /// For what we send.
    pub sending: DirectionKeys,
    /// For what we receive.
    pub receiving: DirectionKeys,
    /// The extra symmetric key, for use outside OTR.
    pub extra: [u8; 32],
}

impl DataKeys {
    /// Derives the keys between `ours` and `theirs`.
    pub fn derive(ours: &DhKeyPair, theirs: &Element) -> Box<Self> {
        Self::from_secret(&ours.shared_secret(theirs), ours, theirs)
    }

    fn from_secret(secret: &SharedSecret, ours: &DhKeyPair, theirs: &Element) -> Box<Self> {
        let (send_byte, receive_byte) = if ours.is_high_end(theirs) {
            (0x01, 0x02)
        } else {
            (0x02, 0x01)
        };
        let nothing = || DirectionKeys {
            encryption: [0; 16],
            mac: [0; 20],
        };
        let mut keys = Box::new(Self {
            sending: nothing(),
            receiving: nothing(),
            extra: [0; 32],
        });
        keys.sending.derive(secret, send_byte);
        keys.receiving.derive(secret, receive_byte);
        secret.h2(0xff, &mut keys.extra);
        keys
    }
}

impl DirectionKeys {
    /// Derives the keys for this byte.
    fn derive(&mut self, secret: &SharedSecret, byte: u8) {
        let mut hash = Zeroizing::new([0; 20]);
        secret.h1(byte, &mut hash);
        self.encryption
            .copy_from_slice(hash.first_chunk::<16>().unwrap_or(&[0; 16]));
        sha1_into(&[&self.encryption], &mut self.mac);
    }
}

impl std::fmt::Debug for DirectionKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DirectionKeys(..)")
    }
}

impl std::fmt::Debug for DataKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKeys(..)")
    }
}

/// The session id of version 1: a whole SHA-1. Which half is bold depends on whose public value is greater.
pub fn v1_session_id(ours: &DhKeyPair, theirs: &Element) -> SessionId {
    let half = if ours.is_high_end(theirs) {
        BoldHalf::Second
    } else {
        BoldHalf::First
    };
    let mut hash = Zeroizing::new([0; 20]);
    ours.shared_secret(theirs).h1(0x00, &mut hash);
    SessionId::new(&*hash, half)
}
