//! Compares the reports of copies, and finds the first difference.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::copies::Copy;
use crate::follow::{BLOCK, CALL};
use crate::translate::{Block, Marks, translate};

/// How much is compared at once, in bytes.
const PIECE: u64 = 64 << 10;

/// Where two copies part.
pub(crate) struct Parting {
    /// Which of them differs from the first.
    pub which: usize,
    /// The instruction that shows the difference.
    pub at: u64,
    pub what: String,
}

/// What they have told.
#[derive(Default)]
pub(crate) struct Told {
    pub instructions: u64,
    pub addresses: u64,
    /// What was seen of the kernels.
    pub marks: Marks,
    pub parting: Option<Parting>,
    /// Whether it was heard to its end.
    pub whole: bool,
    /// The block that was told of last, and how many words about it.
    last: u64,
    words: usize,
}

/// Blocks by address. The copies have the code that we have.
#[derive(Default)]
pub(crate) struct Blocks(BTreeMap<u64, Block>);

impl Blocks {
    fn at(&mut self, address: u64) -> Option<&Block> {
        match self.0.entry(address) {
            Entry::Occupied(known) => Some(known.into_mut()),
            // SAFETY: a copy has been there.
            Entry::Vacant(place) => Some(place.insert(unsafe { translate(address) }.ok()?)),
        }
    }
}

/// Listens to all of them to the end, or until they part.
pub(crate) fn compare(copies: &mut [Copy], blocks: &mut Blocks) -> std::io::Result<Told> {
    let mut told = Told::default();
    let Some((first, others)) = copies.split_first_mut() else {
        return Ok(told);
    };
    loop {
        let own = first.listen(PIECE)?;
        let mut parted: Option<(usize, usize, Vec<u8>)> = None;
        for (other, which) in others.iter_mut().zip(1..) {
            let theirs = other.listen(PIECE)?;
            if theirs != own {
                let at = words(&own)
                    .zip(words(&theirs))
                    .take_while(|(a, b)| a == b)
                    .count();
                if parted
                    .as_ref()
                    .is_none_or(|(_, earliest, _)| at < *earliest)
                {
                    parted = Some((which, at, theirs));
                }
            }
        }
        let alike = parted.as_ref().map_or(usize::MAX, |(_, at, _)| *at);
        words(&own)
            .take(alike)
            .for_each(|word| told.hear(word, blocks));
        if let Some((which, at, theirs)) = parted {
            told.part(which, words(&own).nth(at), words(&theirs).nth(at), blocks);
            return Ok(told);
        }
        if told.whole || own.is_empty() {
            return Ok(told);
        }
    }
}

fn words(piece: &[u8]) -> impl Iterator<Item = u64> {
    piece
        .chunks_exact(8)
        .map(|word| word.try_into().map_or(0, u64::from_le_bytes))
}

impl Told {
    fn hear(&mut self, word: u64, blocks: &mut Blocks) {
        if word == u64::MAX {
            self.whole = true;
        } else if word & BLOCK != 0 {
            (self.last, self.words) = (word & !BLOCK, 0);
            if let Some(block) = blocks.at(self.last) {
                self.instructions += block.length + u64::from(block.tail.is_some());
                self.marks.ifma |= block.marks.ifma;
                self.marks.avx_ifma |= block.marks.avx_ifma;
                self.marks.fma |= block.marks.fma;
                self.marks.adx |= block.marks.adx;
            }
        } else {
            self.words += 1;
            self.addresses += u64::from(word & CALL == 0);
        }
    }

    fn part(&mut self, which: usize, own: Option<u64>, theirs: Option<u64>, blocks: &mut Blocks) {
        let block = blocks.at(self.last);
        // What the block does not note itself is its last instruction's.
        let end = block.map_or(self.last, |block| block.next);
        let noted = block.and_then(|block| block.notes.get(self.words).copied());
        let (at, what) = match (own, theirs) {
            (Some(own), Some(theirs)) if own & BLOCK != 0 && theirs & BLOCK != 0 => (
                end,
                format!(
                    "one goes on at {:x}, the other at {:x}",
                    own & !BLOCK,
                    theirs & !BLOCK
                ),
            ),
            (Some(own), Some(theirs)) if (own | theirs) & CALL != 0 => (
                end,
                "malloc is called in two ways".to_owned() + &format!(" ({own:x}, {theirs:x})"),
            ),
            (Some(own), Some(theirs)) => (
                noted.unwrap_or(end),
                format!("one uses {own:x}, the other {theirs:x}"),
            ),
            _ => (end, "one ends".to_owned()),
        };
        self.parting = Some(Parting { which, at, what });
    }
}
