//! Arguments as the six programs of libotr read them.

use crate::program::Failure;

/// The bytes that an argument of hexadecimal digits stands for.
///
/// # Errors
/// An odd number of digits, or something else among them.
pub fn hex(argument: &[u8]) -> Result<Vec<u8>, Failure> {
    let complain = |before: &[u8], after: &[u8]| {
        Err(Failure::Usage(
            [before, b" ``", argument, b"''", after, b".\n"].concat(),
        ))
    };
    let pairs = argument.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return complain(b"Argument", b" must have even length");
    }
    let bytes: Option<Vec<u8>> = pairs
        .map(|pair| {
            let mut digits = pair.iter();
            digits.try_fold(0, |byte, character| Some(byte << 4 | digit(*character)?))
        })
        .collect();
    match bytes {
        Some(bytes) => Ok(bytes),
        None => complain(b"Illegal hex char in argument", b""),
    }
}

fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        b'A'..=b'F' => Some(character - b'A' + 10),
        _ => None,
    }
}

/// As [`hex`], of so many bytes. `name` stands at the start of the sentence that says so.
///
/// # Errors
/// Those of [`hex`], and another length.
pub fn hex_array<const N: usize>(argument: &[u8], name: &str) -> Result<[u8; N], Failure> {
    hex(argument)?
        .try_into()
        .map_err(|_| Failure::usage(&format!("The {name} must be {} hex chars long.", 2 * N)))
}

/// A decimal number as `sscanf` with "%u" or "%d" reads one on a machine whose `long` has 64 bits: white space and a sign may
/// come first and anything behind the digits, and of a number that is too long the lowest 32 bits of the greatest one count.
///
/// # Errors
/// No digits.
pub fn decimal(argument: &[u8], kind: Decimal, name: &str) -> Result<u32, Failure> {
    // White space of C has the vertical tab as well, which `trim_ascii_start` leaves.
    let text = argument
        .iter()
        .position(|byte| !matches!(byte, b' ' | 0x09..=0x0d))
        .and_then(|start| argument.get(start..))
        .unwrap_or_default();
    let (negative, digits) = match text.split_first() {
        Some((b'-', digits)) => (true, digits),
        Some((b'+', digits)) => (false, digits),
        _ => (false, text),
    };
    let end = digits
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(digits.len());
    let digits = digits.get(..end).unwrap_or_default();
    if digits.is_empty() {
        return Err(Failure::usage(&format!("Unparseable {name} given.")));
    }
    let magnitude = digits.iter().fold(0_u128, |value, digit| {
        (value * 10 + u128::from(digit - b'0')).min(1 << 64)
    });
    let lowest = |value: u128| u32::try_from(value & 0xffff_ffff).unwrap_or(u32::MAX);
    Ok(match kind {
        Decimal::Unsigned if magnitude > u128::from(u64::MAX) => u32::MAX,
        Decimal::Signed if negative && magnitude > 1 << 63 => 0,
        Decimal::Signed if !negative && magnitude >= 1 << 63 => u32::MAX,
        _ if negative => lowest(magnitude).wrapping_neg(),
        _ => lowest(magnitude),
    })
}

/// Which numbers C's conversion goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decimal {
    /// "%u"
    Unsigned,
    /// "%d"
    Signed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_numbers_as_sscanf_reads_them() {
        use Decimal::{Signed, Unsigned};
        let cases: [(&[u8], Decimal, Option<u32>); 16] = [
            (b"0", Unsigned, Some(0)),
            (b"12abc", Unsigned, Some(12)),
            (b" \t\x0b\n+7", Unsigned, Some(7)),
            (b"-1", Unsigned, Some(u32::MAX)),
            (b"4294967297", Unsigned, Some(1)),
            (b"18446744073709551615", Unsigned, Some(u32::MAX)),
            (b"18446744073709551617", Unsigned, Some(u32::MAX)),
            (b"-18446744073709551617", Unsigned, Some(u32::MAX)),
            (b"9223372036854775808", Signed, Some(u32::MAX)),
            (b"-9223372036854775809", Signed, Some(0)),
            (b"-2", Signed, Some(u32::MAX - 1)),
            (b"", Unsigned, None),
            (b" ", Unsigned, None),
            (b"-", Unsigned, None),
            (b"+-1", Unsigned, None),
            (b"- 1", Unsigned, None),
        ];
        for (text, kind, expected) in cases {
            let found = decimal(text, kind, "number").ok();
            assert_eq!(found, expected, "{}", text.escape_ascii());
        }
    }
}
