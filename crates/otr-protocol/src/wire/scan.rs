//! The part of C's `sscanf` that decides which fragments are understood.
//!
//! Other implementations write fragment headers in their own ways (fewer zeros, blanks, signs), and libotr has always read
//! them with `sscanf`, so peers may send whatever that accepts.

use super::search::find_byte;

/// Reads from the front of a text; after a failed read the position is unspecified.
#[derive(Clone, Debug)]
pub(super) struct Scanner<'a> {
    rest: &'a [u8],
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(text: &'a [u8]) -> Self {
        Self { rest: text }
    }

    /// Exactly these bytes.
    pub(super) fn literal(&mut self, bytes: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(bytes)?;
        Some(())
    }

    /// `%hu`: the decimal number modulo 2^16.
    pub(super) fn short(&mut self) -> Option<u16> {
        let [.., high, low] = self.number::<10>()?.to_be_bytes();
        Some(u16::from_be_bytes([high, low]))
    }

    /// `%x`: the hexadecimal number modulo 2^32, with or without "0x".
    pub(super) fn hex(&mut self) -> Option<u32> {
        if let Some((value, rest)) = eight_digits(self.rest) {
            self.rest = rest;
            return Some(value);
        }
        let [.., a, b, c, d] = self.number::<16>()?.to_be_bytes();
        Some(u32::from_be_bytes([a, b, c, d]))
    }

    /// `%[^,]`: one or more bytes up to a comma or the end.
    pub(super) fn until_comma(&mut self) -> Option<&'a [u8]> {
        let length = find_byte(self.rest, b',').unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(length).filter(|_| length > 0)?;
        self.rest = rest;
        Some(taken)
    }

    /// As `strtoul` on a 64-bit machine: blanks, a sign, digits; a number that is too large becomes the largest one whatever
    /// its sign, and a minus negates modulo 2^64.
    fn number<const RADIX: u64>(&mut self) -> Option<u64> {
        let blank = |byte: &&u8| matches!(byte, b' ' | b'\t'..=b'\r');
        let blanks = self.rest.iter().take_while(blank).count();
        self.rest = self.rest.get(blanks..)?;

        let negative = match self.rest.split_first()? {
            (b'-', rest) => {
                self.rest = rest;
                true
            }
            (b'+', rest) => {
                self.rest = rest;
                false
            }
            _ => false,
        };

        let mut any = false;
        if let (16, [b'0', b'x' | b'X', rest @ ..]) = (RADIX, self.rest) {
            self.rest = rest;
            any = true; // "0x" with nothing behind it is 0
        }
        let mut value = Some(0_u64);
        while let Some((&byte, rest)) = self.rest.split_first() {
            let digit = u64::from(value_of(byte));
            if digit >= RADIX {
                break;
            }
            value = value
                .and_then(|value| value.checked_mul(RADIX))
                .and_then(|value| value.checked_add(digit));
            self.rest = rest;
            any = true;
        }
        match value {
            _ if !any => None,
            None => Some(u64::MAX),
            Some(value) if negative => Some(value.wrapping_neg()),
            Some(value) => Some(value),
        }
    }
}

/// A number of eight hexadecimal digits and no more, as most senders write instance tags.
fn eight_digits(text: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = text.split_first_chunk::<8>()?;
    let (mut value, mut invalid) = (0, 0);
    for &digit in digits {
        let digit = value_of(digit);
        invalid |= digit;
        value = value << 4 | u32::from(digit & 0xf);
    }
    let goes_on = rest.first().is_some_and(u8::is_ascii_hexdigit);
    (invalid < 0x10 && !goes_on).then_some((value, rest))
}

/// The value of a hexadecimal digit; more than 15 if it is none.
fn value_of(digit: u8) -> u8 {
    VALUES.get(usize::from(digit)).copied().unwrap_or(NO_DIGIT)
}

const NO_DIGIT: u8 = 0xff;

static VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut byte = 0;
    // The index is below 256; `get_mut` is not for constants in Rust 1.85.
    #[allow(clippy::indexing_slicing)]
    while byte < 256 {
        if let Some(value) = (byte as u8 as char).to_digit(16) {
            values[byte] = value as u8;
        }
        byte += 1;
    }
    values
};

#[cfg(test)]
mod tests {
    use super::Scanner;

    /// A text, the number read from it and the text that is left.
    type Case<Number> = (&'static [u8], Option<(Number, &'static [u8])>);

    /// The results of glibc 2.36's `sscanf` for `%hu` on a 64-bit machine, and the text that is left.
    #[test]
    fn short_reads_as_sscanf() {
        let cases: [Case<u16>; 23] = [
            (b"1,", Some((1, b","))),
            (b"00001,", Some((1, b","))),
            (b"  \t\n\x0b\x0c\r7,", Some((7, b","))),
            (b"+7,", Some((7, b","))),
            (b"-1,", Some((65535, b","))),
            (b"- 1,", None),
            (b"65535,", Some((65535, b","))),
            (b"65536,", Some((0, b","))),
            (b"65537,", Some((1, b","))),
            (b"-65535,", Some((1, b","))),
            (b"18446744073709551615", Some((65535, b""))),
            (b"18446744073709551616", Some((65535, b""))),
            (b"18446744073709551617", Some((65535, b""))),
            (b"-18446744073709551615", Some((1, b""))),
            (b"-18446744073709551616", Some((65535, b""))),
            (b"-99999999999999999999999999", Some((65535, b""))),
            (b"0x10,", Some((0, b"x10,"))),
            (b"7x,", Some((7, b"x,"))),
            (b"", None),
            (b",", None),
            (b"+,", None),
            (b"--7,", None),
            (b"\xa07,", None),
        ];
        for (text, expected) in cases {
            let mut scanner = Scanner::new(text);
            let read = scanner.short().map(|number| (number, scanner.rest));
            assert_eq!(read, expected, "{}", text.escape_ascii());
        }
    }

    /// The same for `%x`.
    #[test]
    fn hex_reads_as_sscanf() {
        let cases: [Case<u32>; 23] = [
            (b"0|", Some((0, b"|"))),
            (b"0badCAFE|", Some((0x0bad_cafe, b"|"))),
            (b"0badCAFE", Some((0x0bad_cafe, b""))),
            (b"0badCAFE0,", Some((0xbadc_afe0, b","))),
            (b"0badcafg", Some((0x0ba_dcaf, b"g"))),
            (b"12345678 9", Some((0x1234_5678, b" 9"))),
            (b"0x123456|", Some((0x0012_3456, b"|"))),
            (b"00000100|", Some((0x100, b"|"))),
            (b"0x100", Some((0x100, b""))),
            (b"0X1f", Some((0x1f, b""))),
            (b"  -1", Some((u32::MAX, b""))),
            (b"+0xFf", Some((0xff, b""))),
            (b"0x", Some((0, b""))),
            (b"0xg", Some((0, b"g"))),
            (b"x1", None),
            (b"ffffffff", Some((u32::MAX, b""))),
            (b"100000000", Some((0, b""))),
            (b"fffffffffffffffff", Some((u32::MAX, b""))),
            (b"-fffffffffffffffff", Some((u32::MAX, b""))),
            (b"1g", Some((1, b"g"))),
            (b"-", None),
            (b"00x1", Some((0, b"x1"))),
            (b"-0x10", Some((0xffff_fff0, b""))),
        ];
        for (text, expected) in cases {
            let mut scanner = Scanner::new(text);
            let read = scanner.hex().map(|number| (number, scanner.rest));
            assert_eq!(read, expected, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn until_comma_wants_a_byte() {
        let mut scanner = Scanner::new(b"ab,,");
        assert_eq!(scanner.until_comma(), Some(b"ab".as_slice()));
        assert_eq!(scanner.until_comma(), None);
        assert_eq!(scanner.literal(b",,"), Some(()));
        assert_eq!(scanner.until_comma(), None);
        assert_eq!(Scanner::new(b"ab").until_comma(), Some(b"ab".as_slice()));
    }
}
