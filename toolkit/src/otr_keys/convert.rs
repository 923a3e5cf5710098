//! `otr-keys convert`: adds entries to a file of libotr.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;

use otr_protocol::store::private_keys::{self, Entry};
use otr_protocol::store::{fingerprints, instance_tags};
use zeroize::Zeroizing;

use super::copies::put;
use super::options::Options;
use super::{failure, read, tell};
use crate::key_files::{Entries, FingerprintLine, Key, KeyFile, Kind, Owner, TagLine, printable};
use crate::program::{Failure, Streams, or_end};

pub(super) fn convert(
    from: &OsStr,
    to: &OsStr,
    options: &Options,
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    let (_, read) = read(from, options, streams).map_err(|why| failure(from, &why))?;
    if !read.faults.is_empty() {
        tell(from, &read.faults, streams);
        return Err(failure(from, "nothing was converted"));
    }
    let is_private = read.kind.is_private();
    if to == "-" && is_private && !options.private {
        let sentence = "otr-keys: private keys go to standard output with --private only.";
        return Err(Failure::usage(sentence));
    }
    let new = name(read.entries, options).map_err(|why| failure(from, &why))?;
    let kind = match new {
        Entries::Keys(_) => Kind::PrivateKeys,
        Entries::Fingerprints(_) => Kind::Fingerprints,
        Entries::Tags(_) => Kind::InstanceTags,
    };
    let (before, present) = present(to, kind)?;
    let count_before = present.count();
    let all =
        add(present, new).map_err(|why| failure(to, &format!("nothing was changed: {why}")))?;
    let count = all.count();
    let contents =
        write(&all).map_err(|why| failure(to, &format!("nothing was changed: {why}")))?;
    if to == "-" {
        return streams.output.write_all(&contents).map_err(Failure::Output);
    }
    // All entries that were in it are in the new one. Comments of lines are not.
    let mut old = before.split(|&byte| byte == b'\n');
    let is_kept = |line: &[u8]| {
        !line.starts_with(b"#") || contents.split(|&byte| byte == b'\n').any(|new| new == line)
    };
    let known: &[u8] = if old.all(is_kept) { &before } else { &[] };
    put(to, &contents, kind, known)?;
    let name = printable(to.as_encoded_bytes());
    let added = count.saturating_sub(count_before);
    writeln!(
        streams.output,
        "{name}: {kind}, {added} added, {count} in all"
    )
    .map_err(Failure::Output)
}

/// Gives entries the account and the protocol that were asked for.
fn name(mut entries: Entries, options: &Options) -> Result<Entries, String> {
    let set = |field: &mut Vec<u8>, name: &Option<Vec<u8>>| {
        if let Some(name) = name {
            field.clone_from(name);
        }
    };
    match &mut entries {
        Entries::Keys(keys) => {
            for key in keys {
                let owner = match (&key.owner, &options.account, &options.protocol) {
                    (Some(owner), account, protocol) => Owner {
                        account: account.clone().unwrap_or_else(|| owner.account.clone()),
                        protocol: protocol.clone().unwrap_or_else(|| owner.protocol.clone()),
                    },
                    (None, Some(account), Some(protocol)) => Owner {
                        account: account.clone(),
                        protocol: protocol.clone(),
                    },
                    (None, ..) => {
                        return Err(
                            "it does not say whose key it is: give --account and --protocol"
                                .to_owned(),
                        );
                    }
                };
                key.owner = Some(owner);
            }
        }
        Entries::Fingerprints(lines) => {
            for line in lines {
                set(&mut line.accountname, &options.account);
                set(&mut line.protocol, &options.protocol);
            }
        }
        Entries::Tags(lines) => {
            for line in lines {
                set(&mut line.accountname, &options.account);
                set(&mut line.protocol, &options.protocol);
            }
        }
    }
    Ok(entries)
}

/// What is in the file already, which must be of this kind: its contents and its entries. Nothing if it is not there.
fn present(to: &OsStr, kind: Kind) -> Result<(Zeroizing<Vec<u8>>, Entries), Failure> {
    let contents = match fs::read(to).map(Zeroizing::new) {
        Ok(contents) if to != "-" => contents,
        Err(error) if to != "-" && error.kind() != ErrorKind::NotFound => {
            return Err(failure(to, &format!("it cannot be read: {error}")));
        }
        _ => Zeroizing::default(),
    };
    if contents.is_empty() {
        let nothing = match kind {
            Kind::Fingerprints => Entries::Fingerprints(Vec::new()),
            Kind::InstanceTags => Entries::Tags(Vec::new()),
            _ => Entries::Keys(Vec::new()),
        };
        return Ok((contents, nothing));
    }
    if let Some(other) = Kind::of(&contents).filter(|other| *other != kind) {
        let sentence = format!("nothing was changed: it holds {other}, not {kind}");
        return Err(failure(to, &sentence));
    }
    let file = KeyFile::read(kind, &contents);
    match file.faults.first() {
        None => Ok((contents, file.entries)),
        Some(fault) => Err(failure(to, &format!("nothing was changed: {fault}"))),
    }
}

/// Adds what is not there yet. An account has one key and one tag; a fingerprint that is there keeps its trust.
fn add(mut all: Entries, new: Entries) -> Result<Entries, String> {
    let another = |account: &[u8], protocol: &[u8], what: &str| {
        let (account, protocol) = (printable(account), printable(protocol));
        Err(format!("{account} ({protocol}) has another {what}"))
    };
    match (&mut all, new) {
        (Entries::Keys(all), Entries::Keys(new)) => {
            for key in new {
                match all.iter().find(|other| other.owner == key.owner) {
                    None => all.push(key),
                    Some(other) if other.fingerprint() == key.fingerprint() => {}
                    Some(Key { owner, .. }) => {
                        let (account, protocol) = owner
                            .as_ref()
                            .map(|owner| (owner.account.as_slice(), owner.protocol.as_slice()))
                            .unwrap_or_default();
                        return another(account, protocol, "key");
                    }
                }
            }
        }
        (Entries::Fingerprints(all), Entries::Fingerprints(new)) => {
            for line in new {
                let same = |other: &FingerprintLine| {
                    (
                        &other.username,
                        &other.accountname,
                        &other.protocol,
                        other.fingerprint,
                    ) == (
                        &line.username,
                        &line.accountname,
                        &line.protocol,
                        line.fingerprint,
                    )
                };
                if !all.iter().any(same) {
                    all.push(line);
                }
            }
        }
        (Entries::Tags(all), Entries::Tags(new)) => {
            for line in new {
                let same = |other: &&TagLine| {
                    (&other.accountname, &other.protocol) == (&line.accountname, &line.protocol)
                };
                match all.iter().find(same) {
                    None => all.push(line),
                    Some(other) if other.tag == line.tag => {}
                    Some(_) => return another(&line.accountname, &line.protocol, "instance tag"),
                }
            }
        }
        _ => return Err("it is of another kind".to_owned()),
    }
    Ok(all)
}

/// The whole file of libotr.
fn write(entries: &Entries) -> Result<Zeroizing<Vec<u8>>, String> {
    let written = match entries {
        Entries::Keys(keys) => {
            let entries = keys.iter().filter_map(|key| {
                let owner = key.owner.as_ref()?;
                Some(Entry {
                    name: &owner.account,
                    protocol: &owner.protocol,
                    key: &key.list,
                })
            });
            return private_keys::write(entries).map_err(|error| error.to_string());
        }
        Entries::Fingerprints(lines) => {
            fingerprints::write(lines.iter().map(FingerprintLine::borrowed))
        }
        Entries::Tags(lines) => instance_tags::write(lines.iter().map(TagLine::borrowed)),
    };
    let written = or_end(written);
    if written.left_out > 0 {
        return Err("a name has a tab or a newline in it, or is too long".to_owned());
    }
    Ok(Zeroizing::new(written.bytes))
}
