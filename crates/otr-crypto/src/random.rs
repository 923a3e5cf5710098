//! Random numbers, each requested from the operating system.
//!
//! Nothing is kept between requests: clients fork and continue in the child, and two processes must never share a stream.

use std::fmt;

/// The operating system gave no randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomError;

impl fmt::Display for RandomError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the operating system gave no randomness")
    }
}

impl std::error::Error for RandomError {}

/// Fills the whole buffer with random bytes. After an error its contents are undefined.
pub fn fill(buffer: &mut [u8]) -> Result<(), RandomError> {
    let outcome = getrandom::fill(buffer).map_err(|_| RandomError);
    // In the library that tests/robustness builds to test panics, a failure is a panic.
    #[cfg(otr_panics)]
    assert!(outcome.is_ok(), "as the test demands");
    outcome
}

/// `N` random bytes.
pub fn bytes<const N: usize>() -> Result<[u8; N], RandomError> {
    let mut buffer = [0; N];
    fill(&mut buffer)?;
    Ok(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_differ_and_fill_to_the_end() {
        let a: [u8; 64] = bytes().unwrap();
        let b: [u8; 64] = bytes().unwrap();
        assert_ne!(a, b);
        // 64 draws of one byte at the end: all zero with probability 2^-512.
        let last = (0..64).map(|_| bytes::<33>().unwrap()[32]);
        assert!(last.into_iter().any(|byte| byte != 0));
    }

    #[test]
    fn the_error_says_what_is_missing() {
        assert!(RandomError.to_string().contains("randomness"));
    }

    #[test]
    fn an_empty_buffer_is_filled() {
        assert_eq!(fill(&mut []), Ok(()));
    }
}
