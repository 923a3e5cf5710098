//! TLV chains, and the contents of SMP records: a question, a count, numbers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otr_protocol::wire::messages::smp::{join_question, read_mpis, split_question, write_mpis};
use otr_protocol::wire::tlv;

/// How many numbers the messages of the SMP have, and one count that none has.
const COUNTS: [usize; 5] = [6, 11, 8, 3, 0];

fuzz_target!(|bytes: &[u8]| {
    let chain = tlv::parse_chain(bytes).unwrap();
    let written = tlv::write_chain(&chain).expect("what was read can be written");
    assert!(bytes.starts_with(&written));
    assert_eq!(tlv::parse_chain(&written).as_ref(), Ok(&chain));
    for record in &chain {
        assert_eq!(
            tlv::find(&chain, record.kind).map(|first| first.kind),
            Some(record.kind)
        );
        numbers(&record.value);
        if let Some((question, rest)) = split_question(&record.value) {
            let joined = join_question(question, rest).unwrap();
            assert_eq!(split_question(&joined), Some((question, rest)));
            numbers(rest);
        }
    }
    numbers(bytes);
});

fn numbers(bytes: &[u8]) {
    for count in COUNTS {
        if let Ok(numbers) = read_mpis(bytes, count) {
            assert_eq!(numbers.len(), count);
            let written = write_mpis(&numbers).expect("what was read can be written");
            // Leading zeros are lost on the way, and nothing else.
            let again = read_mpis(&written, count).expect("what was written can be read");
            assert_eq!(write_mpis(&again).as_ref(), Ok(&written));
            assert!(written.len() < bytes.len() || bytes.starts_with(&written));
        }
    }
}
