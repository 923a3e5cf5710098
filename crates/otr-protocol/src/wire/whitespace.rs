//! Whitespace tags: an offer of OTR in invisible blanks of a plaintext message.

use core::ops::Range;

use super::query::Versions;
use super::search::find;
use crate::buffer::{self, OutOfMemory};

/// The start of every tag.
pub const TAG_BASE: &[u8; 16] = b" \t  \t\t\t\t \t \t \t  ";
/// Follows the base if version 1 is offered.
pub const TAG_V1: &[u8; 8] = b" \t \t  \t ";
/// Follows the base if version 2 is offered.
pub const TAG_V2: &[u8; 8] = b"  \t\t  \t ";
/// Follows the base if version 3 is offered.
pub const TAG_V3: &[u8; 8] = b"  \t\t  \t\t";

/// The text with a tag at the end that offers `versions`.
pub fn append_tag(text: &[u8], versions: Versions) -> Result<Vec<u8>, OutOfMemory> {
    let tag = |offered, tag: &'static [u8; 8]| if offered { tag.as_slice() } else { b"" };
    buffer::concat(&[
        text,
        TAG_BASE,
        tag(versions.v1, TAG_V1),
        tag(versions.v2, TAG_V2),
        tag(versions.v3, TAG_V3),
    ])
}

/// Where the first tag is, and what it offers.
///
/// The tag includes every group of eight blanks and tabs that follows the base, known or not.
pub fn find_tag(message: &[u8]) -> Option<(Range<usize>, Versions)> {
    let start = find(message, TAG_BASE)?;
    let mut end = start + TAG_BASE.len();
    let mut versions = Versions::default();
    while let Some(group) = message.get(end..).and_then(<[u8]>::first_chunk::<8>) {
        if !group.iter().all(|byte| matches!(byte, b' ' | b'\t')) {
            break;
        }
        versions.v1 |= group == TAG_V1;
        versions.v2 |= group == TAG_V2;
        versions.v3 |= group == TAG_V3;
        end += group.len();
    }
    Some((start..end, versions))
}

/// The two parts of the message without its first tag, and what that tag offers; None if there is no tag.
pub fn strip(message: &[u8]) -> Option<([&[u8]; 2], Versions)> {
    let (tag, versions) = find_tag(message)?;
    let text = [message.get(..tag.start)?, message.get(tag.end..)?];
    Some((text, versions))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Versions = Versions {
        v1: false,
        v2: false,
        v3: false,
    };
    const ALL: Versions = Versions {
        v1: true,
        v2: true,
        v3: true,
    };

    /// OTR protocol version 3, section "Tagged plaintext messages", where the tags stand in
    /// hexadecimal.
    #[test]
    fn tags_are_those_of_the_specification() {
        let base = 0x2009_2020_0909_0909_2009_2009_2009_2020_u128;
        assert_eq!(*TAG_BASE, base.to_be_bytes());
        assert_eq!(*TAG_V1, 0x2009_2009_2020_0920_u64.to_be_bytes());
        assert_eq!(*TAG_V2, 0x2020_0909_2020_0920_u64.to_be_bytes());
        assert_eq!(*TAG_V3, 0x2020_0909_2020_0909_u64.to_be_bytes());
    }

    #[test]
    fn the_tag_follows_the_text_in_the_order_of_versions() {
        let expected = [b"hi".as_slice(), TAG_BASE, TAG_V1, TAG_V2, TAG_V3].concat();
        assert_eq!(append_tag(b"hi", ALL).unwrap(), expected);
        let v2_only = Versions { v2: true, ..NONE };
        assert_eq!(
            append_tag(b"", v2_only).unwrap(),
            [TAG_BASE.as_slice(), TAG_V2].concat()
        );
        assert_eq!(
            append_tag(b"hi", NONE).unwrap(),
            [b"hi".as_slice(), TAG_BASE].concat()
        );
    }

    #[test]
    fn what_was_appended_is_found_and_stripped() {
        for bits in 0..8_u8 {
            let offered = Versions {
                v1: bits & 1 != 0,
                v2: bits & 2 != 0,
                v3: bits & 4 != 0,
            };
            let tagged = append_tag(b"hi \t", offered).unwrap();
            assert_eq!(find_tag(&tagged), Some((4..tagged.len(), offered)));
            assert_eq!(strip(&tagged), Some(([&b"hi \t"[..], b""], offered)));
        }
    }

    #[test]
    fn the_tag_may_stand_anywhere_and_swallows_unknown_groups() {
        let unknown = b"\t\t\t\t    ";
        let message = [
            b"a".as_slice(),
            TAG_BASE,
            unknown,
            TAG_V3,
            TAG_V1,
            b"       b",
            TAG_V2,
        ]
        .concat();
        let offered = Versions {
            v1: true,
            v2: false,
            v3: true,
        };
        assert_eq!(find_tag(&message), Some((1..41, offered)));
        assert_eq!(
            strip(&message),
            Some((
                [b"a", [b"       b", TAG_V2.as_slice()].concat().as_slice()],
                offered
            ))
        );
    }

    #[test]
    fn a_group_that_is_cut_off_is_text() {
        let message = [TAG_BASE.as_slice(), &TAG_V2[..7]].concat();
        assert_eq!(find_tag(&message), Some((0..16, NONE)));
        assert_eq!(strip(&message), Some(([b"", &TAG_V2[..7]], NONE)));
        assert_eq!(find_tag(&TAG_BASE[..15]), None);
        assert_eq!(strip(b"plain text"), None);
    }
}
