//! The instances of one correspondent (OTRv3, "Instance Tags"): how many are remembered, and which one is meant when the
//! client does not say. Anybody can write in the correspondent's name with an invented tag, so an instance proves nothing
//! until it has had a session.

use super::conversation::MessageState;

/// The maximum number of contexts, the master included, that a correspondent's messages can create.
pub const LIMIT: usize = 256;

/// How many bytes of unfinished fragments are kept for one correspondent's instances without a session.
pub const FRAGMENTS_OF_ONE: usize = 1 << 20;

/// The same for all correspondents together.
pub const FRAGMENTS_OF_ALL: usize = 8 << 20;

/// Whose unfinished fragments are forgotten when there are more than `limit` bytes of them: those whose last fragment is the
/// oldest. `waiting` has the state of each context, its bytes and when the last fragment arrived; contexts with a session do
/// not count. `None`: there are not more than that.
pub fn forgets_fragments<T>(
    limit: usize,
    waiting: impl Iterator<Item = (T, MessageState, usize, i64)>,
) -> Option<T> {
    let mut total = 0_usize;
    let oldest = waiting
        .filter(|(_, state, ..)| *state != MessageState::Encrypted)
        .inspect(|(.., bytes, _)| total = total.saturating_add(*bytes))
        .filter(|(.., bytes, _)| *bytes > 0)
        .min_by_key(|(.., heard)| *heard);
    oldest.filter(|_| total > limit).map(|(which, ..)| which)
}

/// The state, in one instance, of the DH-commit of version 3 that our master context has sent to all of them. The master keeps
/// one at a time, so only the last one that affected the instance matters. It is identified by its hash.
///
/// ```text
///          their DH-commit crosses it         their DH-key answers it
///   Unmet ──────────────────────────► Lost ──────────────────────────► Answered
///     │                                                                  ▲   │
///     └──────────────────────── their DH-key answers it ─────────────────┘   │ a session opens
///                                                                            ▼
///                                                                          Done
/// ```
///
/// When the master has sent another one, every state but `Unmet` can change to `Lost` or `Answered` again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MastersCommit {
    /// No DH-commit of the master has affected this instance.
    #[default]
    Unmet,
    /// It crossed one of theirs, which had the higher hash: it is not sent again, and a DH-key answers it only as long as
    /// theirs has not led to a session.
    Lost([u8; 32]),
    /// Its exchange is under way in the instance.
    Answered {
        /// Its hash.
        hash: [u8; 32],
        /// Whether it was [`MastersCommit::Lost`] before.
        had_lost: bool,
    },
    /// A session has opened since.
    Done {
        /// Its hash.
        hash: [u8; 32],
        /// As for [`MastersCommit::Answered`].
        had_lost: bool,
    },
}

impl MastersCommit {
    /// Notes that this DH-commit has lost against one of theirs.
    pub fn lose(&mut self, hash: [u8; 32]) {
        *self = Self::Lost(hash);
    }

    /// Notes that the instance's DH-key was accepted as the answer to this DH-commit.
    pub fn answer(&mut self, hash: [u8; 32]) {
        let had_lost = self.has_lost(&hash);
        *self = Self::Answered { hash, had_lost };
    }

    /// Notes that a session has opened; returns whether an exchange with the master's DH-commit was under way.
    pub fn finish(&mut self) -> bool {
        let Self::Answered { hash, had_lost } = *self else {
            return false;
        };
        *self = Self::Done { hash, had_lost };
        true
    }

    /// Whether the instance has answered this DH-commit.
    pub fn is_answered(&self, commit: &[u8; 32]) -> bool {
        matches!(self, Self::Answered { hash, .. } | Self::Done { hash, .. } if hash == commit)
    }

    /// Whether this DH-commit has lost against one of theirs.
    pub fn has_lost(&self, commit: &[u8; 32]) -> bool {
        match self {
            Self::Lost(hash)
            | Self::Answered {
                hash,
                had_lost: true,
            }
            | Self::Done {
                hash,
                had_lost: true,
            } => hash == commit,
            _ => false,
        }
    }
}

/// What is known of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its message state.
    pub state: MessageState,
    /// Whether it ever had a session with us.
    pub had_session: bool,
    /// Whether the key that it has proved is trusted.
    pub is_trusted: bool,
    /// Whether a key exchange with it is under way.
    pub in_exchange: bool,
    /// When it was last heard from, in seconds since 1970.
    pub last_heard: i64,
    /// When something was last sent to it, likewise.
    pub last_sent: i64,
}

/// How an instance that is seen for the first time is handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission<T> {
    /// It is remembered.
    Added,
    /// It replaces this one.
    Replaces(T),
    /// It is ignored: there are enough instances, and all of them have had sessions.
    Refused,
}

/// How one more instance is handled, when there are `instances` already, not counting the master.
pub fn admit<T>(instances: impl Iterator<Item = (T, Instance)>) -> Admission<T> {
    let mut contexts = 1;
    let oldest = gives_way(instances.inspect(|_| contexts += 1));
    if contexts < LIMIT {
        return Admission::Added;
    }
    oldest.map_or(Admission::Refused, Admission::Replaces)
}

/// The best of a correspondent's contexts, the master first among them: the safest state, then the more trusted key, then the
/// one heard from last, in whole seconds. Of equals, the last in the list. `None`: there are no contexts.
pub fn best<T>(contexts: impl Iterator<Item = (T, Instance)>) -> Option<T> {
    let best = contexts.reduce(|best, other| {
        if is_at_least(&other.1, &best.1) {
            other
        } else {
            best
        }
    });
    best.map(|(which, _)| which)
}

/// Whether `other` is better than `best`, or as good and heard from no earlier. One that is worse in state or in trust is never
/// better.
fn is_at_least(other: &Instance, best: &Instance) -> bool {
    let state_differs = other.state != best.state;
    if state_differs && !is_safer(other.state, best.state) {
        return false;
    }
    match (other.is_trusted, best.is_trusted) {
        (false, true) => false,
        (true, false) => true,
        _ => state_differs || other.last_heard >= best.last_heard,
    }
}

fn is_safer(other: MessageState, best: MessageState) -> bool {
    other == MessageState::Encrypted
        || (best == MessageState::Plaintext && other == MessageState::Finished)
}

/// The context with a session to which something was sent last.
pub fn last_written_to<T>(contexts: impl Iterator<Item = (T, Instance)>) -> Option<T> {
    contexts
        .filter(|(_, it)| it.state == MessageState::Encrypted)
        .max_by_key(|(_, it)| it.last_sent)
        .map(|(which, _)| which)
}

/// Which instance is forgotten when there are too many: one that never had a session, if possible without an exchange under
/// way, and of those the one not heard from for the longest time. `None`: all of them had sessions.
pub fn gives_way<T>(instances: impl Iterator<Item = (T, Instance)>) -> Option<T> {
    instances
        .filter(|(_, it)| !it.had_session && it.state != MessageState::Encrypted)
        .min_by_key(|(_, it)| (it.in_exchange, it.last_heard))
        .map(|(which, _)| which)
}

/// The instance to use as the most recent one. That is `recent`, unless it would get the text in the clear or never had a
/// session while another one has a session: then it is that one.
pub fn most_recent<T>(recent: (T, Instance), others: impl Iterator<Item = (T, Instance)>) -> T {
    let (which, it) = recent;
    let shows_text = it.state == MessageState::Plaintext;
    if it.state == MessageState::Encrypted || (it.had_session && !shows_text) {
        return which;
    }
    let with_session = others.filter(|(_, it)| it.state == MessageState::Encrypted);
    with_session
        .max_by_key(|(_, it)| it.last_heard)
        .map_or(which, |(best, _)| best)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRANGER: Instance = Instance {
        state: MessageState::Plaintext,
        had_session: false,
        is_trusted: false,
        in_exchange: false,
        last_heard: 10,
        last_sent: 0,
    };
    const SECURE: Instance = Instance {
        state: MessageState::Encrypted,
        had_session: true,
        ..STRANGER
    };
    const ENDED: Instance = Instance {
        state: MessageState::Finished,
        ..SECURE
    };

    fn gives(instances: &[Instance]) -> Option<usize> {
        gives_way(instances.iter().copied().enumerate())
    }

    fn recent(recent: Instance, others: &[Instance]) -> usize {
        most_recent((0, recent), (1..).zip(others.iter().copied()))
    }

    #[test]
    fn who_never_had_a_session_gives_way() {
        let newer = Instance {
            last_heard: 20,
            ..STRANGER
        };
        let busy = Instance {
            in_exchange: true,
            last_heard: 1,
            ..STRANGER
        };
        let was_here = Instance {
            had_session: true,
            last_heard: 0,
            ..STRANGER
        };
        assert_eq!(
            gives(&[SECURE, was_here, ENDED, busy, newer, STRANGER]),
            Some(5)
        );
        assert_eq!(gives(&[SECURE, was_here, busy]), Some(2));
        assert_eq!(gives(&[SECURE, was_here, ENDED]), None);
    }

    #[test]
    fn what_has_become_of_a_commit() {
        let (one, two) = ([1; 32], [2; 32]);
        let mut commit = MastersCommit::default();
        assert!(!commit.finish() && commit == MastersCommit::Unmet);
        commit.lose(one);
        assert!(commit.has_lost(&one) && !commit.is_answered(&one) && !commit.has_lost(&two));
        assert!(!commit.finish());
        commit.answer(one);
        assert!(commit.has_lost(&one) && commit.is_answered(&one));
        assert!(commit.finish() && !commit.finish());
        assert!(commit.has_lost(&one) && commit.is_answered(&one));
        commit.answer(two);
        assert!(commit.is_answered(&two) && !commit.is_answered(&one));
        assert!(!commit.has_lost(&one) && !commit.has_lost(&two));
        commit.lose(one);
        assert!(commit.has_lost(&one) && !commit.is_answered(&two));
    }

    #[test]
    fn a_new_instance_takes_a_place_that_is_free_or_of_no_use() {
        let places = |count: usize, last: Instance| {
            let used = std::iter::repeat_n(ENDED, count - 1).chain([last]);
            admit(used.enumerate())
        };
        assert_eq!(admit(std::iter::empty::<((), _)>()), Admission::Added);
        assert_eq!(places(LIMIT - 2, ENDED), Admission::Added);
        assert_eq!(places(LIMIT - 1, ENDED), Admission::Refused);
        assert_eq!(places(LIMIT - 1, STRANGER), Admission::Replaces(LIMIT - 2));
    }

    #[test]
    fn the_best_is_safe_then_trusted_then_heard_last() {
        let best = |instances: &[Instance]| best(instances.iter().copied().enumerate());
        let later = |it: Instance| Instance {
            last_heard: it.last_heard + 1,
            ..it
        };
        let trusted = |it: Instance| Instance {
            is_trusted: true,
            ..it
        };
        assert_eq!(best(&[]), None);
        assert_eq!(best(&[STRANGER, SECURE, ENDED]), Some(1));
        assert_eq!(best(&[STRANGER, ENDED, later(STRANGER)]), Some(1));
        assert_eq!(best(&[later(SECURE), SECURE]), Some(0));
        assert_eq!(best(&[SECURE, SECURE]), Some(1));
        assert_eq!(best(&[trusted(SECURE), later(SECURE)]), Some(0));
        assert_eq!(best(&[later(SECURE), trusted(SECURE)]), Some(1));
        // Safer, but not trusted: never better than a trusted one.
        assert_eq!(best(&[trusted(ENDED), SECURE]), Some(0));
    }

    #[test]
    fn the_last_one_written_to_has_a_session() {
        let sent = |it: Instance, last_sent| Instance { last_sent, ..it };
        let written = [
            sent(STRANGER, 9),
            sent(SECURE, 3),
            sent(SECURE, 5),
            sent(ENDED, 7),
        ];
        let last = |instances: &[Instance]| last_written_to(instances.iter().copied().enumerate());
        assert_eq!(last(&written), Some(2));
        assert_eq!(last(&[STRANGER, ENDED]), None);
    }

    #[test]
    fn the_oldest_fragments_are_forgotten() {
        let waiting = [("a", 10, 3), ("b", 0, 1), ("c", 20, 2), ("d", 30, 2)]
            .map(|(who, bytes, heard)| (who, MessageState::Plaintext, bytes, heard));
        let with_session = ("e", MessageState::Encrypted, 1000, 1);
        let forgets = |limit| forgets_fragments(limit, waiting.into_iter().chain([with_session]));
        assert_eq!(forgets(60), None);
        assert_eq!(forgets(59), Some("c"));
        let none = ("b", MessageState::Finished, 0, 1);
        assert_eq!(forgets_fragments(0, [none].into_iter()), None);
    }

    #[test]
    fn a_session_comes_before_whoever_spoke_last_without_one() {
        let later = Instance {
            last_heard: 11,
            ..SECURE
        };
        assert_eq!(recent(STRANGER, &[SECURE, later, ENDED]), 2);
        let closed = Instance {
            had_session: true,
            ..STRANGER
        };
        assert_eq!(recent(closed, &[SECURE]), 1);
        // Like a stranger's instance during a session of version 2.
        let held = Instance {
            state: MessageState::Finished,
            ..STRANGER
        };
        assert_eq!(recent(held, &[SECURE]), 1);
    }

    #[test]
    fn otherwise_the_last_one_it_is() {
        assert_eq!(
            recent(
                SECURE,
                &[Instance {
                    last_heard: 99,
                    ..SECURE
                }]
            ),
            0
        );
        assert_eq!(
            recent(ENDED, &[SECURE]),
            0,
            "the user is told that it has ended"
        );
        assert_eq!(recent(STRANGER, &[STRANGER, ENDED]), 0);
    }
}
