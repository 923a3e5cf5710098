//! What all instances of one correspondent share.

use super::held_texts::HeldTexts;
use super::opened_pairs::OpenedPairs;

/// The minimum interval at which the correspondent is told that we have no session, in seconds.
pub const NOT_IN_PRIVATE_INTERVAL: i64 = 10;

/// One correspondent with all instances.
#[derive(Debug, Default)]
pub struct Correspondent {
    /// The pairs of DH values that have opened sessions.
    pub opened: OpenedPairs,
    /// Texts that wait for a session.
    pub held: HeldTexts,
    /// When the correspondent was last told that we have no session, in seconds since 1970.
    told_not_in_private: Option<i64>,
}

impl Correspondent {
    /// Whether to tell the correspondent now that we have no session; if so, this is recorded.
    pub fn tell_not_in_private(&mut self, now: i64) -> bool {
        let recently = self
            .told_not_in_private
            .is_some_and(|then| (now - NOT_IN_PRIVATE_INTERVAL..=now).contains(&then));
        if !recently {
            self.told_not_in_private = Some(now);
        }
        !recently
    }
}
