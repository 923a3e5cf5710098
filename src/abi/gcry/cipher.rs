//! Ciphers, to which a `gcry_cipher_hd_t` points. OTR uses AES-128 in counter mode only.

use std::ptr;

use zeroize::Zeroizing;

use super::{Cipher, Made, Maker, maker, release};
use crate::abi::error::GcryError;

/// `GCRY_CIPHER_AES`.
const AES: i32 = 7;
/// `GCRY_CIPHER_MODE_CTR`.
const COUNTER_MODE: i32 = 6;

/// A cipher with this key, and this counter block if there is one yet.
///
/// # Errors
/// The error from libgcrypt.
pub fn aes128_ctr(key: &[u8; 16], counter: Option<&[u8; 16]>) -> Result<Made<Cipher>, GcryError> {
    let Maker::Gcrypt(gcrypt) = maker() else {
        return Ok(Made::ours(Zeroizing::new(*key)));
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
    // SAFETY: the cipher was just opened; buffers with their lengths. It is closed if it cannot be used.
    unsafe {
        let keyed = set_key(cipher, key.as_ptr(), key.len()).ok();
        let ready = keyed.and_then(|()| match counter {
            Some(counter) => set_counter(cipher, counter.as_ptr(), counter.len()).ok(),
            None => Ok(()),
        });
        ready.inspect_err(|_| release(cipher))?;
    }
    Ok(Made(cipher))
}
