//! The data phase (OTR protocol, "Data Message", "Key Management"): which keys encrypt, when they
//! are replaced, and which MAC keys are then published.

use std::fmt;

use super::ake::{Established, Tags};
use super::buffer::OutOfMemory;
use super::dh::DhKeyPair;
use super::error::ProtocolError;
use super::session_keys::{Age, MAC_KEY, OurKeys, SAVED_MAC_KEYS, Slot, Slots, TheirKeys, age};
use super::workspace::Workspace;
use crate::buffer;
use crate::wire::armour::{armour, dearmour_into};
use crate::wire::messages::Data;
use crate::wire::messages::data::{data_flags, data_mac};
use crate::wire::search::find_byte;
use crate::wire::tlv::{self, Tlv};
use crate::wire::version::Version;
use otr_crypto::group::Element;
use otr_crypto::secret::{SecretBytes, SecretKey};
use zeroize::Zeroize;

/// An encrypted session with one instance of one correspondent.
#[derive(Debug)]
pub struct Session {
    version: Version,
    ours: OurKeys,
    theirs: TheirKeys,
    /// One slot for each pair of a key of ours and a key of theirs that a message may name.
    slots: Slots,
    /// MAC keys of forgotten pairs, to be published with the next message.
    saved_mac_keys: Vec<u8>,
    workspace: Workspace,
}

/// A text that was decrypted, as the caller keeps it.
pub trait Plaintext: Sized {
    /// A copy of the text, which is not empty and contains no NUL.
    ///
    /// # Errors
    /// Out of memory: the message is then refused.
    fn keep(text: &[u8]) -> Result<Self, OutOfMemory>;
}

impl Plaintext for Vec<u8> {
    fn keep(text: &[u8]) -> Result<Self, OutOfMemory> {
        buffer::copy(text)
    }
}

/// What was in a data message.
pub struct Received<T> {
    /// The text, up to the first NUL; `None` if it is empty.
    pub text: Option<T>,
    /// The TLVs that came with the text.
    pub tlvs: Vec<Tlv>,
    /// The keys that the message was made with.
    pub keys: KeyIds,
    /// The MAC of the message.
    pub mac: [u8; 20],
    /// The extra symmetric key, if the message says what it is for.
    pub extra_key: Option<SecretKey>,
}

impl<T> Default for Received<T> {
    fn default() -> Self {
        Self {
            text: None,
            tlvs: Vec::new(),
            keys: KeyIds::default(),
            mac: [0; 20],
            extra_key: None,
        }
    }
}

impl<T> fmt::Debug for Received<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received")
            .field("tlvs", &self.tlvs)
            .field("extra_key", &self.extra_key)
            .finish_non_exhaustive()
    }
}

/// One of our keys and one of theirs, by their numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyIds {
    ours: u32,
    theirs: u32,
}

/// A data message that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The reason.
    pub error: ProtocolError,
    /// Its flags as far as they could be read; they are not authenticated.
    pub flags: u8,
    /// The MAC in it, likewise.
    pub mac: Option<[u8; 20]>,
}

impl Session {
    /// The session that a finished exchange opens.
    pub fn open(established: &Established) -> Result<Self, ProtocolError> {
        let current = DhKeyPair::generate()?;
        Ok(Self {
            version: established.version(),
            ours: OurKeys {
                next_dh: Box::new(current.public().to_padded_bytes()),
                current,
                previous: established.our_dh().clone(),
                keyid: established.our_keyid().wrapping_add(1),
            },
            theirs: TheirKeys {
                current: established.their_dh().clone(),
                previous: None,
                keyid: established.their_keyid(),
            },
            slots: Slots::new(established.data_keys()),
            saved_mac_keys: Vec::new(),
            workspace: Workspace::default(),
        })
    }

    /// Ends a previous session: the MAC keys that it had not published yet, and those of its last keys, are published with the
    /// next message. No message is accepted with them any more.
    pub fn publish_keys_of(&mut self, mut before: Session) {
        before.slots.forget_all(&mut before.saved_mac_keys);
        let mut keys = std::mem::take(&mut before.saved_mac_keys);
        keys.append(&mut self.saved_mac_keys);
        let excess = keys.len().saturating_sub(SAVED_MAC_KEYS * MAC_KEY);
        keys.drain(..excess);
        self.saved_mac_keys = keys;
    }

    /// Whether the exchange only confirmed keys that this session already has.
    pub fn is_confirmed_by(&self, established: &Established) -> bool {
        self.ours.keyid.wrapping_sub(1) == established.our_keyid()
            && self.ours.previous.public() == established.our_dh().public()
            && self.is_theirs(established.their_dh(), established.their_keyid())
    }

    /// Whether this is the correspondent's key of this number.
    pub fn is_theirs(&self, value: &Element, keyid: u32) -> bool {
        let known = self.their_age(keyid).and_then(|age| self.theirs.get(age));
        known == Some(value)
    }

    /// Whether this is one of the correspondent's keys, whatever its number.
    pub fn has_their_value(&self, value: &Element) -> bool {
        [Age::Current, Age::Previous]
            .into_iter()
            .any(|age| self.theirs.get(age) == Some(value))
    }

    /// The version of the session.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The key pair that a version 1 exchange inside the session uses, and its number.
    pub fn exchange_key(&self) -> (DhKeyPair, u32) {
        (self.ours.previous.clone(), self.ours.keyid.wrapping_sub(1))
    }

    /// The number of our newest key.
    pub fn our_keyid(&self) -> u32 {
        self.ours.keyid
    }

    /// The number of their newest key.
    pub fn their_keyid(&self) -> u32 {
        self.theirs.keyid
    }

    /// Encrypts `text` and `tlvs` with our previous key and their newest, announcing our newest. `armour` makes the armoured
    /// message; if it cannot, the keys that this one would have published wait for the next one.
    pub fn encrypt<T>(
        &mut self,
        text: &[u8],
        tlvs: &[Tlv],
        flags: u8,
        tags: Tags,
        armour: impl FnOnce(&[u8]) -> Result<T, OutOfMemory>,
    ) -> Result<T, ProtocolError> {
        let bytes = self.encrypt_bytes(text, tlvs, flags, tags)?;
        let message = armour(&bytes)?;
        self.saved_mac_keys.clear();
        self.workspace.put_back(bytes);
        Ok(message)
    }

    // Otherwise its result is copied byte by byte.
    #[inline(always)]
    fn encrypt_bytes(
        &mut self,
        text: &[u8],
        tlvs: &[Tlv],
        flags: u8,
        tags: Tags,
    ) -> Result<Vec<u8>, ProtocolError> {
        if find_byte(text, 0).is_some() {
            // Text after a NUL would be read as TLVs.
            return Err(ProtocolError::Invalid);
        }
        let chain = match tlvs {
            [] => SecretBytes::default(),
            _ => SecretBytes::new(tlv::write_chain(tlvs)?),
        };
        let header = tags.header(self.version);
        let (our_keyid, their_keyid) = (self.ours.keyid, self.theirs.keyid);
        let slot = self
            .slots
            .of(&self.ours, &self.theirs, (Age::Previous, Age::Current))
            .ok_or(ProtocolError::Conflict)?;
        let count = slot
            .send_counter
            .checked_add(1)
            .ok_or(ProtocolError::Conflict)?;
        let message = Data {
            header,
            flags,
            sender_keyid: our_keyid.wrapping_sub(1),
            recipient_keyid: their_keyid,
            next_dh: &self.ours.next_dh[..],
            counter: count.to_be_bytes(),
            encrypted: &[],
            mac: [0; 20],
            revealed_mac_keys: &self.saved_mac_keys,
        };
        let cipher = slot.sending();
        let memory = self.workspace.take();
        let bytes = message.serialise_sealed(memory, &[text, &[0], &chain], |covered, start| {
            cipher.seal(count, covered, start)
        })?;
        // The counter was used, even if the message is not sent.
        slot.send_counter = count;
        Ok(bytes)
    }

    /// Encrypts the last message of the session, which publishes the MAC keys of its last keys (OTRv3, "Revealing MAC
    /// Keys"). Nothing can be read with this session afterwards.
    pub fn encrypt_goodbye(
        mut self,
        tlvs: &[Tlv],
        flags: u8,
        tags: Tags,
    ) -> Result<Vec<u8>, ProtocolError> {
        let sending = self.slots.previous_current.take();
        self.slots.forget_all(&mut self.saved_mac_keys);
        if let Some(slot) = &sending {
            slot.publish(&mut self.saved_mac_keys);
        }
        self.slots.previous_current = sending;
        self.encrypt(b"", tlvs, flags, tags, armour)
    }

    /// Checks and decrypts a data message to `received`. Only a message that passes every check changes anything.
    pub fn decrypt<T: Plaintext>(
        &mut self,
        message: &[u8],
        received: &mut Received<T>,
    ) -> Result<(), Refused> {
        self.read(message, received).map_err(|error| Refused {
            error,
            flags: data_flags(message).unwrap_or(0),
            mac: data_mac(message),
        })
    }

    fn read<T: Plaintext>(
        &mut self,
        message: &[u8],
        received: &mut Received<T>,
    ) -> Result<(), ProtocolError> {
        // Decrypted in place.
        let mut bytes = SecretBytes::new(self.workspace.take());
        dearmour_into(message, false, &mut bytes)?;
        let (data, covered) = Data::parse(&bytes)?;
        let our_age = self
            .our_age(data.recipient_keyid)
            .ok_or(ProtocolError::Conflict)?;
        let their_age = self
            .their_age(data.sender_keyid)
            .ok_or(ProtocolError::Conflict)?;
        let slot = self
            .slot(our_age, their_age)
            .ok_or(ProtocolError::Conflict)?;
        if !slot.receiving().is_authentic(covered, &data.mac) {
            return Err(ProtocolError::Conflict);
        }
        let counter = u64::from_be_bytes(data.counter);
        if counter <= slot.receive_counter {
            return Err(ProtocolError::Conflict);
        }
        // Everything that can fail comes before the first change.
        let next_theirs = match their_age {
            Age::Current => {
                let next = Element::from_bytes(data.next_dh).ok_or(ProtocolError::Invalid)?;
                // With the same key under another number, the counters would start at 1 again.
                if self.has_their_value(&next) {
                    return Err(ProtocolError::Invalid);
                }
                Some(next)
            }
            Age::Previous => None,
        };
        let next_ours = match our_age {
            Age::Current => Some(DhKeyPair::generate()?),
            Age::Previous => None,
        };
        let slot = self
            .slot(our_age, their_age)
            .ok_or(ProtocolError::Conflict)?;
        received.mac = data.mac;
        received.keys = KeyIds {
            ours: data.recipient_keyid,
            theirs: data.sender_keyid,
        };
        let place = covered.len() - data.encrypted.len()..covered.len();
        let plain = bytes.get_mut(place).unwrap_or_default();
        slot.receiving().decrypt(counter, plain);
        let end = find_byte(plain, 0).unwrap_or(plain.len());
        let (text, chain) = plain.split_at(end);
        let tlvs = match chain {
            [] | [0] => Vec::new(),
            [_, chain @ ..] => tlv::parse_chain(chain)?,
        };
        if !text.is_empty() {
            received.text = Some(T::keep(text)?);
        }
        received.tlvs = tlvs;
        plain.zeroize();

        slot.receive_counter = counter;
        slot.received = true;
        #[cfg(test)]
        super::message_cipher::witness::opened(slot.receiving());
        if let Some(next) = next_ours {
            self.rotate_ours(next);
        }
        if let Some(next) = next_theirs {
            self.rotate_theirs(next);
        }
        self.workspace.put_back(std::mem::take(&mut *bytes));
        Ok(())
    }

    /// The keys that encrypt what we send.
    pub fn sending_keys(&self) -> KeyIds {
        KeyIds {
            ours: self.ours.keyid.wrapping_sub(1),
            theirs: self.theirs.keyid,
        }
    }

    /// The extra symmetric key that belongs to these keys (OTRv3, "Extra symmetric key"). `None` if they are forgotten, which
    /// those of the last message are not.
    pub fn extra_key(&mut self, keys: KeyIds) -> Option<SecretKey> {
        let (ours, theirs) = (self.our_age(keys.ours)?, self.their_age(keys.theirs)?);
        Some(SecretKey::new(&self.slot(ours, theirs)?.keys.extra))
    }

    /// They have used our newest key: `next` becomes the newest, and the oldest is forgotten.
    fn rotate_ours(&mut self, next: DhKeyPair) {
        self.slots.rotate_ours(&mut self.saved_mac_keys);
        self.ours.rotate(next);
    }

    /// They have announced a new key: `next` becomes the newest, and the oldest is forgotten.
    fn rotate_theirs(&mut self, next: Element) {
        self.slots.rotate_theirs(&mut self.saved_mac_keys);
        self.theirs.rotate(next);
    }

    fn our_age(&self, keyid: u32) -> Option<Age> {
        age(keyid, self.ours.keyid)
    }

    fn their_age(&self, keyid: u32) -> Option<Age> {
        age(keyid, self.theirs.keyid)
    }

    /// The keys of one pair. `None`: they have no such key.
    fn slot(&mut self, ours: Age, theirs: Age) -> Option<&mut Slot> {
        self.slots.of(&self.ours, &self.theirs, (ours, theirs))
    }
}

#[cfg(test)]
impl Session {
    /// Takes out the MAC keys that the next message would publish.
    pub fn keep_saved_mac_keys(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.saved_mac_keys)
    }

    /// Puts them back.
    pub fn put_back(&mut self, mut kept: Vec<u8>) {
        kept.append(&mut self.saved_mac_keys);
        self.saved_mac_keys = kept;
    }

    /// Announces the previous key as the next one, which no correct client does.
    pub fn announce_again(&mut self) {
        self.ours.current = self.ours.previous.clone();
        *self.ours.next_dh = self.ours.current.public().to_padded_bytes();
    }
}
