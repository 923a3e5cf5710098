//! Printing: the flat list of items to libgcrypt's advanced form.

use super::{Item, parse::is_token};
use crate::buffer::{self, OutOfMemory};
use zeroize::Zeroizing;

/// The printed form with its final newline.
pub(super) fn advanced(items: &[Item]) -> Result<Zeroizing<Vec<u8>>, OutOfMemory> {
    // The length is calculated first, so that the text never moves in memory and leaves no copy of a key.
    let mut length = 0;
    print(items, &mut |part| length += part.len());
    let mut text = Zeroizing::new(buffer::with_capacity(length)?);
    print(items, &mut |part| text.extend(part));
    Ok(text)
}

fn print(items: &[Item], emit: &mut dyn FnMut(&[u8])) {
    if items.is_empty() {
        return emit(b"()\n");
    }
    let mut depth = 0_usize;
    let mut rest = items.iter().peekable();
    while let Some(item) = rest.next() {
        let next = rest.peek();
        match item {
            Item::Open => {
                if depth > 0 {
                    new_line(depth, emit);
                }
                emit(b"(");
                depth += 1;
            }
            Item::Close => {
                emit(b")");
                depth = depth.saturating_sub(1);
                if matches!(next, Some(Item::Close | Item::Atom(_))) {
                    new_line(depth, emit);
                }
            }
            Item::Atom(atom) => {
                print_atom(atom, emit);
                if !matches!(next, Some(Item::Close)) {
                    emit(b" ");
                }
            }
        }
    }
    emit(b"\n");
}

fn new_line(depth: usize, emit: &mut dyn FnMut(&[u8])) {
    emit(b"\n");
    for _ in 0..depth {
        emit(b" ");
    }
}

/// How libgcrypt shows an atom.
enum Encoding {
    Token,
    Quoted,
    Hex,
}

/// A guess: an atom that starts like a negative or a padded number, or contains a control byte without a short escape, is
/// binary.
fn encoding(atom: &[u8]) -> Encoding {
    match atom.first() {
        None => return Encoding::Quoted,
        Some(0 | 0x80..) => return Encoding::Hex,
        Some(_) => {}
    }
    // A NUL that is not the first byte is accepted: libgcrypt finds it at the end of the strings that it searches for bytes.
    if atom
        .iter()
        .any(|&byte| needs_escape(byte) && !matches!(byte, 0 | 0x08..=0x0d))
    {
        return Encoding::Hex;
    }
    let starts_as_number = atom.first().is_some_and(u8::is_ascii_digit);
    if atom.iter().all(|&byte| is_token(byte)) && !starts_as_number {
        Encoding::Token
    } else {
        Encoding::Quoted
    }
}

/// Whether a byte must be escaped between quotes.
fn needs_escape(byte: u8) -> bool {
    matches!(byte, 0..=0x1f | 0x7f..=0xa0)
}

fn print_atom(atom: &[u8], emit: &mut dyn FnMut(&[u8])) {
    match encoding(atom) {
        Encoding::Token => emit(atom),
        Encoding::Hex => {
            emit(b"#");
            for &byte in atom {
                emit(&hex(byte, b'A'));
            }
            emit(b"#");
        }
        Encoding::Quoted => {
            emit(b"\"");
            for &byte in atom {
                match byte {
                    0x08 => emit(b"\\b"),
                    b'\t' => emit(b"\\t"),
                    0x0b => emit(b"\\v"),
                    b'\n' => emit(b"\\n"),
                    0x0c => emit(b"\\f"),
                    b'\r' => emit(b"\\r"),
                    b'"' | b'\'' | b'\\' => emit(&[b'\\', byte]),
                    _ if needs_escape(byte) => {
                        emit(b"\\x");
                        emit(&hex(byte, b'a'));
                    }
                    _ => emit(&[byte]),
                }
            }
            emit(b"\"");
        }
    }
}

/// Two hex digits, with `ten` as the digit for ten.
fn hex(byte: u8, ten: u8) -> [u8; 2] {
    [byte >> 4, byte & 15].map(|digit| {
        if digit < 10 {
            b'0' + digit
        } else {
            ten + digit - 10
        }
    })
}
