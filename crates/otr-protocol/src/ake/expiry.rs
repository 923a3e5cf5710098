//! How long a private value waits in an exchange of version 3. (One of version 2 waits until it is replaced, as in libotr:
//! its value opens one session at the most.)

/// How long a DH-commit of a master context waits for answers, in seconds.
pub const COMMIT_LIFETIME: i64 = 60;

/// How long a reveal signature waits for the signature, in seconds: the other side may have to make its key first.
pub const REVEAL_LIFETIME: i64 = 300;

/// For how long a query is answered by the last message of the exchange under way instead of a new one, in seconds.
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
    /// Whether it has waited too long, `since` one time until another, both in seconds since 1970. A clock that was set
    /// back does not lengthen the wait by more than itself.
    pub fn is_over(self, since: i64, now: i64) -> bool {
        let lifetime = match self {
            Self::DhKey => COMMIT_LIFETIME,
            Self::Signature => REVEAL_LIFETIME,
        };
        since < now.saturating_sub(lifetime) || since > now.saturating_add(lifetime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
