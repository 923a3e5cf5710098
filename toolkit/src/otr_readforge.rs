//! `otr_readforge`: reads a data message with its AES key, and forges another text into it.

use otr_crypto::aes_ctr;
use otr_crypto::hash::sha1;

use crate::arguments::hex_array;
use crate::data_message::{only_message, print};
use crate::program::{Failure, Program, Streams};

/// The program.
pub const PROGRAM: Program = Program {
    name: "otr_readforge",
    usage: " aeskey [new_message]
Read an OTR Data Message from stdin.  Use the given AES key to
verify its MAC and decrypt the message to stdout.  If new_message
is given, output a new OTR Data Message with the same fields as the
original, but with the message replaced by new_message
",
    run,
};

fn run(arguments: &[Vec<u8>], streams: &mut Streams<'_>) -> Result<(), Failure> {
    let (key, forged) = match arguments {
        [key] => (key, None),
        [key, forged] => (key, Some(forged)),
        _ => return Err(Failure::Usage(Vec::new())),
    };
    let key: [u8; 16] = hex_array(key, "AES key")?;
    let mac_key = sha1(&[&key]);
    let (mut message, is_authentic) = only_message(&mac_key, streams)?;
    let mut counter = [0; 16];
    for (byte, upper) in counter.iter_mut().zip(message.counter) {
        *byte = upper;
    }
    if is_authentic {
        let mut text = message.encrypted.clone();
        aes_ctr::apply(&key, &counter, &mut text);
        // What is behind a NUL, the TLVs, is not shown.
        let shown = text.split(|&byte| byte == 0).next().unwrap_or_default();
        let line = [b"Plaintext: ``", shown, b"''\n"].concat();
        streams.output.write_all(&line).map_err(Failure::Output)?;
    } else {
        // If this cannot be said, there is nobody to tell.
        let _ = streams
            .errors
            .write_all(b"MAC does not verify: wrong AES key?\n");
    }
    let Some(forged) = forged else { return Ok(()) };
    message.encrypted.clone_from(forged);
    aes_ctr::apply(&key, &counter, &mut message.encrypted);
    print(&message, &mac_key, streams)
}
