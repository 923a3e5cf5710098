//! Whitespace tags: an offer of OTR that hides in the blanks of a plaintext message.

use core::ops::Range;

use super::query::Versions;
use super::search::find;

/// What every tag begins with.
pub const TAG_BASE: &[u8; 16] = b" \t  \t\t\t\t \t \t \t  ";
/// Follows the base where version 1 is offered.
pub const TAG_V1: &[u8; 8] = b" \t \t  \t ";
/// Follows the base where version 2 is offered.
pub const TAG_V2: &[u8; 8] = b"  \t\t  \t ";
/// Follows the base where version 3 is offered.
pub const TAG_V3: &[u8; 8] = b"  \t\t  \t\t";

/// The text with a tag at its end that offers `versions`.
pub fn append_tag(text: &[u8], versions: Versions) -> Vec<u8> {
    let mut tagged = text.to_vec();
    tagged.extend_from_slice(TAG_BASE);
    for (offered, tag) in [
        (versions.v1, TAG_V1),
        (versions.v2, TAG_V2),
        (versions.v3, TAG_V3),
    ] {
        if offered {
            tagged.extend_from_slice(tag);
        }
    }
    tagged
}

/// Where the first tag is, and what it offers.
///
/// The tag takes in every group of eight blanks and tabs that follows the base, known or not.
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

/// The message without its first tag, and what that tag offers; None if there is no tag.
pub fn strip(message: &[u8]) -> Option<(Vec<u8>, Versions)> {
    let (tag, versions) = find_tag(message)?;
    let text = [message.get(..tag.start)?, message.get(tag.end..)?].concat();
    Some((text, versions))
}
