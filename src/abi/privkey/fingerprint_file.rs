//! The file of the fingerprints of others, and how far each is trusted.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_void};
use std::ptr;

use crate::abi::borrowed::{self, Borrowed, members};
use crate::abi::context::{self, Handle, Names, NewContexts};
use crate::abi::entry::{entry, guard};
use crate::abi::error::GcryError;
use crate::abi::in_use;
use crate::abi::known_files::{self, path_of};
use crate::abi::linked_list;
use crate::abi::stdio::{self, Stream};
use crate::abi::text::CText;
use crate::abi::types::{AddAppData, UserState};
use otr_protocol::buffer;
use otr_protocol::store::atomic_file::Mode;
use otr_protocol::store::fingerprints::{self, Line};

/// A line of the file as plain C data, because it is alive while the client's `add_app_data` runs, which may never return.
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

members! {
    Entry {
        next: *mut Entry,
        fingerprint: [u8; 20],
        ; text username, accountname, protocol, trust
    }
}

entry! {
    /// Adds the fingerprints of a file to those that are there, and contexts for them. `add_app_data` is called for each context
    /// that is made.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, `filename` NULL or a C string; `add_app_data` may call back into the library.
    calls back;
    pub fn otrl_privkey_read_fingerprints(
        us: *mut UserState as Option<Borrowed<UserState>>,
        filename: *const c_char as Option<&CStr>,
        add_appdata: AddAppData,
        data: *mut c_void,
    ) -> GcryError {
        read(us, NewContexts { add_appdata, data }, |us, entries| {
            stdio::with_file(filename, |stream| read_entries(us, stream, entries))
        })
    }
}

entry! {
    /// As [`otrl_privkey_read_fingerprints`], from a stream. Does nothing for NULL.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, `stream` NULL or open for reading; `add_app_data` may call back into the library.
    calls back;
    pub fn otrl_privkey_read_fingerprints_FILEp(
        us: *mut UserState as Option<Borrowed<UserState>>,
        stream: *mut libc::FILE as Option<Stream>,
        add_appdata: AddAppData,
        data: *mut c_void,
    ) -> GcryError {
        let Some(stream) = stream else { return GcryError::NO_ERROR };
        read(us, NewContexts { add_appdata, data }, |us, entries| read_entries(us, stream, entries))
    }
}

/// Reads entries and merges them, if there was no error. The client's function may call back into the library.
fn read<'a>(
    us: Option<Borrowed<'a, UserState>>,
    new: NewContexts,
    read_entries: impl FnOnce(
        Borrowed<'a, UserState>,
        Borrowed<'_, *mut Entry>,
    ) -> Result<(), GcryError>,
) -> GcryError {
    let Some(us) = us else {
        return GcryError::INV_VALUE;
    };
    let first = Cell::new(ptr::null_mut());
    // SAFETY: our own cell, for our own entries.
    let first = unsafe { Borrowed::of_cell(&first) };
    let read = guard(|| read_entries(us, first)).unwrap_or(Err(GcryError::INTERNAL));
    // SAFETY: it is not used afterwards, and no context in it was borrowed before. No value with a destructor is alive here.
    unsafe { in_use::during(us, || merge_read(us, read, first, new)) }
}

/// Makes an entry for each line. They belong to the caller, also on an error.
fn read_entries(
    us: Borrowed<'_, UserState>,
    stream: Stream<'_>,
    first: Borrowed<'_, *mut Entry>,
) -> Result<(), GcryError> {
    let contents = stream.read_all()?;
    let lines = fingerprints::read(&contents)?;
    // From the last one, because each is added at the front.
    for line in lines.entries.iter().rev() {
        let entry: Borrowed<Entry> = borrowed::new_zeroed().ok_or(GcryError::ENOMEM)?;
        entry.username().store(CText::up_to_nul(line.username));
        entry
            .accountname()
            .store(CText::up_to_nul(line.accountname));
        entry.protocol().store(CText::up_to_nul(line.protocol));
        entry
            .trust()
            .store(line.trust.map_or(CText::NONE, CText::up_to_nul));
        entry.fingerprint().set(line.fingerprint);
        entry.next().point_at(first.follow());
        first.point_at(Some(entry));
    }
    if lines.is_whole {
        known_files::remember(us, &contents);
    }
    Ok(())
}

/// Merges what was read without an error, and frees the entries.
///
/// # Safety
/// The client's function may call back into the library.
unsafe fn merge_read(
    us: Borrowed<'_, UserState>,
    read: Result<(), GcryError>,
    first: Borrowed<'_, *mut Entry>,
    new: NewContexts,
) -> GcryError {
    let mut result = GcryError::from(read);
    let is_whole = !result.is_error();
    let mut last = None;
    while let Some(entry) = first.follow() {
        first.point_at(entry.next().follow());
        // SAFETY: no context is borrowed here while `merge` runs; the entry was made by `read_entries`, and was taken out of
        // the list.
        unsafe {
            if is_whole && !in_use::is_freed(us) && !merge(us, entry, new, &mut last) {
                result = GcryError::ENOMEM;
            }
            free(entry);
        }
    }
    result
}

/// Adds one entry; false if out of memory. `last` is the context of the previous entry, to start searching from: most files
/// have the order of our list.
///
/// # Safety
/// The client's function may call back into the library.
unsafe fn merge(
    us: Borrowed<'_, UserState>,
    entry: Borrowed<'_, Entry>,
    new: NewContexts,
    last: &mut Option<Handle>,
) -> bool {
    let (user, account) = (entry.username().text(), entry.accountname().text());
    let (Some(user), Some(account), Some(protocol)) = (user, account, entry.protocol().text())
    else {
        return false;
    };
    let names = Names {
        user,
        account,
        protocol,
        near: last.and_then(|last| last.get(Some(us))),
    };
    // SAFETY: no context is borrowed here, except as a `Handle`.
    let Some((context, _)) = (unsafe { context::find_correspondent(us, &names, new) }) else {
        *last = None;
        return false;
    };
    *last = Some(Handle::of(context));
    let Some((node, _)) = context::add_fingerprint(context, &entry.fingerprint().get()) else {
        return false;
    };
    // SAFETY: the old text is not used: the client has not run since the context was found.
    unsafe { context::set_trust(node, entry.trust().bytes()) };
    true
}

/// # Safety
/// `entry` is our own entry and is not used afterwards.
unsafe fn free(entry: Borrowed<'_, Entry>) {
    // SAFETY: made by `read_entries` with parts from malloc, and not used afterwards.
    unsafe {
        entry.username().free_text();
        entry.accountname().free_text();
        entry.protocol().free_text();
        entry.trust().free_text();
        entry.free();
    }
}

entry! {
    /// Writes all fingerprints to a file; the old one stays complete until the new one is.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, `filename` NULL or a C string.
    on panic GcryError::INTERNAL;
    pub fn otrl_privkey_write_fingerprints(
        us: *mut UserState as Option<Borrowed<UserState>>,
        filename: *const c_char as Option<&CStr>,
    ) -> GcryError as Result<(), GcryError> {
        let us = us.ok_or(GcryError::INV_VALUE)?;
        known_files::replace(us, path_of(filename)?, &file(us)?, Mode::Umask)
    }
}

entry! {
    /// Writes all fingerprints to a stream. Does nothing for NULL.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, `stream` NULL or open for writing.
    on panic GcryError::INTERNAL;
    pub fn otrl_privkey_write_fingerprints_FILEp(
        us: *mut UserState as Option<Borrowed<UserState>>,
        stream: *mut libc::FILE as Option<Stream>,
    ) -> GcryError as Result<(), GcryError> {
        let Some(stream) = stream else { return Ok(()) };
        let us = us.ok_or(GcryError::INV_VALUE)?;
        let file = file(us)?;
        stream.write_all(&file)?;
        known_files::remember(us, &file);
        Ok(())
    }
}

/// The contents of the file: the masters in the order of the list, the fingerprints of each in the order of its list.
fn file(us: Borrowed<'_, UserState>) -> Result<Vec<u8>, GcryError> {
    let mut lines = Vec::new();
    for context in linked_list::iter(us.context_root().follow()) {
        if context::is_instance(context) {
            continue;
        }
        // The root of the list is not a fingerprint.
        for node in linked_list::iter(context.fingerprint_root().next().follow()) {
            let Some(fingerprint) = node.hash() else {
                continue;
            };
            let line = Line {
                username: context.username().bytes().unwrap_or_default(),
                accountname: context.accountname().bytes().unwrap_or_default(),
                protocol: context.protocol().bytes().unwrap_or_default(),
                fingerprint: *fingerprint,
                trust: node.trust().bytes(),
            };
            buffer::push(&mut lines, line)?;
        }
    }
    Ok(fingerprints::write(lines)?.bytes)
}
