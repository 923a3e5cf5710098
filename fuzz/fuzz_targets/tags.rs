//! Classification by the first characters: kind, version and instances, query, whitespace tag, error message.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otr_protocol::wire::dialect::Dialect;
use otr_protocol::wire::query::{Versions, default_query, query_versions};
use otr_protocol::wire::whitespace::{append_tag, find_tag, strip};
use otr_protocol::wire::{classify, error_message};

fuzz_target!(|bytes: &[u8]| {
    let kind = classify::message_kind(bytes);
    let start = classify::otr_tag(bytes);
    assert_eq!(
        start.is_none(),
        matches!(
            kind,
            classify::MessageKind::NotOtr | classify::MessageKind::TaggedPlaintext
        )
    );
    if classify::message_version(bytes).is_some() {
        assert!(start.is_some());
    }
    if let Some(start) = start {
        let _ = classify::instances(&bytes[start..]);
    }

    let offered = query_versions(bytes);
    for form in [Dialect::Libotr3, Dialect::Libotr4] {
        assert_eq!(
            query_versions(&default_query(bytes, offered, form).unwrap()),
            offered
        );
    }

    let text = error_message::text_of(bytes);
    assert!(text.is_none_or(|text| bytes.ends_with(text)));
    let composed = error_message::compose(bytes).unwrap();
    assert_eq!(
        error_message::text_of(&composed),
        Some(bytes.strip_prefix(b" ").unwrap_or(bytes))
    );

    match (find_tag(bytes), strip(bytes)) {
        (Some((range, found)), Some((stripped, versions))) => {
            assert_eq!(found, versions);
            assert_eq!(stripped.concat().len() + range.len(), bytes.len());
        }
        (None, None) => {
            let tagged = append_tag(bytes, offered).unwrap();
            let (_, versions) = find_tag(&tagged).expect("a tag that was appended is found");
            // Blanks before the tag may look like the beginning of another.
            if !matches!(bytes.last(), Some(b' ' | b'\t')) {
                assert_eq!(versions, offered);
                let (text, stripped) = strip(&tagged).expect("and stripped");
                assert_eq!((text.concat().as_slice(), stripped), (bytes, offered));
            }
        }
        different => panic!("{different:?}"),
    }
    let _ = Versions::default().best_common(offered);
});
