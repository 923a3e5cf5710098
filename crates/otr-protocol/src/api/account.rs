//! Our account: its key, its instance tag, and the keys of others that it has seen.
#![expect(
    clippy::disallowed_methods,
    reason = "names, keys and lines of files that the program itself has given"
)]

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::Error;
use super::chat::Chat;
use super::event::Fingerprint;
use crate::ake::SigningKey;
use crate::buffer::OutOfMemory;
use crate::error::ProtocolError;
use crate::policy::Policy;
use crate::store::private_keys::{DsaNumbers, Entry, PrivateKeysError, Unwritten};
use crate::store::{fingerprints, instance_tags, private_keys};
use crate::wire::instance::MIN_VALID;
use otr_crypto::dsa::PrivateKey;
use otr_crypto::random;

/// What all chats of an account share.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) name: String,
    pub(super) key: SigningKey,
    pub(super) tag: u32,
}

/// A key of a correspondent that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KnownKey {
    pub(super) fingerprint: [u8; 20],
    /// How it was verified; empty if not verified.
    pub(super) trust: Vec<u8>,
}

/// One of the user's accounts.
///
/// ```
/// use otr_protocol::{Account, Files, PrivateKey};
///
/// let alice = Account::new("alice@example.org", "prpl-jabber", PrivateKey::generate()?)?;
/// let mut files = Files::default();
/// alice.save(&mut files)?;
/// let again = Account::load("alice@example.org", "prpl-jabber", &files)?;
/// assert_eq!(again.fingerprint(), alice.fingerprint());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Account {
    identity: Arc<Identity>,
    protocol: String,
    /// With the correspondent's name.
    known: Vec<(Vec<u8>, KnownKey)>,
}

/// The contents of libotr's three files, which most clients keep. A file that does not exist yet is empty.
#[derive(Clone, Default)]
pub struct Files {
    /// `otr.private_key`, with the keys of all accounts.
    pub private_keys: Zeroizing<Vec<u8>>,
    /// `otr.instance_tags`.
    pub instance_tags: Vec<u8>,
    /// `otr.fingerprints`.
    pub fingerprints: Vec<u8>,
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files").finish_non_exhaustive()
    }
}

/// Why an account could not be loaded or saved. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadError {
    /// The private key file is damaged.
    PrivateKeys(PrivateKeysError),
    /// The file has no key for this account.
    NoKey,
    /// The key cannot sign.
    Unusable,
    /// The operating system gave no randomness.
    NoRandomness,
    /// A name is too long for the files, or has a tab or a line break in it.
    Name,
    /// There is no memory for the files.
    OutOfMemory,
}

impl From<OutOfMemory> for LoadError {
    fn from(_: OutOfMemory) -> Self {
        Self::OutOfMemory
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PrivateKeys(error) => write!(f, "the private key file: {error}"),
            Self::NoKey => f.write_str("there is no key for this account"),
            Self::Unusable => f.write_str("the private key cannot sign"),
            Self::NoRandomness => f.write_str("the operating system gave no random bytes"),
            Self::Name => f.write_str("a name does not fit into the files"),
            Self::OutOfMemory => f.write_str("there is no memory for the files"),
        }
    }
}

impl std::error::Error for LoadError {}

impl Account {
    /// An account with this key and a new instance tag. The name is used in query messages and in the files, the protocol only
    /// in the files (libpurple's names are usual: "prpl-jabber").
    ///
    /// # Errors
    /// The key cannot sign, or there is no randomness.
    pub fn new(name: &str, protocol: &str, key: PrivateKey) -> Result<Self, Error> {
        let tag = new_tag()?;
        Ok(Self {
            identity: Arc::new(Identity {
                name: name.to_owned(),
                key: SigningKey::new(key)?,
                tag,
            }),
            protocol: protocol.to_owned(),
            known: Vec::new(),
        })
    }

    /// An account from libotr's files. Without an instance tag in them it gets a new one.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load(name: &str, protocol: &str, files: &Files) -> Result<Self, LoadError> {
        let keys = match files.private_keys.as_slice() {
            [] => Vec::new(),
            file => private_keys::parse(file).map_err(LoadError::PrivateKeys)?,
        };
        let is_ours = |its: &[u8], protocols: &[u8]| {
            its == name.as_bytes() && protocols == protocol.as_bytes()
        };
        let ours = keys.iter().find(|it| is_ours(&it.name, &it.protocol));
        let numbers = &ours.ok_or(LoadError::NoKey)?.numbers;
        let key = PrivateKey::new(&numbers.p, &numbers.q, &numbers.g, &numbers.y, &numbers.x)
            .map_err(|_| LoadError::Unusable)?;
        let tags = instance_tags::parse(&files.instance_tags)?;
        let tag = tags.iter().find(|it| is_ours(it.accountname, it.protocol));
        let tag = match tag {
            Some(line) => line.tag,
            None => new_tag().map_err(|_| LoadError::NoRandomness)?,
        };
        let known = fingerprints::parse(&files.fingerprints)?.into_iter();
        let known = known.filter(|it| is_ours(it.accountname, it.protocol));
        Ok(Self {
            identity: Arc::new(Identity {
                name: name.to_owned(),
                key: SigningKey::new(key).map_err(|_| LoadError::Unusable)?,
                tag,
            }),
            protocol: protocol.to_owned(),
            known: known
                .map(|line| {
                    let trust = line.trust.unwrap_or_default().to_vec();
                    let fingerprint = line.fingerprint;
                    (line.username.to_vec(), KnownKey { fingerprint, trust })
                })
                .collect(),
        })
    }

    /// Writes the account to the files, and replaces its old entries. Entries of other accounts are kept.
    ///
    /// # Errors
    /// The private key file is damaged, or a name does not fit.
    pub fn save(&self, files: &mut Files) -> Result<(), LoadError> {
        let (name, protocol) = (self.name().as_bytes(), self.protocol.as_bytes());
        let is_ours = |its: &[u8], protocols: &[u8]| its == name && protocols == protocol;

        let others = match files.private_keys.as_slice() {
            [] => Vec::new(),
            file => private_keys::parse(file).map_err(LoadError::PrivateKeys)?,
        };
        let key = self.identity.key.key();
        let [p, q, g, y] = [
            key.public().p(),
            key.public().q(),
            key.public().g(),
            key.public().y(),
        ]
        .map(<[u8]>::to_vec);
        let x = key.x().to_vec();
        let ours = DsaNumbers { p, q, g, y, x }.to_sexp()?;
        let entries = others
            .iter()
            .filter(|it| !is_ours(&it.name, &it.protocol))
            .map(|it| Entry {
                name: &it.name,
                protocol: &it.protocol,
                key: &it.key,
            });
        let own = Entry {
            name,
            protocol,
            key: &ours,
        };
        let keys = private_keys::write(entries.chain([own])).map_err(|error| match error {
            Unwritten::NameTooLong => LoadError::Name,
            Unwritten::OutOfMemory => LoadError::OutOfMemory,
        })?;

        let mut tags = instance_tags::parse(&files.instance_tags)?;
        tags.retain(|it| !is_ours(it.accountname, it.protocol));
        tags.push(instance_tags::Line {
            accountname: name,
            protocol,
            tag: self.identity.tag,
        });
        let tags = instance_tags::write(tags)?;

        let mut lines = fingerprints::parse(&files.fingerprints)?;
        lines.retain(|it| !is_ours(it.accountname, it.protocol));
        lines.extend(self.known.iter().map(|(user, key)| fingerprints::Line {
            username: user,
            accountname: name,
            protocol,
            fingerprint: key.fingerprint,
            trust: Some(&key.trust),
        }));
        let lines = fingerprints::write(lines)?;
        if tags.left_out + lines.left_out > 0 {
            return Err(LoadError::Name);
        }
        *files = Files {
            private_keys: keys,
            instance_tags: tags.bytes,
            fingerprints: lines.bytes,
        };
        Ok(())
    }

    /// The name of the account.
    pub fn name(&self) -> &str {
        &self.identity.name
    }

    /// Our own fingerprint.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(self.identity.key.fingerprint())
    }

    /// A chat with a correspondent, with the correspondent's keys that the account knows.
    pub fn chat(&self, correspondent: &str, policy: Policy) -> Chat {
        let user = correspondent.as_bytes();
        let known = self.known.iter().filter(|(name, _)| name == user);
        let known = known.map(|(_, key)| key.clone()).collect();
        Chat::new(Arc::clone(&self.identity), correspondent, policy, known)
    }

    /// Keeps what a chat has learned: the keys that it has seen, and which of them are trusted.
    pub fn remember(&mut self, chat: &Chat) {
        let user = chat.correspondent().as_bytes();
        self.known.retain(|(name, _)| name != user);
        let learned = chat.known().iter();
        self.known
            .extend(learned.map(|key| (user.to_vec(), key.clone())));
    }

    /// The keys of others that the account knows: the correspondent, the fingerprint, whether it is trusted.
    pub fn known_keys(&self) -> impl Iterator<Item = (&[u8], Fingerprint, bool)> {
        self.known.iter().map(|(name, key)| {
            let is_trusted = !key.trust.is_empty();
            (name.as_slice(), Fingerprint(key.fingerprint), is_trusted)
        })
    }
}

/// A random instance tag (OTRv3, "Instance Tags").
fn new_tag() -> Result<u32, ProtocolError> {
    loop {
        let mut bytes = [0; 4];
        random::fill(&mut bytes)?;
        let tag = u32::from_be_bytes(bytes);
        if tag >= MIN_VALID {
            return Ok(tag);
        }
    }
}
