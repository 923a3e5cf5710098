//! `otr-keys backup` and `otr-keys restore`.

use std::ffi::{OsStr, OsString};
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use otr_protocol::store::atomic_file::{Mode, replace};
use zeroize::Zeroizing;

use super::options::Options;
use super::{failure, read, tell};
use crate::key_files::{KeyFile, Kind, printable};
use crate::program::{Failure, Streams};

/// Copies a file. A damaged one as well: it may be all there is; but the exit status says so.
pub(super) fn backup(
    file: &OsStr,
    copy: Option<&OsStr>,
    options: &Options,
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    let (contents, read) = read(file, options, streams).map_err(|why| failure(file, &why))?;
    let copy = copy.map_or_else(
        || {
            let mut name = OsString::from(file);
            name.push(".backup");
            name
        },
        OsStr::to_owned,
    );
    create(&copy, &contents).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => failure(&copy, "it is there already, and was left as it is"),
        _ => failure(&copy, &format!("it cannot be written: {error}")),
    })?;
    tell(file, &read.faults, streams);
    say(streams, &read, &copy)?;
    if read.faults.is_empty() {
        Ok(())
    } else {
        Err(failure(file, "it was copied as it is"))
    }
}

/// Makes a file that its owner alone may read, and looks at what is in it afterwards.
fn create(path: &OsStr, contents: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    let written = file
        .write_all(contents)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::read(path).map(Zeroizing::new))
        .and_then(|found| {
            if *found == contents {
                Ok(())
            } else {
                Err(io::Error::other("its contents are not what was written"))
            }
        });
    if written.is_err() {
        // A piece of a copy must not be taken for one. That it could not be written is worth more than that it is there.
        let _ = fs::remove_file(path);
    }
    written
}

/// Replaces a file by a good copy. The old contents are kept in another file next to it.
pub(super) fn restore(
    copy: &OsStr,
    file: &OsStr,
    options: &Options,
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    let (contents, read) = read(copy, options, streams).map_err(|why| failure(copy, &why))?;
    if !read.faults.is_empty() {
        tell(copy, &read.faults, streams);
        let sentence = format!(
            "nothing was changed: {} is not good",
            printable(copy.as_encoded_bytes())
        );
        return Err(failure(file, &sentence));
    }
    let present = match fs::read(file).map(Zeroizing::new) {
        Ok(present) => present,
        Err(error) if error.kind() == ErrorKind::NotFound => Zeroizing::default(),
        Err(error) => return Err(failure(file, &format!("it cannot be read: {error}"))),
    };
    if let Some(kind) = Kind::of(&present).filter(|kind| *kind != read.kind) {
        let sentence = format!(
            "nothing was changed: it holds {kind}, and the copy {}",
            read.kind
        );
        return Err(failure(file, &sentence));
    }
    put(file, &contents, read.kind, &[])?;
    say(streams, &read, file)
}

/// Replaces a file. Contents of it that are neither these nor the ones of before are copied first.
pub(super) fn put(file: &OsStr, contents: &[u8], kind: Kind, before: &[u8]) -> Result<(), Failure> {
    let mode = if kind.is_private() {
        Mode::Private
    } else {
        Mode::Umask
    };
    replace(Path::new(file), contents, mode, |present| {
        present == contents || present == before
    })
    .map_err(|error| failure(file, &format!("it cannot be written: {error}")))
}

fn say(streams: &mut Streams<'_>, read: &KeyFile, file: &OsStr) -> Result<(), Failure> {
    let name = printable(file.as_encoded_bytes());
    let count = read.entries.count();
    writeln!(
        streams.output,
        "{name}: {}, {count} in all, written",
        read.kind
    )
    .map_err(Failure::Output)
}
