//! The file of the fingerprints of others, and how far each is trusted.

use std::ffi::{c_char, c_void};
use std::ptr;

use crate::abi::context;
use crate::abi::entry::{entry, guard};
use crate::abi::error::GcryError;
use crate::abi::in_use;
use crate::abi::known_files::{self, path_of};
use crate::abi::memory::{bytes_of, c_string, c_zeroed, slice_of};
use crate::abi::stdio;
use crate::abi::types::{AddAppData, UserState};
use otr_protocol::buffer;
use otr_protocol::store::atomic_file::Mode;
use otr_protocol::store::fingerprints::{self, Line};

/// A line of the file as plain C data: it is held while the client's `add_app_data` runs, which may never return.
#[repr(C)]
struct Entry {
    next: *mut Entry,
    username: *mut c_char,
    accountname: *mut c_char,
    protocol: *mut c_char,
    /// NULL if the line has none.
    trust: *mut c_char,
    fingerprint: [u8; 20],
}

/// Adds the fingerprints of a file to those that are there, and contexts for them. `add_app_data` is called for each context that
/// is made.
///
/// # Safety
/// `us` is NULL or a live user state, `filename` NULL or a C string; `add_app_data` may call back into the library.
#[unsafe(no_mangle)]
#[allow(unreachable_pub, reason = "C calls it")]
pub unsafe extern "C-unwind" fn otrl_privkey_read_fingerprints(
    us: *mut UserState,
    filename: *const c_char,
    add_app_data: AddAppData,
    data: *mut c_void,
) -> GcryError {
    if us.is_null() {
        return GcryError::INV_VALUE;
    }
    let mut entries = ptr::null_mut();
    // SAFETY: the caller's promise.
    let read = guard(|| unsafe {
        stdio::with_file(filename, |stream| {
            read_entries(us, stream, &raw mut entries)
        })
    });
    // SAFETY: likewise; no destructor waits here.
    unsafe {
        merge_read(
            us,
            read.unwrap_or(Err(GcryError::INTERNAL)),
            entries,
            add_app_data,
            data,
        )
    }
}

/// As [`otrl_privkey_read_fingerprints`], from a stream. Nothing happens for NULL.
///
/// # Safety
/// `us` is NULL or a live user state, `stream` NULL or open for reading; `add_app_data` may call back into the library.
#[unsafe(no_mangle)]
#[allow(unreachable_pub, reason = "C calls it")]
pub unsafe extern "C-unwind" fn otrl_privkey_read_fingerprints_FILEp(
    us: *mut UserState,
    stream: *mut libc::FILE,
    add_app_data: AddAppData,
    data: *mut c_void,
) -> GcryError {
    if stream.is_null() {
        return GcryError::NO_ERROR;
    }
    if us.is_null() {
        return GcryError::INV_VALUE;
    }
    let mut entries = ptr::null_mut();
    // SAFETY: not NULL, so open.
    let read = guard(|| unsafe { read_entries(us, stream, &raw mut entries) });
    // SAFETY: the caller's promise; no destructor waits here.
    unsafe {
        merge_read(
            us,
            read.unwrap_or(Err(GcryError::INTERNAL)),
            entries,
            add_app_data,
            data,
        )
    }
}

/// # Safety
/// `stream` is open for reading, `entries` writable and NULL. What is there afterwards belongs to the caller, on an error too.
unsafe fn read_entries(
    us: *const UserState,
    stream: *mut libc::FILE,
    entries: *mut *mut Entry,
) -> Result<(), GcryError> {
    // SAFETY: the caller's promise.
    let contents = unsafe { stdio::read_all(stream) }?;
    let lines = fingerprints::read(&contents)?;
    // From the last one, so that each goes to the front.
    for line in lines.entries.iter().rev() {
        let entry: *mut Entry = c_zeroed();
        if entry.is_null() {
            return Err(GcryError::ENOMEM);
        }
        // SAFETY: new memory, of which all zeros is an entry, and the caller's promise.
        unsafe {
            (*entry).username = c_string(line.username);
            (*entry).accountname = c_string(line.accountname);
            (*entry).protocol = c_string(line.protocol);
            (*entry).trust = line.trust.map_or(ptr::null_mut(), c_string);
            (*entry).fingerprint = line.fingerprint;
            (*entry).next = *entries;
            *entries = entry;
        }
    }
    if lines.is_whole {
        known_files::remember(us, &contents);
    }
    Ok(())
}

/// Merges what was read without an error, and frees the entries.
///
/// # Safety
/// `us` is a live user state, `entries` NULL or the first of a list of our own; `add_app_data` may call back into the library.
unsafe fn merge_read(
    us: *mut UserState,
    read: Result<(), GcryError>,
    mut entries: *mut Entry,
    add_app_data: AddAppData,
    data: *mut c_void,
) -> GcryError {
    let mut result = GcryError::from(read);
    let is_whole = !result.is_error();
    // SAFETY: the caller's promise. The client's code runs within `find`, and every pointer from before is ours alone.
    unsafe {
        in_use::during(us, || {
            let mut last = context::Handle::of(ptr::null_mut());
            while !entries.is_null() {
                let entry = entries;
                entries = (*entry).next;
                let is_wanted = is_whole && !in_use::is_freed(us);
                if is_wanted && !add(us, entry, &mut last, add_app_data, data) {
                    result = GcryError::ENOMEM;
                }
                free(entry);
            }
        });
    }
    result
}

/// False without memory. `last` is the context of the entry before, and then of this one.
///
/// # Safety
/// As for [`merge_read`], with a live entry.
unsafe fn add(
    us: *mut UserState,
    entry: *const Entry,
    last: &mut context::Handle,
    add_app_data: AddAppData,
    data: *mut c_void,
) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let names = context::Names {
            user: (*entry).username,
            account: (*entry).accountname,
            protocol: (*entry).protocol,
            near: last.get(us).unwrap_or(ptr::null_mut()),
        };
        let new = context::NewContexts {
            add_appdata: add_app_data,
            data,
        };
        let context = context::find_correspondent(us, names, ptr::null_mut(), Some(new));
        *last = context::Handle::of(context);
        let fingerprint = context::find_fingerprint(
            context,
            (&raw const (*entry).fingerprint).cast(),
            true,
            ptr::null_mut(),
        );
        context::set_trust(fingerprint, (*entry).trust);
        !fingerprint.is_null()
    }
}

/// # Safety
/// `entry` is an entry of our own that is used no more.
unsafe fn free(entry: *mut Entry) {
    // SAFETY: the caller's promise: everything is NULL or from malloc.
    unsafe {
        libc::free((*entry).username.cast());
        libc::free((*entry).accountname.cast());
        libc::free((*entry).protocol.cast());
        libc::free((*entry).trust.cast());
        libc::free(entry.cast());
    }
}

entry! {
    /// Writes all fingerprints to a file; the old one is whole until the new one is.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, `filename` NULL or a C string.
    on panic GcryError::INTERNAL;
    pub fn otrl_privkey_write_fingerprints(us: *mut UserState, filename: *const c_char) -> GcryError {
        // SAFETY: the caller's promise.
        unsafe { write_file(us, filename) }.into()
    }
}

entry! {
    /// Writes all fingerprints to a stream. Nothing happens for NULL.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, `stream` NULL or open for writing.
    on panic GcryError::INTERNAL;
    pub fn otrl_privkey_write_fingerprints_FILEp(us: *mut UserState, stream: *mut libc::FILE) -> GcryError {
        if stream.is_null() {
            return GcryError::NO_ERROR;
        }
        // SAFETY: the caller's promise.
        unsafe { write_stream(us, stream) }.into()
    }
}

/// # Safety
/// As for [`otrl_privkey_write_fingerprints`].
unsafe fn write_file(us: *const UserState, filename: *const c_char) -> Result<(), GcryError> {
    // SAFETY: the caller's promise.
    let (path, file) = unsafe { (path_of(filename)?, file(us)?) };
    known_files::replace(us, path, &file, Mode::Umask)
}

/// # Safety
/// As for [`otrl_privkey_write_fingerprints_FILEp`].
unsafe fn write_stream(us: *const UserState, stream: *mut libc::FILE) -> Result<(), GcryError> {
    // SAFETY: the caller's promise.
    unsafe {
        let file = file(us)?;
        stdio::write_all(stream, &file)?;
        known_files::remember(us, &file);
    }
    Ok(())
}

/// The file: the masters in the order of the list, the fingerprints of each in theirs.
///
/// # Safety
/// `us` is NULL or a live user state.
unsafe fn file(us: *const UserState) -> Result<Vec<u8>, GcryError> {
    if us.is_null() {
        return Err(GcryError::INV_VALUE);
    }
    let mut lines = Vec::new();
    // SAFETY: not NULL, and lists of live nodes.
    unsafe {
        let mut context = (*us).context_root;
        while !context.is_null() {
            if !context::is_instance(context) {
                // The root of the list is no fingerprint.
                let mut node = (*context).fingerprint_root.next;
                while !node.is_null() {
                    let bytes = slice_of((*node).fingerprint, 20);
                    if let Ok(fingerprint) = bytes.try_into() {
                        let line = Line {
                            username: bytes_of((*context).username).unwrap_or_default(),
                            accountname: bytes_of((*context).accountname).unwrap_or_default(),
                            protocol: bytes_of((*context).protocol).unwrap_or_default(),
                            fingerprint,
                            trust: bytes_of((*node).trust),
                        };
                        buffer::push(&mut lines, line)?;
                    }
                    node = (*node).next;
                }
            }
            context = (*context).next;
        }
    }
    Ok(fingerprints::write(lines)?.bytes)
}
