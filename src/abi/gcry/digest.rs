//! MACs: what a `gcry_md_hd_t` points at. OTR uses HMAC with SHA-1 and SHA-256.

use std::ptr;

use otr_protocol::buffer;
use zeroize::Zeroizing;

use super::{Digest, Maker, Owned, foreign, maker};
use crate::abi::error::GcryError;

const KIND: u64 = 4;
/// `GCRY_MD_SHA1`.
const SHA1: i32 = 2;
/// `GCRY_MD_SHA256`.
const SHA256: i32 = 8;
/// `GCRY_MD_FLAG_HMAC`, without the flag for the secure pool.
const HMAC: u32 = 2;

/// Nobody without libgcrypt can use the handle, so it holds the key alone.
type Object = Owned<Zeroizing<Vec<u8>>>;

/// HMAC-SHA-1 with this key.
pub fn hmac_sha1(key: &[u8]) -> Result<*mut Digest, GcryError> {
    open(SHA1, key)
}

/// HMAC-SHA-256 with this key.
pub fn hmac_sha256(key: &[u8]) -> Result<*mut Digest, GcryError> {
    open(SHA256, key)
}

fn open(algorithm: i32, key: &[u8]) -> Result<*mut Digest, GcryError> {
    let Maker::Gcrypt(gcrypt) = maker() else {
        return Ok(Object::into_raw(KIND, Zeroizing::new(buffer::bounded(key))).cast());
    };
    let (Some(open), Some(set_key)) = (gcrypt.md_open, gcrypt.md_setkey) else {
        return Err(GcryError::INTERNAL);
    };
    let mut digest = ptr::null_mut();
    // SAFETY: an out-parameter of ours.
    unsafe { open(&mut digest, algorithm, HMAC) }.ok()?;
    // SAFETY: the digest was just opened; a buffer with its length.
    if let Err(error) = unsafe { set_key(digest, key.as_ptr(), key.len()) }.ok() {
        // SAFETY: opened above, used no more.
        unsafe { close(digest) };
        return Err(error);
    }
    Ok(digest)
}

/// Gives a MAC back, wiped. NULL is accepted.
///
/// # Safety
/// `digest` is NULL or a live one made here or by libgcrypt, and is used no more.
pub unsafe fn close(digest: *mut Digest) {
    // SAFETY: the caller's promise; a digest of libgcrypt is longer than 16 bytes.
    if digest.is_null() || unsafe { Object::release(KIND, digest.cast()) } {
        return;
    }
    if let Some(md_close) = foreign().and_then(|gcrypt| gcrypt.md_close) {
        // SAFETY: not ours, so libgcrypt's.
        unsafe { md_close(digest) };
    }
}

/// Closes the MAC in a struct's member and leaves NULL there.
///
/// # Safety
/// `place` is writable, and holds what [`close`] takes.
pub unsafe fn close_and_clear(place: *mut *mut Digest) {
    // SAFETY: the caller's promise.
    unsafe { close(place.replace(ptr::null_mut())) };
}
