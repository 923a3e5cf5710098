//! The contexts of libotr 3.2: each correspondent has one.

use std::ffi::{c_char, c_int, c_uchar, c_void};

use super::forget;
use super::list::{Names, NewContexts};
use crate::abi::borrowed::{Borrowed, Out, bytes};
use crate::abi::entry::entry;
use crate::abi::types::{AddAppData, ConnContext, UserState};
use otr_protocol::ake::Tags;
use otr_protocol::buffer;
use zeroize::Zeroizing;

#[cfg(test)]
mod tests;

/// Finds the context of a correspondent.
pub(crate) fn find<'a>(
    us: Borrowed<'a, UserState>,
    names: &Names<'a>,
) -> Option<Borrowed<'a, ConnContext>> {
    names.place(us, |_| true).found
}

/// The same, but a missing one is made and shown to the client. Also returns whether it was made. `None` if out of memory, or
/// if a callback forgets it.
///
/// # Safety
/// The client may call back into the library: no context that was borrowed before is used afterwards.
pub(crate) unsafe fn find_correspondent<'a>(
    us: Borrowed<'a, UserState>,
    names: &Names<'a>,
    new: NewContexts,
) -> Option<(Borrowed<'a, ConnContext>, bool)> {
    if let Some(found) = find(us, names) {
        return Some((found, false));
    }
    // SAFETY: no context that was borrowed before is used afterwards, as the caller guarantees.
    let entered = unsafe { new.enter(us, names.place(us, |_| true).link, names.new_context()?) };
    entered.map(|context| (context, true))
}

/// None: version 2 has no instance tags.
pub(crate) fn tags_of(_context: Borrowed<'_, ConnContext>) -> Tags {
    Tags::default()
}

/// Always: the only context has the role of a master.
pub(crate) fn is_master(_context: Borrowed<'_, ConnContext>) -> bool {
    true
}

/// Never.
pub(crate) fn is_instance(_context: Borrowed<'_, ConnContext>) -> bool {
    false
}

/// The context that keeps the fingerprints: this one.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the other interface may have none"
)]
pub(crate) fn master_of(context: Borrowed<'_, ConnContext>) -> Option<Borrowed<'_, ConnContext>> {
    Some(context)
}

/// The contexts of the correspondent: this one.
pub(crate) fn members(
    context: Borrowed<'_, ConnContext>,
) -> impl Iterator<Item = Borrowed<'_, ConnContext>> {
    std::iter::once(context)
}

/// Always 0: not used in this interface.
pub(crate) fn last_heard(_context: Borrowed<'_, ConnContext>) -> i64 {
    0
}

/// Does nothing: no other context points to this one.
pub(crate) fn leave_family(_context: Borrowed<'_, ConnContext>) {}

/// Does nothing: each context is its own master.
pub(crate) fn stand_alone(_context: Borrowed<'_, ConnContext>) {}

/// Does nothing: there is only one context.
pub(crate) fn update_recent_child(_context: Borrowed<'_, ConnContext>, _sent: bool) {}

entry! {
    /// Finds or makes a context.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, the names NULL or C strings, `added` NULL or writable. `add_appdata` may call back into
    /// the library.
    calls back;
    pub fn otrl_context_find(
        us: *mut UserState as Option<Borrowed<UserState>>,
        user: *const c_char,
        account: *const c_char,
        protocol: *const c_char,
        add: c_int as bool,
        added: *mut c_int as Out<c_int>,
        add_appdata: AddAppData,
        data: *mut c_void,
    ) -> *mut ConnContext as Option<Borrowed<ConnContext>>
    where names = Names::new(user, account, protocol) {
        added.put(0);
        let (us, names) = us.zip(names)?;
        if !add {
            return find(us, &names);
        }
        let new = NewContexts { add_appdata, data };
        // SAFETY: the user state stays until the call ends, and nothing in it was borrowed before.
        unsafe { new.find_or_add(us, added, || find_correspondent(us, &names, new)) }
    }
}

entry! {
    /// Forgets a context, if it is in plaintext state.
    ///
    /// # Safety
    /// `context` is NULL or a live context of a list, and is not used afterwards if it is in plaintext state. The client's
    /// `app_data_free` may call back.
    calls back;
    pub fn otrl_context_forget(context: *mut ConnContext as Option<Borrowed<ConnContext>>) {
        if let Some(context) = context {
            // SAFETY: the caller gives up the context if it is forgotten.
            unsafe { forget::forget(context) };
        }
    }
}

entry! {
    /// Keeps a copy of a secret in the context until the session ends. The library does nothing with it.
    ///
    /// # Safety
    /// `context` is NULL or a live context, `secret` has `len` bytes.
    on panic ();
    pub fn otrl_context_set_preshared_secret(
        context: *mut ConnContext as Option<Borrowed<ConnContext>>,
        secret: *const c_uchar,
        len: usize,
    )
    where secret = bytes(secret, len) {
        let Some(context) = context else { return };
        // Copied first: it may be the stored one.
        let Ok(secret) = buffer::copy(secret).map(Zeroizing::new) else { return };
        let (place, len) = (context.preshared_secret(), context.preshared_secret_len());
        // SAFETY: the length is the struct's own.
        unsafe { place.wipe(len.get()) };
        let is_there = !secret.is_empty() && place.store_copy(&secret);
        len.set(if is_there { secret.len() } else { 0 });
    }
}
