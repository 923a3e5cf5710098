//! S-expressions: any bytes are read or refused, and what was read is printed so that it reads back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otr_protocol::store::sexp::Sexp;

fuzz_target!(|bytes: &[u8]| {
    let Ok(parsed) = Sexp::parse(bytes) else {
        return;
    };
    let written = parsed.to_advanced().unwrap();
    if !parsed.is_nil() {
        let again = Sexp::parse(&written).expect("what was written can be read");
        assert_eq!(again.to_advanced().unwrap().as_slice(), written.as_slice());
        assert_eq!(again.whole().length(), parsed.whole().length());
    }
    for number in 0..4 {
        let _ = parsed.whole().nth_data(number);
    }
    for member in parsed.whole().tail() {
        let _ = member.to_sexp().unwrap().to_advanced();
    }
    for token in [b"dsa".as_slice(), b"p", b""] {
        if let Some(found) = parsed.whole().find_token(token) {
            assert_eq!(found.nth_data(0), Some(token));
        }
    }
});
