//! `otr_parse`: shows what is in each message of a stream.

use otr_protocol::wire::classify::{MessageKind, message_kind};
use otr_protocol::wire::error::Malformed;
use otr_protocol::wire::messages::header::{
    TYPE_DH_COMMIT, TYPE_DH_KEY, TYPE_REVEAL_SIGNATURE, TYPE_SIGNATURE,
};
use otr_protocol::wire::reader::Reader;

use crate::data_message::DataMessage;
use crate::dump::Dump;
use crate::messages::{Start, decode, mpi, next_message};
use crate::program::{Failure, Program, Streams};

/// The program.
pub const PROGRAM: Program = Program {
    name: "otr_parse",
    usage: "
Read Off-the-Record (OTR) Key Exchange and/or Data messages from stdin
and display their contents in a more readable format.
",
    run,
};

fn run(arguments: &[Vec<u8>], streams: &mut Streams<'_>) -> Result<(), Failure> {
    if !arguments.is_empty() {
        return Err(Failure::Usage(Vec::new()));
    }
    while let Some(message) = next_message(streams.input).map_err(Failure::Input)? {
        // Whoever reads along sees each message when it has come.
        streams
            .output
            .write_all(&describe(&message))
            .and_then(|()| streams.output.flush())
            .map_err(Failure::Output)?;
    }
    Ok(())
}

/// What is shown of a message that starts with "?OTR:".
pub fn describe(message: &[u8]) -> Vec<u8> {
    type Parts = fn(&[u8]) -> Result<Dump, Malformed>;
    let (name, parts): (_, Parts) = match message_kind(message) {
        MessageKind::DhCommit => ("D-H Commit", dh_commit),
        MessageKind::DhKey => ("D-H Key", dh_key),
        MessageKind::RevealSig => ("Reveal Signature", reveal_signature),
        MessageKind::Signature => ("Signature", signature),
        MessageKind::V1KeyExchange => ("Key Exchange", key_exchange),
        MessageKind::Data => ("Data", data),
        // Queries, errors and plain text do not start with "?OTR:".
        _ => return [b"Unrecognized OTR message:\n\t", message, b"\n\n"].concat(),
    };
    match parts(&decode(message)) {
        Ok(dump) => [name.as_bytes(), b" Message:\n", &dump.into_bytes(), b"\n"].concat(),
        Err(_) => format!("Invalid {name} Message\n\n").into_bytes(),
    }
}

/// Version and instance tags.
fn start(reader: &mut Reader<'_>, kind: u8) -> Result<Dump, Malformed> {
    let start = Start::read(reader, kind, &[2, 3])?;
    let mut dump = Dump::default();
    dump.data("\tVersion", &[start.version]);
    instances(&mut dump, start);
    Ok(dump)
}

fn instances(dump: &mut Dump, start: Start) {
    if let Some((sender, receiver)) = start.instances {
        dump.number("\tSender instance", sender);
        dump.number("\tReceiver instance", receiver);
    }
}

fn dh_commit(bytes: &[u8]) -> Result<Dump, Malformed> {
    let mut reader = Reader::new(bytes);
    let mut dump = start(&mut reader, TYPE_DH_COMMIT)?;
    dump.data("\tEncrypted Key", reader.data()?);
    dump.data("\tHashed Key", reader.data()?);
    reader.finish()?;
    Ok(dump)
}

fn dh_key(bytes: &[u8]) -> Result<Dump, Malformed> {
    let mut reader = Reader::new(bytes);
    let mut dump = start(&mut reader, TYPE_DH_KEY)?;
    dump.mpi("\tD-H Key", mpi(&mut reader)?);
    reader.finish()?;
    Ok(dump)
}

fn reveal_signature(bytes: &[u8]) -> Result<Dump, Malformed> {
    let mut reader = Reader::new(bytes);
    let mut dump = start(&mut reader, TYPE_REVEAL_SIGNATURE)?;
    dump.data("\tKey", reader.data()?);
    encrypted_signature(reader, &mut dump)?;
    Ok(dump)
}

fn signature(bytes: &[u8]) -> Result<Dump, Malformed> {
    let mut reader = Reader::new(bytes);
    let mut dump = start(&mut reader, TYPE_SIGNATURE)?;
    encrypted_signature(reader, &mut dump)?;
    Ok(dump)
}

fn encrypted_signature(mut reader: Reader<'_>, dump: &mut Dump) -> Result<(), Malformed> {
    dump.data("\tEncrypted Signature", reader.data()?);
    dump.data("\tMAC", reader.take(20)?);
    reader.finish()
}

fn key_exchange(bytes: &[u8]) -> Result<Dump, Malformed> {
    let mut reader = Reader::new(bytes);
    Start::read(&mut reader, TYPE_DH_KEY, &[1])?;
    let mut dump = Dump::default();
    dump.number("\tReply", u32::from(reader.u8()?));
    for number in ["p", "q", "g", "e"] {
        dump.mpi(&format!("\tDSA {number}"), mpi(&mut reader)?);
    }
    dump.number("\tKeyID", reader.u32()?);
    dump.mpi("\tDH y", mpi(&mut reader)?);
    dump.mpi("\tSIG r", reader.take(20)?);
    dump.mpi("\tSIG s", reader.take(20)?);
    reader.finish()?;
    Ok(dump)
}

fn data(bytes: &[u8]) -> Result<Dump, Malformed> {
    let (message, _) = DataMessage::parse(bytes)?;
    let mut dump = Dump::default();
    dump.data("\tVersion", &[message.start.version]);
    if let Some(flags) = message.flags {
        dump.number("\tFlags", u32::from(flags));
    }
    instances(&mut dump, message.start);
    dump.number("\tSender keyid", message.sender_keyid);
    dump.number("\tRcpt keyid", message.receiver_keyid);
    dump.mpi("\tDH y", &message.next_dh);
    dump.data("\tCounter", &message.counter);
    dump.data("\tEncrypted message", &message.encrypted);
    dump.data("\tMAC", &message.mac);
    if !message.revealed.is_empty() {
        dump.text(b"\tRevealed MAC keys:\n");
        // A piece of a key at the end is not shown.
        for (key, number) in message.revealed.chunks_exact(20).zip(1..) {
            dump.data(&format!("\t\tKey {number}"), key);
        }
    }
    Ok(dump)
}
