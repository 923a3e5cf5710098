//! The private key file: any bytes are read or refused, and the accounts that were read are written so that they read back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otr_crypto::dsa::PrivateKey;
use otr_protocol::store::private_keys::{Account, DsaNumbers, Entry, parse, write};

fuzz_target!(|bytes: &[u8]| {
    let Ok(accounts) = parse(bytes) else { return };
    let Ok(written) = write(entries(&accounts)) else {
        return;
    };
    let again = parse(&written).expect("what was written can be read");
    assert_eq!(again.len(), accounts.len());
    for (one, other) in accounts.iter().zip(&again) {
        assert_eq!((&one.name, &one.protocol), (&other.name, &other.protocol));
        assert_eq!(one.numbers.pubkey_data(), other.numbers.pubkey_data());
        assert_eq!(
            one.key.to_advanced().unwrap().as_slice(),
            other.key.to_advanced().unwrap().as_slice()
        );
    }
    for account in &accounts {
        let DsaNumbers { p, q, g, y, x } = &account.numbers;
        // Whatever passes for a key signs or says that it cannot.
        if let Ok(key) = PrivateKey::new(p, q, g, y, x) {
            if let Ok(signature) = key.sign(b"data") {
                let _ = key.public().verify(b"data", &signature);
            }
        }
        let rebuilt = account.numbers.to_sexp().unwrap();
        let numbers = DsaNumbers::from_sexp(rebuilt.whole()).expect("what was written can be read");
        assert_eq!(numbers.pubkey_data(), account.numbers.pubkey_data());
    }
});

fn entries(accounts: &[Account]) -> impl Iterator<Item = Entry<'_>> {
    accounts.iter().map(|account| Entry {
        name: &account.name,
        protocol: &account.protocol,
        key: &account.key,
    })
}
