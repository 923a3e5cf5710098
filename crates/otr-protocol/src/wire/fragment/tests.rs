//! Fragments: how they are read, reassembled, and written.

use proptest::prelude::*;

use super::Accumulated::{Complete, Incomplete, Unfragmented};
use super::*;

/// A message and what is read from it.
type Case<Read> = (&'static [u8], Option<Read>);

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
    let cases: [Case<(u16, u16, &[u8])>; 30] = [
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
        // "?OTR|" anywhere has priority, even if it is not a valid fragment.
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
    let cases: [Case<(u32, u32)>; 12] = [
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
        let tagged = otr_tag(message).and_then(|tag| message.get(tag..));
        assert_eq!(
            tagged.and_then(fragment_instances),
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
    // The limit is now smaller than what is stored.
    pieces.accept(b"?OTR,1,3,abcdef,", 6);
    assert_eq!(pieces.accept(b"?OTR,2,3,g,", 3), Incomplete);
    assert_eq!(pieces, Reassembly::new());
}

#[test]
fn a_message_that_cannot_be_cut_says_why() {
    let no_room = split(b"abc", 19, FragmentHeader::V2).unwrap_err();
    assert!(no_room.to_string().contains("no room"));
    let count = create(b"abc", 21, 0, FragmentHeader::V2).unwrap_err();
    assert!(count.to_string().contains("between 1 and 65535"));
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
    assert_eq!(split(message, 37 + 8, V3).unwrap().to_vecs().unwrap(), v3);
    let v2: [&[u8]; 2] = [
        b"?OTR,00001,00002,?OTR:AAMDa,",
        b"?OTR,00002,00002,bcdefghij.,",
    ];
    assert_eq!(
        split(message, 19 + 10, FragmentHeader::V2)
            .unwrap()
            .to_vecs()
            .unwrap(),
        v2
    );
    assert_eq!(
        split(message, 19 + 20, FragmentHeader::V2).unwrap().count(),
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
    assert_eq!(
        create(b"abc", 21, 3, header).unwrap().to_vecs().unwrap(),
        more
    );
    assert_eq!(
        create(b"abc", 21, 1, header).unwrap().to_vecs().unwrap(),
        [b"?OTR,00001,00001,ab,"]
    );
    assert_eq!(create(b"abc", 21, 0, header), Err(SplitError::Count));
    assert_eq!(create(b"abc", 21, 65536, header), Err(SplitError::Count));
    assert_eq!(create(b"abc", 21, 65535, header).unwrap().count(), 65535);
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
    let pieces = split(&[b'a'; 65535], 20, FragmentHeader::V2)
        .unwrap()
        .to_vecs()
        .unwrap();
    assert_eq!(pieces.last().unwrap(), b"?OTR,65535,65535,a,");
    assert_eq!(split(b"abc", usize::MAX, V3).unwrap().count(), 1);
}

fn headers() -> impl Strategy<Value = FragmentHeader> {
    prop_oneof![
        Just(FragmentHeader::V2),
        (any::<u32>(), any::<u32>()).prop_map(|(ours, theirs)| FragmentHeader::V3 { ours, theirs }),
    ]
}

proptest! {
    #[test]
    fn what_was_split_comes_together(message in "[A-Za-z0-9?:=. |]{1,300}", room in 1..80_usize, header in headers(), repeat in 1..3) {
        let max_size = header.overhead() + room;
        let fragments = split(message.as_bytes(), max_size, header).unwrap().to_vecs().unwrap();
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
        let fragments = split(message.as_bytes(), 19 + 4, FragmentHeader::V2).unwrap().to_vecs().unwrap();
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
