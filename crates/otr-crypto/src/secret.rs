//! Secret texts of any length, and secret keys of 32 bytes.

use std::fmt;
use std::ops::{Deref, DerefMut};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Bytes whose whole capacity is wiped on drop, and which are not printed.
///
/// `Zeroizing<Vec<u8>>` does the same byte by byte, which is noticeably slower for a long message.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretBytes(Vec<u8>);

impl SecretBytes {
    /// Takes ownership of these bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Replaces the bytes in the same memory; what they do not cover is wiped. False, and nothing is changed, if there is no room.
    #[must_use]
    pub fn overwrite(&mut self, bytes: &[u8]) -> bool {
        if bytes.len() > self.0.capacity() {
            return false;
        }
        if let Some(excess) = self.0.get_mut(bytes.len()..) {
            excess.zeroize();
        }
        self.0.clear();
        self.0.extend_from_slice(bytes);
        true
    }
}

impl Zeroize for SecretBytes {
    fn zeroize(&mut self) {
        if self.0.capacity() == 0 {
            return;
        }
        self.0.spare_capacity_mut().zeroize();
        self.0.as_mut_slice().zeroize();
        self.0.clear();
    }
}

impl Drop for SecretBytes {
    fn drop(&mut self) {
        self.zeroize();
    }
}

impl ZeroizeOnDrop for SecretBytes {}

impl Deref for SecretBytes {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for SecretBytes {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(secret)")
    }
}

/// A key of 256 bits that is passed through several functions: boxed, so that moves leave no copies, wiped on drop, not
/// printed.
#[derive(Clone)]
pub struct SecretKey(Box<Zeroizing<[u8; 32]>>);

impl SecretKey {
    /// A copy of this key.
    pub fn new(key: &[u8; 32]) -> Self {
        let mut copy = Box::new(Zeroizing::new([0; 32]));
        copy.copy_from_slice(key);
        Self(copy)
    }
}

impl ZeroizeOnDrop for SecretKey {}

impl Deref for SecretKey {
    type Target = [u8; 32];

    fn deref(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(secret)")
    }
}

#[cfg(test)]
#[expect(unsafe_code, reason = "looks at what is left in the memory")]
mod tests {
    use super::*;

    #[test]
    fn wiping_empties_and_printing_hides() {
        let mut bytes = SecretBytes::new(b"secret".to_vec());
        assert_eq!(format!("{bytes:?}"), "SecretBytes(secret)");
        assert_eq!(**bytes, b"secret"[..]);
        bytes.zeroize();
        assert!(bytes.is_empty());
    }

    #[test]
    fn wiping_reaches_as_far_as_the_memory() {
        let mut bytes = SecretBytes::new(b"secret".to_vec());
        bytes.push(b'!');
        assert_eq!(**bytes, b"secret!"[..]);
        bytes.truncate(2);
        bytes.zeroize();
        let memory = bytes.spare_capacity_mut();
        assert!(memory.len() >= 7);
        for byte in memory {
            // SAFETY: zeroize writes all of it.
            assert_eq!(unsafe { byte.assume_init() }, 0);
        }
    }

    #[test]
    fn overwriting_leaves_nothing_of_what_was_longer_and_moves_nothing() {
        let mut bytes = SecretBytes::new(b"a long secret".to_vec());
        let (place, capacity) = (bytes.as_ptr(), bytes.capacity());
        assert!(bytes.overwrite(b"short"));
        assert_eq!(**bytes, b"short"[..]);
        for byte in bytes.spare_capacity_mut() {
            // SAFETY: it was written when the bytes were longer.
            assert_eq!(unsafe { byte.assume_init() }, 0);
        }
        assert!(bytes.overwrite(&vec![1; capacity]));
        assert!(!bytes.overwrite(&vec![2; capacity + 1]));
        assert_eq!((bytes.as_ptr(), bytes.to_vec()), (place, vec![1; capacity]));
    }

    #[test]
    fn a_key_is_passed_on_and_not_printed() {
        let key = SecretKey::new(&[7; 32]);
        assert_eq!(*key.clone(), [7; 32]);
        assert_eq!(format!("{key:?}"), "SecretKey(secret)");
    }
}
