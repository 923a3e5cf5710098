//! Fragments: a message cut into numbered pieces for networks that limit its size, and put
//! together again.

use core::fmt;

use super::instance::Instances;
use super::kind::otr_tag;
use super::scan::Scanner;
use super::search::find;

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

/// What a message is, seen as a fragment.
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
    /// Looks for the fragment in a message. "?OTR|" anywhere comes before "?OTR," anywhere.
    pub fn from_message(message: &'a [u8]) -> Self {
        let scanned = if let Some(start) = find(message, b"?OTR|") {
            scan(message.get(start..).unwrap_or_default(), true)
        } else if let Some(start) = find(message, b"?OTR,") {
            scan(message.get(start..).unwrap_or_default(), false)
        } else {
            return Self::NotAFragment;
        };
        match scanned {
            Some(fragment) if fragment.k > 0 && fragment.k <= fragment.n => {
                Self::Fragment(fragment)
            }
            _ => Self::Invalid,
        }
    }
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

/// The instance tags in the header of a version 3 fragment: None if the first "?OTR" of the message
/// is not followed by "|". A tag that cannot be read is 0, and so is the second if the first is.
pub fn fragment_instances(message: &[u8]) -> Option<Instances> {
    let mut scanner = Scanner::new(message.get(otr_tag(message)?..)?);
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

/// What came of a message given to [`Reassembly::accept`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accumulated {
    /// It is no fragment: go on with the message itself.
    Unfragmented,
    /// It is a fragment, and there is nothing to go on with yet.
    Incomplete,
    /// It was the last fragment of this message.
    Complete(Vec<u8>),
}

/// The pieces of one message that have come so far, always the first `k` of `n`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Reassembly {
    data: Vec<u8>,
    /// Where in `data` the newest piece starts.
    newest: usize,
    k: u16,
    n: u16,
}

impl Reassembly {
    /// Nothing has come yet.
    pub const fn new() -> Self {
        Self {
            data: Vec::new(),
            newest: 0,
            k: 0,
            n: 0,
        }
    }

    /// Takes in a message. Pieces must come in order: piece 1 begins anew, one that is out of order
    /// discards what is stored, and so does a message that is no fragment. A fragment with
    /// senseless numbers changes nothing, and neither does the newest piece when it comes again, as
    /// happens on networks that repeat messages. Pieces of more than `limit` bytes together
    /// are discarded.
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
        self.data.extend_from_slice(fragment.data);
        self.k = fragment.k;
        if self.k < self.n {
            return Accumulated::Incomplete;
        }
        let message = core::mem::take(&mut self.data);
        self.discard();
        Accumulated::Complete(message)
    }

    /// Forgets what has come.
    pub fn discard(&mut self) {
        *self = Self::new();
    }

    /// What has come so far.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// How many pieces have come, and how many there will be: 0 and 0 if none has come.
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
    /// How much of the largest message size is not data. It counts one byte more than the header
    /// takes, as libotr always has, so that pieces are cut where libotr cuts them.
    pub const fn overhead(self) -> usize {
        match self {
            Self::V2 => 19,
            Self::V3 { .. } => 37,
        }
    }

    fn write(self, k: usize, n: usize, data: &[u8]) -> Vec<u8> {
        let header = match self {
            Self::V2 => format!("?OTR,{k:05},{n:05},"),
            Self::V3 { ours, theirs } => format!("?OTR|{ours:08x}|{theirs:08x},{k:05},{n:05},"),
        };
        [header.as_bytes(), data, b","].concat()
    }
}

/// Why a message could not be cut into fragments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SplitError {
    /// The largest message size leaves no room for data behind the header.
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

/// Cuts a message into fragments of fewer than `max_size` bytes each.
pub fn split(
    message: &[u8],
    max_size: usize,
    header: FragmentHeader,
) -> Result<Vec<Vec<u8>>, SplitError> {
    let room = room(max_size, header)?;
    create(
        message,
        max_size,
        message.len().div_ceil(room).max(1),
        header,
    )
}

/// Cuts a message into exactly `count` fragments of fewer than `max_size` bytes each: as many full
/// ones as there is data for, then empty ones. Data that does not fit is not in them.
pub fn create(
    message: &[u8],
    max_size: usize,
    count: usize,
    header: FragmentHeader,
) -> Result<Vec<Vec<u8>>, SplitError> {
    let room = room(max_size, header)?;
    if !(1..=usize::from(u16::MAX)).contains(&count) {
        return Err(SplitError::Count);
    }
    let mut pieces = message.chunks(room);
    Ok((1..=count)
        .map(|k| header.write(k, count, pieces.next().unwrap_or_default()))
        .collect())
}

fn room(max_size: usize, header: FragmentHeader) -> Result<usize, SplitError> {
    max_size
        .checked_sub(header.overhead())
        .filter(|&room| room > 0)
        .ok_or(SplitError::NoRoom)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Accumulated::{Complete, Incomplete, Unfragmented};
    use super::*;

    const NO_LIMIT: usize = usize::MAX;
    const V3: FragmentHeader = FragmentHeader::V3 {
        ours: 0x100,
        theirs: 0xabcd_ef01,
    };

    fn complete(message: &[u8]) -> Accumulated {
        Complete(message.to_vec())
    }

    #[test]
    fn a_fragment_is_read_as_sscanf_reads_it() {
        let cases: [(&[u8], Option<(u16, u16, &[u8])>); 30] = [
            (b"?OTR,1,3,abc,", Some((1, 3, b"abc"))),
            (b"?OTR,00002,00003,abc,", Some((2, 3, b"abc"))),
            (b"> ?OTR,1,3,abc,and more, here", Some((1, 3, b"abc"))),
            (b"?OTR,1,3,?OTR:AAMD,", Some((1, 3, b"?OTR:AAMD"))),
            (b"?OTR, 1, +3, abc ,", Some((1, 3, b" abc "))),
            (b"?OTR,65537,65538,abc,", Some((1, 2, b"abc"))),
            (b"?OTR,1,-1,abc,", Some((1, 65535, b"abc"))),
            (
                b"?OTR,1,99999999999999999999999,abc,",
                Some((1, 65535, b"abc")),
            ),
            (b"?OTR|100|200,1,3,abc,", Some((1, 3, b"abc"))),
            (
                b"?OTR|00000100|abcdef01,00001,00003,abc,",
                Some((1, 3, b"abc")),
            ),
            (b"?OTR| 0x100|-1,1,3,abc,", Some((1, 3, b"abc"))),
            // "?OTR|" anywhere comes first, even if it leads to nothing.
            (b"?OTR,1,3,a,?OTR|1|1,2,4,b,", Some((2, 4, b"b"))),
            (b"?OTR,1,3,?OTR|,", None),
            (b"?OTR|?OTR|100|200,1,3,abc,", None),
            (b"?OTR|100|200|1,3,abc,", None),
            (b"?OTR|100,1,3,abc,", None),
            (b"?OTR|100|,1,3,abc,", None),
            (b"?OTR,1,3,abc", None), // no comma behind the data
            (b"?OTR,1,3,,", None),   // no data
            (b"?OTR,1,3,", None),
            (b"?OTR,1,3", None),
            (b"?OTR,,3,abc,", None),
            (b"?OTR,1 ,3,abc,", None),
            (b"?OTR,a,3,abc,", None),
            (b"?OTR,0,3,abc,", None),
            (b"?OTR,1,0,abc,", None),
            (b"?OTR,0,0,abc,", None),
            (b"?OTR,4,3,abc,", None),
            (b"?OTR,1,65536,abc,", None),
            (b"?OTR,", None),
        ];
        for (message, expected) in cases {
            let expected = match expected {
                Some((k, n, data)) => Parsed::Fragment(Fragment { k, n, data }),
                None => Parsed::Invalid,
            };
            assert_eq!(
                Parsed::from_message(message),
                expected,
                "{}",
                message.escape_ascii()
            );
        }
        for message in [
            b"".as_slice(),
            b"hello",
            b"?OTR",
            b"?OTR?",
            b"?OTR:AAMD.",
            b"? OTR,1,1,a,",
        ] {
            assert_eq!(Parsed::from_message(message), Parsed::NotAFragment);
        }
    }

    #[test]
    fn instance_tags_of_a_fragment() {
        let cases: [(&[u8], Option<(u32, u32)>); 12] = [
            (
                b"?OTR|00000100|abcdef01,00001,00003,abc,",
                Some((0x100, 0xabcd_ef01)),
            ),
            (b"hi ?OTR|100|200", Some((0x100, 0x200))),
            (b"?OTR|0x100| +FF,", Some((0x100, 0xff))),
            (b"?OTR|100,", Some((0x100, 0))),
            (b"?OTR|100|", Some((0x100, 0))),
            (b"?OTR|100|x", Some((0x100, 0))),
            (b"?OTR||100,", Some((0, 0))),
            (b"?OTR|x|100,", Some((0, 0))),
            (b"?OTR|", Some((0, 0))),
            (b"?OTR,1,1,a,", None),
            (b"?OTR ?OTR|100|200", None),
            (b"hello", None),
        ];
        for (message, expected) in cases {
            let expected = expected.map(|(from, to)| Instances { from, to });
            assert_eq!(
                fragment_instances(message),
                expected,
                "{}",
                message.escape_ascii()
            );
        }
    }

    #[test]
    fn pieces_in_order_make_the_message() {
        let mut pieces = Reassembly::new();
        assert_eq!(pieces.accept(b"?OTR,1,3,?OTR:AA,", NO_LIMIT), Incomplete);
        assert_eq!(
            (pieces.data(), pieces.progress()),
            (b"?OTR:AA".as_slice(), (1, 3))
        );
        assert_eq!(pieces.accept(b"?OTR,2,3,MD,", NO_LIMIT), Incomplete);
        assert_eq!(
            pieces.accept(b"?OTR,3,3,x.,", NO_LIMIT),
            complete(b"?OTR:AAMDx.")
        );
        assert_eq!(pieces, Reassembly::new());
        assert_eq!(
            pieces.accept(b"?OTR|1|1,1,1,abc,", NO_LIMIT),
            complete(b"abc")
        );
        assert_eq!(pieces, Reassembly::new());
    }

    #[test]
    fn the_first_piece_begins_anew() {
        let mut pieces = Reassembly::new();
        pieces.accept(b"?OTR,1,3,old,", NO_LIMIT);
        pieces.accept(b"?OTR,2,3,old,", NO_LIMIT);
        assert_eq!(pieces.accept(b"?OTR,1,2,new,", NO_LIMIT), Incomplete);
        assert_eq!(pieces.accept(b"?OTR,2,2,er,", NO_LIMIT), complete(b"newer"));
    }

    #[test]
    fn a_piece_out_of_order_discards_what_came() {
        let strangers: [&[u8]; 4] = [
            b"?OTR,4,4,x,",
            b"?OTR,3,5,x,",
            b"?OTR,2,4,other,",
            b"?OTR,2,3,b,",
        ];
        for stranger in strangers {
            let mut pieces = Reassembly::new();
            pieces.accept(b"?OTR,1,4,a,", NO_LIMIT);
            pieces.accept(b"?OTR,2,4,b,", NO_LIMIT);
            assert_eq!(pieces.accept(stranger, NO_LIMIT), Incomplete);
            assert_eq!(pieces, Reassembly::new(), "{}", stranger.escape_ascii());
            assert_eq!(pieces.accept(b"?OTR,3,4,c,", NO_LIMIT), Incomplete);
            assert_eq!(pieces, Reassembly::new());
        }
    }

    #[test]
    fn a_message_that_is_no_fragment_discards_what_came() {
        let mut pieces = Reassembly::new();
        pieces.accept(b"?OTR,1,2,a,", NO_LIMIT);
        assert_eq!(pieces.accept(b"hello", NO_LIMIT), Unfragmented);
        assert_eq!(pieces, Reassembly::new());
        assert_eq!(pieces.accept(b"?OTR:AAMD.", NO_LIMIT), Unfragmented);
    }

    #[test]
    fn senseless_numbers_change_nothing() {
        let mut pieces = Reassembly::new();
        pieces.accept(b"?OTR,1,2,a,", NO_LIMIT);
        for message in [
            b"?OTR,0,2,x,".as_slice(),
            b"?OTR,3,2,x,",
            b"?OTR,2,2,,",
            b"?OTR|x",
        ] {
            assert_eq!(pieces.accept(message, NO_LIMIT), Incomplete);
            assert_eq!(pieces.progress(), (1, 2));
        }
        assert_eq!(pieces.accept(b"?OTR,2,2,b,", NO_LIMIT), complete(b"ab"));
    }

    #[test]
    fn the_newest_piece_may_come_again() {
        let mut pieces = Reassembly::new();
        for message in [b"?OTR,1,3,a,", b"?OTR,2,3,b,"] {
            assert_eq!(pieces.accept(message, NO_LIMIT), Incomplete);
            assert_eq!(pieces.accept(message, NO_LIMIT), Incomplete);
            assert_eq!(pieces.accept(message, NO_LIMIT), Incomplete);
        }
        assert_eq!(pieces.accept(b"?OTR,3,3,c,", NO_LIMIT), complete(b"abc"));
        assert_eq!(pieces.accept(b"?OTR,3,3,c,", NO_LIMIT), Incomplete);
        assert_eq!(pieces, Reassembly::new());
    }

    #[test]
    fn an_older_piece_may_not() {
        let mut pieces = Reassembly::new();
        for message in [
            b"?OTR,1,4,a,",
            b"?OTR,2,4,b,",
            b"?OTR,3,4,c,",
            b"?OTR,2,4,b,",
        ] {
            pieces.accept(message, NO_LIMIT);
        }
        assert_eq!(pieces, Reassembly::new());
    }

    #[test]
    fn the_limit_counts_all_pieces_together() {
        let mut pieces = Reassembly::new();
        assert_eq!(pieces.accept(b"?OTR,1,2,abc,", 5), Incomplete);
        assert_eq!(pieces.accept(b"?OTR,2,2,de,", 5), complete(b"abcde"));
        assert_eq!(pieces.accept(b"?OTR,1,2,abc,", 5), Incomplete);
        assert_eq!(pieces.accept(b"?OTR,2,2,def,", 5), Incomplete);
        assert_eq!(pieces, Reassembly::new());
        assert_eq!(pieces.accept(b"?OTR,1,1,abcdef,", 5), Incomplete);
        assert_eq!(pieces, Reassembly::new());
        // A limit that has become smaller than what is stored.
        pieces.accept(b"?OTR,1,3,abcdef,", 6);
        assert_eq!(pieces.accept(b"?OTR,2,3,g,", 3), Incomplete);
        assert_eq!(pieces, Reassembly::new());
    }

    #[test]
    fn debug_output_hides_the_message() {
        let mut pieces = Reassembly::new();
        pieces.accept(b"?OTR,1,2,abc,", NO_LIMIT);
        assert_eq!(format!("{pieces:?}"), "Reassembly(1 of 2, 3 bytes)");
    }

    #[test]
    fn fragments_are_written_as_libotr_writes_them() {
        let message = b"?OTR:AAMDabcdefghij.";
        let v3: [&[u8]; 3] = [
            b"?OTR|00000100|abcdef01,00001,00003,?OTR:AAM,",
            b"?OTR|00000100|abcdef01,00002,00003,Dabcdefg,",
            b"?OTR|00000100|abcdef01,00003,00003,hij.,",
        ];
        assert_eq!(split(message, 37 + 8, V3).unwrap(), v3);
        let v2: [&[u8]; 2] = [
            b"?OTR,00001,00002,?OTR:AAMDa,",
            b"?OTR,00002,00002,bcdefghij.,",
        ];
        assert_eq!(split(message, 19 + 10, FragmentHeader::V2).unwrap(), v2);
        assert_eq!(
            split(message, 19 + 20, FragmentHeader::V2).unwrap().len(),
            1
        );
    }

    #[test]
    fn the_caller_of_create_decides_how_many() {
        let header = FragmentHeader::V2;
        let more: [&[u8]; 3] = [
            b"?OTR,00001,00003,ab,",
            b"?OTR,00002,00003,c,",
            b"?OTR,00003,00003,,",
        ];
        assert_eq!(create(b"abc", 21, 3, header).unwrap(), more);
        assert_eq!(
            create(b"abc", 21, 1, header).unwrap(),
            [b"?OTR,00001,00001,ab,"]
        );
        assert_eq!(create(b"abc", 21, 0, header), Err(SplitError::Count));
        assert_eq!(create(b"abc", 21, 65536, header), Err(SplitError::Count));
        assert_eq!(create(b"abc", 21, 65535, header).unwrap().len(), 65535);
    }

    #[test]
    fn there_must_be_room_and_not_too_many_pieces() {
        for size in [0, 1, 18, 19] {
            assert_eq!(
                split(b"abc", size, FragmentHeader::V2),
                Err(SplitError::NoRoom)
            );
        }
        for size in [0, 36, 37] {
            assert_eq!(split(b"abc", size, V3), Err(SplitError::NoRoom));
            assert_eq!(create(b"abc", size, 1, V3), Err(SplitError::NoRoom));
        }
        assert_eq!(
            split(&[b'a'; 65536], 20, FragmentHeader::V2),
            Err(SplitError::Count)
        );
        let pieces = split(&[b'a'; 65535], 20, FragmentHeader::V2).unwrap();
        assert_eq!(pieces.last().unwrap(), b"?OTR,65535,65535,a,");
        assert_eq!(split(b"abc", usize::MAX, V3).unwrap().len(), 1);
    }

    fn headers() -> impl Strategy<Value = FragmentHeader> {
        prop_oneof![
            Just(FragmentHeader::V2),
            (any::<u32>(), any::<u32>())
                .prop_map(|(ours, theirs)| FragmentHeader::V3 { ours, theirs }),
        ]
    }

    proptest! {
        #[test]
        fn what_was_split_comes_together(message in "[A-Za-z0-9?:=. |]{1,300}", room in 1..80_usize, header in headers(), repeat in 1..3) {
            let max_size = header.overhead() + room;
            let fragments = split(message.as_bytes(), max_size, header).unwrap();
            prop_assert_eq!(fragments.len(), message.len().div_ceil(room));
            let mut pieces = Reassembly::new();
            for (number, fragment) in fragments.iter().enumerate() {
                prop_assert!(fragment.len() < max_size);
                if let FragmentHeader::V3 { ours, theirs } = header {
                    let tags = Instances { from: ours, to: theirs };
                    prop_assert_eq!(fragment_instances(fragment), Some(tags));
                }
                let last = number + 1 == fragments.len();
                for _ in 0..if last { 1 } else { repeat } {
                    let expected = if last { complete(message.as_bytes()) } else { Incomplete };
                    prop_assert_eq!(pieces.accept(fragment, message.len()), expected);
                }
            }
            prop_assert_eq!(pieces, Reassembly::new());
        }

        #[test]
        fn a_lost_or_swapped_piece_never_makes_a_message(message in "[a-z]{20,60}", at in any::<prop::sample::Index>(), swap in any::<bool>()) {
            let fragments = split(message.as_bytes(), 19 + 4, FragmentHeader::V2).unwrap();
            let mut order: Vec<_> = fragments.iter().collect();
            let at = at.index(order.len() - 1);
            if swap {
                order.swap(at, at + 1);
            } else {
                order.remove(at);
            }
            let mut pieces = Reassembly::new();
            for fragment in order {
                prop_assert_eq!(pieces.accept(fragment, NO_LIMIT), Incomplete);
            }
        }
    }
}
