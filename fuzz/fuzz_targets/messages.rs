//! The encoded messages without their armour, and the encrypted part of those that sign: any bytes give a value or an
//! error, and a value that is written reads back as itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otr_protocol::wire::messages::data::data_flags;
use otr_protocol::wire::messages::{
    AuthPlain, Data, DhCommit, DhKey, DsaNumbers, RevealSignature, Signature, V1KeyExchange,
};
use otr_protocol::wire::{armour, classify, mpi};

/// Numbers lose their leading zeros when they are written; where none were lost, nothing has changed.
fn same_but_for_zeros(written: &[u8], read: &[u8]) {
    assert!(written.len() < read.len() || written == read);
}

macro_rules! there_and_back {
    ($bytes:expr, $($message:ty),*) => { $(
        if let Ok(message) = <$message>::parse($bytes) {
            let written = message.serialise().expect("what was read can be written");
            same_but_for_zeros(&written, $bytes);
            let again = <$message>::parse(&written).expect("what was written can be read");
            assert_eq!(again.serialise().as_ref(), Ok(&written));
            assert!(written.len() < $bytes.len() || again == message);
        }
    )* };
}

fuzz_target!(|bytes: &[u8]| {
    there_and_back!(bytes, DhCommit, DhKey, RevealSignature, Signature);
    if let Ok((data, covered)) = Data::parse(bytes) {
        assert!(bytes.starts_with(covered));
        assert_eq!(
            data_flags(&armour::armour(bytes).unwrap()),
            Some(data.flags)
        );
        let written = data.serialise().expect("what was read can be written");
        same_but_for_zeros(&written, bytes);
        let (again, _) = Data::parse(&written).expect("what was written can be read");
        assert_eq!(again.serialise().as_ref(), Ok(&written));
        assert!(written.len() < bytes.len() || again == data);
    }
    if let Ok((message, signed)) = V1KeyExchange::parse(bytes) {
        assert_eq!(signed.len() + 40, bytes.len());
        let _ = message.numbers();
        let written = message.serialise().expect("what was read can be written");
        same_but_for_zeros(&written, bytes);
        let (again, _) = V1KeyExchange::parse(&written).expect("what was written can be read");
        assert_eq!(again.serialise().as_ref(), Ok(&written));
        assert!(written.len() < bytes.len() || again == message);
    }
    if let Ok(plain) = AuthPlain::parse(bytes) {
        // The key is kept as it was sent: its bytes are what is signed.
        assert_eq!(plain.serialise().as_deref(), Ok(bytes));
        plain
            .numbers()
            .expect("a key that was read has its numbers");
    }
    if let Ok(numbers) = DsaNumbers::parse(bytes) {
        let written = numbers.encode().expect("what was read can be written");
        same_but_for_zeros(&written, bytes);
        let again = DsaNumbers::parse(&written).expect("what was written can be read");
        assert_eq!(again.encode().as_ref(), Ok(&written));
    }
    if let Ok(number) = mpi::decode(bytes) {
        let written = mpi::encode(number).expect("what was read can be written");
        same_but_for_zeros(&written, bytes);
        assert_eq!(mpi::decode(&written), Ok(mpi::minimal(number)));
    }
    // The kind that is told from the armour is the one that can be read.
    let kind = classify::message_kind(&armour::armour(bytes).unwrap());
    if DhCommit::parse(bytes).is_ok_and(|message| message.header.version().number() != 1) {
        assert_eq!(kind, classify::MessageKind::DhCommit);
    }
});
