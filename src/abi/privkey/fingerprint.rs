//! Fingerprints of our own keys, also as text for people.

use std::ffi::{c_char, c_uchar};
use std::ptr;

use super::list::find_locked;
use crate::abi::borrowed::Borrowed;
use crate::abi::entry::entry;
use crate::abi::lock::locked;
use crate::abi::types::UserState;
use otr_crypto::hash;

/// Five groups of eight digits, four spaces and a NUL.
const HUMAN_BYTES: usize = 45;
const HASH_BYTES: usize = 20;

/// The hash of an account's public key as it is in the node: a client may have changed it.
pub fn fingerprint_of(
    us: Borrowed<'_, UserState>,
    account: &[u8],
    protocol: &[u8],
) -> Option<[u8; HASH_BYTES]> {
    locked(|| find_locked(us, account, protocol).map(|node| hash::sha1(&[node.public_key()])))
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
    pub fn otrl_privkey_hash_to_human(
        human_text: *mut c_char as Option<Borrowed<[u8; HUMAN_BYTES]>>,
        fingerprint: *const c_uchar as Option<Borrowed<[u8; HASH_BYTES]>>,
    ) {
        if let (Some(text), Some(hash)) = (human_text, fingerprint) {
            text.set(human(&hash.get()));
        }
    }
}

entry! {
    /// Writes the fingerprint of an account's key as people read it. NULL if there is none.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, the names NULL or C strings; `human_text` is NULL or 45 writable bytes.
    on panic ptr::null_mut();
    pub fn otrl_privkey_fingerprint(
        us: *mut UserState as Option<Borrowed<UserState>>,
        human_text: *mut c_char as Option<Borrowed<[u8; HUMAN_BYTES]>>,
        account: *const c_char as Option<&[u8]>,
        protocol: *const c_char as Option<&[u8]>,
    ) -> *mut c_char as Option<Borrowed<[u8; HUMAN_BYTES]>> {
        let hash = fingerprint_of(us?, account?, protocol?)?;
        human_text?.set(human(&hash));
        human_text
    }
}

entry! {
    /// Writes the fingerprint of an account's key, 20 bytes. NULL if there is none.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, the names NULL or C strings; `hash` is NULL or 20 writable bytes.
    on panic ptr::null_mut();
    pub fn otrl_privkey_fingerprint_raw(
        us: *mut UserState as Option<Borrowed<UserState>>,
        hash: *mut c_uchar as Option<Borrowed<[u8; HASH_BYTES]>>,
        account: *const c_char as Option<&[u8]>,
        protocol: *const c_char as Option<&[u8]>,
    ) -> *mut c_uchar as Option<Borrowed<[u8; HASH_BYTES]>> {
        let fingerprint = fingerprint_of(us?, account?, protocol?)?;
        hash?.set(fingerprint);
        hash
    }
}
