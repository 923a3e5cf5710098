//! The secure session id that two people can compare by voice.

/// Which half of the session id a client shows in bold: the two sides differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BoldHalf {
    /// The first half.
    #[default]
    First,
    /// The second half.
    Second,
}

/// The secure session id: 8 bytes in versions 2 and 3, 20 in version 1, none before a session.
#[derive(Clone, Copy, Debug, Default)]
pub struct SessionId {
    bytes: [u8; 20],
    length: usize,
    half: BoldHalf,
}

impl SessionId {
    /// Takes the first 20 bytes at most.
    pub fn new(id: &[u8], half: BoldHalf) -> Self {
        let mut bytes = [0; 20];
        let length = id.len().min(bytes.len());
        for (to, from) in bytes.iter_mut().zip(id) {
            *to = *from;
        }
        Self {
            bytes,
            length,
            half,
        }
    }

    /// The id at the start of 20 bytes.
    #[inline]
    pub fn from_padded(bytes: [u8; 20], length: usize, half: BoldHalf) -> Self {
        Self {
            bytes,
            length: length.min(bytes.len()),
            half,
        }
    }

    /// The id itself.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// The id, and what was given after it or zeros.
    pub fn as_padded_bytes(&self) -> &[u8; 20] {
        &self.bytes
    }

    /// The half to show in bold.
    pub fn half(&self) -> BoldHalf {
        self.half
    }
}

impl PartialEq for SessionId {
    fn eq(&self, other: &Self) -> bool {
        (self.as_bytes(), self.half) == (other.as_bytes(), other.half)
    }
}

impl Eq for SessionId {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_behind_an_id_is_not_part_of_it() {
        let mut padded = [7; 20];
        let id = SessionId::from_padded(padded, 8, BoldHalf::First);
        assert_eq!(id.as_bytes(), [7; 8]);
        assert_eq!(id.as_padded_bytes(), &padded);
        padded[8] = 0;
        assert_eq!(id, SessionId::from_padded(padded, 8, BoldHalf::First));
        assert_eq!(id, SessionId::new(&[7; 8], BoldHalf::First));
        assert_ne!(id, SessionId::from_padded(padded, 8, BoldHalf::Second));
        assert_ne!(id, SessionId::from_padded(padded, 9, BoldHalf::First));
        let whole = SessionId::from_padded(padded, usize::MAX, BoldHalf::First);
        assert_eq!(whole.as_bytes(), padded);
    }
}
