//! `otr_modify`: changes a known part of a data message's text, without its AES key.

use crate::arguments::{Decimal, decimal, hex_array};
use crate::data_message::{only_message, print};
use crate::program::{Failure, Program, Streams};

/// The program.
pub const PROGRAM: Program = Program {
    name: "otr_modify",
    usage: " mackey old_text new_text offset
Read an OTR Data Message from stdin.  Even if we can't read the
data because we don't know either the AES key or the DH privkey,
but we can make a good guess that the substring \"old_text\"
appears at the given offset in the message, replace the old_text
with the new_text (which must be of the same length), recalculate
the MAC with the given mackey, and output the resulting Data message.
",
    run,
};

fn run(arguments: &[Vec<u8>], streams: &mut Streams<'_>) -> Result<(), Failure> {
    let [key, old, new, offset] = arguments else {
        return Err(Failure::Usage(Vec::new()));
    };
    let key: [u8; 20] = hex_array(key, "MAC key")?;
    if old.len() != new.len() {
        let sentence = "The old_text and new_text must be of the same length.";
        return Err(Failure::usage(sentence));
    }
    let offset = decimal(offset, Decimal::Unsigned, "offset")?;
    let offset = usize::try_from(offset).unwrap_or(usize::MAX);
    let (mut message, is_authentic) = only_message(&key, streams)?;
    if !is_authentic {
        return Err(Failure::message("MAC does not verify: wrong MAC key?"));
    }
    // What would stand behind the end of the message is left out.
    let changed = message.encrypted.iter_mut().skip(offset);
    for (byte, (old, new)) in changed.zip(old.iter().zip(new)) {
        *byte ^= old ^ new;
    }
    print(&message, &key, streams)
}
