//! The MACs of the last data messages that were read, to recognise a message that is delivered twice.

use std::collections::VecDeque;

/// How many are remembered.
pub const REMEMBERED: usize = 64;

/// The MACs of the last data messages that were read.
#[derive(Debug, Default)]
pub struct SeenMessages {
    macs: VecDeque<[u8; 20]>,
}

impl SeenMessages {
    /// Remembers a message.
    pub fn note(&mut self, mac: [u8; 20]) {
        if self.macs.len() >= REMEMBERED {
            self.macs.pop_front();
        }
        self.macs.push_back(mac);
    }

    /// Whether a message with this MAC was read.
    pub fn contains(&self, mac: &[u8; 20]) -> bool {
        self.macs.contains(mac)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_remembered() {
        let mut seen = SeenMessages::default();
        for number in 0..100 {
            seen.note([number; 20]);
        }
        assert!(seen.contains(&[99; 20]) && seen.contains(&[36; 20]));
        assert!(!seen.contains(&[35; 20]) && !seen.contains(&[100; 20]));
    }
}
