//! Which pairs of DH values, ours and theirs, have opened a session.
//!
//! All keys of a session are derived from one such pair, counters begin at 1, and MAC keys are published once they are no
//! longer needed. So no pair may open a second session, whatever is replayed, by whom, under which instance tag and when.
//!
//! A private value is discarded when its exchange is done, except that of a version 3 DH-commit of a master context: any
//! number of the correspondent's instances may answer it while it waits. Therefore there is one record for a correspondent
//! with all instances. An entry is needed as long as its private value is kept anywhere but in the session that it opened.

use otr_crypto::group::Element;
use otr_crypto::hash::sha256;

/// How many sessions one private value may open, to bound the record; nobody has that many clients.
const SESSIONS_OF_ONE_VALUE: usize = 256;

/// The pairs that have opened a session with one correspondent.
#[derive(Debug, Default)]
pub struct OpenedPairs {
    pairs: Vec<Pair>,
}

#[derive(Debug, PartialEq, Eq)]
struct Pair {
    ours: [u8; 32],
    theirs: [u8; 32],
}

impl OpenedPairs {
    /// Whether a session may still be opened with this pair.
    pub fn may_open(&self, ours: &Element, theirs: &Element) -> bool {
        let pair = Pair::of(ours, theirs);
        let with_ours = self.pairs.iter().filter(|known| known.ours == pair.ours);
        !self.pairs.contains(&pair) && with_ours.count() < SESSIONS_OF_ONE_VALUE
    }

    /// Whether our value has opened a session already.
    pub fn have_opened(&self, ours: &Element) -> bool {
        let ours = sha256(&[&ours.to_bytes()]);
        self.pairs.iter().any(|known| known.ours == ours)
    }

    /// Notes that this pair opens a session.
    pub fn note(&mut self, ours: &Element, theirs: &Element) {
        self.pairs.push(Pair::of(ours, theirs));
    }

    /// How many are recorded.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether nothing is recorded.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Forgets the pairs whose private value no longer exists; `held` has the public halves of all that do.
    pub fn forget_all_but(&mut self, held: &[Vec<u8>]) {
        let held: Vec<[u8; 32]> = held.iter().map(|public| sha256(&[public])).collect();
        self.pairs.retain(|pair| held.contains(&pair.ours));
    }
}

impl Pair {
    fn of(ours: &Element, theirs: &Element) -> Self {
        Self {
            ours: sha256(&[&ours.to_bytes()]),
            theirs: sha256(&[&theirs.to_bytes()]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(number: u32) -> Element {
        Element::from_bytes(&number.to_be_bytes()).unwrap()
    }

    #[test]
    fn a_pair_opens_once_and_each_value_with_others() {
        let mut opened = OpenedPairs::default();
        opened.note(&value(5), &value(6));
        assert!(!opened.may_open(&value(5), &value(6)));
        assert!(opened.may_open(&value(6), &value(5)));
        assert!(opened.may_open(&value(5), &value(7)));
        assert!(opened.may_open(&value(8), &value(6)));
    }

    #[test]
    fn what_is_held_is_remembered_and_nothing_else() {
        let mut opened = OpenedPairs::default();
        opened.note(&value(5), &value(6));
        opened.note(&value(7), &value(6));
        opened.forget_all_but(&[value(7).to_bytes(), value(9).to_bytes()]);
        assert!(!opened.may_open(&value(7), &value(6)));
        opened.forget_all_but(&[]);
        assert!(opened.is_empty());
    }

    /// A full record does not forget anything: its private value opens no more sessions.
    #[test]
    fn one_value_opens_a_bounded_number_of_sessions() {
        let mut opened = OpenedPairs::default();
        let mut count = 0;
        while opened.may_open(&value(5), &value(100 + count)) {
            opened.note(&value(5), &value(100 + count));
            count += 1;
        }
        assert_eq!(count as usize, SESSIONS_OF_ONE_VALUE);
        assert!(opened.may_open(&value(6), &value(7)));
    }
}
