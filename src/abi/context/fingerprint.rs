//! The fingerprints that a master keeps for its correspondent.

use std::ffi::{c_char, c_int, c_uchar};
use std::ptr;

use super::forget::forget;
use super::interface::{master_of, members};
use crate::abi::entry::entry;
use crate::abi::linked_list;
use crate::abi::memory::{bytes_of, c_buffer, c_string, c_zeroed, put, slice_of};
use crate::abi::types::{ConnContext, Fingerprint, MSGSTATE_PLAINTEXT};

/// Bytes of a fingerprint.
const FINGERPRINT_BYTES: usize = 20;

/// The master's entry for a fingerprint, made (as the first of the list) if `add` asks for it. NULL when there is none.
///
/// # Safety
/// `context` is NULL or a live context, `fingerprint` NULL or 20 bytes, `added` NULL or writable.
pub unsafe fn find_fingerprint(
    context: *mut ConnContext,
    fingerprint: *const c_uchar,
    add: bool,
    added: *mut c_int,
) -> *mut Fingerprint {
    // SAFETY: the caller's promise.
    let (master, wanted) = unsafe {
        put(added, 0);
        (master_of(context), slice_of(fingerprint, FINGERPRINT_BYTES))
    };
    if master.is_null() || wanted.is_empty() {
        return ptr::null_mut();
    }
    // SAFETY: a live context, whose list holds live nodes.
    unsafe {
        let known = linked_list::iter((*master).fingerprint_root.next)
            .find(|node| slice_of((**node).fingerprint, FINGERPRINT_BYTES) == wanted);
        if known.is_some() || !add {
            return known.unwrap_or(ptr::null_mut());
        }
        let node = prepend(master, wanted);
        put(added, c_int::from(!node.is_null()));
        node
    }
}

/// Replaces the trust; NULL and "" are none.
///
/// # Safety
/// `fingerprint` is NULL or a live node, `trust` NULL or a C string, which may be the node's own.
pub unsafe fn set_trust(fingerprint: *mut Fingerprint, trust: *const c_char) {
    if fingerprint.is_null() {
        return;
    }
    // SAFETY: the caller's promise. The copy is made before the old text goes.
    unsafe {
        let copy = bytes_of(trust).map_or(ptr::null_mut(), c_string);
        libc::free((*fingerprint).trust.cast());
        (*fingerprint).trust = copy;
    }
}

/// Whether there is a trust that is not "".
///
/// # Safety
/// `fingerprint` is NULL or a live node.
pub unsafe fn is_trusted(fingerprint: *const Fingerprint) -> bool {
    // SAFETY: the caller's promise.
    !fingerprint.is_null()
        && unsafe { bytes_of((*fingerprint).trust) }.is_some_and(|trust| !trust.is_empty())
}

/// Forgets a fingerprint, unless a session of its correspondent uses it. With `and_maybe_context` the whole
/// correspondent goes if this was the last one and there is no session; the root of the list stands for just that.
/// Calls the client's `app_data_free` then.
///
/// # Safety
/// `fingerprint` is NULL or a live node.
pub unsafe fn forget_fingerprint(fingerprint: *mut Fingerprint, and_maybe_context: bool) {
    // SAFETY: the caller's promise.
    unsafe {
        if fingerprint.is_null() || (*fingerprint).context.is_null() {
            return;
        }
        let context = (*fingerprint).context;
        if !ptr::eq(fingerprint, &raw const (*context).fingerprint_root) {
            if members(context).any(|member| (*member).active_fingerprint == fingerprint) {
                return;
            }
            free(fingerprint);
            if !(*context).fingerprint_root.next.is_null() {
                return;
            }
        }
        if and_maybe_context && (*context).msgstate == MSGSTATE_PLAINTEXT {
            forget(context);
        }
    }
}

/// Unlinks and frees a node.
///
/// # Safety
/// `fingerprint` is a live node of a list, and is used no more.
pub(crate) unsafe fn free(fingerprint: *mut Fingerprint) {
    // SAFETY: the caller's promise.
    unsafe {
        linked_list::unlink(fingerprint);
        libc::free((*fingerprint).fingerprint.cast());
        libc::free((*fingerprint).trust.cast());
        libc::free(fingerprint.cast());
    }
}

/// # Safety
/// `master` is a live context.
unsafe fn prepend(master: *mut ConnContext, bytes: &[u8]) -> *mut Fingerprint {
    let node: *mut Fingerprint = c_zeroed();
    let copy = c_buffer(bytes);
    // SAFETY: NULL, or memory made here; the list is the caller's promise.
    unsafe {
        if node.is_null() || copy.is_null() {
            libc::free(node.cast());
            libc::free(copy.cast());
            return ptr::null_mut();
        }
        (*node).fingerprint = copy;
        (*node).context = master;
        linked_list::link(&raw mut (*master).fingerprint_root.next, node);
    }
    node
}

entry! {
    /// The master's entry for a fingerprint, made if `add` is not 0.
    ///
    /// # Safety
    /// As for [`find_fingerprint`].
    on panic ptr::null_mut();
    pub fn otrl_context_find_fingerprint(
        context: *mut ConnContext,
        fingerprint: *mut c_uchar,
        add: c_int,
        added: *mut c_int,
    ) -> *mut Fingerprint {
        // SAFETY: the caller's promise.
        unsafe { find_fingerprint(context, fingerprint, add != 0, added) }
    }
}

entry! {
    /// Replaces the trust.
    ///
    /// # Safety
    /// As for [`set_trust`].
    on panic ();
    pub fn otrl_context_set_trust(fingerprint: *mut Fingerprint, trust: *const c_char) {
        // SAFETY: the caller's promise.
        unsafe { set_trust(fingerprint, trust) }
    }
}

/// Forgets a fingerprint, and perhaps its correspondent.
///
/// # Safety
/// As for [`forget_fingerprint`].
#[unsafe(no_mangle)]
#[allow(unreachable_pub, reason = "C calls it")]
pub unsafe extern "C-unwind" fn otrl_context_forget_fingerprint(
    fingerprint: *mut Fingerprint,
    and_maybe_context: c_int,
) {
    // SAFETY: the caller's promise.
    unsafe { forget_fingerprint(fingerprint, and_maybe_context != 0) }
}
