//! What is replaced, what is written in place, with which mode, and what a failure leaves.

use super::super::scratch::Scratch;
use super::*;
use std::fs::Permissions;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};

/// Replaces a file of which nothing needs to be kept.
fn replace(path: &Path, bytes: &[u8], mode: Mode) -> io::Result<()> {
    super::replace(path, bytes, mode, |_| true)
}

fn mode_of(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn inode(path: &Path) -> u64 {
    fs::symlink_metadata(path).unwrap().ino()
}

#[test]
fn a_new_file_has_the_mode_of_its_kind() {
    let scratch = Scratch::new();
    let (key, list, plain) = (
        scratch.path("key"),
        scratch.path("list"),
        scratch.path("plain"),
    );
    replace(&key, b"secret", Mode::Private).unwrap();
    replace(&list, b"", Mode::Umask).unwrap();
    File::create(&plain).unwrap();
    assert_eq!(
        (fs::read(&key).unwrap().as_slice(), mode_of(&key)),
        (&b"secret"[..], 0o600)
    );
    assert_eq!(mode_of(&list), mode_of(&plain), "as any new file");
    assert_eq!(scratch.names(), ["key", "list", "plain"]);
}

#[test]
fn an_existing_file_is_exchanged_and_a_private_one_is_private() {
    let scratch = Scratch::new();
    let path = scratch.path("file");
    for (mode, kind, after) in [
        (0o600, Mode::Private, 0o600),
        (0o644, Mode::Private, 0o600),
        (0o600, Mode::Umask, 0o600),
        (0o644, Mode::Umask, 0o644),
    ] {
        fs::write(&path, b"old and longer").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let mut reader = File::open(&path).unwrap();
        replace(&path, b"new", kind).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(mode_of(&path), after);
        let mut old = Vec::new();
        reader.read_to_end(&mut old).unwrap();
        assert_eq!(old, b"old and longer", "a reader keeps what it opened");
    }
    assert_eq!(scratch.names(), ["file"]);
}

#[test]
fn a_link_stays_and_its_target_is_exchanged() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.path("real")).unwrap();
    let (target, link) = (scratch.path("real/file"), scratch.path("link"));
    fs::write(&target, b"old").unwrap();
    symlink("real/file", &link).unwrap();
    let before = inode(&target);
    replace(&link, b"new", Mode::Private).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read(&target).unwrap(), b"new");
    assert_ne!(inode(&target), before);
    assert_eq!(scratch.names(), ["link", "real"]);

    symlink("real/other", scratch.path("dangling")).unwrap();
    replace(&scratch.path("dangling"), b"made", Mode::Private).unwrap();
    assert_eq!(fs::read(scratch.path("real/other")).unwrap(), b"made");
    assert_eq!(mode_of(&scratch.path("real/other")) & 0o077, 0);
}

#[test]
fn without_a_copy_of_unknown_contents_nothing_is_replaced() {
    let scratch = Scratch::new();
    let (path, link) = (scratch.path("file"), scratch.path("link"));
    fs::write(&path, b"old").unwrap();
    symlink("file", &link).unwrap();
    super::replace(&link, b"new", Mode::Umask, |_| false).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(fs::read(scratch.path("file.backup")).unwrap(), b"old");

    for number in 1..10 {
        fs::write(scratch.path(&format!("file.backup.{number}")), b"").unwrap();
    }
    let refused = super::replace(&path, b"newer", Mode::Umask, |_| false).unwrap_err();
    assert_eq!(refused.raw_os_error(), Some(libc::EEXIST));
    assert_eq!(fs::read(&path).unwrap(), b"new");
    super::replace(&path, b"newer", Mode::Umask, |old| old == b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"newer");
}

#[test]
fn devices_and_pipes_stay_what_they_are() {
    replace(Path::new("/dev/null"), b"gone", Mode::Private).unwrap();
    assert!(
        fs::symlink_metadata("/dev/null")
            .unwrap()
            .file_type()
            .is_char_device()
    );

    let scratch = Scratch::new();
    symlink("/dev/null", scratch.path("null")).unwrap();
    replace(&scratch.path("null"), b"gone", Mode::Umask).unwrap();
    assert!(
        fs::symlink_metadata("/dev/null")
            .unwrap()
            .file_type()
            .is_char_device()
    );
    assert!(
        fs::symlink_metadata(scratch.path("null"))
            .unwrap()
            .is_symlink()
    );

    let pipe = scratch.path("pipe");
    let made = std::process::Command::new("mkfifo")
        .arg(&pipe)
        .status()
        .unwrap();
    assert!(made.success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read(pipe).unwrap()
    });
    replace(&pipe, b"through", Mode::Umask).unwrap();
    assert_eq!(reader.join().unwrap(), b"through");
    assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
}

#[test]
fn errors_carry_their_number_and_leave_nothing() {
    let scratch = Scratch::new();
    let number = |path: &Path| {
        replace(path, b"x", Mode::Private)
            .unwrap_err()
            .raw_os_error()
    };
    assert_eq!(number(Path::new("/dev/full")), Some(libc::ENOSPC));
    assert_eq!(number(&scratch.0), Some(libc::EISDIR));
    assert_eq!(number(&scratch.path("none/file")), Some(libc::ENOENT));
    assert_eq!(number(&scratch.path("none/")), Some(libc::EISDIR));
    assert_eq!(number(Path::new("")), Some(libc::ENOENT));
    assert_eq!(number(Path::new("/")), Some(libc::EISDIR));
    fs::write(scratch.path("file"), b"old").unwrap();
    assert_eq!(number(&scratch.path("file/x")), Some(libc::ENOTDIR));
    assert_eq!(
        number(Path::new("a\0b")),
        None,
        "no number: the system was not asked"
    );
    assert_eq!(scratch.names(), ["file"]);
}

#[test]
fn a_failed_replacement_leaves_the_old_file_and_no_other() {
    let scratch = Scratch::new();
    let path = scratch.path("file");
    fs::write(&path, b"old").unwrap();
    let mut temporary = Temporary::create(&path, 0o600).unwrap();
    temporary.fill(b"new").unwrap();
    assert_eq!(scratch.names().len(), 2);
    // Renaming over a directory fails.
    fs::create_dir(scratch.path("directory")).unwrap();
    let error = temporary.rename_to(&scratch.path("directory")).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EISDIR));
    assert_eq!(scratch.names(), ["directory", "file"]);
    assert_eq!(fs::read(&path).unwrap(), b"old");
}

#[test]
fn writing_in_place_works_for_every_length() {
    let scratch = Scratch::new();
    let path = scratch.path("file");
    for (old, new) in [
        (&b"12345"[..], &b"abc"[..]),
        (b"123", b"abcde"),
        (b"", b"abc"),
        (b"123", b""),
    ] {
        fs::write(&path, old).unwrap();
        let before = inode(&path);
        let mut file = OpenOptions::new().write(true).open(&path).unwrap();
        let metadata = file.metadata().unwrap();
        overwrite(&mut file, &metadata, new).unwrap();
        assert_eq!(fs::read(&path).unwrap(), new);
        assert_eq!(inode(&path), before);
    }
}

#[test]
fn a_file_without_a_name_is_written_in_place() {
    use std::os::fd::AsRawFd;
    let scratch = Scratch::new();
    let path = scratch.path("file");
    fs::write(&path, b"old").unwrap();
    let mut file = File::open(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let by_number = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    replace(&by_number, b"new and longer", Mode::Umask).unwrap();
    let mut contents = Vec::new();
    file.read_to_end(&mut contents).unwrap();
    assert_eq!(contents, b"new and longer");
    assert_eq!(scratch.names(), [""; 0]);
}

#[test]
fn only_the_directory_sends_the_bytes_in_place() {
    let refused = |number| Refused::from(io::Error::from_raw_os_error(number));
    for number in [
        libc::EACCES,
        libc::EPERM,
        libc::EROFS,
        libc::EBUSY,
        libc::EXDEV,
    ] {
        assert!(
            matches!(refused(number), Refused::InPlaceMayWork),
            "{number}"
        );
    }
    for number in [
        libc::ENOSPC,
        libc::EDQUOT,
        libc::EIO,
        libc::EMFILE,
        libc::EFBIG,
    ] {
        let Refused::Failed(error) = refused(number) else {
            panic!("{number} would lose the old file");
        };
        assert_eq!(error.raw_os_error(), Some(number));
    }
}

#[test]
fn only_the_named_one_of_hard_links_changes() {
    let scratch = Scratch::new();
    let (path, other) = (scratch.path("file"), scratch.path("other"));
    fs::write(&path, b"old").unwrap();
    fs::hard_link(&path, &other).unwrap();
    replace(&path, b"new", Mode::Umask).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(fs::read(&other).unwrap(), b"old");
}

#[test]
fn a_file_that_was_exchanged_during_the_call_is_no_target() {
    let scratch = Scratch::new();
    let (path, other) = (scratch.path("file"), scratch.path("other"));
    fs::write(&path, b"one").unwrap();
    let opened = fs::metadata(&path).unwrap();
    let target = fs::canonicalize(&path).unwrap();
    assert_eq!(regular_target(&path, &opened), Some(target));
    fs::write(&other, b"another").unwrap();
    fs::rename(&other, &path).unwrap();
    assert_eq!(regular_target(&path, &opened), None);
}

#[test]
fn what_cannot_be_flushed_is_no_failure() {
    flush(&File::open("/dev/null").unwrap()).unwrap();
}

#[test]
fn a_name_that_is_taken_is_not_overwritten() {
    let scratch = Scratch::new();
    let (taken, free) = (scratch.path("taken"), scratch.path("free"));
    fs::write(&taken, b"old").unwrap();
    let mut file = Temporary::create(&taken, 0o600).unwrap();
    file.fill(b"new").unwrap();
    let file = file.link_to(&taken).unwrap().unwrap();
    assert_eq!(fs::read(&taken).unwrap(), b"old");
    assert!(file.link_to(&free).unwrap().is_none());
    assert_eq!(fs::read(&free).unwrap(), b"new");
    assert_eq!(scratch.names(), ["free", "taken"]);
}

#[test]
fn a_path_relative_to_here_needs_no_directory() {
    let temporary = Temporary::create(Path::new("file"), 0o600).unwrap();
    assert_eq!(temporary.directory, Path::new("."));
    assert!(temporary.path.exists());
    let path = temporary.path.clone();
    drop(temporary);
    assert!(!path.exists());
}
