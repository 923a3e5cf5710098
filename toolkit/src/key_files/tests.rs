//! Types of files, keys of other implementations, and odd names.

use super::*;

const PACKED: &[u8] = include_bytes!("../../../tests/data/otr.js/packed");
const JSON: &[u8] = include_bytes!("../../../tests/data/otr.js/key.json");
const FINGERPRINT: &str = include_str!("../../../tests/data/otr.js/fingerprint");
const PRIVATE_KEYS: &[u8] = include_bytes!("../../../tests/data/store/private_keys");
const FINGERPRINTS: &[u8] = include_bytes!("../../../tests/data/store/fingerprints");
const INSTANCE_TAGS: &[u8] = include_bytes!("../../../tests/data/store/instance_tags");

#[test]
fn what_a_file_is_shows_in_it() {
    let cases: [(&[u8], Option<Kind>); 9] = [
        (PRIVATE_KEYS, Some(Kind::PrivateKeys)),
        (b" (privkeys)", Some(Kind::PrivateKeys)),
        (FINGERPRINTS, Some(Kind::Fingerprints)),
        (INSTANCE_TAGS, Some(Kind::InstanceTags)),
        (PACKED, Some(Kind::OtrJsKey)),
        (JSON, Some(Kind::OtrJsKey)),
        (b"", None),
        (b"AAAA", None),
        (b"{\"p\":[1]}", None),
    ];
    for (contents, kind) in cases {
        let start = &contents[..contents.len().min(20)];
        assert_eq!(Kind::of(contents), kind, "{}", start.escape_ascii());
    }
}

#[test]
fn keys_of_otr_js_are_the_same_in_both_forms() {
    for contents in [PACKED, JSON] {
        let file = KeyFile::read(Kind::OtrJsKey, contents);
        assert_eq!(file.faults, [""; 0]);
        let Entries::Keys(keys) = file.entries else {
            panic!("no keys");
        };
        assert_eq!(crate::dump::hex(&keys[0].fingerprint()), FINGERPRINT.trim());
    }
}

#[test]
fn odd_elements_of_numbers_are_refused() {
    let json = std::str::from_utf8(JSON).unwrap();
    for element in ["67108864", "-1", "1.5", "\"1\"", "[1]", "null"] {
        let odd = json.replacen("\"q\":[", &format!("\"q\":[{element},"), 1);
        assert_ne!(odd, json);
        assert!(foreign::otr_js(odd.as_bytes()).is_none(), "{element}");
    }
}

#[test]
fn names_cannot_play_tricks_with_a_terminal() {
    let name = "a\tb\\\x1b[2J\u{202e}\u{9b}\u{fc}".as_bytes();
    let shown = printable(&[name, b"\xff\n"].concat());
    assert_eq!(shown, "a\\tb\\\\\\u{1b}[2J\\u{202e}\\u{9b}\u{fc}\\xff\\n");
}
