//! Fragments: a message is cut into numbered pieces for networks that limit its size, and reassembled.

use core::fmt;

use super::classify::otr_tag;
use super::instance::Instances;
use super::scan::Scanner;
use super::search::find;
use crate::buffer::{self, OutOfMemory};

/// One piece of a message: number `k` of `n`, both from 1, with at least one byte of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment<'a> {
    /// Which piece this is.
    pub k: u16,
    /// How many pieces there are.
    pub n: u16,
    /// The piece of the message.
    pub data: &'a [u8],
}

/// The result of reading a message as a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed<'a> {
    /// There is neither "?OTR|" nor "?OTR," in it.
    NotAFragment,
    /// It has the mark of a fragment, but not the form, or its numbers make no sense.
    Invalid,
    /// A fragment.
    Fragment(Fragment<'a>),
}

impl<'a> Parsed<'a> {
    /// Looks for the fragment in a message. "?OTR|" anywhere has priority over "?OTR,".
    pub fn from_message(message: &'a [u8]) -> Self {
        let Some((start, with_instances)) = mark(message) else {
            return Self::NotAFragment;
        };
        match scan(message.get(start..).unwrap_or_default(), with_instances) {
            Some(fragment) if fragment.k > 0 && fragment.k <= fragment.n => {
                Self::Fragment(fragment)
            }
            _ => Self::Invalid,
        }
    }
}

/// Where the first "?OTR|" is, or else the first "?OTR,", and whether it is the former.
fn mark(message: &[u8]) -> Option<(usize, bool)> {
    let mut plain = None;
    let mut tag = otr_tag(message);
    while let Some(start) = tag {
        let behind = start + 4;
        match message.get(behind) {
            Some(b'|') => return Some((start, true)),
            Some(b',') => plain = plain.or(Some((start, false))),
            _ => {}
        }
        tag = find(message.get(behind..).unwrap_or_default(), b"?OTR").map(|next| behind + next);
    }
    plain
}

/// Reads "?OTR|sender|recipient,k,n,data," or "?OTR,k,n,data,"; anything may follow.
fn scan(text: &[u8], with_instances: bool) -> Option<Fragment<'_>> {
    let mut scanner = Scanner::new(text);
    scanner.literal(b"?OTR")?;
    if with_instances {
        scanner.literal(b"|")?;
        scanner.hex()?;
        scanner.literal(b"|")?;
        scanner.hex()?;
    }
    scanner.literal(b",")?;
    let k = scanner.short()?;
    scanner.literal(b",")?;
    let n = scanner.short()?;
    scanner.literal(b",")?;
    let data = scanner.until_comma()?;
    scanner.literal(b",")?;
    Some(Fragment { k, n, data })
}

/// The instance tags in the header of a version 3 fragment, from the first "?OTR" of the message on: None if that is not
/// followed by "|". A tag that cannot be read is 0, and so is the second if the first is.
pub fn fragment_instances(tagged: &[u8]) -> Option<Instances> {
    let mut scanner = Scanner::new(tagged);
    scanner.literal(b"?OTR|")?;
    let from = scanner.hex();
    let to = from
        .and_then(|_| scanner.literal(b"|"))
        .and_then(|()| scanner.hex());
    Some(Instances {
        from: from.unwrap_or(0),
        to: to.unwrap_or(0),
    })
}

/// The result of [`Reassembly::accept`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accumulated {
    /// It is not a fragment: continue with the message itself.
    Unfragmented,
    /// It is a fragment, and the message is not complete yet.
    Incomplete,
    /// It was the last fragment of this message.
    Complete(Vec<u8>),
    /// There is no memory for it; the previous pieces are discarded as well.
    Lost,
}

/// The pieces of one message received so far, always the first `k` of `n`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Reassembly {
    data: Vec<u8>,
    /// The offset of the newest piece in `data`.
    newest: usize,
    k: u16,
    n: u16,
}

impl Reassembly {
    /// No pieces yet.
    pub const fn new() -> Self {
        Self {
            data: Vec::new(),
            newest: 0,
            k: 0,
            n: 0,
        }
    }

    /// Handles a message. Pieces must arrive in order: piece 1 starts again, one that is out of order discards what is stored,
    /// and so does a message that is not a fragment. A fragment with invalid numbers changes nothing, and neither does the
    /// newest piece when it is repeated, as happens on some networks. Pieces of more than `limit` bytes together are discarded,
    /// and so are those for which there is no memory.
    pub fn accept(&mut self, message: &[u8], limit: usize) -> Accumulated {
        let fragment = match Parsed::from_message(message) {
            Parsed::NotAFragment => {
                self.discard();
                return Accumulated::Unfragmented;
            }
            Parsed::Invalid => return Accumulated::Incomplete,
            Parsed::Fragment(fragment) => fragment,
        };
        if fragment.k == 1 {
            self.discard();
            self.n = fragment.n;
        } else if self.is_newest(&fragment) {
            return Accumulated::Incomplete;
        } else if fragment.n != self.n || Some(fragment.k) != self.k.checked_add(1) {
            self.discard();
            return Accumulated::Incomplete;
        }
        if fragment.data.len() > limit.saturating_sub(self.data.len()) {
            self.discard();
            return Accumulated::Incomplete;
        }
        self.newest = self.data.len();
        if buffer::append(&mut self.data, fragment.data).is_err() {
            self.discard();
            return Accumulated::Lost;
        }
        self.k = fragment.k;
        if self.k < self.n {
            return Accumulated::Incomplete;
        }
        let message = core::mem::take(&mut self.data);
        self.discard();
        Accumulated::Complete(message)
    }

    /// Discards the pieces.
    pub fn discard(&mut self) {
        *self = Self::new();
    }

    /// The data received so far.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// How many pieces were received, and how many there will be: 0 and 0 if there were none.
    pub const fn progress(&self) -> (u16, u16) {
        (self.k, self.n)
    }

    fn is_newest(&self, fragment: &Fragment<'_>) -> bool {
        fragment.k == self.k
            && fragment.n == self.n
            && self.data.get(self.newest..) == Some(fragment.data)
    }
}

impl fmt::Debug for Reassembly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Reassembly({} of {}, {} bytes)",
            self.k,
            self.n,
            self.data.len()
        )
    }
}

/// The form of the fragments to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FragmentHeader {
    /// Versions 1 and 2: "?OTR,k,n,data,".
    V2,
    /// Version 3: "?OTR|ours|theirs,k,n,data,".
    V3 {
        /// Our instance tag.
        ours: u32,
        /// The recipient's instance tag, 0 if not known.
        theirs: u32,
    },
}

impl FragmentHeader {
    /// How much of the maximum message size is not data. It is one byte more than the header, as always in libotr, so that
    /// pieces are cut where libotr cuts them.
    pub const fn overhead(self) -> usize {
        match self {
            Self::V2 => 19,
            Self::V3 { .. } => 37,
        }
    }

    /// The start of the header, before the number of the piece: the same for all pieces of a message.
    fn start(self) -> Vec<u8> {
        match self {
            Self::V2 => buffer::bounded(b"?OTR,"),
            Self::V3 { ours, theirs } => format!("?OTR|{ours:08x}|{theirs:08x},").into_bytes(),
        }
    }
}

/// A number from 0 to 65535 in five digits.
fn five_digits(number: usize) -> [u8; 5] {
    [10_000, 1000, 100, 10, 1].map(|unit| b'0' + u8::try_from(number / unit % 10).unwrap_or(0))
}

/// Why a message could not be cut into fragments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SplitError {
    /// The maximum message size leaves no space for data after the header.
    NoRoom,
    /// The number of fragments is not between 1 and 65535.
    Count,
}

impl fmt::Display for SplitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoRoom => "the largest message size leaves no room for a fragment",
            Self::Count => "the number of fragments is not between 1 and 65535",
        })
    }
}

impl core::error::Error for SplitError {}

/// A message cut into fragments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragments<'a> {
    message: &'a [u8],
    /// The maximum amount of data in each.
    room: usize,
    count: usize,
    /// The start of each header, and the number of fragments.
    start: Vec<u8>,
    last: [u8; 5],
}

/// A fragment to be written, in parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    start: &'a [u8],
    number: [u8; 5],
    last: &'a [u8],
    data: &'a [u8],
}

impl Fragments<'_> {
    /// How many there are: from 1 to 65535.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// All of them in order.
    pub fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        let mut data = self.message.chunks(self.room);
        (1..=self.count).map(move |k| Piece {
            start: &self.start,
            number: five_digits(k),
            last: &self.last,
            data: data.next().unwrap_or_default(),
        })
    }

    /// All of them, each as a separate string.
    pub fn to_vecs(&self) -> Result<Vec<Vec<u8>>, OutOfMemory> {
        buffer::collect(self.pieces().map(|piece| buffer::concat(&piece.parts())))
    }
}

impl Piece<'_> {
    /// Its parts, in order.
    pub fn parts(&self) -> [&[u8]; 7] {
        let comma = b",".as_slice();
        [
            self.start,
            &self.number,
            comma,
            self.last,
            comma,
            self.data,
            comma,
        ]
    }
}

/// Cuts a message into fragments of fewer than `max_size` bytes each.
pub fn split(
    message: &[u8],
    max_size: usize,
    header: FragmentHeader,
) -> Result<Fragments<'_>, SplitError> {
    let room = room(max_size, header)?;
    create(
        message,
        max_size,
        message.len().div_ceil(room).max(1),
        header,
    )
}

/// Cuts a message into exactly `count` fragments of fewer than `max_size` bytes each: as many full ones as there is data for,
/// then empty ones. Data that does not fit is left out.
pub fn create(
    message: &[u8],
    max_size: usize,
    count: usize,
    header: FragmentHeader,
) -> Result<Fragments<'_>, SplitError> {
    let room = room(max_size, header)?;
    if !(1..=usize::from(u16::MAX)).contains(&count) {
        return Err(SplitError::Count);
    }
    Ok(Fragments {
        message,
        room,
        count,
        start: header.start(),
        last: five_digits(count),
    })
}

fn room(max_size: usize, header: FragmentHeader) -> Result<usize, SplitError> {
    max_size
        .checked_sub(header.overhead())
        .filter(|&room| room > 0)
        .ok_or(SplitError::NoRoom)
}

#[cfg(test)]
mod tests;
