//! Finding a byte string in another.

/// The offset of the first occurrence of `needle`, which must not be empty.
pub(super) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    // Most messages of the protocol begin with `needle`.
    if haystack.starts_with(needle) {
        return Some(0);
    }
    find_all(haystack, needle).next()
}

/// The offsets of all occurrences of `needle`, which must not be empty.
fn find_all(haystack: &[u8], needle: &[u8]) -> impl Iterator<Item = usize> {
    // The first byte that is rare in ordinary text: not a blank.
    let anchor = needle.iter().position(|byte| *byte != b' ').unwrap_or(0);
    let rare = needle.get(anchor).copied().unwrap_or_default();
    memchr::memchr_iter(rare, haystack)
        .filter_map(move |there| there.checked_sub(anchor))
        .filter(move |&here| {
            haystack
                .get(here..)
                .is_some_and(|rest| rest.starts_with(needle))
        })
}

/// The offset of the first occurrence of `byte`.
pub fn find_byte(haystack: &[u8], byte: u8) -> Option<usize> {
    memchr::memchr(byte, haystack)
}

#[cfg(test)]
mod tests {
    use super::{find, find_all};

    #[test]
    fn finds_the_first_of_several_and_overlapping_starts() {
        assert_eq!(find(b"a?OT?OTR?OTR", b"?OTR"), Some(4));
        assert_eq!(find(b"??OTR", b"?OTR"), Some(1));
        assert_eq!(find(b"?OTR?OTR", b"?OTR"), Some(0));
        assert_eq!(find(b"?OT", b"?OTR"), None);
        assert_eq!(find(b"", b"?OTR"), None);
        assert_eq!(find(b"\t \t  \t", b"  \t"), Some(3));
        assert_eq!(find(b"\ta  ", b" \t"), None);
        assert_eq!(find_all(b"abab aba", b"aba").collect::<Vec<_>>(), [0, 5]);
    }
}
