//! The accounts in a user state whose keys are being generated. This public list alone says whether one is.

use std::ptr;

use crate::abi::entry::entry;
use crate::abi::error::GcryError;
use crate::abi::linked_list;
use crate::abi::lock::locked;
use crate::abi::memory::{c_string, c_zeroed, text_is};
use crate::abi::types::{OtrlPendingPrivKey, UserState};

/// Adds an account.
///
/// # Errors
/// `EEXIST` if it is there already, `ENOMEM`.
///
/// # Safety
/// `us` is a live user state.
pub(crate) unsafe fn add(
    us: *mut UserState,
    account: &[u8],
    protocol: &[u8],
) -> Result<(), GcryError> {
    let node: *mut OtrlPendingPrivKey = c_zeroed();
    if node.is_null() {
        return Err(GcryError::ENOMEM);
    }
    // SAFETY: new memory.
    unsafe {
        (*node).accountname = c_string(account);
        (*node).protocol = c_string(protocol);
    }
    let added = locked(|| {
        // SAFETY: new memory, and the caller's list.
        unsafe {
            if (*node).accountname.is_null() || (*node).protocol.is_null() {
                return Err(GcryError::ENOMEM);
            }
            let root = &raw mut (*us).pending_root;
            if !find(us, account, protocol).is_null() {
                return Err(GcryError::EEXIST);
            }
            linked_list::link(root, node);
        }
        Ok(())
    });
    if added.is_err() {
        // SAFETY: it is in no list.
        unsafe { free(node) };
    }
    added
}

/// Forgets an account, if it is there.
///
/// # Safety
/// `us` is NULL or a live user state.
pub(crate) unsafe fn forget(us: *mut UserState, account: &[u8], protocol: &[u8]) {
    if us.is_null() {
        return;
    }
    // SAFETY: not NULL, and a list of live nodes.
    let found = locked(|| unsafe {
        let node = find(us, account, protocol);
        if !node.is_null() {
            linked_list::unlink(node);
        }
        node
    });
    // SAFETY: in no list any more.
    unsafe { free(found) };
}

/// Forgets every account.
///
/// # Safety
/// `us` is NULL or a live user state.
pub unsafe fn forget_all(us: *mut UserState) {
    if us.is_null() {
        return;
    }
    // SAFETY: not NULL.
    let mut first = locked(|| unsafe { (&raw mut (*us).pending_root).replace(ptr::null_mut()) });
    // SAFETY: a list of live nodes that is in no user state any more.
    unsafe {
        while let Some(node) = linked_list::take_first(&raw mut first).as_mut() {
            free(node);
        }
    }
}

/// NULL if it is not there. For who holds the lock.
///
/// # Safety
/// `us` is a live user state.
unsafe fn find(us: *const UserState, account: &[u8], protocol: &[u8]) -> *mut OtrlPendingPrivKey {
    // SAFETY: the caller's promise, and a list of live nodes.
    unsafe {
        linked_list::iter((*us).pending_root)
            .find(|node| {
                text_is((**node).accountname, account) && text_is((**node).protocol, protocol)
            })
            .unwrap_or(ptr::null_mut())
    }
}

/// NULL is accepted.
///
/// # Safety
/// `node` is NULL or in no list.
unsafe fn free(node: *mut OtrlPendingPrivKey) {
    if node.is_null() {
        return;
    }
    // SAFETY: not NULL; it and its names are from malloc.
    unsafe {
        libc::free((*node).accountname.cast());
        libc::free((*node).protocol.cast());
        libc::free(node.cast());
    }
}

entry! {
    /// Forgets which keys are being generated.
    ///
    /// # Safety
    /// As for [`forget_all`].
    on panic ();
    pub fn otrl_privkey_pending_forget_all(us: *mut UserState) {
        // SAFETY: the caller's promise.
        unsafe { forget_all(us) }
    }
}
