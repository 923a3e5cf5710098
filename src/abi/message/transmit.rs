//! The way of a message to the network: whole, or in fragments if it is too long for it.

use std::ffi::c_char;
use std::ptr;

use super::super::context::{Handle, tags_of};
use super::super::entry::guard;
use super::super::error::GcryError;
use super::super::memory::{bytes_of, c_array, c_text};
use super::super::types::*;
use super::client::Client;
use otr_protocol::wire::classify::message_version;
use otr_protocol::wire::fragment::{FragmentHeader, Piece, split};
use otr_protocol::wire::version::Version;

/// Sends `message`, cut to the network's size. By `policy` one piece is not sent but handed back
/// in `returned` (malloc'ed), for the client to send itself.
///
/// # Safety
/// `message` is a C string of ours that outlives the call; `handle` names a context of the client's
/// user state; `returned` is NULL or writable, and nothing else of the client's is borrowed.
pub unsafe fn transmit(
    client: Client,
    handle: Handle,
    message: *const c_char,
    policy: OtrlFragmentPolicy,
    returned: *mut *mut c_char,
) -> Result<(), GcryError> {
    // SAFETY: the caller's promise; the context is looked up again after each callback.
    unsafe {
        if message.is_null() || !client.can_inject() {
            return Ok(());
        }
        if policy != FRAGMENT_SEND_ALL && returned.is_null() {
            return Err(GcryError::INV_VALUE);
        }
        let Some(ctx) = handle.get(client.us) else {
            return Ok(());
        };
        let limit = client.max_message_size(ctx);
        let Some(ctx) = handle.get(client.us) else {
            return Ok(());
        };
        let text_length = bytes_of(message).map_or(0, <[u8]>::len);
        let Some(limit) = limit.filter(|limit| text_length > *limit) else {
            if policy != FRAGMENT_SEND_ALL {
                *returned = c_text(bytes_of(message).unwrap_or_default());
                return if (*returned).is_null() {
                    Err(GcryError::ENOMEM)
                } else {
                    Ok(())
                };
            }
            // Nothing is said by an empty message: it only stands for "do not send".
            if text_length != 0 {
                client.inject(ctx, message);
            }
            return Ok(());
        };

        let header = header_for(ctx, message);
        // Nothing here needs a destructor to run: a callback may never come back.
        let (pieces, count) = cut(message, limit, header)?;
        let kept = match policy {
            FRAGMENT_SEND_ALL_BUT_FIRST => Some(0),
            FRAGMENT_SEND_ALL_BUT_LAST => count.checked_sub(1),
            _ => None,
        };
        // Without a user state nobody can say whether the context is still there after a callback.
        let names = client.us.is_null().then(|| names_of(ctx));
        if names.is_some_and(|names| names.iter().any(|name| name.is_null())) {
            release_names(names);
            (0..count).for_each(|index| libc::free((*pieces.add(index)).cast()));
            libc::free(pieces.cast());
            return Err(GcryError::ENOMEM);
        }
        for index in 0..count {
            let piece = *pieces.add(index);
            if kept == Some(index) {
                *returned = piece;
                continue;
            }
            if let Some(names) = names {
                client.inject_to(names.map(<*mut c_char>::cast_const), piece);
            } else if let Some(ctx) = handle.get(client.us) {
                client.inject(ctx, piece);
            }
            // Else a callback has forgotten the context, and the rest has no recipient.
            libc::free(piece.cast());
        }
        release_names(names);
        libc::free(pieces.cast());
        Ok(())
    }
}

/// The names of a context, malloc'ed: our account, the protocol and the correspondent. NULL where there is no memory.
unsafe fn names_of(ctx: *const ConnContext) -> [*mut c_char; 3] {
    // SAFETY: the caller vouches for the context; its names are C strings or NULL.
    let names = unsafe { [(*ctx).accountname, (*ctx).protocol, (*ctx).username] };
    // SAFETY: likewise.
    names.map(|name| c_text(unsafe { bytes_of(name) }.unwrap_or_default()))
}

/// Gives those of [`names_of`] back.
unsafe fn release_names(names: Option<[*mut c_char; 3]>) {
    for name in names.into_iter().flatten() {
        // SAFETY: the caller vouches for it; `free` takes NULL.
        unsafe { libc::free(name.cast()) };
    }
}

/// The fragment header that fits the message: by its own version, else by the one being spoken.
unsafe fn header_for(ctx: *const ConnContext, message: *const c_char) -> FragmentHeader {
    // SAFETY: the caller vouches for both.
    unsafe {
        let version = message_version(bytes_of(message).unwrap_or_default());
        let tags = tags_of(ctx);
        if version == Some(Version::V3) || (version.is_none() && (*ctx).protocol_version == 3) {
            FragmentHeader::V3 {
                ours: tags.ours,
                theirs: tags.theirs,
            }
        } else {
            FragmentHeader::V2
        }
    }
}

/// A malloc'ed array of the pieces, and how many they are.
unsafe fn cut(
    message: *const c_char,
    limit: usize,
    header: FragmentHeader,
) -> Result<(*mut *mut c_char, usize), GcryError> {
    // SAFETY: the caller vouches for the message.
    let text = unsafe { bytes_of(message) }.unwrap_or_default();
    guard(|| {
        let cut = split(text, limit, header).map_err(|_| GcryError::INV_VALUE)?;
        let array = c_array(cut.pieces(), cut.count(), Piece::parts).ok_or(GcryError::ENOMEM)?;
        Ok((array, cut.count()))
    })?
}

/// Sends a message of bytes, all of it.
///
/// # Safety
/// As for [`transmit`].
pub unsafe fn transmit_all(
    client: Client,
    handle: Handle,
    message: &[u8],
) -> Result<(), GcryError> {
    let text = c_text(message);
    if text.is_null() {
        return Err(GcryError::ENOMEM);
    }
    // SAFETY: the caller's promise; the text is ours until it is freed.
    unsafe {
        let outcome = transmit(client, handle, text, FRAGMENT_SEND_ALL, ptr::null_mut());
        libc::free(text.cast());
        outcome
    }
}
