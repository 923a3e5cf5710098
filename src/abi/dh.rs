//! `dh.h`: DH keys and what is derived from them, made by hand into the public structs.

use std::ffi::c_uint;
use std::ptr;

use super::dh_objects;
use super::entry::entry;
use super::error::GcryError;
use super::exchange::{load_keypair, store_keypair};
use super::gcry::{Cipher, Digest, Mpi, cipher, digest, mpi};
use super::memory::put;
use super::numbers::half_number;
use super::types::*;
use otr_crypto::group::Element;
use otr_protocol::dh::{AuthKeys, DataKeys, DhKeyPair, v1_session_id};

entry! {
    /// Makes a fresh DH key pair.
    ///
    /// # Safety
    /// `kp` is NULL or writable; what it held is not freed.
    on panic GcryError::INTERNAL;
    pub fn otrl_dh_gen_keypair(groupid: c_uint, kp: *mut DhKeypair) -> GcryError {
        if groupid != DH1536_GROUP_ID || kp.is_null() {
            return GcryError::INV_VALUE;
        }
        match DhKeyPair::generate() {
            // SAFETY: the caller's promise.
            Ok(pair) => unsafe {
                dh_objects::keypair_init(kp);
                store_keypair(kp, Some(&pair));
                if (*kp).private.is_null() || (*kp).public.is_null() { GcryError::ENOMEM } else { GcryError::NO_ERROR }
            },
            Err(error) => error.into(),
        }
    }
}

entry! {
    /// Makes the session keys between our pair and their public value.
    ///
    /// # Safety
    /// `sess` is NULL or writable, and what it held is not freed; `kp` and `y` are NULL or live.
    on panic GcryError::INTERNAL;
    pub fn otrl_dh_session(sess: *mut DhSesskeys, kp: *const DhKeypair, y: *mut Mpi) -> GcryError {
        // SAFETY: the caller's promise.
        unsafe {
            if sess.is_null() {
                return GcryError::INV_VALUE;
            }
            dh_objects::session_blank(sess);
            let (ours, theirs) = match both(kp, y) {
                Ok(both) => both,
                Err(error) => return error,
            };
            let keys = DataKeys::derive(&ours, &theirs);
            (*sess).sendmackey = keys.sending.mac;
            (*sess).rcvmackey = keys.receiving.mac;
            #[cfg(feature = "abi5")]
            {
                (*sess).extrakey = keys.extra;
            }
            let made = fill_session(sess, &keys);
            if made.is_err() {
                dh_objects::session_free(sess);
            }
            made.into()
        }
    }
}

/// Makes the objects of a session's keys.
///
/// # Safety
/// `sess` is writable; what is in it is not read.
unsafe fn fill_session(sess: *mut DhSesskeys, keys: &DataKeys) -> Result<(), GcryError> {
    // SAFETY: the caller vouches for the struct.
    unsafe {
        (*sess).sendenc = cipher::aes128_ctr(&keys.sending.encryption, None)?;
        (*sess).rcvenc = cipher::aes128_ctr(&keys.receiving.encryption, None)?;
        (*sess).sendmac = digest::hmac_sha1(&keys.sending.mac)?;
        (*sess).rcvmac = digest::hmac_sha1(&keys.receiving.mac)?;
        Ok(())
    }
}

entry! {
    /// Makes the session id and the keys of a version 2 or 3 exchange.
    ///
    /// # Safety
    /// `our_dh` and `their_pub` are NULL or live; `sessionid` points at 8 writable bytes; the other
    /// out-parameters are NULL or writable, and what they held is not freed.
    on panic GcryError::INTERNAL;
    pub fn otrl_dh_compute_v2_auth_keys(
        our_dh: *const DhKeypair, their_pub: *mut Mpi, sessionid: *mut u8, sessionidlenp: *mut usize,
        enc_c: *mut *mut Cipher, enc_cp: *mut *mut Cipher,
        mac_m1: *mut *mut Digest, mac_m1p: *mut *mut Digest,
        mac_m2: *mut *mut Digest, mac_m2p: *mut *mut Digest,
    ) -> GcryError {
        // SAFETY: the caller's promise.
        unsafe {
            let ciphers = [enc_c, enc_cp];
            let digests = [mac_m1, mac_m1p, mac_m2, mac_m2p];
            for place in ciphers {
                put(place, ptr::null_mut());
            }
            for place in digests {
                put(place, ptr::null_mut());
            }
            if ciphers.iter().any(|p| p.is_null()) || digests.iter().any(|p| p.is_null()) || sessionid.is_null() {
                return GcryError::INV_VALUE;
            }
            let (ours, theirs) = match both(our_dh, their_pub) {
                Ok(both) => both,
                Err(error) => return error,
            };
            let keys = AuthKeys::derive(ours.shared_secret(&theirs));
            let made = fill_auth_keys(&keys, ciphers, digests);
            if made.is_err() {
                ciphers.iter().for_each(|place| cipher::close_and_clear(*place));
                digests.iter().for_each(|place| digest::close_and_clear(*place));
                return made.into();
            }
            ptr::copy_nonoverlapping(keys.session_id.as_ptr(), sessionid, keys.session_id.len());
            put(sessionidlenp, keys.session_id.len());
            GcryError::NO_ERROR
        }
    }
}

/// Puts objects of the keys into these places: ciphers and MACs.
///
/// # Safety
/// The places are writable.
unsafe fn fill_auth_keys(
    keys: &AuthKeys,
    [enc_c, enc_cp]: [*mut *mut Cipher; 2],
    [mac_m1, mac_m1p, mac_m2, mac_m2p]: [*mut *mut Digest; 4],
) -> Result<(), GcryError> {
    let zero = [0; 16];
    // SAFETY: the caller vouches for the places.
    unsafe {
        *enc_c = cipher::aes128_ctr(&keys.c, Some(&zero))?;
        *enc_cp = cipher::aes128_ctr(&keys.c_prime, Some(&zero))?;
        *mac_m1 = digest::hmac_sha256(&keys.m1)?;
        *mac_m1p = digest::hmac_sha256(&keys.m1_prime)?;
        *mac_m2 = digest::hmac_sha256(&keys.m2)?;
        *mac_m2p = digest::hmac_sha256(&keys.m2_prime)?;
        Ok(())
    }
}

entry! {
    /// Makes the session id of a version 1 exchange.
    ///
    /// # Safety
    /// `our_dh` and `their_pub` are NULL or live; `sessionid` points at 20 writable bytes; the others are NULL or writable.
    on panic GcryError::INTERNAL;
    pub fn otrl_dh_compute_v1_session_id(
        our_dh: *const DhKeypair, their_pub: *mut Mpi, sessionid: *mut u8, sessionidlenp: *mut usize,
        halfp: *mut OtrlSessionIdHalf,
    ) -> GcryError {
        // SAFETY: the caller's promise.
        unsafe {
            if sessionid.is_null() {
                return GcryError::INV_VALUE;
            }
            let (ours, theirs) = match both(our_dh, their_pub) {
                Ok(both) => both,
                Err(error) => return error,
            };
            let id = v1_session_id(&ours, &theirs);
            ptr::copy_nonoverlapping(id.as_bytes().as_ptr(), sessionid, id.as_bytes().len());
            put(sessionidlenp, id.as_bytes().len());
            put(halfp, half_number(id.half()));
            GcryError::NO_ERROR
        }
    }
}

/// Our key pair and their public value.
///
/// # Safety
/// `kp` is NULL or live, and so are its numbers and `y`.
unsafe fn both(kp: *const DhKeypair, y: *const Mpi) -> Result<(DhKeyPair, Element), GcryError> {
    if kp.is_null() {
        return Err(GcryError::INV_VALUE);
    }
    // SAFETY: the callers pass what their clients vouch for.
    let (ours, theirs) = unsafe { (load_keypair(kp), mpi::bytes(y)) };
    let theirs = theirs.and_then(|bytes| Element::from_bytes(&bytes));
    ours.zip(theirs).ok_or(GcryError::INV_VALUE)
}
