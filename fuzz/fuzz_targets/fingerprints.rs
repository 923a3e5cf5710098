//! The fingerprint file: lines are read or skipped, and what was read is written so that it reads back, line by line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otr_protocol::store::fingerprints::{Line, parse, write};

fuzz_target!(|bytes: &[u8]| {
    let lines = parse(bytes).unwrap();
    let written = write(lines.iter().copied()).unwrap();
    let again = parse(&written.bytes).unwrap();
    assert_eq!(again.len() + written.left_out, lines.len());
    // In their order, and none that was not there: a name must not plant a line.
    let mut rest = lines.iter();
    for line in &again {
        assert!(
            rest.any(|read| same(read, line)),
            "{line:?} is none of {lines:?}"
        );
    }
    let once_more = write(again.iter().copied()).unwrap();
    assert_eq!((&once_more.bytes, once_more.left_out), (&written.bytes, 0));
});

/// No field for the trust is written as an empty one.
fn same(read: &Line, written: &Line) -> bool {
    let trust = read.trust.or(Some(b""));
    *written == Line { trust, ..*read }
}
