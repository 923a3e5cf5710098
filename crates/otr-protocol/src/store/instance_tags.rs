//! The instance tag file: which tag each of our accounts has on this machine.
//!
//! A comment, then one line each: `account \t protocol \t 8 hex digits \n`.

use super::lines::{before_end, fits_field, hex, read_lines, split_tab, write_line};
use super::{Lines, Written};
use crate::buffer::{self, OutOfMemory};

/// The first line of every file. Clients and people see it; readers skip it because it has no tab.
const WARNING: &[u8] = b"# WARNING! You shouldn't copy this file to another computer. \
It is unnecessary and can cause problems.\n";

/// The smallest valid tag.
const MIN_VALID: u32 = 0x100;

/// A line of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Our account.
    pub accountname: &'a [u8],
    /// Its protocol.
    pub protocol: &'a [u8],
    /// Its tag; at least 0x100 when it was read.
    pub tag: u32,
}

/// Reads a file, in order. Invalid lines, and tags below 0x100, are skipped.
pub fn parse(file: &[u8]) -> Result<Vec<Line<'_>>, OutOfMemory> {
    Ok(read(file)?.entries)
}

/// As [`parse`]; also returns whether any line other than empty ones and comments was skipped.
pub fn read(file: &[u8]) -> Result<Lines<Line<'_>>, OutOfMemory> {
    read_lines(file, parse_line)
}

fn parse_line(line: &[u8]) -> Option<Line<'_>> {
    let (accountname, rest) = split_tab(line)?;
    let (protocol, rest) = split_tab(rest)?;
    let tag = scan_hex(before_end(rest)?.try_into().ok()?);
    (tag >= MIN_VALID).then_some(Line {
        accountname,
        protocol,
        tag,
    })
}

/// The number that C's `sscanf("%08x")` finds in these eight bytes, 0 if none: white space, a sign and 0x may come first, and
/// anything after the digits.
fn scan_hex(text: &[u8; 8]) -> u32 {
    let text = text.as_slice();
    let digits = text
        .iter()
        .position(|byte| !matches!(byte, b' ' | 0x09..=0x0d))
        .and_then(|start| text.get(start..))
        .unwrap_or_default();
    let (negative, digits) = match digits.split_first() {
        Some((b'-', digits)) => (true, digits),
        Some((b'+', digits)) => (false, digits),
        _ => (false, digits),
    };
    let digits = match digits {
        [b'0', b'x' | b'X', digits @ ..] => digits,
        _ => digits,
    };
    let value = digits
        .iter()
        .map_while(|&digit| char::from(digit).to_digit(16))
        .fold(0_u32, |value, digit| value << 4 | digit);
    if negative {
        value.wrapping_neg()
    } else {
        value
    }
}

/// The contents of a file with these lines, in order.
///
/// Lines that no reader could read back, and that could damage others, are left out: those with a tab or newline in a name, or
/// with more than 999 bytes.
pub fn write<'a>(lines: impl IntoIterator<Item = Line<'a>>) -> Result<Written, OutOfMemory> {
    let mut written = Written {
        bytes: buffer::bounded(WARNING),
        left_out: 0,
    };
    for line in lines {
        if !fits_field(line.accountname) || !fits_field(line.protocol) {
            written.left_out += 1;
            continue;
        }
        let (tab, digits) = (b"\t".as_slice(), line.tag.to_be_bytes().map(hex));
        let parts = [
            line.accountname,
            tab,
            line.protocol,
            tab,
            digits.as_flattened(),
        ];
        write_line(&mut written, &parts)?;
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(file: &[u8]) -> Vec<Line<'_>> {
        super::parse(file).unwrap()
    }

    fn write<'a>(lines: &[Line<'a>]) -> Written {
        super::write(lines.iter().copied()).unwrap()
    }

    fn tags(field: &[u8]) -> Vec<u32> {
        let file = [b"me\tprpl-jabber\t", field].concat();
        parse(&file).iter().map(|line| line.tag).collect()
    }

    /// Each answer is what libotr 4.1.1 with glibc gives.
    #[test]
    fn tags_are_scanned_as_by_c() {
        for (field, tag) in [
            (&b"0000beef\n"[..], 0xbeef),
            (b"DEADbeef\r\n", 0xdead_beef),
            (b"00000100\n", 0x100),
            (b"ffffffff\n", 0xffff_ffff),
            (b"0x12aB34\n", 0x12_ab34),
            (b"0X12aB34\n", 0x12_ab34),
            (b"    1234\n", 0x1234),
            (b"\t1234567\n", 0x123_4567),
            (b"+1234567\n", 0x123_4567),
            (b"-0000001\n", 0xffff_ffff),
            (b"-0x00001\n", 0xffff_ffff),
            (b"1234wxyz\n", 0x1234),
        ] {
            assert_eq!(tags(field), [tag], "{:?}", String::from_utf8_lossy(field));
        }
        for field in [
            &b"000000ff\n"[..],
            b"beef\n",
            b"00000beef\n",
            b"0000beef",
            b"0000beef\t\n",
            b"0000bee\0\n",
            b"0x      \n",
            b"xyz00000\n",
            b"- 123456\n",
            b"        \n",
        ] {
            assert_eq!(tags(field), [], "{:?}", String::from_utf8_lossy(field));
        }
    }

    /// Written by libotr 4.1.1: see tests/data/store/README.md.
    #[test]
    fn writes_the_bytes_of_libotr() {
        let file = include_bytes!("../../../../tests/data/store/instance_tags");
        let lines = parse(file);
        assert_eq!(lines.len(), 5);
        let written = write(&lines);
        assert_eq!(written.left_out, 0);
        assert_eq!(written.bytes, file);
    }

    #[test]
    fn nothing_is_written_that_forges_a_line() {
        fn line(accountname: &[u8]) -> Line<'_> {
            Line {
                accountname,
                protocol: b"irc",
                tag: 0x1234,
            }
        }
        let long = [b'x'; 999 - 13];
        for name in [&b"a\tb"[..], b"a\nb", b"a\0b", &[b'x'; 999 - 13]] {
            let written = write(&[line(name), line(b"ok"), line(&long[1..])]);
            assert_eq!(written.left_out, 1);
            assert_eq!(parse(&written.bytes), [line(b"ok"), line(&long[1..])]);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            fields in prop::collection::vec(("[^\\t\\n\\x00]{0,90}", "[^\\t\\n\\x00]{0,90}", MIN_VALID..), 0..6)
        ) {
            let lines: Vec<Line> = fields
                .iter()
                .map(|(accountname, protocol, tag)| Line {
                    accountname: accountname.as_bytes(),
                    protocol: protocol.as_bytes(),
                    tag: *tag,
                })
                .collect();
            let written = write(&lines);
            prop_assert_eq!(written.left_out, 0);
            prop_assert_eq!(parse(&written.bytes), lines);
        }

        #[test]
        fn any_bytes_can_be_read(file in any::<Vec<u8>>()) {
            prop_assert_eq!(write(&parse(&file)).left_out, 0);
        }
    }
}
