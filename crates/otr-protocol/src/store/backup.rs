//! Keeping a copy of a file whose replacement may not contain everything in it.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::atomic_file::{Temporary, flush};
use super::system::{MetadataExt, fchown, numbered, set_mode};
use crate::buffer;

/// The maximum number of copies of a file.
const COPIES: usize = 10;
/// A longer file is copied without checking whether it is known. No file of libotr is that long.
const LONGEST: usize = 16 << 20;
const CHUNK: usize = 8192;

/// Makes sure that the contents of the regular file at `path` are not lost when it is replaced.
///
/// Does nothing for an empty file, for contents for which `is_known` is true (the new file has all of them), and for contents
/// of which there is a copy already. Otherwise they are copied to the first free name of `NAME.backup`, `NAME.backup.1` and so
/// on, ten in all, with mode 0600.
///
/// # Errors
/// `EEXIST` if all ten names exist, and errors of reading the file or writing the copy. There is no unfinished copy then, nor
/// after a crash, except a file named `.otr-*.tmp`.
pub(crate) fn keep(path: &Path, is_known: impl FnOnce(&[u8]) -> bool) -> io::Result<()> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    if size == 0 {
        return Ok(());
    }
    let length = usize::try_from(size).unwrap_or(usize::MAX);
    let start = read_start(&mut file, length.min(LONGEST))?;
    let is_whole = start.len() == length;
    if is_whole && is_known(&start) {
        return Ok(());
    }
    let mut copy: Option<Temporary> = None;
    for name in names(path) {
        if is_whole && holds(&name, &start) {
            return Ok(());
        }
        if fs::symlink_metadata(&name).is_ok() {
            continue;
        }
        // Written under another name first, so that a copy is never unfinished, even if the process is killed.
        let complete = match copy.take() {
            Some(complete) => complete,
            None => {
                let mut new = Temporary::create(path, 0o600)?;
                fill(&mut new, &start, &mut file)?;
                new
            }
        };
        copy = complete.link_to(&name)?;
        if copy.is_none() {
            return Ok(());
        }
    }
    Err(numbered(libc::EEXIST, ErrorKind::AlreadyExists))
}

/// The names of the copies, in the order in which they are used.
fn names(path: &Path) -> impl Iterator<Item = PathBuf> {
    (0..COPIES).map(move |number| {
        let mut name = OsString::from(path);
        name.push(".backup");
        if number > 0 {
            name.push(format!(".{number}"));
        }
        PathBuf::from(name)
    })
}

/// Reads at most `length` bytes, and one more if the file has grown, into a buffer that never moves.
fn read_start(file: &mut File, length: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let buffer = buffer::zeros(length + 1);
    let buffer = buffer.map_err(|_| numbered(libc::ENOMEM, ErrorKind::OutOfMemory))?;
    let mut buffer = Zeroizing::new(buffer);
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    buffer.truncate(filled);
    Ok(buffer)
}

/// Whether there is a regular file (not a link) with exactly these contents at this path.
fn holds(path: &Path, contents: &[u8]) -> bool {
    let is_alike = fs::symlink_metadata(path).is_ok_and(|found| {
        found.is_file() && usize::try_from(found.len()).is_ok_and(|length| length == contents.len())
    });
    is_alike
        && File::open(path)
            .and_then(|mut file| read_start(&mut file, contents.len()))
            .is_ok_and(|found| *found == contents)
}

/// Writes what was read, and the rest of the file, to the copy.
fn fill(copy: &mut Temporary, start: &[u8], file: &mut File) -> io::Result<()> {
    // Even if the umask took something away from the owner.
    set_mode(&copy.file, 0o600)?;
    let old = file.metadata()?;
    let new = copy.file.metadata()?;
    if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
        // If the process may not change the owner, the copy keeps its own.
        let _ = fchown(&copy.file, Some(old.uid()), Some(old.gid()));
    }
    copy.file.write_all(start)?;
    let mut chunk = Zeroizing::new(
        buffer::zeros(CHUNK).map_err(|_| numbered(libc::ENOMEM, ErrorKind::OutOfMemory))?,
    );
    loop {
        match file.read(chunk.as_mut_slice()) {
            Ok(0) => return flush(&copy.file),
            Ok(count) => copy
                .file
                .write_all(chunk.get(..count).unwrap_or_default())?,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scratch::Scratch;
    use super::*;

    fn unknown(_: &[u8]) -> bool {
        false
    }

    #[test]
    fn what_is_not_known_is_copied_once() {
        let scratch = Scratch::new();
        let path = scratch.path("file");
        fs::write(&path, b"one").unwrap();
        keep(&path, unknown).unwrap();
        keep(&path, unknown).unwrap();
        assert_eq!(scratch.names(), ["file", "file.backup"]);
        assert_eq!(fs::read(scratch.path("file.backup")).unwrap(), b"one");
        let mode = fs::metadata(scratch.path("file.backup")).unwrap().mode();
        assert_eq!(mode & 0o7777, 0o600);

        fs::write(&path, b"two").unwrap();
        keep(&path, unknown).unwrap();
        assert_eq!(fs::read(scratch.path("file.backup")).unwrap(), b"one");
        assert_eq!(fs::read(scratch.path("file.backup.1")).unwrap(), b"two");
    }

    #[test]
    fn known_and_empty_files_need_no_copy() {
        let scratch = Scratch::new();
        let path = scratch.path("file");
        fs::write(&path, b"one").unwrap();
        keep(&path, |contents| contents == b"one").unwrap();
        fs::write(&path, b"").unwrap();
        keep(&path, unknown).unwrap();
        assert_eq!(scratch.names(), ["file"]);
    }

    #[test]
    fn ten_copies_are_the_limit() {
        let scratch = Scratch::new();
        let path = scratch.path("file");
        for number in 0..COPIES {
            fs::write(&path, format!("{number}")).unwrap();
            keep(&path, unknown).unwrap();
        }
        let before = scratch.names();
        assert_eq!(before.len(), COPIES + 1);
        fs::write(&path, b"more").unwrap();
        let error = keep(&path, unknown).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EEXIST));
        assert_eq!(scratch.names(), before);
        for (number, copy) in names(&path).enumerate() {
            assert_eq!(fs::read(copy).unwrap(), format!("{number}").into_bytes());
        }
    }

    #[test]
    fn what_is_in_the_way_is_left_alone() {
        let scratch = Scratch::new();
        let path = scratch.path("file");
        fs::write(&path, b"one").unwrap();
        fs::create_dir(scratch.path("file.backup")).unwrap();
        std::os::unix::fs::symlink("elsewhere", scratch.path("file.backup.1")).unwrap();
        keep(&path, unknown).unwrap();
        assert_eq!(
            scratch.names(),
            ["file", "file.backup", "file.backup.1", "file.backup.2"]
        );
    }

    #[test]
    fn a_very_long_file_is_copied_whole() {
        let scratch = Scratch::new();
        let path = scratch.path("file");
        let long: Vec<u8> = (0..LONGEST + 3 * CHUNK + 5)
            .map(|n| n.to_le_bytes()[0])
            .collect();
        fs::write(&path, &long).unwrap();
        keep(&path, |_| panic!("it was not read")).unwrap();
        assert!(fs::read(scratch.path("file.backup")).unwrap() == long);
    }

    #[test]
    fn a_file_that_has_grown_is_seen_to_be_longer() {
        let scratch = Scratch::new();
        let path = scratch.path("file");
        fs::write(&path, b"longer").unwrap();
        for (length, read) in [(5, 6), (3, 4), (6, 6), (10, 6)] {
            let mut file = File::open(&path).unwrap();
            assert_eq!(read_start(&mut file, length).unwrap().len(), read);
        }
    }
}
