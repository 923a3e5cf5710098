//! Files of keys, fingerprints and instance tags: libotr's, and the keys of two other implementations. The contents of a
//! file show its type.

mod faults;
mod foreign;
mod lines;

use std::fmt;

use otr_crypto::hash::sha1;
use otr_protocol::store::private_keys::{self, DsaNumbers};
use otr_protocol::store::sexp::Sexp;

pub use self::lines::{FingerprintLine, TagLine};
use self::lines::{fingerprints_of, tags_of};
use crate::program::or_end;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// libotr's private keys.
    PrivateKeys,
    /// Fingerprints, of libotr and of potr's clients alike.
    Fingerprints,
    /// libotr's instance tags.
    InstanceTags,
    /// A private key of potr, as its clients keep it in files named `.key3`.
    PotrKey,
    /// A private key of otr.js: what `packPrivate` gives, alone or in JSON, or the JSON of the whole key.
    OtrJsKey,
}

impl Kind {
    const ALL: [(&'static str, Self); 5] = [
        ("private-keys", Self::PrivateKeys),
        ("fingerprints", Self::Fingerprints),
        ("instance-tags", Self::InstanceTags),
        ("potr-key", Self::PotrKey),
        ("otr.js-key", Self::OtrJsKey),
    ];

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        let (_, kind) = Self::ALL.into_iter().find(|(known, _)| *known == name)?;
        Some(kind)
    }

    /// Whether private keys are in such a file.
    pub fn is_private(self) -> bool {
        matches!(self, Self::PrivateKeys | Self::PotrKey | Self::OtrJsKey)
    }

    /// What these contents are; `None` if they are nothing of what is known.
    pub fn of(contents: &[u8]) -> Option<Self> {
        let text = contents.trim_ascii();
        if text.starts_with(b"(") {
            return Some(Self::PrivateKeys);
        }
        if contents.starts_with(&[0, 0]) && foreign::potr(contents).is_some() {
            return Some(Self::PotrKey);
        }
        if foreign::otr_js(text).is_some() {
            return Some(Self::OtrJsKey);
        }
        if !fingerprints_of(contents).is_empty() {
            return Some(Self::Fingerprints);
        }
        // The comment in front of instance tags, or one of them.
        let is_tags = contents.starts_with(b"# WARNING! You shouldn't copy this file")
            || !tags_of(contents).is_empty();
        is_tags.then_some(Self::InstanceTags)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PrivateKeys => "private keys",
            Self::Fingerprints => "fingerprints",
            Self::InstanceTags => "instance tags",
            Self::PotrKey => "a private key of potr",
            Self::OtrJsKey => "a private key of otr.js",
        })
    }
}

/// A private key.
pub struct Key {
    /// Whose it is; potr and otr.js do not write that into the key.
    pub owner: Option<Owner>,
    /// The list `(private-key ..)` of it.
    pub list: Sexp,
    /// Its numbers.
    pub numbers: DsaNumbers,
}

/// An account of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Its name.
    pub account: Vec<u8>,
    /// Its protocol, by the name that a client gives it.
    pub protocol: Vec<u8>,
}

impl Key {
    /// The SHA-1 of the public half.
    pub fn fingerprint(&self) -> [u8; 20] {
        sha1(&[&or_end(self.numbers.pubkey_data())])
    }

    fn foreign(numbers: DsaNumbers) -> Self {
        Self {
            owner: None,
            list: or_end(numbers.to_sexp()),
            numbers,
        }
    }
}

/// The entries of a file.
pub enum Entries {
    /// Private keys.
    Keys(Vec<Key>),
    /// Fingerprints.
    Fingerprints(Vec<FingerprintLine>),
    /// Instance tags.
    Tags(Vec<TagLine>),
}

impl Entries {
    /// How many there are.
    pub fn count(&self) -> usize {
        match self {
            Self::Keys(keys) => keys.len(),
            Self::Fingerprints(lines) => lines.len(),
            Self::Tags(lines) => lines.len(),
        }
    }
}

/// What was read of a file.
pub struct KeyFile {
    /// What it is.
    pub kind: Kind,
    /// The entries that could be read.
    pub entries: Entries,
    /// What is wrong with it, in sentences without a full stop; none if nothing is.
    pub faults: Vec<String>,
}

impl KeyFile {
    /// Reads a file of this kind.
    pub fn read(kind: Kind, contents: &[u8]) -> Self {
        let (entries, faults) = match kind {
            Kind::PrivateKeys => {
                let (accounts, error) = private_keys::read(contents);
                let keys: Vec<Key> = accounts
                    .into_iter()
                    .map(|account| Key {
                        owner: Some(Owner {
                            account: account.name,
                            protocol: account.protocol,
                        }),
                        list: account.key,
                        numbers: account.numbers,
                    })
                    .collect();
                let faults = faults::of_keys(&keys, error);
                (Entries::Keys(keys), faults)
            }
            Kind::Fingerprints => {
                let lines = fingerprints_of(contents);
                let faults = faults::of_fingerprints(contents, &lines);
                (Entries::Fingerprints(lines), faults)
            }
            Kind::InstanceTags => {
                let lines = tags_of(contents);
                let faults = faults::of_tags(contents, &lines);
                (Entries::Tags(lines), faults)
            }
            Kind::PotrKey => foreign_key(foreign::potr(contents)),
            Kind::OtrJsKey => foreign_key(foreign::otr_js(contents.trim_ascii())),
        };
        Self {
            kind,
            entries,
            faults,
        }
    }
}

fn foreign_key(numbers: Option<DsaNumbers>) -> (Entries, Vec<String>) {
    let keys: Vec<Key> = numbers.map(Key::foreign).into_iter().collect();
    let faults = if keys.is_empty() {
        vec!["it holds no key of this kind, or a piece of one".to_owned()]
    } else {
        faults::of_keys(&keys, None)
    };
    (Entries::Keys(keys), faults)
}

/// Text of a file for a terminal: what is not printable, and a backslash, in escapes.
pub fn printable(text: &[u8]) -> String {
    let mut shown = String::new();
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' | '\n' | '\r' | '\t' => shown.extend(character.escape_default()),
                _ if character.is_control() || is_direction(character) => {
                    shown.extend(character.escape_unicode());
                }
                _ => shown.push(character),
            }
        }
        shown.push_str(&chunk.invalid().escape_ascii().to_string());
    }
    shown
}

/// Characters that make a terminal show others in another order.
fn is_direction(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests;
