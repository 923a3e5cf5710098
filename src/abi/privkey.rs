//! `privkey.h`: our long-lived keys.

use super::gcry::sexp;
use super::types::UserState;

/// Forgets every key.
///
/// # Safety
/// `us` is NULL or a live user state.
pub unsafe fn forget_all(us: *mut UserState) {
    if us.is_null() {
        return;
    }
    // SAFETY: not NULL, and a list of live nodes.
    unsafe {
        while !(*us).privkey_root.is_null() {
            let key = (*us).privkey_root;
            (*us).privkey_root = (*key).next;
            libc::free((*key).accountname.cast());
            libc::free((*key).protocol.cast());
            libc::free((*key).pubkey_data.cast());
            sexp::release((*key).privkey);
            libc::free(key.cast());
        }
    }
}

/// Forgets every key that is being generated.
///
/// # Safety
/// `us` is NULL or a live user state.
pub unsafe fn pending_forget_all(us: *mut UserState) {
    if us.is_null() {
        return;
    }
    // SAFETY: not NULL, and a list of live nodes.
    unsafe {
        while !(*us).pending_root.is_null() {
            let pending = (*us).pending_root;
            (*us).pending_root = (*pending).next;
            libc::free((*pending).accountname.cast());
            libc::free((*pending).protocol.cast());
            libc::free(pending.cast());
        }
    }
}
