//! Fingerprints of our own keys, and how people read one.

use std::ffi::{c_char, c_uchar};
use std::ptr;

use super::list::find_locked;
use crate::abi::entry::entry;
use crate::abi::lock::locked;
use crate::abi::memory::slice_of;
use crate::abi::types::UserState;
use otr_crypto::hash;

/// Five groups of eight digits, four spaces and a NUL.
const HUMAN_BYTES: usize = 45;
const HASH_BYTES: usize = 20;

/// The hash of an account's public key, as the node has it: a client may have put another there.
///
/// # Safety
/// `us` is NULL or a live user state, the names NULL or C strings.
pub unsafe fn fingerprint_of(
    us: *const UserState,
    account: *const c_char,
    protocol: *const c_char,
) -> Option<[u8; HASH_BYTES]> {
    // SAFETY: the caller's promise; a node's data is as long as it says.
    locked(|| unsafe {
        let node = find_locked(us, account, protocol);
        (!node.is_null())
            .then(|| hash::sha1(&[slice_of((*node).pubkey_data, (*node).pubkey_datalen)]))
    })
}

#[expect(clippy::disallowed_methods, reason = "45 bytes")]
fn human(hash: &[u8; HASH_BYTES]) -> [u8; HUMAN_BYTES] {
    let groups = hash.chunks(4).map(|group| {
        group
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect::<String>()
    });
    let text = groups.collect::<Vec<_>>().join(" ");
    let mut buffer = [0; HUMAN_BYTES];
    for (to, from) in buffer.iter_mut().zip(text.bytes()) {
        *to = from;
    }
    buffer
}

entry! {
    /// Writes a fingerprint as people read it, 45 bytes with the NUL.
    ///
    /// # Safety
    /// `human_text` is NULL or 45 writable bytes, `fingerprint` NULL or 20 readable ones.
    on panic ();
    pub fn otrl_privkey_hash_to_human(human_text: *mut c_char, fingerprint: *const c_uchar) {
        // SAFETY: the caller's promise.
        let hash = unsafe { slice_of(fingerprint, HASH_BYTES) };
        if let (Ok(hash), false) = (hash.try_into(), human_text.is_null()) {
            // SAFETY: not NULL, so 45 bytes.
            unsafe { human_text.cast::<[u8; HUMAN_BYTES]>().write(human(hash)) };
        }
    }
}

entry! {
    /// Writes the fingerprint of an account's key as people read it. NULL if there is none.
    ///
    /// # Safety
    /// As for [`fingerprint_of`]; `human_text` is NULL or 45 writable bytes.
    on panic ptr::null_mut();
    pub fn otrl_privkey_fingerprint(
        us: *mut UserState,
        human_text: *mut c_char,
        account: *const c_char,
        protocol: *const c_char,
    ) -> *mut c_char {
        // SAFETY: the caller's promise.
        match unsafe { fingerprint_of(us, account, protocol) } {
            Some(hash) if !human_text.is_null() => {
                // SAFETY: not NULL, so 45 bytes.
                unsafe { human_text.cast::<[u8; HUMAN_BYTES]>().write(human(&hash)) };
                human_text
            }
            _ => ptr::null_mut(),
        }
    }
}

entry! {
    /// Writes the fingerprint of an account's key, 20 bytes. NULL if there is none.
    ///
    /// # Safety
    /// As for [`fingerprint_of`]; `hash` is NULL or 20 writable bytes.
    on panic ptr::null_mut();
    pub fn otrl_privkey_fingerprint_raw(
        us: *mut UserState,
        hash: *mut c_uchar,
        account: *const c_char,
        protocol: *const c_char,
    ) -> *mut c_uchar {
        // SAFETY: the caller's promise.
        match unsafe { fingerprint_of(us, account, protocol) } {
            Some(fingerprint) if !hash.is_null() => {
                // SAFETY: not NULL, so 20 bytes.
                unsafe { hash.cast::<[u8; HASH_BYTES]>().write(fingerprint) };
                hash
            }
            _ => ptr::null_mut(),
        }
    }
}
