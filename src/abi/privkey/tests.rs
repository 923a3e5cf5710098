//! Keys and files, over the C functions: what the tests share.

use std::ffi::{CStr, CString, c_char};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::abi::borrowed::{Borrowed, borrow};
use crate::abi::error::GcryError;
use crate::abi::types::{OtrlPrivKey, UserState};
use crate::abi::userstate::{otrl_userstate_create, otrl_userstate_free};

mod fingerprints;
#[cfg(feature = "abi5")]
mod generation;
mod keys;

/// Written by libotr 4.1.1: see tests/data/store/README.md.
const LIBOTR_FILE: &[u8] = include_bytes!("../../../tests/data/store/private_keys");
/// Its names, in the order of libotr's list.
const NAMES: [&str; 8] = [
    "last",
    "1digit",
    "\u{e4}\u{f6}\u{fc}@example.org",
    "with space \"quote\" 'apostrophe' \\",
    "alice@example.org/home",
    "",
    "m\u{fc}ller",
    "tab\there\nnewline",
];
const ALICE: &CStr = c"alice@example.org/home";
const JABBER: &CStr = c"prpl-jabber";

const ENOENT: GcryError = GcryError(0x0100_8051);

/// A directory of the test's own, removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("otr-privkey-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file with these contents, and returns its path for C.
    fn file(&self, name: &str, contents: &[u8]) -> CString {
        fs::write(self.path(name), contents).unwrap();
        c_path(&self.path(name))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn c_path(path: &Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).unwrap()
}

/// A user state of the test's own.
struct User(*mut UserState);

impl User {
    fn new() -> Self {
        Self(unsafe { otrl_userstate_create() })
    }

    fn borrowed(&self) -> Borrowed<'_, UserState> {
        borrow(self.0)
    }

    fn with_keys(scratch: &Scratch) -> Self {
        let user = Self::new();
        let file = scratch.file("libotr", LIBOTR_FILE);
        let error = unsafe { super::read::otrl_privkey_read(user.0, file.as_ptr()) };
        assert_eq!(error, GcryError::NO_ERROR);
        user
    }

    fn nodes(&self) -> Vec<*mut OtrlPrivKey> {
        let mut nodes = Vec::new();
        unsafe {
            let mut place = &raw mut (*self.0).privkey_root;
            while !(*place).is_null() {
                assert_eq!((**place).tous, place, "every node knows what points at it");
                nodes.push(*place);
                place = &raw mut (**place).next;
            }
        }
        nodes
    }

    fn names(&self) -> Vec<String> {
        self.nodes()
            .iter()
            .map(|node| unsafe { text((**node).accountname) })
            .collect()
    }

    #[cfg(feature = "abi5")]
    fn is_pending(&self) -> bool {
        unsafe { !(*self.0).pending_root.is_null() }
    }
}

impl Drop for User {
    fn drop(&mut self) {
        unsafe { otrl_userstate_free(self.0) };
    }
}

unsafe fn text(text: *const c_char) -> String {
    unsafe { CStr::from_ptr(text) }.to_str().unwrap().to_owned()
}

fn open(path: &Path, mode: &CStr) -> *mut libc::FILE {
    let stream = unsafe { libc::fopen(c_path(path).as_ptr(), mode.as_ptr()) };
    assert!(!stream.is_null());
    stream
}

/// A client's own copy of a key, with its own object in it, in no list.
fn foreign_node(name: &CStr, protocol: &CStr, key: &[u8]) -> *mut OtrlPrivKey {
    unsafe {
        let node: *mut OtrlPrivKey = crate::abi::memory::c_zeroed();
        (*node).accountname = libc::strdup(name.as_ptr());
        (*node).protocol = libc::strdup(protocol.as_ptr());
        (*node).privkey = if key.is_empty() {
            ptr::null_mut()
        } else {
            crate::abi::gcry::sexp::from_bytes(key).unwrap().into_raw()
        };
        node
    }
}

/// Adds a node at the front, as clients do.
fn link(user: &User, node: *mut OtrlPrivKey) {
    unsafe {
        let root = &raw mut (*user.0).privkey_root;
        (*node).next = *root;
        if !(*node).next.is_null() {
            (*(*node).next).tous = &raw mut (*node).next;
        }
        (*node).tous = root;
        *root = node;
    }
}
