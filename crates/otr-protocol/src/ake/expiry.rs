//! How long a private value waits in an exchange of version 3. (In version 2 it waits until it is replaced, as in libotr:
//! its value opens at most one session.)

use super::{Auth, AuthState, Begun};
use crate::wire::version::Version;

/// How long a DH-commit of a master context waits for answers, in seconds.
pub const COMMIT_LIFETIME: i64 = 60;

/// How long a reveal signature waits for the signature, in seconds: the other side may have to make its key first.
pub const REVEAL_LIFETIME: i64 = 300;

/// For how long a query is answered by the last message of the exchange under way instead of a new exchange, in seconds.
pub const REPEAT_INTERVAL: i64 = 10;

/// What an exchange waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// The DH-keys that answer our DH-commit.
    DhKey,
    /// The signature that answers our reveal signature.
    Signature,
}

impl Waiting {
    /// Whether it has waited too long, from `since` to `now`, both in seconds since 1970. If the clock was set back, the wait
    /// is at most twice as long.
    pub fn is_over(self, since: i64, now: i64) -> bool {
        let lifetime = match self {
            Self::DhKey => COMMIT_LIFETIME,
            Self::Signature => REVEAL_LIFETIME,
        };
        since < now.saturating_sub(lifetime) || since > now.saturating_add(lifetime)
    }
}

impl Auth {
    /// What the exchange waits for, if there is a time limit.
    pub fn waits_for(&self) -> Option<Waiting> {
        let is_v3 = self.version == Some(Version::V3);
        match &self.state {
            _ if self.waits_since <= 0 => None,
            AuthState::AwaitingDhKey(_) if is_v3 => Some(Waiting::DhKey),
            AuthState::AwaitingSig(_) if is_v3 => Some(Waiting::Signature),
            AuthState::AwaitingRevealSig(responding) => {
                responding.begun.as_ref().map(|begun| match begun {
                    Begun::Committed(_) => Waiting::DhKey,
                    Begun::Revealed(_) => Waiting::Signature,
                })
            }
            _ => None,
        }
    }

    /// Wipes what has waited too long; returns whether anything has. An exchange that we have answered in the meantime goes on.
    pub fn expire(&mut self, now: i64) -> bool {
        let since = self.waits_since;
        if !self.waits_for().is_some_and(|it| it.is_over(since, now)) {
            return false;
        }
        match &mut self.state {
            AuthState::AwaitingRevealSig(responding) => {
                responding.begun = None;
                self.waits_since = 0;
            }
            _ => *self = Self::default(),
        }
        true
    }

    /// The public values whose private halves are held here.
    pub fn held_values(&self) -> Vec<Vec<u8>> {
        let pairs = match &self.state {
            AuthState::None => [None, None],
            AuthState::AwaitingDhKey(commitment) => [Some(&commitment.our_dh), None],
            AuthState::AwaitingRevealSig(responding) => {
                let begun = responding.begun.as_ref().map(|begun| match begun {
                    Begun::Committed(commitment) => &commitment.our_dh,
                    Begun::Revealed(revealed) => &revealed.commitment.our_dh,
                });
                [Some(&responding.our_dh), begun]
            }
            AuthState::AwaitingSig(revealed) => {
                let answered = revealed.answered.as_ref();
                [
                    Some(&revealed.commitment.our_dh),
                    answered.map(|it| &it.our_dh),
                ]
            }
            AuthState::V1Setup(setup) => [Some(&setup.our_dh), None],
        };
        let pairs = pairs.into_iter().flatten();
        pairs.map(|pair| pair.public().to_bytes()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ake::Tags;

    #[test]
    fn an_exchange_ends_when_it_has_waited_too_long() {
        let mut auth = Auth::start(Version::V3, Tags::default()).unwrap();
        assert_eq!((auth.waits_for(), auth.held_values().len()), (None, 1));
        auth.waits_since = 1000;
        assert_eq!(auth.waits_for(), Some(Waiting::DhKey));
        assert!(!auth.expire(1060) && auth.pending_commit().is_some());
        assert!(auth.expire(1061));
        assert!(matches!(auth.state, AuthState::None) && auth.held_values().is_empty());
        let mut older = Auth::start(Version::V2, Tags::default()).unwrap();
        older.waits_since = 1000;
        assert!(!older.expire(9000), "version 2 has no end");
    }

    #[test]
    fn what_was_answered_goes_on() {
        let mut auth = Auth::start(Version::V3, Tags::default()).unwrap();
        auth.waits_since = 1000;
        let mut theirs = Auth::start(Version::V2, Tags::default()).unwrap();
        let commit = theirs.last_message.take().unwrap();
        auth.on_commit(&commit, Version::V2, Tags::default(), None)
            .unwrap();
        assert_eq!(auth.waits_for(), Some(Waiting::DhKey));
        assert_eq!(auth.held_values().len(), 2);
        assert!(auth.expire(1061));
        assert_eq!((auth.waits_for(), auth.held_values().len()), (None, 1));
        assert!(auth.responding().is_some());
    }

    #[test]
    fn each_waits_its_time_and_no_longer() {
        for (waiting, lifetime) in [(Waiting::DhKey, 60), (Waiting::Signature, 300)] {
            for (passed, over) in [(0, false), (lifetime, false), (lifetime + 1, true)] {
                assert_eq!(
                    waiting.is_over(1000, 1000 + passed),
                    over,
                    "{waiting:?} {passed}"
                );
            }
            assert!(!waiting.is_over(1000, 1000 - lifetime));
            assert!(
                waiting.is_over(1000, 999 - lifetime),
                "the clock was set back"
            );
        }
    }
}
