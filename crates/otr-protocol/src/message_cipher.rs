//! Encryption and MAC of data messages with the keys of one direction (OTR protocol, "Data Message").

use super::dh::DirectionKeys;
use otr_crypto::aes_ctr;
use otr_crypto::mac::{self, HmacSha1Key};
use otr_crypto::verdict;

/// The keys of one direction, prepared: what depends only on them is calculated once, not for each message.
#[derive(Debug)]
pub struct MessageCipher {
    encryption: aes_ctr::Key,
    mac: HmacSha1Key,
}

impl MessageCipher {
    /// Prepares the keys. Not inlined: this is rarely needed, and callers should use little stack.
    #[inline(never)]
    pub fn new(keys: &DirectionKeys) -> Self {
        Self {
            encryption: aes_ctr::Key::new(&keys.encryption),
            mac: HmacSha1Key::new(&keys.mac),
        }
    }

    /// Encrypts `covered` in place from `start` on. Returns the MAC of all of it.
    pub fn seal(&mut self, counter: u64, covered: &mut [u8], start: usize) -> [u8; 20] {
        let plain = covered.get_mut(start..).unwrap_or_default();
        self.encryption.apply(counter_block(counter), plain);
        #[cfg(any(test, feature = "witness"))]
        witness::sealed(self, counter.to_be_bytes());
        self.mac.authenticate(covered)
    }

    /// Whether `given` is the MAC of `covered`.
    pub fn is_authentic(&mut self, covered: &[u8], given: &[u8; 20]) -> bool {
        verdict::holds(mac::equal(&self.mac.authenticate(covered), given))
    }

    /// Decrypts the text of an authentic message in place.
    pub fn decrypt(&self, counter: u64, encrypted: &mut [u8]) {
        self.encryption.apply(counter_block(counter), encrypted);
    }
}

/// The top half of the counter block is in the message, the bottom half counts blocks.
fn counter_block(top: u64) -> u128 {
    u128::from(top) << 64
}

/// Which keys were used, for tests that must not see one used twice.
#[cfg(any(test, feature = "witness"))]
#[allow(clippy::disallowed_methods, reason = "for tests")]
pub mod witness {
    use std::cell::RefCell;

    use super::MessageCipher;
    use otr_crypto::mac::hmac_sha1;

    thread_local! {
        static USED: RefCell<Vec<Use>> = const { RefCell::new(Vec::new()) };
    }

    /// An identifier of a key. The key itself is not needed.
    pub type Mark = Vec<u8>;

    /// What was done with a key.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub enum Use {
        /// A message was encrypted with this key and counter.
        Sealed(Mark, [u8; 8]),
        /// A message was accepted with this MAC key.
        Opened(Mark),
    }

    /// Everything that this thread did since the last call.
    pub fn take() -> Vec<Use> {
        USED.take()
    }

    /// The identifier of a MAC key that was published.
    pub fn mark_of(mac_key: &[u8]) -> Mark {
        hmac_sha1(mac_key, &[b"mark"]).to_vec()
    }

    pub(super) fn sealed(cipher: &MessageCipher, counter: [u8; 8]) {
        let mut mark = vec![0; 16];
        cipher.encryption.apply(u128::MAX, &mut mark);
        USED.with_borrow_mut(|used| used.push(Use::Sealed(mark, counter)));
    }

    /// Notes that a message was accepted with the MAC key of this direction.
    pub fn opened(cipher: &mut MessageCipher) {
        let mark = cipher.mac.authenticate(b"mark").to_vec();
        USED.with_borrow_mut(|used| used.push(Use::Opened(mark)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use otr_crypto::mac::hmac_sha1;

    const KEYS: DirectionKeys = DirectionKeys {
        encryption: [0x33; 16],
        mac: [0x44; 20],
    };
    const COUNTER: u64 = 0x0102;

    #[test]
    fn encrypts_the_end_and_authenticates_all() {
        let mut cipher = MessageCipher::new(&KEYS);
        for (head, length) in [(0, 0), (0, 5), (228, 0), (228, 1), (60, 1023), (7, 5000)] {
            let plain: Vec<u8> = (0..=255).cycle().take(head + length).collect();
            let mut expected = plain.clone();
            aes_ctr::apply(
                &KEYS.encryption,
                &counter_block(COUNTER).to_be_bytes(),
                &mut expected[head..],
            );
            let mut covered = plain.clone();
            let mac = cipher.seal(COUNTER, &mut covered, head);
            assert_eq!(covered, expected, "{head} and {length}");
            assert_eq!(
                mac,
                hmac_sha1(&KEYS.mac, &[&covered]),
                "{head} and {length}"
            );

            assert!(cipher.is_authentic(&covered, &mac));
            cipher.decrypt(COUNTER, &mut covered[head..]);
            assert_eq!(covered, plain);
        }
    }

    #[test]
    fn a_wrong_mac_or_message_is_not_authentic() {
        let mut cipher = MessageCipher::new(&KEYS);
        let mut covered = b"head and some text".to_vec();
        let mac = cipher.seal(COUNTER, &mut covered, 5);
        for place in 0..20 {
            let mut wrong = mac;
            wrong[place] ^= 0x80;
            assert!(!cipher.is_authentic(&covered, &wrong));
        }
        for place in 0..covered.len() {
            let mut changed = covered.clone();
            changed[place] ^= 1;
            assert!(!cipher.is_authentic(&changed, &mac));
        }
    }

    #[test]
    fn debug_hides_the_keys() {
        let text = format!("{:?}", MessageCipher::new(&KEYS));
        assert_eq!(
            text,
            "MessageCipher { encryption: Key(secret), mac: HmacSha1Key(secret) }"
        );
    }
}
