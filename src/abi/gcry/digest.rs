//! MACs, to which a `gcry_md_hd_t` points. OTR uses HMAC with SHA-1 and SHA-256.

use std::ptr;

use otr_protocol::buffer;
use zeroize::Zeroizing;

use super::{Digest, Made, Maker, maker, release};
use crate::abi::error::GcryError;

/// `GCRY_MD_SHA1`.
const SHA1: i32 = 2;
/// `GCRY_MD_SHA256`.
const SHA256: i32 = 8;
/// `GCRY_MD_FLAG_HMAC`, without the flag for the secure pool.
const HMAC: u32 = 2;

/// HMAC-SHA-1 with this key.
///
/// # Errors
/// The error from libgcrypt.
pub fn hmac_sha1(key: &[u8]) -> Result<Made<Digest>, GcryError> {
    open(SHA1, key)
}

/// HMAC-SHA-256 with this key.
///
/// # Errors
/// The error from libgcrypt.
pub fn hmac_sha256(key: &[u8]) -> Result<Made<Digest>, GcryError> {
    open(SHA256, key)
}

fn open(algorithm: i32, key: &[u8]) -> Result<Made<Digest>, GcryError> {
    let Maker::Gcrypt(gcrypt) = maker() else {
        return Ok(Made::ours(Zeroizing::new(buffer::bounded(key))));
    };
    let (Some(open), Some(set_key)) = (gcrypt.md_open, gcrypt.md_setkey) else {
        return Err(GcryError::INTERNAL);
    };
    let mut digest = ptr::null_mut();
    // SAFETY: an out-parameter of ours.
    unsafe { open(&mut digest, algorithm, HMAC) }.ok()?;
    // SAFETY: the digest was just opened; a buffer with its length. It is closed if it cannot be used.
    unsafe {
        let keyed = set_key(digest, key.as_ptr(), key.len()).ok();
        keyed.inspect_err(|_| release(digest))?;
    }
    Ok(Made(digest))
}
