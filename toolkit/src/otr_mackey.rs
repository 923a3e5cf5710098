//! `otr_mackey`: the MAC key that belongs to an AES key.

use otr_crypto::hash::sha1;

use crate::arguments::hex_array;
use crate::dump::Dump;
use crate::program::{Failure, Program, Streams};

/// The program.
pub const PROGRAM: Program = Program {
    name: "otr_mackey",
    usage: " aeskey\nCalculate and display the MAC key derived from a given AES key.\n",
    run,
};

fn run(arguments: &[Vec<u8>], streams: &mut Streams<'_>) -> Result<(), Failure> {
    let [key] = arguments else {
        return Err(Failure::Usage(Vec::new()));
    };
    let key: [u8; 16] = hex_array(key, "AES key")?;
    let mut dump = Dump::default();
    dump.data("AES key", &key);
    dump.data("MAC key", &sha1(&[&key]));
    streams
        .output
        .write_all(&dump.into_bytes())
        .map_err(Failure::Output)
}
