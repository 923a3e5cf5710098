//! Every parser of the wire: any bytes give a value or an error, and what a value is written as reads back as itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otr::wire::fragment::{FragmentHeader, Reassembly, fragment_instances, split};
use otr::wire::messages::signature::AuthPlain;
use otr::wire::messages::{Data, DhCommit, DhKey, DsaNumbers, RevealSignature, Signature, V1KeyExchange};
use otr::wire::{armour, error_message, kind, mpi, query, tlv, whitespace};

macro_rules! there_and_back {
    ($bytes:expr, $($message:ty),*) => { $(
        if let Ok(message) = <$message>::parse($bytes) {
            let written = message.serialise().expect("what was read can be written");
            // Numbers have lost their leading zeros by now, and nothing else changes any more.
            let again = <$message>::parse(&written).expect("what was written can be read");
            assert_eq!(again.serialise().as_ref(), Ok(&written));
        }
    )* };
}

fuzz_target!(|bytes: &[u8]| {
    // As an encoded message's own bytes.
    there_and_back!(bytes, DhCommit, DhKey, RevealSignature, Signature);
    if let Ok((data, covered)) = Data::parse(bytes) {
        assert!(covered.len() <= bytes.len());
        let written = data.serialise().expect("what was read can be written");
        let (again, _) = Data::parse(&written).expect("what was written can be read");
        assert_eq!(again.serialise().as_ref(), Ok(&written));
    }
    let _ = V1KeyExchange::parse(bytes);
    let _ = AuthPlain::parse(bytes);
    let _ = DsaNumbers::parse(bytes);
    let _ = mpi::decode(bytes);
    for count in [0, 3, 6, 8, 11] {
        if let Ok(numbers) = otr::wire::messages::smp::read_mpis(bytes, count) {
            assert_eq!(numbers.len(), count);
        }
    }
    let chain = tlv::parse_chain(bytes);
    let written = tlv::write_chain(&chain).expect("what was read can be written");
    assert_eq!(tlv::parse_chain(&written), chain);

    // As text.
    let armoured = armour::armour(bytes);
    assert_eq!(armour::dearmour(&armoured, true).as_deref(), Ok(bytes));
    let _ = armour::dearmour(bytes, false);
    let _ = armour::decode(bytes);
    let _ = kind::message_kind(bytes);
    let _ = kind::message_version(bytes);
    if let Some(start) = kind::otr_tag(bytes) {
        let _ = kind::instances(&bytes[start..]);
    }
    let versions = query::query_versions(bytes);
    let _ = error_message::text_of(bytes);
    if let Some((stripped, _)) = whitespace::strip(bytes) {
        assert!(stripped.len() < bytes.len());
    }
    let _ = whitespace::append_tag(bytes, versions);

    // As a network cuts it.
    let _ = fragment_instances(bytes);
    let mut pieces = Reassembly::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let _ = pieces.accept(line, 1 << 12);
        assert!(pieces.data().len() <= 1 << 12);
    }
    let text: Vec<u8> = armoured;
    if let Ok(cut) = split(&text, 60, FragmentHeader::V3 { ours: 0x100, theirs: 0x200 }) {
        let mut pieces = Reassembly::new();
        let mut whole = None;
        for piece in &cut.to_vecs() {
            assert!(piece.len() <= 60);
            if let otr::wire::fragment::Accumulated::Complete(message) = pieces.accept(piece, usize::MAX) {
                whole = Some(message);
            }
        }
        assert_eq!(whole.as_deref(), Some(text.as_slice()));
    }
});
