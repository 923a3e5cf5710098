//! Replacing a file on disk so that after a crash, and for a reader, there are the old contents or the new ones, never a
//! mixture.
//!
//! A regular file is written under another name in the same directory, flushed, and renamed over the old one. Some paths
//! must not be renamed over, above all `/dev/null`, which clients pass to discard a file; those are written in place.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::backup;
use super::system::{FileTypeExt, MetadataExt, OpenOptionsExt, fchown, set_mode};

/// Who may read a file that did not exist before. An existing file keeps its owner and group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The owner alone (0600): private keys. From an existing file the permissions of others are removed.
    Private,
    /// Whoever the umask of the process allows, as with `fopen`. An existing file keeps its mode.
    Umask,
}

impl Mode {
    fn bits(self) -> u32 {
        match self {
            Mode::Private => 0o600,
            Mode::Umask => 0o666,
        }
    }

    /// The mode of a file that had mode `old` before.
    fn of_existing(self, old: u32) -> u32 {
        match self {
            Mode::Private => old & 0o7700,
            Mode::Umask => old & 0o7777,
        }
    }
}

/// Makes `bytes` the whole contents of the file at `path`.
///
/// - A path that cannot be opened for writing is refused with the error that `fopen` gives, also a read-only file in a writable
///   directory.
/// - A symbolic link is followed, and the file that it points to is replaced in that file's directory. The link is opened
///   before it is resolved, so the kernel's protection against links in shared directories works.
/// - Anything that is not a regular file (a device, a pipe) is written in place.
/// - A regular file is also written in place if a new file cannot replace it: its directory is not writable, its owner cannot
///   be kept, or it is a mount point. A failure then puts back the old length and, unless the disk itself fails, the old
///   contents; only a crash in the middle can mix them.
/// - In every other case the old file stays untouched until the new one is complete, and the new one is removed on failure.
///   A process killed in between leaves a file named `.otr-*.tmp` with the mode of the target.
/// - Contents of a regular file for which `is_known` is false are copied first, see `backup::keep`; if that fails nothing is
///   replaced.
/// - Of several hard links only the one at `path` gets the new contents, and extended attributes (ACLs among them) are those of
///   a new file.
///
/// # Errors
/// The error of the operating system, with its number in [`io::Error::raw_os_error`].
pub fn replace(
    path: &Path,
    bytes: &[u8],
    mode: Mode,
    is_known: impl FnOnce(&[u8]) -> bool,
) -> io::Result<()> {
    match OpenOptions::new().write(true).open(path) {
        Ok(file) => replace_existing(path, file, bytes, mode, is_known),
        Err(error) if error.kind() == ErrorKind::NotFound => create(path, bytes, mode),
        Err(error) => Err(error),
    }
}

/// Replaces the file that is open as `file`.
fn replace_existing(
    path: &Path,
    mut file: File,
    bytes: &[u8],
    mode: Mode,
    is_known: impl FnOnce(&[u8]) -> bool,
) -> io::Result<()> {
    let old = file.metadata()?;
    if !old.is_file() {
        file.write_all(bytes)?;
        // A block device can be flushed; a pipe or a terminal returns an error.
        if old.file_type().is_block_device() {
            flush(&file)?;
        }
        return Ok(());
    }
    let target = regular_target(path, &old);
    if old.len() > 0 {
        backup::keep(target.as_deref().unwrap_or(path), is_known)?;
    }
    let replaced = target.map_or(Err(Refused::InPlaceMayWork), |target| {
        try_replacement(&target, &old, bytes, mode)
    });
    match replaced {
        Err(Refused::InPlaceMayWork) => {
            // This fails if the process does not own the file, but it may still be allowed to write to it.
            let _ = set_mode(&file, mode.of_existing(old.mode()));
            overwrite(&mut file, &old, bytes)
        }
        Err(Refused::Failed(error)) => Err(error),
        Ok(()) => Ok(()),
    }
}

/// The path, with links resolved, of the file that was opened, if it is still the same file.
fn regular_target(path: &Path, opened: &Metadata) -> Option<PathBuf> {
    let target = fs::canonicalize(path).ok()?;
    let found = fs::symlink_metadata(&target).ok()?;
    (found.is_file() && found.dev() == opened.dev() && found.ino() == opened.ino())
        .then_some(target)
}

/// Why there is no replacement.
enum Refused {
    /// The problem is the directory, not the disk.
    InPlaceMayWork,
    /// Writing in place would fail as well, or lose the old contents.
    Failed(io::Error),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::ResourceBusy
            | ErrorKind::CrossesDevices => Refused::InPlaceMayWork,
            _ => Refused::Failed(error),
        }
    }
}

fn try_replacement(target: &Path, old: &Metadata, bytes: &[u8], mode: Mode) -> Result<(), Refused> {
    let mut temporary = Temporary::create(target, Mode::Private.bits())?;
    let new = temporary.file.metadata()?;
    if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
        fchown(&temporary.file, Some(old.uid()), Some(old.gid()))?;
    }
    set_mode(&temporary.file, mode.of_existing(old.mode()))?;
    temporary.fill(bytes)?;
    temporary.rename_to(target)?;
    Ok(())
}

/// Creates a file that does not exist yet.
fn create(path: &Path, bytes: &[u8], mode: Mode) -> io::Result<()> {
    // A dangling link is followed, and an impossible path gives the error that `fopen` gives.
    let is_link = fs::symlink_metadata(path).is_ok();
    let names_file =
        path.file_name().is_some() && !path.as_os_str().as_encoded_bytes().ends_with(b"/");
    if is_link || !names_file {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(mode.bits())
            .open(path)?;
        let old = file.metadata()?;
        return overwrite(&mut file, &old, bytes);
    }
    let mut temporary = Temporary::create(path, mode.bits())?;
    if mode == Mode::Private {
        // Even if the umask removed permissions of the owner.
        set_mode(&temporary.file, mode.bits())?;
    }
    temporary.fill(bytes)?;
    temporary.rename_to(path)
}

/// Overwrites a regular file. The part beyond its old end comes first, because only that needs new space: if there is none,
/// truncating to the old length restores the old file.
fn overwrite(file: &mut File, old: &Metadata, bytes: &[u8]) -> io::Result<()> {
    let length = usize::try_from(old.len()).unwrap_or(usize::MAX);
    let (over, beyond) = bytes.split_at_checked(length).unwrap_or((bytes, &[]));
    if !beyond.is_empty() {
        let appended = file
            .seek(SeekFrom::Start(old.len()))
            .and_then(|_| file.write_all(beyond))
            .and_then(|()| flush(file));
        if let Err(error) = appended {
            // The first error is returned; if this fails too, the old contents are still at the beginning.
            let _ = file.set_len(old.len());
            return Err(error);
        }
    }
    file.rewind()?;
    file.write_all(over)?;
    // The length fits: it is that of a slice.
    file.set_len(bytes.len() as u64)?;
    flush(file)
}

/// Flushes to the disk. It is not an error if the file system does not support this.
pub(super) fn flush(file: &File) -> io::Result<()> {
    match file.sync_all() {
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::InvalidInput | ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        other => other,
    }
}

/// A new file in the directory of the target, removed when dropped unless it was renamed.
pub(super) struct Temporary {
    pub(super) file: File,
    path: PathBuf,
    directory: PathBuf,
    renamed: bool,
}

impl Temporary {
    /// Creates the file under an unpredictable name; the kernel refuses a name that exists, even if it is a link.
    #[expect(
        clippy::disallowed_methods,
        reason = "a path that the system has opened"
    )]
    pub(super) fn create(target: &Path, mode: u32) -> io::Result<Temporary> {
        let directory = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| match error.raw_os_error() {
            Some(number) => io::Error::from_raw_os_error(number),
            None => io::Error::other("no randomness for a file name"),
        })?;
        let mut name = OsString::from(".otr-");
        name.push(format!("{:032x}.tmp", u128::from_be_bytes(random)));
        let path = directory.join(name);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&path)?;
        Ok(Temporary {
            file,
            path,
            directory,
            renamed: false,
        })
    }

    fn fill(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        flush(&self.file)
    }

    /// Gives the file this name, unless it exists. If it exists, returns the file, to be tried with another name.
    ///
    /// # Errors
    /// Any other error.
    pub(super) fn link_to(self, name: &Path) -> io::Result<Option<Temporary>> {
        match fs::hard_link(&self.path, name) {
            Ok(()) => Ok(None),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Some(self)),
            // A file system without hard links. The caller has checked that the name does not exist.
            Err(_) => self.rename_to(name).map(|()| None),
        }
    }

    fn rename_to(mut self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)?;
        self.renamed = true;
        // The contents are on disk. If this fails, a crash may restore the old file, which is complete too.
        if let Ok(directory) = File::open(&self.directory) {
            let _ = directory.sync_all();
        }
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.renamed {
            // If the file cannot be removed, there is nothing to do about it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests;
