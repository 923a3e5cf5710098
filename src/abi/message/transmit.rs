//! Sending a message to the network: whole, or in fragments if it is too long.

use std::ffi::{CStr, c_char};

use super::call::Call;
use crate::abi::borrowed::Borrowed;
use crate::abi::context::{Ctx, Handle};
use crate::abi::entry::guard;
use crate::abi::error::GcryError;
use crate::abi::memory::{c_array, free_array};
use crate::abi::text::CText;
use crate::abi::types::*;
use otr_protocol::wire::classify::message_version;
use otr_protocol::wire::fragment::{FragmentHeader, Piece, split};
use otr_protocol::wire::version::Version;

/// Sends `message`, cut to the network's maximum size. Depending on `policy` one piece is not sent but returned, for the client
/// to send itself.
///
/// # Errors
/// `INV_VALUE`: the size is too small for a piece. `ENOMEM`.
pub(crate) fn transmit(
    call: &mut Call<'_>,
    handle: Handle,
    message: Option<&CStr>,
    policy: OtrlFragmentPolicy,
) -> Result<CText, GcryError> {
    let Some(message) = message.filter(|_| call.can_inject()) else {
        return Ok(CText::NONE);
    };
    let text = message.to_bytes();
    let limit = call.max_message_size(handle);
    let Some(ctx) = call.get(handle) else {
        return Ok(CText::NONE);
    };
    let Some(limit) = limit.filter(|limit| text.len() > *limit) else {
        if policy != FRAGMENT_SEND_ALL {
            return made(CText::new(text));
        }
        // An empty message is not sent: it only means "do not send".
        if !text.is_empty() {
            call.inject(handle, Borrowed::of_str(message));
        }
        return Ok(CText::NONE);
    };
    // Without a user state it is not known whether the context still exists after a callback.
    let has_list = !call.client().us.is_null();
    let names = if has_list {
        None
    } else {
        Some(copy_names(ctx)?)
    };
    let pieces = match Pieces::cut(text, limit, header_for(ctx, text)) {
        Ok(pieces) => pieces,
        Err(error) => {
            free_names(names);
            return Err(error);
        }
    };
    let kept = match policy {
        FRAGMENT_SEND_ALL_BUT_FIRST => Some(0),
        FRAGMENT_SEND_ALL_BUT_LAST => pieces.count.checked_sub(1),
        _ => None,
    };
    let mut returned = CText::NONE;
    for index in 0..pieces.count {
        let text = pieces.take(index);
        let Some(piece) = text.borrowed() else {
            continue;
        };
        if kept == Some(index) {
            returned = text;
            continue;
        }
        match &names {
            Some([account, protocol, user]) => {
                let names = [account, protocol, user].map(|name| {
                    name.borrowed()
                        .map_or(std::ptr::null(), Borrowed::as_c_char)
                });
                call.inject_to(names, piece);
            }
            // The context is looked up for each piece: if a callback has forgotten it, the rest has no recipient.
            None => call.inject(handle, piece),
        }
        text.free();
    }
    free_names(names);
    pieces.free();
    Ok(returned)
}

/// Sends all of a message, given as bytes.
///
/// # Errors
/// As for [`transmit`].
pub(crate) fn transmit_all(
    call: &mut Call<'_>,
    handle: Handle,
    message: &[u8],
) -> Result<(), GcryError> {
    let text = made(CText::new(message))?;
    let outcome = transmit(call, handle, text.c_str(), FRAGMENT_SEND_ALL);
    text.free();
    outcome.map(CText::free)
}

/// The text, or `ENOMEM` if there is none.
fn made(text: CText) -> Result<CText, GcryError> {
    if text.is_null() {
        Err(GcryError::ENOMEM)
    } else {
        Ok(text)
    }
}

/// Our account, the protocol and the correspondent.
fn copy_names(ctx: Ctx<'_>) -> Result<[CText; 3], GcryError> {
    let names = [ctx.account(), ctx.protocol(), ctx.user()].map(CText::new);
    if names.iter().any(CText::is_null) {
        free_names(Some(names));
        return Err(GcryError::ENOMEM);
    }
    Ok(names)
}

fn free_names(names: Option<[CText; 3]>) {
    for name in names.into_iter().flatten() {
        name.free();
    }
}

/// The fragment header for the message: that of its own version, or else of the one in use.
fn header_for(ctx: Ctx<'_>, message: &[u8]) -> FragmentHeader {
    let version = message_version(message);
    let tags = ctx.tags();
    if version == Some(Version::V3) || (version.is_none() && ctx.protocol_version() == 3) {
        FragmentHeader::V3 {
            ours: tags.ours,
            theirs: tags.theirs,
        }
    } else {
        FragmentHeader::V2
    }
}

/// The pieces of a message. No destructor, because a callback may never return.
struct Pieces {
    array: *mut *mut c_char,
    count: usize,
}

impl Pieces {
    fn cut(text: &[u8], limit: usize, header: FragmentHeader) -> Result<Self, GcryError> {
        guard(|| {
            let cut = split(text, limit, header).map_err(|_| GcryError::INV_VALUE)?;
            let array = c_array(cut.pieces(), cut.count(), Piece::parts);
            Ok(Self {
                array: array.ok_or(GcryError::ENOMEM)?,
                count: cut.count(),
            })
        })?
    }

    /// Takes one out.
    fn take(&self, index: usize) -> CText {
        if index >= self.count {
            return CText::NONE;
        }
        // SAFETY: an array of `count` malloc'ed strings or NULL; nothing else points to a string that was taken out.
        unsafe {
            let place = self.array.add(index);
            let piece = CText::from_raw(place.read());
            place.write(std::ptr::null_mut());
            piece
        }
    }

    fn free(self) {
        // SAFETY: made by `c_array` with this count, and not used afterwards.
        unsafe { free_array(self.array, self.count) };
    }
}
