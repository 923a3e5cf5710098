//! Lists the accounts in a private key file of libotr, with their fingerprints. Nothing secret is printed.
//!
//!     cargo run -p otr-protocol --example read_keys -- ~/.purple/otr.private_key

use std::error::Error;

use otr_protocol::{Account, Files, store};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: read_keys FILE")?;
    let files = Files {
        private_keys: std::fs::read(path)?.into(),
        ..Files::default()
    };
    for found in store::private_keys::parse(&files.private_keys)? {
        let name = String::from_utf8(found.name.clone())?;
        let protocol = String::from_utf8(found.protocol.clone())?;
        match Account::load(&name, &protocol, &files) {
            Ok(account) => println!("{name} ({protocol}): {}", account.fingerprint()),
            Err(error) => println!("{name} ({protocol}): {error}"),
        }
    }
    Ok(())
}
