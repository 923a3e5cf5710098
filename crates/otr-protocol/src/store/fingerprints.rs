//! The fingerprint file: whose key has been seen, and how far it is trusted.
//!
//! One line each: `user \t account \t protocol \t 40 hex digits [\t trust] \n`. Bytes, not UTF-8.

use super::lines::{before_end, fits_field, hex, read_lines, split_tab, write_line};
use super::{Lines, Written};
use crate::buffer::OutOfMemory;

/// A line of the file. No field contains a NUL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The correspondent.
    pub username: &'a [u8],
    /// Our account.
    pub accountname: &'a [u8],
    /// Its protocol.
    pub protocol: &'a [u8],
    /// The SHA-1 of the correspondent's public key.
    pub fingerprint: [u8; 20],
    /// How it was verified: `None` if the line has no such field (in old files), empty if not verified.
    pub trust: Option<&'a [u8]>,
}

/// Reads a file, in order. Invalid lines are skipped, as are lines without a line end.
pub fn parse(file: &[u8]) -> Result<Vec<Line<'_>>, OutOfMemory> {
    Ok(read(file)?.entries)
}

/// As [`parse`]; also returns whether any line other than empty ones and comments was skipped.
pub fn read(file: &[u8]) -> Result<Lines<Line<'_>>, OutOfMemory> {
    read_lines(file, parse_line)
}

fn parse_line(line: &[u8]) -> Option<Line<'_>> {
    let (username, rest) = split_tab(line)?;
    let (accountname, rest) = split_tab(rest)?;
    let (protocol, rest) = split_tab(rest)?;
    let (hex, trust) = match split_tab(rest) {
        Some((hex, trust)) => (hex, Some(before_end(trust)?)),
        None => (before_end(rest)?, None),
    };
    let hex: &[u8; 40] = hex.try_into().ok()?;
    let mut fingerprint = [0; 20];
    for (byte, digits) in fingerprint.iter_mut().zip(hex.chunks_exact(2)) {
        *byte = digits
            .iter()
            .fold(0, |byte, digit| byte << 4 | hex_digit(*digit));
    }
    Some(Line {
        username,
        accountname,
        protocol,
        fingerprint,
        trust,
    })
}

/// Lenient: anything but a hex digit counts as 0.
fn hex_digit(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    }
}

/// The contents of a file with these lines, in order. A trust of `None` is written as an empty one.
///
/// Lines are left out if a name contains a tab or newline, or if they are longer than the 999 bytes that readers read at once:
/// the rest would be read as another line, so a chosen name could add a trusted fingerprint. A trust is cut at its first line
/// break, as every reader does.
pub fn write<'a>(lines: impl IntoIterator<Item = Line<'a>>) -> Result<Written, OutOfMemory> {
    let mut written = Written::default();
    for line in lines {
        let names = [line.username, line.accountname, line.protocol];
        if !names.iter().all(|name| fits_field(name)) {
            written.left_out += 1;
            continue;
        }
        let [user, account, protocol] = names;
        let digits = line.fingerprint.map(hex);
        let trust = line.trust.unwrap_or_default();
        let trust = trust
            .split(|byte| matches!(byte, b'\r' | b'\n' | 0))
            .next()
            .unwrap_or_default();
        let (tab, digits) = (b"\t".as_slice(), digits.as_flattened());
        let parts = [user, tab, account, tab, protocol, tab, digits, tab, trust];
        write_line(&mut written, &parts)?;
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::super::lines::MAX_LINE;
    use super::*;
    use proptest::prelude::*;

    const HEX: &[u8] = b"0123456789abcdef0123456789ABCDEF01234567";
    const BYTES: [u8; 20] = [
        0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd,
        0xef, 0x01, 0x23, 0x45, 0x67,
    ];

    fn line<'a>(username: &'a [u8], trust: Option<&'a [u8]>) -> Line<'a> {
        Line {
            username,
            accountname: b"me",
            protocol: b"prpl-jabber",
            fingerprint: BYTES,
            trust,
        }
    }

    fn parse(file: &[u8]) -> Vec<Line<'_>> {
        super::parse(file).unwrap()
    }

    fn write<'a>(lines: &[Line<'a>]) -> Written {
        super::write(lines.iter().copied()).unwrap()
    }

    fn text(end: &[u8]) -> Vec<u8> {
        [b"bob\tme\tprpl-jabber\t", HEX, end].concat()
    }

    #[test]
    fn trust_may_lack_be_empty_or_hold_tabs() {
        assert_eq!(parse(&text(b"\n")), [line(b"bob", None)]);
        assert_eq!(parse(&text(b"\t\n")), [line(b"bob", Some(b""))]);
        assert_eq!(parse(&text(b"\tsmp\n")), [line(b"bob", Some(b"smp"))]);
        assert_eq!(parse(&text(b"\ta\tb\n")), [line(b"bob", Some(b"a\tb"))]);
    }

    #[test]
    fn a_line_ends_at_cr_or_lf_and_must_end() {
        assert_eq!(parse(&text(b"\r\n")), [line(b"bob", None)]);
        assert_eq!(parse(&text(b"\r")), [line(b"bob", None)]);
        assert_eq!(parse(&text(b"\tsmp\rrest\n")), [line(b"bob", Some(b"smp"))]);
        assert_eq!(parse(&text(b"")), []);
        assert_eq!(parse(&text(b"\tsmp")), []);
        assert_eq!(parse(&text(b"\0\n")), [], "a NUL hides the end");
    }

    #[test]
    fn broken_lines_do_not_hide_good_ones() {
        let mut file = b"# note\nx\ty\n\n".to_vec();
        file.extend(text(b"0\n"));
        file.extend(text(b"\tyes\n"));
        file.extend(b"bob\tme\tprpl-jabber\t0123\n");
        assert_eq!(parse(&file), [line(b"bob", Some(b"yes"))]);
    }

    #[test]
    fn unknown_hex_digits_count_as_zero() {
        let file = [b"\t\t\t", &[b'z'; 40][..], b"\n"].concat();
        let lines = parse(&file);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].fingerprint, [0; 20]);
        assert!(lines[0].username.is_empty());
    }

    #[test]
    fn the_rest_of_a_long_line_is_a_line() {
        let mut file = vec![b'x'; 999];
        file.extend(text(b"\n"));
        assert_eq!(parse(&file), [line(b"bob", None)]);
    }

    #[test]
    fn nothing_is_written_that_forges_a_line() {
        let long = [&[b'x'; 999][..], b"bob"].concat();
        for name in [&b"a\tb"[..], b"a\nb", b"a\0b", &long] {
            let lines = [line(name, None), line(b"bob", Some(b"smp"))];
            let written = write(&lines);
            assert_eq!(written.left_out, 1);
            assert_eq!(parse(&written.bytes), [line(b"bob", Some(b"smp"))]);
        }
        let written = write(&[line(b"bob", Some(b"smp\neve\tme\tp\t"))]);
        assert_eq!(parse(&written.bytes), [line(b"bob", Some(b"smp"))]);
    }

    #[test]
    fn the_longest_line_is_read_back() {
        let room = MAX_LINE - text(b"\t\n").len() + 3;
        let name = vec![b'x'; room + 1];
        let longest = line(&name[1..], Some(b""));
        let written = write(&[longest]);
        assert_eq!((written.bytes.len(), written.left_out), (MAX_LINE, 0));
        assert_eq!(parse(&written.bytes), [longest]);
        let written = write(&[line(&name, Some(b""))]);
        assert_eq!((written.bytes.len(), written.left_out), (0, 1));
    }

    /// Written and read by libotr 4.1.1: see tests/data/store/README.md.
    #[test]
    fn writes_the_bytes_of_libotr() {
        let file = include_bytes!("../../../../tests/data/store/fingerprints");
        let lines = parse(file);
        assert_eq!(lines.len(), 8);
        let written = write(&lines);
        assert_eq!(written.left_out, 0);
        assert_eq!(written.bytes, file);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            fields in prop::collection::vec((
                prop::array::uniform3("[^\\t\\n\\x00]{0,60}"), any::<[u8; 20]>(), "[^\\r\\n\\x00]{0,60}",
            ), 0..6)
        ) {
            let lines: Vec<Line> = fields
                .iter()
                .map(|([username, accountname, protocol], fingerprint, trust)| Line {
                    username: username.as_bytes(),
                    accountname: accountname.as_bytes(),
                    protocol: protocol.as_bytes(),
                    fingerprint: *fingerprint,
                    trust: Some(trust.as_bytes()),
                })
                .collect();
            let written = write(&lines);
            prop_assert_eq!(written.left_out, 0);
            prop_assert_eq!(parse(&written.bytes), lines);
        }

        #[test]
        fn any_bytes_can_be_read(file in any::<Vec<u8>>()) {
            let lines = parse(&file);
            prop_assert_eq!(write(&lines).left_out, 0);
        }
    }
}
