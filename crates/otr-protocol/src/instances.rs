//! The instances of one correspondent (OTRv3, "Instance Tags"): how many are remembered, and which one is meant when the
//! client does not say. Anybody can write in the correspondent's name with a tag of their own making, so an instance proves
//! something only once it has had a session.

use super::conversation::MessageState;

/// How many contexts, the master included, a correspondent's messages may make.
pub const LIMIT: usize = 256;

/// How many bytes of unfinished fragments one correspondent's instances without a session may have waiting.
pub const FRAGMENTS_OF_ONE: usize = 1 << 20;

/// How many bytes all correspondents' instances without a session may.
pub const FRAGMENTS_OF_ALL: usize = 8 << 20;

/// Whose unfinished fragments are forgotten when there are more than `limit` bytes of them: those that were heard last the
/// longest time ago. `waiting` are the bytes of each and when the last came. `None`: there are no more than that.
pub fn forgets_fragments<T>(
    limit: usize,
    waiting: impl Iterator<Item = (T, usize, i64)>,
) -> Option<T> {
    let mut total = 0_usize;
    let oldest = waiting
        .inspect(|(_, bytes, _)| total = total.saturating_add(*bytes))
        .filter(|(_, bytes, _)| *bytes > 0)
        .min_by_key(|(_, _, heard)| *heard);
    oldest.filter(|_| total > limit).map(|(which, ..)| which)
}

/// What is known of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its message state.
    pub state: MessageState,
    /// Whether it ever had a session with us.
    pub had_session: bool,
    /// Whether a key exchange with it is under way.
    pub in_exchange: bool,
    /// When it was last heard, in seconds since 1970.
    pub last_heard: i64,
}

/// Which instance is forgotten when there is no room for a new one: one that never had a session, if possible without an
/// exchange under way, and of those the one that was heard first. `None`: all of them had sessions.
pub fn gives_way<T>(instances: impl Iterator<Item = (T, Instance)>) -> Option<T> {
    instances
        .filter(|(_, it)| !it.had_session && it.state != MessageState::Encrypted)
        .min_by_key(|(_, it)| (it.in_exchange, it.last_heard))
        .map(|(which, _)| which)
}

/// The instance to take for the one heard or written to last, which is `recent`. While another has a session, that one is
/// taken instead of one that would get the text in the clear, or that never had a session.
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
        in_exchange: false,
        last_heard: 10,
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
    fn the_oldest_fragments_are_forgotten() {
        let waiting = [("a", 10, 3), ("b", 0, 1), ("c", 20, 2), ("d", 30, 2)];
        let forgets = |limit| forgets_fragments(limit, waiting.into_iter());
        assert_eq!(forgets(60), None);
        assert_eq!(forgets(59), Some("c"));
        assert_eq!(forgets_fragments(0, [("b", 0, 1)].into_iter()), None);
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
        // As a stranger's instance beside a session of version 2 is.
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
