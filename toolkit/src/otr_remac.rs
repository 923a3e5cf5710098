//! `otr_remac`: makes a data message of version 3 from its fields.

use crate::arguments::{Decimal, decimal, hex, hex_array};
use crate::data_message::{DataMessage, print};
use crate::messages::Start;
use crate::program::{Failure, Program, Streams};

/// The program.
pub const PROGRAM: Program = Program {
    name: "otr_remac",
    usage: " mackey sender_instance receiver_instance flags snd_keyid rcp_keyid pubkey counter encdata revealed_mackeys
Make a new Data message, with the given pieces (note that the
data part is already encrypted).  MAC it with the given mackey.
mackey, pubkey, counter, encdata, and revealed_mackeys are given
as strings of hex chars.  snd_keyid and rcp_keyid are decimal integers.
",
    run,
};

fn run(arguments: &[Vec<u8>], streams: &mut Streams<'_>) -> Result<(), Failure> {
    let [
        key,
        sender,
        receiver,
        flags,
        sender_keyid,
        receiver_keyid,
        public_key,
        counter,
        encrypted,
        revealed,
    ] = arguments
    else {
        return Err(Failure::Usage(Vec::new()));
    };
    let key: [u8; 20] = hex_array(key, "MAC key")?;
    let sender = decimal(sender, Decimal::Unsigned, "sender_instance")?;
    let receiver = decimal(receiver, Decimal::Unsigned, "receiver_instance")?;
    let [_, _, _, flags] = decimal(flags, Decimal::Signed, "flags")?.to_be_bytes();
    let message = DataMessage {
        start: Start {
            version: 3,
            instances: Some((sender, receiver)),
        },
        flags: Some(flags),
        sender_keyid: decimal(sender_keyid, Decimal::Unsigned, "snd_keyid")?,
        receiver_keyid: decimal(receiver_keyid, Decimal::Unsigned, "rcp_keyid")?,
        next_dh: hex(public_key)?,
        counter: hex_array(counter, "counter")?,
        encrypted: hex(encrypted)?,
        mac: [0; 20],
        revealed: hex(revealed)?,
    };
    print(&message, &key, streams)
}
