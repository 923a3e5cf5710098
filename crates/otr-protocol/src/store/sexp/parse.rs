//! Reading: bytes to the flat list of items, with libgcrypt's tolerance and its error numbers.

use super::{Item, MAX_ATOM};
use crate::buffer::{self, OutOfMemory};
use std::fmt;
use zeroize::Zeroizing;

/// The deepest nesting of lists that is read. A private key file has five levels; the printed form indents by depth, so
/// unbounded depth would make it quadratic.
pub const MAX_DEPTH: usize = 128;

/// Why bytes are not an S-expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyntaxError {
    /// There are no bytes at all.
    Empty,
    /// Lists are nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// A length is followed by something that has no length.
    InvalidLength,
    /// An atom is longer than the input or than [`MAX_ATOM`].
    StringTooLong,
    /// A closing parenthesis without an opening one, or the other way round.
    UnmatchedParenthesis,
    /// A byte that cannot start anything, or is not base64 between `|` and `|`.
    BadCharacter,
    /// An escape sequence that does not exist.
    BadQuotation,
    /// A length that starts with 0.
    ZeroPrefix,
    /// A display hint in a display hint.
    NestedHint,
    /// A display hint that is not closed before its list ends, or not opened.
    UnmatchedHint,
    /// Punctuation that is reserved.
    UnexpectedPunctuation,
    /// A byte between `#` and `#` that is not a hex digit.
    BadHexCharacter,
    /// An odd number of hex digits.
    OddHexNumbers,
    /// `||`: libgcrypt allocates 0 bytes, gets NULL, and reports that.
    EmptyBase64,
    /// There is no memory for it.
    OutOfMemory,
}

impl SyntaxError {
    /// The code of libgpg-error for this (a `gpg_err_code_t`, without a source).
    pub fn code(self) -> u32 {
        match self {
            SyntaxError::Empty => 45,
            SyntaxError::TooDeep => 67,
            SyntaxError::InvalidLength => 201,
            SyntaxError::StringTooLong => 202,
            SyntaxError::UnmatchedParenthesis => 203,
            SyntaxError::BadCharacter => 205,
            SyntaxError::BadQuotation => 206,
            SyntaxError::ZeroPrefix => 207,
            SyntaxError::NestedHint => 208,
            SyntaxError::UnmatchedHint => 209,
            SyntaxError::UnexpectedPunctuation => 210,
            SyntaxError::BadHexCharacter => 211,
            SyntaxError::OddHexNumbers => 212,
            // libgpg-error's code for EINVAL.
            SyntaxError::EmptyBase64 => 32_816,
            // ENOMEM, likewise.
            SyntaxError::OutOfMemory => 32_854,
        }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SyntaxError::Empty => "nothing to read",
            SyntaxError::TooDeep => "lists are nested too deeply",
            SyntaxError::InvalidLength => "a length without a string",
            SyntaxError::StringTooLong => "a string is too long",
            SyntaxError::UnmatchedParenthesis => "unmatched parenthesis",
            SyntaxError::BadCharacter => "a character that has no place here",
            SyntaxError::BadQuotation => "an unknown escape in a quoted string",
            SyntaxError::ZeroPrefix => "a length that starts with zero",
            SyntaxError::NestedHint => "a display hint in a display hint",
            SyntaxError::UnmatchedHint => "unmatched display hint",
            SyntaxError::UnexpectedPunctuation => "reserved punctuation",
            SyntaxError::BadHexCharacter => "a character that is no hex digit",
            SyntaxError::OddHexNumbers => "an odd number of hex digits",
            SyntaxError::EmptyBase64 => "empty base64",
            SyntaxError::OutOfMemory => "there is no memory",
        })
    }
}

impl std::error::Error for SyntaxError {}

impl From<OutOfMemory> for SyntaxError {
    fn from(_: OutOfMemory) -> Self {
        SyntaxError::OutOfMemory
    }
}

/// Bytes of an atom; `None` if the input ends inside it, which is an error only in an open list.
type Atom = Option<Zeroizing<Vec<u8>>>;

/// Reads the whole input into its items.
pub(super) fn parse(input: &[u8]) -> Result<Vec<Item>, SyntaxError> {
    if input.is_empty() {
        return Err(SyntaxError::Empty);
    }
    let mut reader = Reader { rest: input };
    let mut items = Vec::new();
    let mut depth = 0_usize;
    let mut in_hint = false;
    while let Some(byte) = reader.next() {
        let atom = match byte {
            b'(' | b')' if in_hint => return Err(SyntaxError::UnmatchedHint),
            b'(' => {
                if depth == MAX_DEPTH {
                    return Err(SyntaxError::TooDeep);
                }
                depth += 1;
                buffer::push(&mut items, Item::Open)?;
                continue;
            }
            b')' => {
                depth = depth
                    .checked_sub(1)
                    .ok_or(SyntaxError::UnmatchedParenthesis)?;
                buffer::push(&mut items, Item::Close)?;
                continue;
            }
            b'[' if in_hint => return Err(SyntaxError::NestedHint),
            b']' if !in_hint => return Err(SyntaxError::UnmatchedHint),
            b'[' | b']' => {
                in_hint = byte == b'[';
                continue;
            }
            _ if is_space(byte) => continue,
            b'"' => reader.quoted()?,
            b'#' => reader.hex()?,
            b'|' => reader.base64()?,
            b'0' => return Err(SyntaxError::ZeroPrefix),
            b'1'..=b'9' => reader.with_length(byte)?,
            _ if is_token(byte) => reader.token(byte)?,
            b'{' | b'&' | b'\\' => return Err(SyntaxError::UnexpectedPunctuation),
            _ => return Err(SyntaxError::BadCharacter),
        };
        let Some(atom) = atom else { break };
        if atom.len() > MAX_ATOM {
            return Err(SyntaxError::StringTooLong);
        }
        buffer::push(&mut items, Item::Atom(atom))?;
    }
    if depth > 0 {
        return Err(SyntaxError::UnmatchedParenthesis);
    }
    Ok(items)
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    /// Takes the next byte if it is this one.
    fn skip_if(&mut self, byte: u8) {
        if let Some(rest) = self.rest.strip_prefix(&[byte]) {
            self.rest = rest;
        }
    }

    /// Takes everything before the first byte for which `ends` is true, and that byte. `None` if there is none: then all is
    /// taken.
    fn until(&mut self, ends: impl Fn(u8) -> bool) -> Option<(&'a [u8], u8)> {
        let whole = std::mem::take(&mut self.rest);
        let end = whole.iter().position(|&byte| ends(byte))?;
        let (taken, rest) = whole.split_at_checked(end)?;
        self.rest = rest;
        Some((taken, self.next()?))
    }

    /// A token whose first byte is already taken. It must not be cut off by the end of the input.
    fn token(&mut self, first: u8) -> Result<Atom, OutOfMemory> {
        let length = self.rest.iter().position(|&byte| !is_token(byte));
        let Some((token, rest)) = length.and_then(|length| self.rest.split_at_checked(length))
        else {
            self.rest = &[];
            return Ok(None);
        };
        self.rest = rest;
        let atom = buffer::concat(&[&[first], token])?;
        Ok(Some(Zeroizing::new(atom)))
    }

    /// A length whose first digit is already taken, and its string. Only the verbatim form uses the length, as in libgcrypt.
    fn with_length(&mut self, first: u8) -> Result<Atom, SyntaxError> {
        let Some((digits, end)) = self.until(|byte| !byte.is_ascii_digit()) else {
            return Ok(None);
        };
        match end {
            b':' => {
                let length = std::iter::once(&first)
                    .chain(digits)
                    .try_fold(0_usize, |length, digit| {
                        length
                            .checked_mul(10)?
                            .checked_add(usize::from(digit - b'0'))
                    })
                    .ok_or(SyntaxError::StringTooLong)?;
                let (atom, rest) = self
                    .rest
                    .split_at_checked(length)
                    .ok_or(SyntaxError::StringTooLong)?;
                self.rest = rest;
                // Not copied before its size is checked.
                if atom.len() > MAX_ATOM {
                    return Err(SyntaxError::StringTooLong);
                }
                Ok(Some(Zeroizing::new(buffer::copy(atom)?)))
            }
            b'"' => self.quoted(),
            b'#' => self.hex(),
            b'|' => self.base64(),
            _ => Err(SyntaxError::InvalidLength),
        }
    }

    /// A quoted string after its opening quote.
    fn quoted(&mut self) -> Result<Atom, SyntaxError> {
        // Escapes only get shorter, so this never grows and leaves no copy of a secret behind.
        let mut after_backslash = false;
        let length = self.rest.iter().take_while(|&&byte| {
            let ends = byte == b'"' && !after_backslash;
            after_backslash = byte == b'\\' && !after_backslash;
            !ends
        });
        let length = length.count().min(MAX_ATOM + 1);
        let mut atom = Zeroizing::new(buffer::with_capacity(length)?);
        while let Some(byte) = self.next() {
            match byte {
                b'"' => return Ok(Some(atom)),
                b'\\' => match self.next() {
                    Some(escape) => {
                        if let Some(byte) = self.escaped(escape)? {
                            push(&mut atom, byte);
                        }
                    }
                    None => return Ok(None),
                },
                _ => push(&mut atom, byte),
            }
        }
        Ok(None)
    }

    /// The byte of an escape sequence, after its backslash; `None` for a line continuation.
    fn escaped(&mut self, escape: u8) -> Result<Option<u8>, SyntaxError> {
        let byte = match escape {
            b'b' => 0x08,
            b't' => b'\t',
            b'v' => 0x0b,
            b'n' => b'\n',
            b'f' => 0x0c,
            b'r' => b'\r',
            b'"' | b'\'' | b'\\' => escape,
            b'\r' => {
                self.skip_if(b'\n');
                return Ok(None);
            }
            b'\n' => {
                self.skip_if(b'\r');
                return Ok(None);
            }
            b'x' => {
                let digits = self.two(nibble).ok_or(SyntaxError::BadQuotation)?;
                digits.0 << 4 | digits.1
            }
            b'0'..=b'7' => {
                let octal = |byte: u8| matches!(byte, b'0'..=b'7').then(|| byte & 7);
                let digits = self.two(octal).ok_or(SyntaxError::BadQuotation)?;
                // Three octal digits hold nine bits; the first is lost, as in libgcrypt.
                escape << 6 | digits.0 << 3 | digits.1
            }
            _ => return Err(SyntaxError::BadQuotation),
        };
        Ok(Some(byte))
    }

    /// The values of two digits.
    fn two(&mut self, value: impl Fn(u8) -> Option<u8>) -> Option<(u8, u8)> {
        let (&[first, second], rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some((value(first)?, value(second)?))
    }

    /// Hex digits after the opening `#`; white space is allowed anywhere.
    fn hex(&mut self) -> Result<Atom, SyntaxError> {
        let end = self.rest.iter().position(|&byte| byte == b'#');
        let digits = end.unwrap_or(self.rest.len());
        let length = digits.div_ceil(2).min(MAX_ATOM + 1);
        let mut atom = Zeroizing::new(buffer::with_capacity(length)?);
        // Pairs of digits as long as there is nothing between them.
        while let [first, second, rest @ ..] = self.rest {
            let (Some(first), Some(second)) = (nibble(*first), nibble(*second)) else {
                break;
            };
            push(&mut atom, first << 4 | second);
            self.rest = rest;
        }
        let mut high = None;
        while let Some(byte) = self.next() {
            if byte == b'#' {
                return match high {
                    None => Ok(Some(atom)),
                    Some(_) => Err(SyntaxError::OddHexNumbers),
                };
            }
            if is_space(byte) {
                continue;
            }
            let digit = nibble(byte).ok_or(SyntaxError::BadHexCharacter)?;
            match high.take() {
                None => high = Some(digit),
                Some(first) => push(&mut atom, first << 4 | digit),
            }
        }
        Ok(None)
    }

    /// Base64 after the opening `|`, without white space. As in libgpg-error's decoder the first `=` ends the data, leftover
    /// bits are dropped, and a single digit before `=` still counts as a byte.
    fn base64(&mut self) -> Result<Atom, SyntaxError> {
        let Some((text, end)) = self.until(|byte| base64_digit(byte).is_none() && byte != b'=')
        else {
            return Ok(None);
        };
        if end != b'|' {
            return Err(SyntaxError::BadCharacter);
        }
        if text.is_empty() {
            return Err(SyntaxError::EmptyBase64);
        }
        let mut digits = text.split(|&byte| byte == b'=');
        let data = digits.next().unwrap_or_default();
        let padded = digits.next().is_some();
        let length = (data.len() / 4 * 3 + 3).min(MAX_ATOM + 1);
        let mut atom = Zeroizing::new(buffer::with_capacity(length)?);
        for quad in data.chunks(4) {
            let bits = quad
                .iter()
                .filter_map(|&byte| base64_digit(byte))
                .fold(0_u32, |bits, digit| bits << 6 | u32::from(digit));
            let bits = bits << (6 * (4 - quad.len()));
            let whole = match quad.len() {
                1 => usize::from(padded),
                length => length - 1,
            };
            for &byte in bits.to_be_bytes().iter().skip(1).take(whole) {
                push(&mut atom, byte);
            }
        }
        Ok(Some(atom))
    }
}

/// Adds a byte unless the atom is already too long, which the caller checks by the length.
fn push(atom: &mut Vec<u8>, byte: u8) {
    if atom.len() <= MAX_ATOM {
        atom.push(byte);
    }
}

/// White space between atoms.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | 0x0b | 0x0c | b'\r' | b'\n')
}

/// Bytes of tokens. For libgcrypt NUL is one of them, because it finds the end of the C string that it searches.
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            0 | b'-' | b'.' | b'/' | b'_' | b':' | b'*' | b'+' | b'='
        )
}

/// The value of a hex digit. No branch distinguishes digits and letters, because most of them are those of a private key.
fn nibble(byte: u8) -> Option<u8> {
    let is_letter = byte >> 6;
    byte.is_ascii_hexdigit()
        .then_some((byte & 0xf) + 9 * is_letter)
}

fn base64_digit(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64_simd::STANDARD;

    #[test]
    fn every_byte_that_is_a_hex_digit_has_its_value() {
        for byte in 0..=u8::MAX {
            let expected = char::from(byte).to_digit(16);
            assert_eq!(nibble(byte).map(u32::from), expected, "{byte}");
        }
    }

    /// A buffer that grows leaves a copy of the secret in it behind.
    #[test]
    fn there_is_room_for_a_secret_before_it_is_read() {
        let quoted = br#"abc\"defghij123456\\" and "more""#;
        let atom = Reader { rest: quoted }.quoted().unwrap().unwrap();
        assert_eq!(*atom, br#"abc"defghij123456\"#);
        assert_eq!(atom.capacity(), 20);
        let hex = b"00112233445566778899aabbccddeeff00112233# #00#";
        let atom = Reader { rest: hex }.hex().unwrap().unwrap();
        assert_eq!((atom.len(), atom.capacity()), (20, 20));
    }

    #[test]
    fn every_digit_of_base64_counts() {
        let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let text = [digits, &b"|"[..]].concat();
        let atom = Reader { rest: &text }.base64().unwrap().unwrap();
        assert_eq!(*atom, STANDARD.decode_to_vec(digits).unwrap());
    }

    #[test]
    fn an_error_says_what_is_wrong() {
        let said = SyntaxError::OddHexNumbers.to_string();
        assert_eq!(said, "an odd number of hex digits");
    }
}
