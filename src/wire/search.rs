//! Finding a byte string in another.

/// The offset of the first occurrence of `needle`, which must not be empty.
pub(super) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let (first, _) = needle.split_first()?;
    memchr::memchr_iter(*first, haystack).find(|&here| {
        haystack
            .get(here..)
            .is_some_and(|rest| rest.starts_with(needle))
    })
}

/// The offset of the first such byte.
pub(crate) fn find_byte(haystack: &[u8], byte: u8) -> Option<usize> {
    memchr::memchr(byte, haystack)
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn finds_the_first_of_several_and_overlapping_starts() {
        assert_eq!(find(b"a?OT?OTR?OTR", b"?OTR"), Some(4));
        assert_eq!(find(b"??OTR", b"?OTR"), Some(1));
        assert_eq!(find(b"?OT", b"?OTR"), None);
        assert_eq!(find(b"", b"?OTR"), None);
    }
}
