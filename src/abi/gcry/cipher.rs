//! Ciphers: what a `gcry_cipher_hd_t` points at. OTR uses AES-128 in counter mode only.

use std::ptr;

use zeroize::Zeroizing;

use super::{Cipher, Maker, Owned, foreign, maker};
use crate::abi::error::GcryError;

const KIND: u64 = 3;
/// `GCRY_CIPHER_AES`.
const AES: i32 = 7;
/// `GCRY_CIPHER_MODE_CTR`.
const COUNTER_MODE: i32 = 6;

/// Nobody without libgcrypt can use the handle, so it holds the key alone.
type Object = Owned<Zeroizing<[u8; 16]>>;

/// A cipher with this key, and this counter block if there is one yet.
pub fn aes128_ctr(key: &[u8; 16], counter: Option<&[u8; 16]>) -> Result<*mut Cipher, GcryError> {
    let Maker::Gcrypt(gcrypt) = maker() else {
        return Ok(Object::into_raw(KIND, Zeroizing::new(*key)).cast());
    };
    let (Some(open), Some(set_key), Some(set_counter)) = (
        gcrypt.cipher_open,
        gcrypt.cipher_setkey,
        gcrypt.cipher_setctr,
    ) else {
        return Err(GcryError::INTERNAL);
    };
    let mut cipher = ptr::null_mut();
    // SAFETY: an out-parameter of ours. No flag: not from the secure pool.
    unsafe { open(&mut cipher, AES, COUNTER_MODE, 0) }.ok()?;
    // SAFETY: the cipher was just opened; buffers with their lengths.
    let keyed = unsafe { set_key(cipher, key.as_ptr(), key.len()) }
        .ok()
        .and_then(|()| match counter {
            // SAFETY: as above.
            Some(counter) => unsafe { set_counter(cipher, counter.as_ptr(), counter.len()) }.ok(),
            None => Ok(()),
        });
    if let Err(error) = keyed {
        // SAFETY: opened above, used no more.
        unsafe { close(cipher) };
        return Err(error);
    }
    Ok(cipher)
}

/// Gives a cipher back, wiped. NULL is accepted.
///
/// # Safety
/// `cipher` is NULL or a live one made here or by libgcrypt, and is used no more.
pub unsafe fn close(cipher: *mut Cipher) {
    // SAFETY: the caller's promise; a cipher of libgcrypt is longer than 16 bytes.
    if cipher.is_null() || unsafe { Object::release(KIND, cipher.cast()) } {
        return;
    }
    if let Some(cipher_close) = foreign().and_then(|gcrypt| gcrypt.cipher_close) {
        // SAFETY: not ours, so libgcrypt's.
        unsafe { cipher_close(cipher) };
    }
}

/// Closes the cipher in a struct's member and leaves NULL there.
///
/// # Safety
/// `place` is writable, and holds what [`close`] takes.
pub unsafe fn close_and_clear(place: *mut *mut Cipher) {
    // SAFETY: the caller's promise.
    unsafe { close(place.replace(ptr::null_mut())) };
}
