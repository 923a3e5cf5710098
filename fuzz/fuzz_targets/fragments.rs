//! Fragments: each line of the input is a message that arrives; and the whole input is cut into pieces and reassembled.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otr_protocol::wire::armour::armour;
use otr_protocol::wire::classify::otr_tag;
use otr_protocol::wire::fragment::{
    Accumulated, FragmentHeader, Parsed, Reassembly, fragment_instances, split,
};

const LIMIT: usize = 1 << 10;

fuzz_target!(|bytes: &[u8]| {
    let mut pieces = Reassembly::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let before = pieces.clone();
        let parsed = Parsed::from_message(line);
        let came = pieces.accept(line, LIMIT);
        assert_eq!(
            came == Accumulated::Unfragmented,
            parsed == Parsed::NotAFragment
        );
        if parsed == Parsed::Invalid {
            assert!(
                pieces == before,
                "a fragment with senseless numbers changes nothing"
            );
        }
        if let Accumulated::Complete(message) = came {
            assert!(!message.is_empty() && message.len() <= LIMIT);
        }
        let (k, n) = pieces.progress();
        assert!(k < n || (k, n) == (0, 0));
        assert!(pieces.data().len() <= LIMIT);
        assert_eq!(pieces.data().is_empty(), k == 0);
        let tagged = otr_tag(line).and_then(|tag| line.get(tag..));
        let _ = tagged.and_then(fragment_instances);
    }

    let Some((&size, rest)) = bytes.split_first() else {
        return;
    };
    // What is cut is an encoded message: there is neither a comma nor another mark of a fragment in it.
    let message = armour(rest).unwrap();
    let tagged = otr_tag(bytes).and_then(|tag| bytes.get(tag..));
    let tags = tagged.and_then(fragment_instances);
    for header in [
        FragmentHeader::V2,
        FragmentHeader::V3 {
            ours: tags.map_or(0, |tags| tags.from),
            theirs: tags.map_or(0x100, |tags| tags.to),
        },
    ] {
        let Ok(cut) = split(&message, usize::from(size), header) else {
            continue;
        };
        let mut pieces = Reassembly::new();
        let mut whole = None;
        for piece in &cut.to_vecs().unwrap() {
            assert!(piece.len() <= usize::from(size));
            if let Accumulated::Complete(message) = pieces.accept(piece, usize::MAX) {
                assert!(whole.is_none());
                whole = Some(message);
            }
        }
        assert_eq!(whole.unwrap_or_default(), message);
    }
});
