//! `instag.h`: the instance tags of our accounts, one list that clients may add to.

use std::ffi::c_char;
use std::ptr;

use super::entry::entry;
use super::error::GcryError;
use super::known_files::{self, path_of};
use super::linked_list;
use super::memory::{bytes_of, c_string, c_zeroed, text_is};
use super::stdio;
use super::types::{MIN_VALID_INSTAG, OtrlInsTag, OtrlInstag, UserState};
use otr_crypto::{hash, random};
use otr_protocol::buffer::{self, OutOfMemory};
use otr_protocol::store::atomic_file::Mode;
use otr_protocol::store::instance_tags::{self, Line};

/// The newest tag of an account, or NULL.
///
/// # Safety
/// `us` is NULL or a live user state, the names NULL or C strings.
pub unsafe fn find(
    us: *const UserState,
    account: *const c_char,
    protocol: *const c_char,
) -> *mut OtrlInsTag {
    // SAFETY: the names are NULL or C strings, and the list has live nodes.
    unsafe {
        let (Some(account), Some(protocol)) = (bytes_of(account), bytes_of(protocol)) else {
            return ptr::null_mut();
        };
        nodes_of(us)
            .find(|node| {
                text_is((**node).accountname, account) && text_is((**node).protocol, protocol)
            })
            .unwrap_or(ptr::null_mut())
    }
}

/// The tags of a user state, the newest first; none for NULL.
///
/// # Safety
/// `us` is NULL or a live user state, and no node goes while the iterator is in use.
unsafe fn nodes_of(us: *const UserState) -> impl Iterator<Item = *mut OtrlInsTag> {
    // SAFETY: NULL, or a live user state with a list of live nodes.
    unsafe { linked_list::iter(us.as_ref().map_or(ptr::null_mut(), |us| us.instag_root)) }
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

/// Bytes for a system that has no random ones left. A tag is public and need only differ from others, which the time, the
/// process and an address see to.
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

/// Adds a tag for an account as the newest. NULL for NULL and without memory.
///
/// # Safety
/// As for [`find`].
pub unsafe fn add(
    us: *mut UserState,
    account: *const c_char,
    protocol: *const c_char,
    tag: OtrlInstag,
) -> *mut OtrlInsTag {
    // SAFETY: the caller's promise.
    match unsafe { (bytes_of(account), bytes_of(protocol)) } {
        // SAFETY: likewise.
        (Some(account), Some(protocol)) if !us.is_null() => unsafe {
            add_bytes(us, account, protocol, tag)
        },
        _ => ptr::null_mut(),
    }
}

/// # Safety
/// `us` is a live user state.
unsafe fn add_bytes(
    us: *mut UserState,
    account: &[u8],
    protocol: &[u8],
    tag: OtrlInstag,
) -> *mut OtrlInsTag {
    let node: *mut OtrlInsTag = c_zeroed();
    let (accountname, protocol) = (c_string(account), c_string(protocol));
    // SAFETY: NULL, or memory made here; the list is the caller's promise.
    unsafe {
        if node.is_null() || accountname.is_null() || protocol.is_null() {
            libc::free(node.cast());
            libc::free(accountname.cast());
            libc::free(protocol.cast());
            return ptr::null_mut();
        }
        (*node).accountname = accountname;
        (*node).protocol = protocol;
        (*node).instag = tag;
        linked_list::link(&raw mut (*us).instag_root, node);
    }
    node
}

/// Unlinks and frees a tag. NULL is accepted.
///
/// # Safety
/// `node` is NULL or a live node, and is used no more.
pub unsafe fn forget(node: *mut OtrlInsTag) {
    if node.is_null() {
        return;
    }
    // SAFETY: not NULL, so a live node.
    unsafe {
        linked_list::unlink(node);
        free(node);
    }
}

/// # Safety
/// `node` is in no list, and from malloc like its names.
unsafe fn free(node: *mut OtrlInsTag) {
    // SAFETY: from malloc, and used no more.
    unsafe {
        libc::free((*node).accountname.cast());
        libc::free((*node).protocol.cast());
        libc::free(node.cast());
    }
}

/// Forgets every tag.
///
/// # Safety
/// `us` is NULL or a live user state.
pub unsafe fn forget_all(us: *mut UserState) {
    if us.is_null() {
        return;
    }
    // SAFETY: not NULL, and a list of live nodes; what is taken out is in no list.
    unsafe {
        let root = &raw mut (*us).instag_root;
        while let Some(first) = linked_list::take_first(root).as_mut() {
            free(first);
        }
    }
}

/// The file of these tags.
///
/// # Safety
/// `us` is NULL or a live user state.
unsafe fn file(us: *const UserState) -> Result<Vec<u8>, OutOfMemory> {
    let mut lines = Vec::new();
    // SAFETY: NULL or a live user state, whose nodes have C strings, or NULL, for names.
    unsafe {
        for node in nodes_of(us) {
            let line = Line {
                accountname: bytes_of((*node).accountname).unwrap_or_default(),
                protocol: bytes_of((*node).protocol).unwrap_or_default(),
                tag: (*node).instag,
            };
            buffer::push(&mut lines, line)?;
        }
    }
    Ok(instance_tags::write(lines)?.bytes)
}

/// # Safety
/// `us` is a live user state, `filename` NULL or a C string.
unsafe fn write(us: *const UserState, filename: *const c_char) -> Result<(), GcryError> {
    // SAFETY: the caller's promise.
    let (path, file) = unsafe { (path_of(filename)?, file(us)?) };
    known_files::replace(us, path, &file, Mode::Umask)
}

/// # Safety
/// `us` is NULL or a live user state, `stream` NULL or open for reading.
unsafe fn read_stream(us: *mut UserState, stream: *mut libc::FILE) -> Result<(), GcryError> {
    if us.is_null() || stream.is_null() {
        return Ok(());
    }
    // SAFETY: neither is NULL.
    let contents = unsafe { stdio::read_all(stream) }?;
    let lines = instance_tags::read(&contents)?;
    for line in lines.entries {
        // SAFETY: likewise.
        if unsafe { add_bytes(us, line.accountname, line.protocol, line.tag) }.is_null() {
            return Err(GcryError::ENOMEM);
        }
    }
    if lines.is_whole {
        known_files::remember(us, &contents);
    }
    Ok(())
}

/// # Safety
/// `us` is NULL or a live user state, `stream` NULL or open for writing.
unsafe fn write_stream(us: *const UserState, stream: *mut libc::FILE) -> Result<(), GcryError> {
    // SAFETY: the caller's promise.
    unsafe {
        let file = file(us)?;
        stdio::write_all(stream, &file)?;
        known_files::remember(us, &file);
    }
    Ok(())
}

entry! {
    /// Unlinks and frees a tag.
    ///
    /// # Safety
    /// As for [`forget`].
    on panic ();
    pub fn otrl_instag_forget(node: *mut OtrlInsTag) {
        // SAFETY: the caller's promise.
        unsafe { forget(node) }
    }
}

entry! {
    /// Forgets every tag.
    ///
    /// # Safety
    /// As for [`forget_all`].
    on panic ();
    pub fn otrl_instag_forget_all(us: *mut UserState) {
        // SAFETY: the caller's promise.
        unsafe { forget_all(us) }
    }
}

entry! {
    /// The newest tag of an account, or NULL.
    ///
    /// # Safety
    /// As for [`find`].
    on panic ptr::null_mut();
    pub fn otrl_instag_find(us: *mut UserState, account: *const c_char, protocol: *const c_char) -> *mut OtrlInsTag {
        // SAFETY: the caller's promise.
        unsafe { find(us, account, protocol) }
    }
}

entry! {
    /// A new tag that belongs to nobody yet.
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
    pub fn otrl_instag_read(us: *mut UserState, filename: *const c_char) -> GcryError {
        // SAFETY: the caller's promise.
        unsafe { stdio::with_file(filename, |stream| read_stream(us, stream)) }.into()
    }
}

entry! {
    /// Reads tags from a stream and adds them. NULL is an empty one.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, `stream` NULL or open for reading.
    on panic GcryError::INTERNAL;
    pub fn otrl_instag_read_FILEp(us: *mut UserState, stream: *mut libc::FILE) -> GcryError {
        // SAFETY: the caller's promise.
        unsafe { read_stream(us, stream) }.into()
    }
}

entry! {
    /// Writes all tags to a file.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, `filename` NULL or a C string.
    on panic GcryError::INTERNAL;
    pub fn otrl_instag_write(us: *mut UserState, filename: *const c_char) -> GcryError {
        // SAFETY: the caller's promise.
        unsafe { write(us, filename) }.into()
    }
}

entry! {
    /// Writes all tags to a stream. Nothing happens for NULL.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, `stream` NULL or open for writing.
    on panic GcryError::INTERNAL;
    pub fn otrl_instag_write_FILEp(us: *mut UserState, stream: *mut libc::FILE) -> GcryError {
        // SAFETY: the caller's promise.
        unsafe { write_stream(us, stream) }.into()
    }
}

entry! {
    /// Makes a tag for an account and writes all tags to a file. Without the file there is no new tag either.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, the others NULL or C strings.
    on panic GcryError::INTERNAL;
    pub fn otrl_instag_generate(
        us: *mut UserState,
        filename: *const c_char,
        account: *const c_char,
        protocol: *const c_char,
    ) -> GcryError {
        // SAFETY: the caller's promise.
        unsafe { generate(us, account, protocol, || write(us, filename)) }
    }
}

entry! {
    /// Makes a tag for an account and writes all tags to a stream. Without a stream (NULL) the tag is there all the same.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, `stream` NULL or open for writing, the names NULL or C strings.
    on panic GcryError::INTERNAL;
    pub fn otrl_instag_generate_FILEp(
        us: *mut UserState,
        stream: *mut libc::FILE,
        account: *const c_char,
        protocol: *const c_char,
    ) -> GcryError {
        // SAFETY: the caller's promise.
        unsafe { generate(us, account, protocol, || write_stream(us, stream)) }
    }
}

/// Nothing happens for NULL names, as with libotr.
///
/// # Safety
/// `us` is NULL or a live user state, the names NULL or C strings.
unsafe fn generate(
    us: *mut UserState,
    account: *const c_char,
    protocol: *const c_char,
    write: impl FnOnce() -> Result<(), GcryError>,
) -> GcryError {
    if account.is_null() || protocol.is_null() {
        return GcryError::NO_ERROR;
    }
    if us.is_null() {
        return GcryError::INV_VALUE;
    }
    // SAFETY: none is NULL.
    let node = unsafe { add(us, account, protocol, new_tag()) };
    if node.is_null() {
        return GcryError::ENOMEM;
    }
    let written = write();
    if written.is_err() {
        // SAFETY: made above, and nobody was told of it.
        unsafe { forget(node) };
    }
    written.into()
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
            assert_eq!(
                find(ptr::null(), c"me".as_ptr(), c"x".as_ptr()),
                ptr::null_mut()
            );
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
                let node: *mut OtrlInsTag = c_zeroed();
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
