//! The three files and S-expressions: any bytes are read or refused, and what was read is written so that it reads back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otr::store::sexp::Sexp;
use otr::store::{fingerprints, instance_tags, private_keys};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(parsed) = Sexp::parse(bytes) {
        let written = parsed.to_advanced();
        if !parsed.is_nil() {
            let again = Sexp::parse(&written).expect("what was written can be read");
            assert_eq!(again.to_advanced().as_slice(), written.as_slice());
        }
        for number in 0..4 {
            let _ = parsed.nth_data(number);
        }
        let _ = parsed.find_token(b"dsa");
    }
    if let Ok(accounts) = private_keys::parse(bytes) {
        for account in &accounts {
            if let Ok(numbers) = private_keys::DsaNumbers::from_sexp(&account.key) {
                let _ = numbers.pubkey_data();
            }
        }
        let entries = accounts.iter().map(|account| private_keys::Entry {
            name: &account.name,
            protocol: &account.protocol,
            key: &account.key,
        });
        if let Ok(written) = private_keys::write(entries) {
            let again = private_keys::parse(&written).expect("what was written can be read");
            assert_eq!(again.len(), accounts.len());
        }
    }
    let lines = fingerprints::parse(bytes);
    let written = fingerprints::write(&lines);
    let again = fingerprints::parse(&written.bytes);
    assert!(again.len() + written.left_out >= lines.len());
    let tags = instance_tags::parse(bytes);
    let written = instance_tags::write(&tags);
    let again = instance_tags::parse(&written.bytes);
    assert!(again.len() <= tags.len());
});
