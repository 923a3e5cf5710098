//! Any text gives a result and no panic, and the results agree with each other.

use proptest::prelude::*;

use super::armour::{dearmour, decode};
use super::classify::{MessageKind, instances, message_kind, message_version, otr_tag};
use super::error_message::text_of;
use super::fragment::{Accumulated, FragmentHeader, Parsed, Reassembly, fragment_instances, split};
use super::messages::data::data_flags;
use super::query::query_versions;
use super::tlv::{parse_chain, write_chain};
use super::whitespace::{append_tag, find_tag, strip};

/// Random bytes, or fragments of valid messages.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let pieces: &[&[u8]] = &[
        b"?OTR",
        b"?OTR:AAM",
        b"?OTR:AAI",
        b"?OTR:AAED",
        b"?OTR Error: ",
        b"?OTR|",
        b"?OTR,",
        b"00000100|00000200",
        b",00001,00002,",
        b",1,1,",
        b"?",
        b"v23?",
        b"C",
        b"D",
        b"AAAA",
        b"=",
        b".",
        b",",
        b"|",
        b"-",
        b"99999999999999999999",
        b" \t  \t\t\t\t \t \t \t  ",
        b"  \t\t  \t\t",
        b" ",
        b"\t",
        b"hello",
        b"\xc3\xa4",
    ];
    let piece = prop_oneof![
        prop::sample::select(pieces).prop_map(<[u8]>::to_vec),
        prop::collection::vec(1..=255_u8, 0..4),
    ];
    prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text_is_survived(text in text(), more in text(), limit in 0..200_usize) {
        let kind = message_kind(&text);
        let tag = otr_tag(&text);
        let plain = matches!(kind, MessageKind::NotOtr | MessageKind::TaggedPlaintext);
        prop_assert_eq!(tag.is_none(), plain);
        if kind == MessageKind::TaggedPlaintext {
            prop_assert!(find_tag(&text).is_some());
        }
        if message_version(&text).is_some() {
            prop_assert!(tag.is_some());
        }
        let _ = instances(&text[tag.unwrap_or_default()..]);
        let _ = query_versions(&text);
        let _ = text_of(&text);
        let _ = data_flags(&text);

        prop_assert!(decode(&text).unwrap().len() <= text.len() / 4 * 3 + 2);
        if let Ok(bytes) = dearmour(&text, true) {
            prop_assert_eq!(dearmour(&text, false), Ok(bytes));
        }

        match (find_tag(&text), strip(&text)) {
            (Some((range, found)), Some((stripped, offered))) => {
                prop_assert_eq!(found, offered);
                prop_assert_eq!(stripped.concat().len() + range.len(), text.len());
                prop_assert_eq!(range.len() % 8, 0);
            }
            (None, None) => prop_assert_eq!(find_tag(&append_tag(&text, query_versions(&more)).unwrap()).is_some(), true),
            different => prop_assert!(false, "{:?}", different),
        }

        let mut pieces = Reassembly::new();
        for message in [&text, &more, &text, &text] {
            let unfragmented = Parsed::from_message(message) == Parsed::NotAFragment;
            let came = pieces.accept(message, limit);
            prop_assert_eq!(came == Accumulated::Unfragmented, unfragmented);
            let (k, n) = pieces.progress();
            prop_assert!(k < n || (k, n) == (0, 0));
            prop_assert!(pieces.data().len() <= limit);
            prop_assert_eq!(pieces.data().is_empty(), k == 0);
        }
        if let Some(tags) = tag.and_then(|tag| fragment_instances(&text[tag..])) {
            let header = FragmentHeader::V3 { ours: tags.from, theirs: tags.to };
            prop_assert!(split(&text, limit, header).is_ok() || limit <= header.overhead());
        }
    }

    #[test]
    fn any_chain_is_survived(bytes in prop::collection::vec(prop_oneof![0..4_u8, any::<u8>()], 0..60)) {
        let written = write_chain(&parse_chain(&bytes).unwrap()).unwrap();
        prop_assert!(bytes.starts_with(&written));
    }
}
