//! Values as the programs print them: a title and a number, or a title and hexadecimal digits.

use std::fmt::Write;

/// Text that grows by lines.
#[derive(Debug, Default)]
pub struct Dump(Vec<u8>);

impl Dump {
    /// Raw text.
    pub fn text(&mut self, text: &[u8]) {
        self.0.extend_from_slice(text);
    }

    /// `title: 123`
    pub fn number(&mut self, title: &str, number: u32) {
        self.text(format!("{title}: {number}\n").as_bytes());
    }

    /// `title: 0a1b`
    pub fn data(&mut self, title: &str, data: &[u8]) {
        self.text(format!("{title}: {}\n", hex(data)).as_bytes());
    }

    /// A number of any length, without its leading zeros.
    pub fn mpi(&mut self, title: &str, body: &[u8]) {
        self.data(title, otr_protocol::wire::mpi::minimal(body));
    }

    /// All of it.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(
        String::with_capacity(2 * bytes.len()),
        |mut digits, byte| {
            // Writing to a string does not fail.
            let _ = write!(digits, "{byte:02x}");
            digits
        },
    )
}
