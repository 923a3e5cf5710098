//! The keys of a session (OTR protocol, "Key Management"): the two newest DH keys of each side, and what each pair of them encrypts
//! and authenticates.

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::dh::{DataKeys, DhKeyPair};
use super::message_cipher::MessageCipher;
use otr_crypto::group::Element;

/// How many MAC keys wait to be published at most; beyond that the oldest are dropped.
pub(super) const SAVED_MAC_KEYS: usize = 128;

/// The length of a MAC key.
pub(super) const MAC_KEY: usize = 20;

/// Our two newest key pairs.
#[derive(Debug)]
pub(super) struct OurKeys {
    pub(super) current: DhKeyPair,
    /// The public value of `current`, as each message announces it.
    pub(super) next_dh: Box<[u8; 192]>,
    pub(super) previous: DhKeyPair,
    /// The number of `current`; that of `previous` is one less.
    pub(super) keyid: u32,
}

/// Their two newest public values.
#[derive(Debug)]
pub(super) struct TheirKeys {
    pub(super) current: Element,
    pub(super) previous: Option<Element>,
    /// The number of `current`.
    pub(super) keyid: u32,
}

/// The newest key or the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    Current,
    Previous,
}

/// The four pairs of keys. A pair's session keys are derived when a message first names it: a
/// conversation in which both sides take turns never uses all of them.
#[derive(Debug, Default)]
pub(super) struct Slots {
    current_current: Option<Box<Slot>>,
    current_previous: Option<Box<Slot>>,
    /// Of our older key and their newest: what we send with.
    pub(super) previous_current: Option<Box<Slot>>,
    previous_previous: Option<Box<Slot>>,
}

/// The session keys of one pair, and whether a message was accepted with them.
#[derive(Debug, Zeroize, ZeroizeOnDrop)]
pub(super) struct Slot {
    pub(super) keys: Box<DataKeys>,
    /// `keys.sending`, prepared at the first message. Wipes itself, like the next one.
    #[zeroize(skip)]
    sending: Option<Box<MessageCipher>>,
    /// `keys.receiving`, likewise.
    #[zeroize(skip)]
    receiving: Option<Box<MessageCipher>>,
    pub(super) send_counter: u64,
    pub(super) receive_counter: u64,
    pub(super) received: bool,
}

impl OurKeys {
    /// `next` becomes the newest, and the oldest is forgotten.
    pub(super) fn rotate(&mut self, next: DhKeyPair) {
        *self.next_dh = next.public().to_padded_bytes();
        self.previous = std::mem::replace(&mut self.current, next);
        self.keyid = self.keyid.wrapping_add(1);
    }

    fn get(&self, age: Age) -> &DhKeyPair {
        match age {
            Age::Current => &self.current,
            Age::Previous => &self.previous,
        }
    }
}

impl TheirKeys {
    /// `next` becomes the newest, and the oldest is forgotten.
    pub(super) fn rotate(&mut self, next: Element) {
        self.previous = Some(std::mem::replace(&mut self.current, next));
        self.keyid = self.keyid.wrapping_add(1);
    }

    pub(super) fn get(&self, age: Age) -> Option<&Element> {
        match age {
            Age::Current => Some(&self.current),
            Age::Previous => self.previous.as_ref(),
        }
    }
}

impl Slots {
    /// Those of a new session, of which the first pair may be known already.
    pub(super) fn new(first: Option<&DataKeys>) -> Self {
        Self {
            previous_current: first.map(|keys| Box::new(Slot::new(Box::new(keys.clone())))),
            ..Self::default()
        }
    }

    /// Our oldest key is forgotten, and there is a new one. MAC keys to be published are added to `saved_mac_keys`, here as below.
    pub(super) fn rotate_ours(&mut self, saved_mac_keys: &mut Vec<u8>) {
        Slot::forget(self.previous_current.take(), saved_mac_keys);
        Slot::forget(self.previous_previous.take(), saved_mac_keys);
        self.previous_current = self.current_current.take();
        self.previous_previous = self.current_previous.take();
    }

    /// Their oldest key is forgotten, and there is a new one.
    pub(super) fn rotate_theirs(&mut self, saved_mac_keys: &mut Vec<u8>) {
        Slot::forget(self.current_previous.take(), saved_mac_keys);
        Slot::forget(self.previous_previous.take(), saved_mac_keys);
        self.current_previous = self.current_current.take();
        self.previous_previous = self.previous_current.take();
    }

    /// All keys are forgotten.
    pub(super) fn forget_all(&mut self, saved_mac_keys: &mut Vec<u8>) {
        let Self {
            current_current,
            current_previous,
            previous_current,
            previous_previous,
        } = std::mem::take(self);
        for slot in [
            current_current,
            current_previous,
            previous_current,
            previous_previous,
        ] {
            Slot::forget(slot, saved_mac_keys);
        }
    }

    /// The keys of one pair, derived now if no message has named the pair before. `None`: they have no such key.
    pub(super) fn of(
        &mut self,
        ours: &OurKeys,
        theirs: &TheirKeys,
        pair: (Age, Age),
    ) -> Option<&mut Slot> {
        let our_dh = ours.get(pair.0);
        let their_dh = theirs.get(pair.1)?;
        let slot = match pair {
            (Age::Current, Age::Current) => &mut self.current_current,
            (Age::Current, Age::Previous) => &mut self.current_previous,
            (Age::Previous, Age::Current) => &mut self.previous_current,
            (Age::Previous, Age::Previous) => &mut self.previous_previous,
        };
        Some(slot.get_or_insert_with(|| Box::new(Slot::new(DataKeys::derive(our_dh, their_dh)))))
    }
}

impl Slot {
    pub(super) fn new(keys: Box<DataKeys>) -> Self {
        Self {
            keys,
            sending: None,
            receiving: None,
            send_counter: 0,
            receive_counter: 0,
            received: false,
        }
    }

    pub(super) fn sending(&mut self) -> &mut MessageCipher {
        let keys = &self.keys.sending;
        self.sending
            .get_or_insert_with(|| Box::new(MessageCipher::new(keys)))
    }

    pub(super) fn receiving(&mut self) -> &mut MessageCipher {
        let keys = &self.keys.receiving;
        self.receiving
            .get_or_insert_with(|| Box::new(MessageCipher::new(keys)))
    }

    /// Forgets keys that no message can name any more.
    fn forget(slot: Option<Box<Self>>, saved_mac_keys: &mut Vec<u8>) {
        if let Some(slot) = slot {
            slot.publish(saved_mac_keys);
        }
    }

    /// A MAC key that authenticated a message to us is published, so that anyone could have forged that message. The
    /// correspondent publishes those that we sent with, because a message in transit could be forged with a published key.
    #[expect(clippy::disallowed_methods, reason = "128 keys of 20 bytes")]
    pub(super) fn publish(&self, saved_mac_keys: &mut Vec<u8>) {
        if !self.received {
            return;
        }
        // A correspondent who keeps sending while we are silent must not fill the memory.
        let excess = (saved_mac_keys.len() + MAC_KEY).saturating_sub(SAVED_MAC_KEYS * MAC_KEY);
        saved_mac_keys.drain(..excess.min(saved_mac_keys.len()));
        saved_mac_keys.extend_from_slice(&self.keys.receiving.mac);
    }
}

/// Which of the two newest keys a number names; 0 names none.
pub(super) fn age(keyid: u32, newest: u32) -> Option<Age> {
    if keyid == 0 {
        None
    } else if keyid == newest {
        Some(Age::Current)
    } else if Some(keyid) == newest.checked_sub(1) {
        Some(Age::Previous)
    } else {
        None
    }
}
