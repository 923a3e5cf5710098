//! Instance tags: which of a person's clients sent a message and which one it is for (version 3).

/// The instance tag of one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceTag(pub u32);

/// The smallest tag that a client may have; smaller numbers are reserved.
pub const MIN_VALID: u32 = 0x100;

impl InstanceTag {
    /// Whether a client may have this tag.
    pub const fn is_valid(self) -> bool {
        self.0 >= MIN_VALID
    }
}

/// The two instance tags of a version 3 message, as they are on the wire: any numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Instances {
    /// The sender's tag.
    pub from: u32,
    /// The recipient's tag, 0 if the sender does not know it yet.
    pub to: u32,
}

#[cfg(test)]
mod tests {
    use super::InstanceTag;

    #[test]
    fn tags_below_0x100_are_reserved() {
        assert!(!InstanceTag(0).is_valid() && !InstanceTag(0xff).is_valid());
        assert!(InstanceTag(0x100).is_valid() && InstanceTag(u32::MAX).is_valid());
    }
}
