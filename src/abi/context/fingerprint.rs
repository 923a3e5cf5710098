//! The fingerprints that a master keeps for its correspondent.

use std::ffi::{c_char, c_int, c_uchar};
use std::ptr;

use super::forget::forget;
use super::interface::{master_of, members};
use crate::abi::borrowed::{self, Borrowed, Out};
use crate::abi::entry::entry;
use crate::abi::linked_list;
use crate::abi::text::CText;
use crate::abi::types::{ConnContext, Fingerprint, MSGSTATE_PLAINTEXT};

/// The length of a fingerprint.
const FINGERPRINT_BYTES: usize = 20;

/// The master's entry for a fingerprint, if there is one.
fn find_fingerprint<'a>(
    context: Borrowed<'a, ConnContext>,
    fingerprint: &[u8; FINGERPRINT_BYTES],
) -> Option<Borrowed<'a, Fingerprint>> {
    let master = master_of(context)?;
    linked_list::iter(master.fingerprint_root().next().follow())
        .find(|node| node.hash() == Some(fingerprint))
}

/// The same, but a missing entry is added at the front of the list. Also returns whether it was added. `None` if out of memory,
/// and for a context without a master that a client made itself.
pub(crate) fn add_fingerprint<'a>(
    context: Borrowed<'a, ConnContext>,
    fingerprint: &[u8; FINGERPRINT_BYTES],
) -> Option<(Borrowed<'a, Fingerprint>, bool)> {
    if let Some(known) = find_fingerprint(context, fingerprint) {
        return Some((known, false));
    }
    let master = master_of(context)?;
    let node: Borrowed<Fingerprint> = borrowed::new_zeroed()?;
    if !node.fingerprint().store_copy(fingerprint) {
        // SAFETY: made above.
        unsafe { node.free() };
        return None;
    }
    node.context().point_at(Some(master));
    linked_list::link(master.fingerprint_root().next(), node);
    Some((node, true))
}

/// Replaces the trust; `None` and "" mean not trusted.
///
/// # Safety
/// The old text is not used afterwards. It may be `trust` itself.
pub(crate) unsafe fn set_trust(fingerprint: Borrowed<'_, Fingerprint>, trust: Option<&[u8]>) {
    let copy = trust.map_or(CText::NONE, CText::up_to_nul);
    // SAFETY: the old text is not used afterwards, as the caller guarantees, and the copy was made before.
    unsafe { fingerprint.trust().free_text() };
    fingerprint.trust().store(copy);
}

impl Borrowed<'_, Fingerprint> {
    /// Whether the trust is neither NULL nor "".
    pub(crate) fn is_trusted(self) -> bool {
        self.trust().bytes().is_some_and(|trust| !trust.is_empty())
    }
}

/// Forgets a fingerprint, unless a session of its correspondent uses it. With `and_maybe_context` the correspondent's contexts
/// are forgotten as well if this was the last one and there is no session; for the root of the list, this is all that is done.
/// Calls the client's `app_data_free` then.
///
/// # Safety
/// The fingerprint is not used afterwards, nor, with `and_maybe_context`, the contexts of the correspondent.
unsafe fn forget_fingerprint(fingerprint: Borrowed<'_, Fingerprint>, and_maybe_context: bool) {
    let Some(context) = fingerprint.context().follow() else {
        return;
    };
    if fingerprint != context.fingerprint_root() {
        if members(context).any(|member| member.active_fingerprint().follow() == Some(fingerprint))
        {
            return;
        }
        // SAFETY: a node of a list that no context points to; it is not used afterwards, as the caller guarantees.
        unsafe { free(fingerprint) };
        if !context.fingerprint_root().next().is_null() {
            return;
        }
    }
    if and_maybe_context && context.msgstate().get() == MSGSTATE_PLAINTEXT {
        // SAFETY: no context of the correspondent is used afterwards, as the caller guarantees.
        unsafe { forget(context) };
    }
}

/// Unlinks and frees a node.
///
/// # Safety
/// `fingerprint` came from malloc, and is not used afterwards.
pub(crate) unsafe fn free(fingerprint: Borrowed<'_, Fingerprint>) {
    linked_list::unlink(fingerprint);
    // SAFETY: from malloc and not used afterwards, as the caller guarantees; it was just unlinked.
    unsafe {
        fingerprint.fingerprint().free_bytes(0);
        fingerprint.trust().free_text();
        fingerprint.free();
    }
}

entry! {
    /// The master's entry for a fingerprint, made if `add` is not 0.
    ///
    /// # Safety
    /// `context` is NULL or a live context, `fingerprint` NULL or 20 bytes, `added` NULL or writable.
    on panic ptr::null_mut();
    pub fn otrl_context_find_fingerprint(
        context: *mut ConnContext as Option<Borrowed<ConnContext>>,
        fingerprint: *mut c_uchar as Option<Borrowed<[u8; FINGERPRINT_BYTES]>>,
        add: c_int as bool,
        added: *mut c_int as Out<c_int>,
    ) -> *mut Fingerprint as Option<Borrowed<Fingerprint>> {
        added.put(0);
        let (context, hash) = (context?, fingerprint?.get());
        if !add {
            return find_fingerprint(context, &hash);
        }
        let (node, is_new) = add_fingerprint(context, &hash)?;
        added.put(is_new.into());
        Some(node)
    }
}

entry! {
    /// Replaces the trust.
    ///
    /// # Safety
    /// `fingerprint` is NULL or a live node, `trust` NULL or a C string, which may be the node's own.
    on panic ();
    pub fn otrl_context_set_trust(
        fingerprint: *mut Fingerprint as Option<Borrowed<Fingerprint>>,
        trust: *const c_char as Option<&[u8]>,
    ) {
        if let Some(fingerprint) = fingerprint {
            // SAFETY: the caller does not use the old text afterwards, since this function replaces it.
            unsafe { set_trust(fingerprint, trust) };
        }
    }
}

entry! {
    /// Forgets a fingerprint, and perhaps its correspondent.
    ///
    /// # Safety
    /// `fingerprint` is NULL or a live node. It is not used afterwards, nor are the correspondent's contexts if
    /// `and_maybe_context` is not 0. The client's `app_data_free` may call back.
    calls back;
    pub fn otrl_context_forget_fingerprint(
        fingerprint: *mut Fingerprint as Option<Borrowed<Fingerprint>>,
        and_maybe_context: c_int as bool,
    ) {
        if let Some(fingerprint) = fingerprint {
            // SAFETY: the caller gives up the fingerprint and, with `and_maybe_context`, the correspondent's contexts.
            unsafe { forget_fingerprint(fingerprint, and_maybe_context) };
        }
    }
}
