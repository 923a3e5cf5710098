//! The file of the fingerprints of others.

use std::ffi::c_void;

use super::super::fingerprint_file::*;
use super::*;
#[cfg(feature = "abi5")]
use crate::abi::context;
use crate::abi::memory::bytes_of;
use crate::abi::types::ConnContext;

const FILE: &[u8] = include_bytes!("../../../../tests/data/store/fingerprints");

unsafe extern "C-unwind" fn count(data: *mut c_void, context: *mut ConnContext) {
    unsafe {
        *data.cast::<u32>() += 1;
        (*context).app_data = data;
    }
}

/// Reads the same file once more, from within the callback.
unsafe extern "C-unwind" fn read_again(data: *mut c_void, context: *mut ConnContext) {
    unsafe {
        let (us, path) = *data.cast::<(*mut UserState, *const c_char)>();
        (*context).app_data = data;
        assert_eq!(
            otrl_privkey_read_fingerprints(us, path, None, ptr::null_mut()).0,
            0
        );
    }
}

fn write(user: &User, path: &Path) -> u32 {
    unsafe { otrl_privkey_write_fingerprints(user.0, c_path(path).as_ptr()).0 }
}

fn sorted(file: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<_> = file.split_inclusive(|byte| *byte == b'\n').collect();
    lines.sort();
    lines
}

/// Notes whose context it is called for.
unsafe extern "C-unwind" fn note(data: *mut c_void, context: *mut ConnContext) {
    unsafe {
        let seen = &mut *data.cast::<Vec<Vec<u8>>>();
        seen.push(bytes_of((*context).username).unwrap().to_vec());
    }
}

/// A file in any order gives the same list of contexts, and each has its fingerprints in libotr's order: the last line first.
/// The client's callback is called in the order of the file.
#[test]
fn the_order_of_a_file_matters_for_the_fingerprints_of_one_only() {
    let scratch = Scratch::new();
    let user = User::new();
    let line = |name: &str, digit: u8| {
        let digits = char::from(digit).to_string().repeat(40);
        format!("{name}\tme\tprpl\t{digits}\n")
    };
    let lines = [
        line("carol", b'1'),
        line("alice", b'2'),
        line("bob", b'3'),
        line("alice", b'4'),
        line("carol", b'5'),
    ];
    let path = scratch.file("in", lines.concat().as_bytes());
    let mut seen: Vec<Vec<u8>> = Vec::new();
    unsafe {
        let data = (&raw mut seen).cast();
        let error = otrl_privkey_read_fingerprints(user.0, path.as_ptr(), Some(note), data);
        assert_eq!(error.0, 0);
    }
    assert_eq!(seen, [&b"carol"[..], b"alice", b"bob"]);
    let out = scratch.path("out");
    assert_eq!(write(&user, &out), 0);
    let [c1, a2, b3, a4, c5] = lines.map(|line| line.replace('\n', "\t\n"));
    let written = fs::read_to_string(&out).unwrap();
    assert_eq!(written, [a4, a2, b3, c5, c1].concat());
}

#[test]
fn a_file_is_read_and_written() {
    let scratch = Scratch::new();
    let user = User::new();
    let path = scratch.file("in", FILE);
    let out = scratch.path("out");
    let mut contexts = 0_u32;
    let data = (&raw mut contexts).cast();
    unsafe {
        let error = otrl_privkey_read_fingerprints(user.0, path.as_ptr(), Some(count), data);
        assert_eq!(error.0, 0);
        assert_eq!(contexts, 7);
        assert_eq!(write(&user, &out), 0);
        // Sorted by contexts; the fingerprints of each are reversed with each reading.
        assert_eq!(sorted(&fs::read(&out).unwrap()), sorted(FILE));
        let again = User::new();
        let stream = open(&out, c"rb");
        let error = otrl_privkey_read_fingerprints_FILEp(again.0, stream, None, ptr::null_mut());
        assert_eq!(error.0, 0);
        libc::fclose(stream);
        let stream = open(&scratch.path("stream"), c"wb");
        assert_eq!(otrl_privkey_write_fingerprints_FILEp(again.0, stream).0, 0);
        libc::fclose(stream);
        // FILE was written by libotr after one reading, so two more readings restore its order.
        assert_eq!(fs::read(scratch.path("stream")).unwrap(), FILE);

        // Merged, not duplicated; the trust is that of the file.
        let error = otrl_privkey_read_fingerprints(user.0, path.as_ptr(), Some(count), data);
        assert_eq!((error.0, contexts), (0, 7));
        assert_eq!(write(&user, &out), 0);
        assert_eq!(sorted(&fs::read(&out).unwrap()), sorted(FILE));
    }
}

#[test]
fn trust_is_null_without_its_field_and_read_from_the_client() {
    let scratch = Scratch::new();
    let user = User::new();
    let line = b"bob\tme\tp\t0101010101010101010101010101010101010101\n";
    let path = scratch.file("in", line);
    unsafe {
        otrl_privkey_read_fingerprints(user.0, path.as_ptr(), None, ptr::null_mut());
        let master = (*user.0).context_root;
        assert!((*master).app_data.is_null());
        let fingerprint = (*master).fingerprint_root.next;
        assert!((*fingerprint).trust.is_null());
        (*fingerprint).trust = libc::strdup(c"trusted".as_ptr());
        #[cfg(feature = "abi5")]
        add_child(&user);
        assert_eq!(write(&user, &scratch.path("out")), 0);
        let expected = [line.trim_ascii_end(), b"\ttrusted\n"].concat();
        assert_eq!(fs::read(scratch.path("out")).unwrap(), expected);
    }
}

/// A child context has no line in the file.
#[cfg(feature = "abi5")]
fn add_child(user: &User) {
    let (user_name, account, protocol) = (c"bob".as_ptr(), c"me".as_ptr(), c"p".as_ptr());
    let child = unsafe {
        let names = context::Names::new(user_name, account, protocol).unwrap();
        context::find_or_add(user.borrowed(), &names, 0x100, context::NewContexts::QUIET)
    };
    assert!(child.is_some());
}

#[test]
fn a_callback_may_read_the_same_file() {
    let scratch = Scratch::new();
    let user = User::new();
    let path = scratch.file("in", FILE);
    let mut data = (user.0, path.as_ptr());
    unsafe {
        let error = otrl_privkey_read_fingerprints(
            user.0,
            path.as_ptr(),
            Some(read_again),
            (&raw mut data).cast(),
        );
        assert_eq!(error.0, 0);
        assert_eq!(write(&user, &scratch.path("out")), 0);
    }
    assert_eq!(
        sorted(&fs::read(scratch.path("out")).unwrap()),
        sorted(FILE)
    );
}

#[test]
fn errors_have_libotrs_codes() {
    let scratch = Scratch::new();
    let user = User::new();
    let read = |us, path: *const c_char| unsafe {
        otrl_privkey_read_fingerprints(us, path, None, ptr::null_mut())
    };
    let none = c_path(&scratch.path("none"));
    assert_eq!(read(user.0, none.as_ptr()), ENOENT);
    assert_eq!(
        read(user.0, c_path(&scratch.0).as_ptr()).0,
        0,
        "a directory has no lines"
    );
    assert_eq!(read(user.0, ptr::null()), GcryError::INV_VALUE);
    assert_eq!(read(ptr::null_mut(), none.as_ptr()), GcryError::INV_VALUE);
    let full = GcryError::from_errno(libc::ENOSPC).0;
    let path = scratch.file("in", FILE);
    assert_eq!(read(user.0, path.as_ptr()).0, 0);
    assert_eq!(write(&user, Path::new("/dev/full")), full);
    assert_eq!(write(&user, &scratch.path("none/file")), ENOENT.0);
    unsafe {
        let null = ptr::null_mut();
        assert_eq!(
            otrl_privkey_write_fingerprints(user.0, ptr::null()),
            GcryError::INV_VALUE
        );
        assert_eq!(
            otrl_privkey_write_fingerprints(ptr::null_mut(), none.as_ptr()),
            GcryError::INV_VALUE
        );
        assert!(!scratch.path("none").exists());
        assert_eq!(otrl_privkey_write_fingerprints_FILEp(user.0, null).0, 0);
        assert_eq!(
            otrl_privkey_read_fingerprints_FILEp(user.0, null, None, ptr::null_mut()).0,
            0
        );
        let stream = open(Path::new("/dev/full"), c"wb");
        assert_eq!(
            otrl_privkey_write_fingerprints_FILEp(user.0, stream).0,
            full
        );
        libc::fclose(stream);
    }
}
