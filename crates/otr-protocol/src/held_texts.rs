//! Texts that the policy does not allow to be sent in the clear, until there is a session. They wait for the correspondent,
//! not for one instance, because it is not known yet which instance will have a session.

use std::collections::VecDeque;

use super::buffer;
use super::error::ProtocolError;
use otr_crypto::secret::SecretBytes;

/// The maximum number of texts that wait for one correspondent.
pub const TEXTS: usize = 32;

/// Their maximum size together, in bytes.
pub const BYTES: usize = 1 << 20;

/// The texts that wait, the oldest first.
#[derive(Default)]
pub struct HeldTexts {
    texts: VecDeque<SecretBytes>,
}

impl HeldTexts {
    /// Adds a text.
    ///
    /// # Errors
    /// `TooMany`: there is no room for it; `OutOfMemory`. The others stay.
    pub fn push(&mut self, text: &[u8]) -> Result<(), ProtocolError> {
        let bytes: usize = self.texts.iter().map(|text| text.len()).sum();
        if self.texts.len() >= TEXTS || bytes.saturating_add(text.len()) > BYTES {
            return Err(ProtocolError::TooMany);
        }
        self.texts.push_back(SecretBytes::new(buffer::copy(text)?));
        Ok(())
    }

    /// The oldest, which keeps waiting.
    pub fn first(&self) -> Option<&[u8]> {
        self.texts.front().map(|text| text.as_slice())
    }

    /// Forgets the oldest: it was sent.
    pub fn remove_first(&mut self) {
        self.texts.pop_front();
    }

    /// Forgets the newest: its sender was told that it was not accepted.
    pub fn remove_last(&mut self) {
        self.texts.pop_back();
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
}

// Texts are the user's own.
impl std::fmt::Debug for HeldTexts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HeldTexts({})", self.texts.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_stay_in_order_and_within_bounds() {
        let mut held = HeldTexts::default();
        for number in 0..TEXTS {
            held.push(number.to_string().as_bytes()).unwrap();
        }
        assert_eq!(held.push(b"one more"), Err(ProtocolError::TooMany));
        for number in 0..TEXTS {
            assert_eq!(held.first(), Some(number.to_string().as_bytes()));
            held.remove_first();
        }
        assert!(held.is_empty());
        held.push(&vec![b'x'; BYTES - 1]).unwrap();
        assert_eq!(held.push(b"xx"), Err(ProtocolError::TooMany));
        held.push(b"x").unwrap();
    }

    #[test]
    fn debug_shows_how_many_and_not_what() {
        let mut held = HeldTexts::default();
        held.push(b"secret").unwrap();
        assert_eq!(format!("{held:?}"), "HeldTexts(1)");
    }
}
