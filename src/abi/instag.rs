//! `instag.h`: the instance tags of our accounts, a list to which clients may add.

use std::ffi::{CStr, c_char};
use std::ptr;

use super::borrowed::{self, Borrowed};
use super::entry::entry;
use super::error::GcryError;
use super::known_files::{self, path_of};
use super::linked_list;
use super::stdio::{self, Stream};
use super::text::CText;
use super::types::{
    MIN_VALID_INSTAG, OtrlInsTag, OtrlInstag, UserState, free_of_account, of_account,
};
use otr_crypto::{hash, random};
use otr_protocol::buffer::{self, OutOfMemory};
use otr_protocol::store::atomic_file::Mode;
use otr_protocol::store::instance_tags::{self, Line};

/// The newest tag of an account.
pub fn find<'a>(
    us: Borrowed<'a, UserState>,
    account: &[u8],
    protocol: &[u8],
) -> Option<Borrowed<'a, OtrlInsTag>> {
    of_account(us.instag_root(), account, protocol)
}

/// A new tag, never below [`MIN_VALID_INSTAG`].
pub fn new_tag() -> OtrlInstag {
    loop {
        let tag = random::bytes()
            .map_or_else(|_| u32::from_be_bytes(unlikely_bytes()), u32::from_be_bytes);
        if tag >= MIN_VALID_INSTAG {
            return tag;
        }
    }
}

/// Bytes for a system without randomness. A tag is public and need only differ from others; the time, the process id and an
/// address make that likely.
fn unlikely_bytes() -> [u8; 4] {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    let address = (&raw const now).addr();
    let digest = hash::sha256(&[
        &now.as_nanos().to_be_bytes(),
        &std::process::id().to_be_bytes(),
        &address.to_be_bytes(),
    ]);
    digest.first_chunk().copied().unwrap_or([1; 4])
}

/// Adds a tag for an account as the newest. `None` if out of memory.
pub(crate) fn add<'a>(
    us: Borrowed<'a, UserState>,
    account: &[u8],
    protocol: &[u8],
    tag: OtrlInstag,
) -> Option<Borrowed<'a, OtrlInsTag>> {
    let node: Borrowed<OtrlInsTag> = borrowed::new_zeroed()?;
    let named = node.accountname().store(CText::up_to_nul(account))
        & node.protocol().store(CText::up_to_nul(protocol));
    if !named {
        // SAFETY: made above.
        unsafe { free_of_account(node) };
        return None;
    }
    node.instag().set(tag);
    linked_list::link(us.instag_root(), node);
    Some(node)
}

/// Unlinks and frees a tag.
///
/// # Safety
/// It came from malloc like its names, and is not used afterwards.
unsafe fn forget(node: Borrowed<'_, OtrlInsTag>) {
    linked_list::unlink(node);
    // SAFETY: unlinked above, and not used afterwards, as the caller guarantees.
    unsafe { free_of_account(node) };
}

/// Forgets every tag.
///
/// # Safety
/// They are not used afterwards.
pub(crate) unsafe fn forget_all(us: Borrowed<'_, UserState>) {
    while let Some(first) = linked_list::take_first(us.instag_root()) {
        // SAFETY: taken out above, and not used afterwards, as the caller guarantees.
        unsafe { free_of_account(first) };
    }
}

/// The contents of the file with these tags.
fn file(us: Option<Borrowed<'_, UserState>>) -> Result<Vec<u8>, OutOfMemory> {
    let mut lines = Vec::new();
    for node in linked_list::iter(us.and_then(|us| us.instag_root().follow())) {
        let line = Line {
            accountname: node.accountname().bytes().unwrap_or_default(),
            protocol: node.protocol().bytes().unwrap_or_default(),
            tag: node.instag().get(),
        };
        buffer::push(&mut lines, line)?;
    }
    Ok(instance_tags::write(lines)?.bytes)
}

fn write(us: Borrowed<'_, UserState>, filename: Option<&CStr>) -> Result<(), GcryError> {
    known_files::replace(us, path_of(filename)?, &file(Some(us))?, Mode::Umask)
}

fn read_stream(us: Borrowed<'_, UserState>, stream: Stream<'_>) -> Result<(), GcryError> {
    let contents = stream.read_all()?;
    let lines = instance_tags::read(&contents)?;
    for line in lines.entries {
        add(us, line.accountname, line.protocol, line.tag).ok_or(GcryError::ENOMEM)?;
    }
    if lines.is_whole {
        known_files::remember(us, &contents);
    }
    Ok(())
}

/// Does nothing without a stream.
fn write_stream(us: Borrowed<'_, UserState>, stream: Option<Stream<'_>>) -> Result<(), GcryError> {
    let file = file(Some(us))?;
    if let Some(stream) = stream {
        stream.write_all(&file)?;
    }
    known_files::remember(us, &file);
    Ok(())
}

entry! {
    /// Unlinks and frees a tag. NULL is accepted.
    ///
    /// # Safety
    /// `node` is NULL or a live node, and is not used afterwards.
    on panic ();
    pub fn otrl_instag_forget(node: *mut OtrlInsTag as Option<Borrowed<OtrlInsTag>>) {
        if let Some(node) = node {
            // SAFETY: the caller gives up the tag.
            unsafe { forget(node) }
        }
    }
}

entry! {
    /// Forgets every tag.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, whose tags are not used afterwards.
    on panic ();
    pub fn otrl_instag_forget_all(us: *mut UserState as Option<Borrowed<UserState>>) {
        if let Some(us) = us {
            // SAFETY: the caller gives up all tags.
            unsafe { forget_all(us) }
        }
    }
}

entry! {
    /// The newest tag of an account, or NULL.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, the names NULL or C strings.
    on panic ptr::null_mut();
    pub fn otrl_instag_find(
        us: *mut UserState as Option<Borrowed<UserState>>,
        account: *const c_char as Option<&[u8]>,
        protocol: *const c_char as Option<&[u8]>,
    ) -> *mut OtrlInsTag as Option<Borrowed<OtrlInsTag>> {
        find(us?, account?, protocol?)
    }
}

entry! {
    /// A new tag that belongs to no account yet.
    ///
    /// # Safety
    /// None beyond C's calling convention.
    on panic MIN_VALID_INSTAG;
    pub fn otrl_instag_get_new() -> OtrlInstag {
        new_tag()
    }
}

entry! {
    /// Reads tags from a file and adds them.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, `filename` NULL or a C string.
    on panic GcryError::INTERNAL;
    pub fn otrl_instag_read(
        us: *mut UserState as Option<Borrowed<UserState>>,
        filename: *const c_char as Option<&CStr>,
    ) -> GcryError as Result<(), GcryError> {
        stdio::with_file(filename, |stream| us.map_or(Ok(()), |us| read_stream(us, stream)))
    }
}

entry! {
    /// Reads tags from a stream and adds them. NULL is like an empty stream.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, `stream` NULL or open for reading.
    on panic GcryError::INTERNAL;
    pub fn otrl_instag_read_FILEp(
        us: *mut UserState as Option<Borrowed<UserState>>,
        stream: *mut libc::FILE as Option<Stream>,
    ) -> GcryError as Result<(), GcryError> {
        match (us, stream) {
            (Some(us), Some(stream)) => read_stream(us, stream),
            _ => Ok(()),
        }
    }
}

entry! {
    /// Writes all tags to a file.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, `filename` NULL or a C string.
    on panic GcryError::INTERNAL;
    pub fn otrl_instag_write(
        us: *mut UserState as Option<Borrowed<UserState>>,
        filename: *const c_char as Option<&CStr>,
    ) -> GcryError as Result<(), GcryError> {
        write(us.ok_or(GcryError::INV_VALUE)?, filename)
    }
}

entry! {
    /// Writes all tags to a stream. Does nothing for NULL.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, `stream` NULL or open for writing.
    on panic GcryError::INTERNAL;
    pub fn otrl_instag_write_FILEp(
        us: *mut UserState as Option<Borrowed<UserState>>,
        stream: *mut libc::FILE as Option<Stream>,
    ) -> GcryError as Result<(), GcryError> {
        us.map_or(Ok(()), |us| write_stream(us, stream))
    }
}

entry! {
    /// Makes a tag for an account and writes all tags to a file. If that fails, there is no new tag either.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, the others NULL or C strings.
    on panic GcryError::INTERNAL;
    pub fn otrl_instag_generate(
        us: *mut UserState as Option<Borrowed<UserState>>,
        filename: *const c_char as Option<&CStr>,
        account: *const c_char as Option<&[u8]>,
        protocol: *const c_char as Option<&[u8]>,
    ) -> GcryError as Result<(), GcryError> {
        generate(us, account, protocol, |us| write(us, filename))
    }
}

entry! {
    /// Makes a tag for an account and writes all tags to a stream. Without a stream (NULL) the tag is added all the same.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, `stream` NULL or open for writing, the names NULL or C strings.
    on panic GcryError::INTERNAL;
    pub fn otrl_instag_generate_FILEp(
        us: *mut UserState as Option<Borrowed<UserState>>,
        stream: *mut libc::FILE as Option<Stream>,
        account: *const c_char as Option<&[u8]>,
        protocol: *const c_char as Option<&[u8]>,
    ) -> GcryError as Result<(), GcryError> {
        generate(us, account, protocol, |us| write_stream(us, stream))
    }
}

/// Does nothing for NULL names, as libotr does.
fn generate<'a>(
    us: Option<Borrowed<'a, UserState>>,
    account: Option<&[u8]>,
    protocol: Option<&[u8]>,
    write: impl FnOnce(Borrowed<'a, UserState>) -> Result<(), GcryError>,
) -> Result<(), GcryError> {
    let (Some(account), Some(protocol)) = (account, protocol) else {
        return Ok(());
    };
    let us = us.ok_or(GcryError::INV_VALUE)?;
    let node = add(us, account, protocol, new_tag()).ok_or(GcryError::ENOMEM)?;
    // SAFETY: made above, and nobody has a pointer to it.
    write(us).inspect_err(|_| unsafe { forget(node) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::userstate::{otrl_userstate_create, otrl_userstate_free};
    use std::ffi::{CStr, CString};
    use std::os::unix::ffi::OsStrExt;

    fn path(name: &str) -> (std::path::PathBuf, CString) {
        let path = std::env::temp_dir().join(format!("otr-instag-{}-{name}", std::process::id()));
        let text = CString::new(path.as_os_str().as_bytes()).unwrap();
        (path, text)
    }

    #[test]
    fn tags_are_never_below_0x100() {
        for _ in 0..100 {
            assert!(unsafe { otrl_instag_get_new() } >= 0x100);
        }
    }

    #[test]
    fn a_tag_is_generated_written_and_read_back() {
        let (path, name) = path("round");
        unsafe {
            let us = otrl_userstate_create();
            assert_eq!(
                otrl_instag_generate(us, name.as_ptr(), c"me".as_ptr(), c"prpl".as_ptr()),
                GcryError::NO_ERROR
            );
            assert_eq!(
                otrl_instag_generate(us, c"/dev/null".as_ptr(), c"I".as_ptr(), c"p".as_ptr()),
                GcryError::NO_ERROR
            );
            assert_eq!(otrl_instag_write(us, name.as_ptr()), GcryError::NO_ERROR);
            let made = (*otrl_instag_find(us, c"me".as_ptr(), c"prpl".as_ptr())).instag;
            let other = otrl_userstate_create();
            assert_eq!(otrl_instag_read(other, name.as_ptr()), GcryError::NO_ERROR);
            assert_eq!(
                (*otrl_instag_find(other, c"me".as_ptr(), c"prpl".as_ptr())).instag,
                made
            );
            assert_eq!(CStr::from_ptr((*(*other).instag_root).accountname), c"me");
            assert!(otrl_instag_find(other, c"me".as_ptr(), c"x".as_ptr()).is_null());
            assert!(otrl_instag_find(ptr::null_mut(), c"me".as_ptr(), c"x".as_ptr()).is_null());
            otrl_userstate_free(us);
            otrl_userstate_free(other);
        }
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn streams_are_the_clients_own() {
        let (path, name) = path("stream");
        unsafe {
            let us = otrl_userstate_create();
            let stream = libc::fopen(name.as_ptr(), c"w+b".as_ptr());
            let generated = otrl_instag_generate_FILEp(us, stream, c"me".as_ptr(), c"p".as_ptr());
            assert_eq!(generated, GcryError::NO_ERROR);
            libc::rewind(stream);
            let other = otrl_userstate_create();
            assert_eq!(otrl_instag_read_FILEp(other, stream), GcryError::NO_ERROR);
            assert_eq!((*(*other).instag_root).instag, (*(*us).instag_root).instag);
            libc::fclose(stream);
            assert_eq!(
                otrl_instag_read_FILEp(other, ptr::null_mut()),
                GcryError::NO_ERROR
            );
            assert_eq!(
                otrl_instag_write_FILEp(other, ptr::null_mut()),
                GcryError::NO_ERROR
            );
            otrl_userstate_free(us);
            otrl_userstate_free(other);
        }
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn what_fails_leaves_no_tag() {
        let nowhere = c"/nonexistent/file";
        unsafe {
            let us = otrl_userstate_create();
            assert_eq!(
                otrl_instag_read(us, nowhere.as_ptr()),
                GcryError(0x0100_8051)
            );
            let generated =
                otrl_instag_generate(us, nowhere.as_ptr(), c"me".as_ptr(), c"p".as_ptr());
            assert_eq!(generated, GcryError(0x0100_8051));
            let full =
                otrl_instag_generate(us, c"/dev/full".as_ptr(), c"me".as_ptr(), c"p".as_ptr());
            assert_eq!(full, GcryError::from_errno(libc::ENOSPC));
            assert!((*us).instag_root.is_null());
            assert_eq!(otrl_instag_read(us, c"/".as_ptr()), GcryError::NO_ERROR);
            otrl_userstate_free(us);
        }
    }

    #[test]
    fn nodes_that_a_client_linked_in_are_found_and_freed() {
        unsafe {
            let us = otrl_userstate_create();
            let root = &raw mut (*us).instag_root;
            for name in [c"one", c"two"] {
                let node: *mut OtrlInsTag = crate::abi::memory::c_zeroed();
                (*node).accountname = libc::strdup(name.as_ptr());
                (*node).protocol = libc::strdup(c"p".as_ptr());
                (*node).instag = 0x1234;
                (*node).next = *root;
                (*node).tous = root;
                *root = node;
            }
            let one = otrl_instag_find(us, c"one".as_ptr(), c"p".as_ptr());
            assert_eq!((*one).instag, 0x1234);
            otrl_instag_forget(ptr::null_mut());
            otrl_instag_forget_all(us);
            assert!((*us).instag_root.is_null());
            otrl_userstate_free(us);
        }
    }
}
