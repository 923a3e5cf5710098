//! The contexts of libotr 3.2: each correspondent has one.

use std::cmp::Ordering;
use std::ffi::{c_char, c_int, c_uchar, c_void};
use std::ptr;

use super::forget;
use super::list::{Names, NewContexts};
use crate::abi::entry::entry;
use crate::abi::in_use;
use crate::abi::memory::{c_buffer, put, slice_of, wipe_and_clear};
use crate::abi::types::{AddAppData, ConnContext, UserState};
use otr_protocol::ake::Tags;

#[cfg(test)]
mod tests;

/// Finds the context of a correspondent; if `new` is there a missing one is made and shown to the client. NULL when there is
/// none, for NULL names, and without memory.
///
/// # Safety
/// `us` is NULL or a live user state, the names NULL or C strings, `added` NULL or writable.
pub(crate) unsafe fn find_correspondent(
    us: *mut UserState,
    names: Names,
    added: *mut c_int,
    new: Option<NewContexts>,
) -> *mut ConnContext {
    // SAFETY: the caller's promise; the new context is whole when it enters the list.
    unsafe {
        put(added, 0);
        if us.is_null() || names.any_is_null() {
            return ptr::null_mut();
        }
        let place = names.place(us, |_| true);
        if !(*place).is_null() && names.compare(*place) == Ordering::Equal {
            return *place;
        }
        let Some(new) = new else {
            return ptr::null_mut();
        };
        let context = names.new_context();
        if context.is_null() || !new.enter(us, place, context) {
            return ptr::null_mut();
        }
        put(added, 1);
        context
    }
}

/// None: version 2 has no instance tags.
///
/// # Safety
/// None: the context is not looked at.
pub(crate) unsafe fn tags_of(_ctx: *const ConnContext) -> Tags {
    Tags::default()
}

/// Always: the one context is what a master is elsewhere.
///
/// # Safety
/// None: the context is not looked at.
pub(crate) unsafe fn is_master(_ctx: *const ConnContext) -> bool {
    true
}

/// Never.
///
/// # Safety
/// None: the context is not looked at.
pub(crate) unsafe fn is_instance(_ctx: *const ConnContext) -> bool {
    false
}

/// The context that keeps the fingerprints: this one.
///
/// # Safety
/// None: the context is not looked at.
pub(crate) unsafe fn master_of(context: *const ConnContext) -> *mut ConnContext {
    context.cast_mut()
}

/// The contexts of the correspondent: this one. None for NULL.
///
/// # Safety
/// None: the context is not looked at.
pub(crate) unsafe fn members(context: *mut ConnContext) -> impl Iterator<Item = *mut ConnContext> {
    (!context.is_null()).then_some(context).into_iter()
}

/// 0: nobody asks when.
pub(crate) fn last_heard(_context: &ConnContext) -> i64 {
    0
}

/// Nothing: no other context knows this one.
///
/// # Safety
/// None: the context is not looked at.
pub(crate) unsafe fn leave_family(_context: *mut ConnContext) {}

/// Nothing: each is its own master.
///
/// # Safety
/// None: the context is not looked at.
pub(crate) unsafe fn stand_alone(_context: *mut ConnContext) {}

/// Nothing: there is no choice of contexts.
///
/// # Safety
/// None: the context is not looked at.
pub(crate) unsafe fn update_recent_child(_context: *mut ConnContext, _sent: bool) {}

/// Finds or makes a context.
///
/// # Safety
/// As for [`find_correspondent`].
#[unsafe(no_mangle)]
#[allow(unreachable_pub, reason = "C calls it")]
pub unsafe extern "C-unwind" fn otrl_context_find(
    us: *mut UserState,
    user: *const c_char,
    account: *const c_char,
    protocol: *const c_char,
    add: c_int,
    added: *mut c_int,
    add_appdata: AddAppData,
    data: *mut c_void,
) -> *mut ConnContext {
    let names = Names {
        user,
        account,
        protocol,
        near: ptr::null_mut(),
    };
    let new = (add != 0).then_some(NewContexts { add_appdata, data });
    // SAFETY: the caller's promise.
    unsafe {
        in_use::during(us, || {
            let found = find_correspondent(us, names, added, new);
            if in_use::is_freed(us) {
                return ptr::null_mut();
            }
            found
        })
    }
}

/// Forgets a context, if it is in plaintext state.
///
/// # Safety
/// As for [`forget::forget`].
#[unsafe(no_mangle)]
#[allow(unreachable_pub, reason = "C calls it")]
pub unsafe extern "C-unwind" fn otrl_context_forget(context: *mut ConnContext) {
    // SAFETY: the caller's promise.
    unsafe { forget::forget(context) };
}

entry! {
    /// Keeps a copy of a secret in the context until the session ends. The library does nothing with it.
    ///
    /// # Safety
    /// `context` is NULL or a live context, `secret` has `len` bytes.
    on panic ();
    pub fn otrl_context_set_preshared_secret(context: *mut ConnContext, secret: *const c_uchar, len: usize) {
        if context.is_null() {
            return;
        }
        // SAFETY: not NULL, and the caller's promise. The copy is made before the old one goes.
        unsafe {
            let bytes = slice_of(secret, len);
            let copy = if bytes.is_empty() { ptr::null_mut() } else { c_buffer(bytes) };
            wipe_and_clear(&raw mut (*context).preshared_secret, (*context).preshared_secret_len);
            (*context).preshared_secret = copy;
            (*context).preshared_secret_len = if copy.is_null() { 0 } else { bytes.len() };
        }
    }
}
