//! Lines of the two line-based files, as C's `fgets` with 1000 bytes splits them and C's string functions then see them.

use super::{Lines, Written};
use crate::buffer::{self, OutOfMemory};

/// The maximum length of a line, newline included: what `fgets` stores before the NUL.
pub(super) const MAX_LINE: usize = 999;

/// The lines of a file. A longer line is split into pieces of [`MAX_LINE`], each of which counts as a line; a NUL hides the
/// rest of its piece. A newline, if there was one, is included.
pub(super) fn lines(mut file: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let window = file.get(..MAX_LINE).unwrap_or(file);
        let length = match window.iter().position(|&byte| byte == b'\n') {
            Some(newline) => newline + 1,
            None => window.len(),
        };
        let (line, rest) = file.split_at_checked(length)?;
        file = rest;
        (!line.is_empty()).then(|| line.split(|&byte| byte == 0).next().unwrap_or_default())
    })
}

/// The entries of a file, by `parse` of each line.
pub(super) fn read_lines<'a, T>(
    file: &'a [u8],
    parse: impl Fn(&'a [u8]) -> Option<T>,
) -> Result<Lines<T>, OutOfMemory> {
    let mut read = Lines {
        entries: Vec::new(),
        is_whole: !file.contains(&0),
    };
    for line in lines(file) {
        match parse(line) {
            Some(entry) => buffer::push(&mut read.entries, entry)?,
            None => read.is_whole &= matches!(line, [b'#', ..] | b"\n" | b"\r\n"),
        }
    }
    Ok(read)
}

/// The part of a line before its end, which is the first carriage return or else the first newline. `None` without either.
pub(super) fn before_end(line: &[u8]) -> Option<&[u8]> {
    let end = line
        .iter()
        .position(|&byte| byte == b'\r')
        .or_else(|| line.iter().position(|&byte| byte == b'\n'))?;
    line.get(..end)
}

/// Splits at the first tab, which is in neither part.
pub(super) fn split_tab(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let tab = line.iter().position(|&byte| byte == b'\t')?;
    Some((line.get(..tab)?, line.get(tab + 1..)?))
}

/// Adds a line with these parts and a newline, unless it is too long to be read back.
pub(super) fn write_line(written: &mut Written, parts: &[&[u8]]) -> Result<(), OutOfMemory> {
    let length = parts.iter().map(|part| part.len()).sum::<usize>() + 1;
    if length > MAX_LINE {
        written.left_out += 1;
        return Ok(());
    }
    for part in parts {
        buffer::append(&mut written.bytes, part)?;
    }
    buffer::append(&mut written.bytes, b"\n")
}

/// Two hexadecimal digits.
pub(super) fn hex(byte: u8) -> [u8; 2] {
    [byte >> 4, byte & 15].map(|digit| match digit {
        0..=9 => b'0' + digit,
        _ => b'a' + digit - 10,
    })
}

/// Whether a name can be written to a field before a tab and read back, without harming other lines.
pub(super) fn fits_field(name: &[u8]) -> bool {
    !name.iter().any(|byte| matches!(byte, b'\t' | b'\n' | 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_whole_without_lines_that_cannot_be_read() {
        let numbers = |file: &[u8]| {
            let read = read_lines(file, |line| match line {
                [digit @ b'0'..=b'9', b'\n'] => Some(digit - b'0'),
                _ => None,
            })
            .unwrap();
            (read.entries, read.is_whole)
        };
        assert_eq!(numbers(b""), (vec![], true));
        assert_eq!(numbers(b"# 1\n1\n\n\r\n2\n"), (vec![1, 2], true));
        assert_eq!(numbers(b"1\n2"), (vec![1], false));
        assert_eq!(numbers(b"1\nx\n2\n"), (vec![1, 2], false));
        assert!(!numbers(b"1\n\0\n2\n").1);
    }

    #[test]
    fn cuts_as_fgets() {
        let cut = |file: &[u8]| lines(file).map(<[u8]>::len).collect::<Vec<_>>();
        assert_eq!(cut(b""), [0; 0]);
        assert_eq!(cut(b"a\n\nb"), [2, 1, 1]);
        assert_eq!(cut(&[b'x'; 999]), [999]);
        assert_eq!(cut(&[b'x'; 2000]), [999, 999, 2]);
        let mut line = [b'x'; 1000];
        line[998] = b'\n';
        assert_eq!(cut(&line), [999, 1]);
        line[998] = b'x';
        line[999] = b'\n';
        assert_eq!(cut(&line), [999, 1]);
        assert_eq!(lines(b"a\0b\nc\n").collect::<Vec<_>>(), [&b"a"[..], b"c\n"]);
        assert_eq!(cut(b"\0\n\0"), [0, 0]);
    }
}
