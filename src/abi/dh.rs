//! `dh.h`: DH keys and the keys derived from them, written directly to the public structs.

use std::ffi::c_uint;

use super::borrowed::{Borrowed, Out};
use super::dh_objects::session_free;
use super::entry::entry;
use super::error::GcryError;
use super::exchange::{load_keypair, store_keypair};
use super::gcry::{Cipher, Digest, Mpi, cipher, digest};
use super::numbers::half_number;
use super::types::*;
use otr_crypto::group::Element;
use otr_protocol::dh::{AuthKeys, DataKeys, DhKeyPair, v1_session_id};

entry! {
    /// Makes a fresh DH key pair.
    ///
    /// # Safety
    /// `kp` is NULL or writable; its old contents are not freed.
    on panic GcryError::INTERNAL;
    pub fn otrl_dh_gen_keypair(
        groupid: c_uint,
        kp: *mut DhKeypair as Option<Borrowed<DhKeypair>>,
    ) -> GcryError as Result<(), GcryError> {
        let pair = kp.filter(|_| groupid == DH1536_GROUP_ID).ok_or(GcryError::INV_VALUE)?;
        let made = DhKeyPair::generate()?;
        pair.blank();
        store_keypair(pair, Some(&made));
        let is_whole = !pair.private().is_null() && !pair.public().is_null();
        is_whole.then_some(()).ok_or(GcryError::ENOMEM)
    }
}

entry! {
    /// Makes the session keys between our pair and their public value.
    ///
    /// # Safety
    /// `sess` is NULL or writable, and its old contents are not freed; `kp` and `y` are NULL or live.
    on panic GcryError::INTERNAL;
    pub fn otrl_dh_session(
        sess: *mut DhSesskeys as Option<Borrowed<DhSesskeys>>,
        kp: *const DhKeypair as Option<Borrowed<DhKeypair>>,
        y: *mut Mpi as Option<Borrowed<Mpi>>,
    ) -> GcryError as Result<(), GcryError> {
        let session = sess.ok_or(GcryError::INV_VALUE)?;
        session.blank();
        let (ours, theirs) = both(kp, y)?;
        let keys = DataKeys::derive(&ours, &theirs);
        session.sendmackey().set(keys.sending.mac);
        session.rcvmackey().set(keys.receiving.mac);
        #[cfg(feature = "abi5")]
        session.extrakey().set(keys.extra);
        fill_session(session, &keys).inspect_err(|_| session_free(session))
    }
}

/// Makes the libgcrypt objects for the keys of a session.
fn fill_session(session: Borrowed<'_, DhSesskeys>, keys: &DataKeys) -> Result<(), GcryError> {
    let sending = cipher::aes128_ctr(&keys.sending.encryption, None)?;
    session.sendenc().store(sending);
    let receiving = cipher::aes128_ctr(&keys.receiving.encryption, None)?;
    session.rcvenc().store(receiving);
    session
        .sendmac()
        .store(digest::hmac_sha1(&keys.sending.mac)?);
    session
        .rcvmac()
        .store(digest::hmac_sha1(&keys.receiving.mac)?);
    Ok(())
}

entry! {
    /// Makes the session id and the keys of a version 2 or 3 exchange.
    ///
    /// # Safety
    /// `our_dh` and `their_pub` are NULL or live; `sessionid` points at 8 writable bytes; the other out-parameters are NULL or
    /// writable, and their old contents are not freed.
    on panic GcryError::INTERNAL;
    pub fn otrl_dh_compute_v2_auth_keys(
        our_dh: *const DhKeypair as Option<Borrowed<DhKeypair>>,
        their_pub: *mut Mpi as Option<Borrowed<Mpi>>,
        sessionid: *mut u8 as Option<Borrowed<[u8; 8]>>,
        sessionidlenp: *mut usize as Out<usize>,
        enc_c: *mut *mut Cipher as Option<Borrowed<*mut Cipher>>,
        enc_cp: *mut *mut Cipher as Option<Borrowed<*mut Cipher>>,
        mac_m1: *mut *mut Digest as Option<Borrowed<*mut Digest>>,
        mac_m1p: *mut *mut Digest as Option<Borrowed<*mut Digest>>,
        mac_m2: *mut *mut Digest as Option<Borrowed<*mut Digest>>,
        mac_m2p: *mut *mut Digest as Option<Borrowed<*mut Digest>>,
    ) -> GcryError as Result<(), GcryError> {
        let (ciphers, digests) = ([enc_c, enc_cp], [mac_m1, mac_m1p, mac_m2, mac_m2p]);
        ciphers.into_iter().flatten().for_each(Borrowed::forget);
        digests.into_iter().flatten().for_each(Borrowed::forget);
        let ([Some(c), Some(c_prime)], [Some(m1), Some(m1_prime), Some(m2), Some(m2_prime)], Some(id)) =
            (ciphers, digests, sessionid)
        else {
            return Err(GcryError::INV_VALUE);
        };
        let (ours, theirs) = both(our_dh, their_pub)?;
        let keys = AuthKeys::derive(ours.shared_secret(&theirs));
        let (ciphers, digests) = ([c, c_prime], [m1, m1_prime, m2, m2_prime]);
        if let Err(error) = fill_auth_keys(&keys, ciphers, digests) {
            ciphers.into_iter().for_each(Borrowed::clear);
            digests.into_iter().for_each(Borrowed::clear);
            return Err(error);
        }
        id.set(keys.session_id);
        sessionidlenp.put(keys.session_id.len());
        Ok(())
    }
}

/// Stores ciphers and MACs with these keys.
fn fill_auth_keys(
    keys: &AuthKeys,
    [enc_c, enc_cp]: [Borrowed<'_, *mut Cipher>; 2],
    [mac_m1, mac_m1p, mac_m2, mac_m2p]: [Borrowed<'_, *mut Digest>; 4],
) -> Result<(), GcryError> {
    let zero = [0; 16];
    enc_c.store(cipher::aes128_ctr(&keys.c, Some(&zero))?);
    enc_cp.store(cipher::aes128_ctr(&keys.c_prime, Some(&zero))?);
    mac_m1.store(digest::hmac_sha256(&keys.m1)?);
    mac_m1p.store(digest::hmac_sha256(&keys.m1_prime)?);
    mac_m2.store(digest::hmac_sha256(&keys.m2)?);
    mac_m2p.store(digest::hmac_sha256(&keys.m2_prime)?);
    Ok(())
}

entry! {
    /// Makes the session id of a version 1 exchange.
    ///
    /// # Safety
    /// `our_dh` and `their_pub` are NULL or live; `sessionid` points at 20 writable bytes; the others are NULL or writable.
    on panic GcryError::INTERNAL;
    pub fn otrl_dh_compute_v1_session_id(
        our_dh: *const DhKeypair as Option<Borrowed<DhKeypair>>,
        their_pub: *mut Mpi as Option<Borrowed<Mpi>>,
        sessionid: *mut u8 as Option<Borrowed<[u8; 20]>>,
        sessionidlenp: *mut usize as Out<usize>,
        halfp: *mut OtrlSessionIdHalf as Out<OtrlSessionIdHalf>,
    ) -> GcryError as Result<(), GcryError> {
        let place = sessionid.ok_or(GcryError::INV_VALUE)?;
        let (ours, theirs) = both(our_dh, their_pub)?;
        let id = v1_session_id(&ours, &theirs);
        place.set_start(id.as_bytes());
        sessionidlenp.put(id.as_bytes().len());
        halfp.put(half_number(id.half()));
        Ok(())
    }
}

/// Our key pair and their public value.
fn both(
    pair: Option<Borrowed<'_, DhKeypair>>,
    y: Option<Borrowed<'_, Mpi>>,
) -> Result<(DhKeyPair, Element), GcryError> {
    let pair = pair.ok_or(GcryError::INV_VALUE)?;
    let theirs = y
        .and_then(|y| y.number())
        .and_then(|bytes| Element::from_bytes(&bytes));
    load_keypair(pair).zip(theirs).ok_or(GcryError::INV_VALUE)
}
