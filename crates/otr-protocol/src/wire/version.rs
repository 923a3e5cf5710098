//! Protocol versions.

/// A version of the OTR protocol. Ordered from the oldest to the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// Version 1: no instance tags, no data message flags, another key exchange.
    V1,
    /// Version 2: no instance tags.
    V2,
    /// Version 3.
    V3,
}

impl Version {
    /// The number on the wire: 1, 2 or 3.
    pub const fn number(self) -> u8 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
            Self::V3 => 3,
        }
    }

    /// The version with this number, if there is one.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::V1),
            2 => Some(Self::V2),
            3 => Some(Self::V3),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn numbers_and_versions_agree() {
        for number in 0..=u8::MAX {
            let version = Version::from_number(number);
            assert_eq!(version.is_some(), (1..=3).contains(&number));
            assert!(version.is_none_or(|v| v.number() == number));
        }
        assert!(Version::V1 < Version::V2 && Version::V2 < Version::V3);
    }
}
