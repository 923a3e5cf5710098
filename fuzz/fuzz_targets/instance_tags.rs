//! The instance tag file: lines are read or skipped, and what was read is written so that it reads back, line by line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otr_protocol::store::instance_tags::{parse, write};

fuzz_target!(|bytes: &[u8]| {
    let lines = parse(bytes).unwrap();
    assert!(lines.iter().all(|line| line.tag >= 0x100));
    let written = write(lines.iter().copied()).unwrap();
    let again = parse(&written.bytes).unwrap();
    assert_eq!(again.len() + written.left_out, lines.len());
    let mut rest = lines.iter();
    for line in &again {
        assert!(
            rest.any(|read| read == line),
            "{line:?} is none of {lines:?}"
        );
    }
    let once_more = write(again.iter().copied()).unwrap();
    assert_eq!((&once_more.bytes, once_more.left_out), (&written.bytes, 0));
});
