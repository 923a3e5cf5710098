//! What may be wrong with a file.

use otr_crypto::dsa::PrivateKey;
use otr_protocol::store::private_keys::{DsaNumbers, PrivateKeysError};

use super::lines::{FingerprintLine, TagLine, fingerprints_of, tags_of};
use super::{Key, Owner, printable};

/// What is wrong with private keys, of which `error` kept the rest from being read.
pub(super) fn of_keys(keys: &[Key], error: Option<PrivateKeysError>) -> Vec<String> {
    let mut faults = Vec::new();
    if let Some(error) = error {
        faults.push(format!(
            "it is damaged ({error}); keys that could be read: {}",
            keys.len()
        ));
    }
    for (number, key) in keys.iter().enumerate() {
        let name = key.owner.as_ref().map_or("the key".to_owned(), of_owner);
        if let Err(why) = try_key(&key.numbers) {
            faults.push(format!("{name} does not work: {why}"));
        }
        let mut before = keys.iter().take(number);
        if key.owner.is_some() && before.any(|other| other.owner == key.owner) {
            faults.push(format!("{name} is there more than once"));
        }
    }
    faults
}

fn of_owner(owner: &Owner) -> String {
    let (account, protocol) = (printable(&owner.account), printable(&owner.protocol));
    format!("the key of {account} ({protocol})")
}

/// Makes a signature, and looks at it.
fn try_key(numbers: &DsaNumbers) -> Result<(), String> {
    let DsaNumbers { p, q, g, y, x } = numbers;
    if x.is_empty() {
        return Err("its private half is missing".to_owned());
    }
    let key = PrivateKey::new(p, q, g, y, x).map_err(|error| error.to_string())?;
    let text = b"a text to sign";
    let signature = key.sign(text).map_err(|error| error.to_string())?;
    if key.public().verify(text, &signature) {
        Ok(())
    } else {
        Err("its halves do not belong together".to_owned())
    }
}

/// What is wrong with a fingerprint file.
pub(super) fn of_fingerprints(contents: &[u8], lines: &[FingerprintLine]) -> Vec<String> {
    let mut faults = unreadable(contents, |line| {
        // The library takes any other character for a zero.
        let is_hex = |field: &[u8]| field.trim_ascii_end().iter().all(u8::is_ascii_hexdigit);
        !fingerprints_of(line).is_empty()
            && line.split(|&byte| byte == b'\t').nth(3).is_some_and(is_hex)
    });
    let same = |a: &FingerprintLine, b: &FingerprintLine| {
        (&a.username, &a.accountname, &a.protocol, a.fingerprint)
            == (&b.username, &b.accountname, &b.protocol, b.fingerprint)
    };
    for (number, line) in lines.iter().enumerate() {
        if lines.iter().take(number).any(|other| same(other, line)) {
            let name = printable(&line.username);
            faults.push(format!("a fingerprint of {name} is there more than once"));
        }
    }
    faults
}

/// What is wrong with an instance tag file.
pub(super) fn of_tags(contents: &[u8], lines: &[TagLine]) -> Vec<String> {
    let mut faults = unreadable(contents, |line| !tags_of(line).is_empty());
    let owner = |line: &TagLine| (line.accountname.clone(), line.protocol.clone());
    for (number, line) in lines.iter().enumerate() {
        let mut before = lines.iter().take(number);
        if before.any(|other| owner(other) == owner(line)) {
            let (account, protocol) = (printable(&line.accountname), printable(&line.protocol));
            faults.push(format!(
                "{account} ({protocol}) has more than one instance tag"
            ));
        }
    }
    faults
}

/// The lines that are neither empty, nor comments, nor good.
fn unreadable(contents: &[u8], is_good: impl Fn(&[u8]) -> bool) -> Vec<String> {
    let mut faults = Vec::new();
    for (line, number) in contents.split_inclusive(|&byte| byte == b'\n').zip(1..) {
        let is_nothing = matches!(line, [b'#', ..] | b"\n" | b"\r\n");
        if is_nothing || is_good(line) {
            continue;
        }
        let why = if line.ends_with(b"\n") {
            "cannot be read"
        } else {
            "has no end"
        };
        faults.push(format!("line {number} {why}"));
    }
    faults
}
