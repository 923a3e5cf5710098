//! `auth.h`: the key exchange run by hand, on the public struct alone. What differs between the interfaces is whether an
//! exchange knows its context, and with it instance tags: `auth/abi2.rs`, `auth/abi5.rs`.

use std::ffi::{c_char, c_int, c_uint, c_void};

use super::entry::{entry, guard};
use super::error::GcryError;
use super::exchange;
use super::memory::{bytes_of, put};
use super::numbers::c_bool;
use super::privkey;
use super::types::*;
use otr_protocol::ake::{Auth, Established, SigningKey, Tags};
use otr_protocol::ake_v1::V1Offer;
use otr_protocol::dh::DhKeyPair;
use otr_protocol::error::ProtocolError;
use otr_protocol::opened_pairs::OpenedPairs;

#[cfg(feature = "abi2")]
mod abi2;
#[cfg(feature = "abi5")]
mod abi5;

#[cfg(feature = "abi2")]
use abi2 as interface;
#[cfg(feature = "abi5")]
use abi5 as interface;

entry! {
    /// Handles a DH-key message; `*havemsgp` says whether there is a message to send.
    ///
    /// # Safety
    /// `auth` is NULL or live, and so is what it points to; `keymsg` is NULL or a C string; `privkey` is NULL or live, `havemsgp` NULL or writable.
    on panic GcryError::INTERNAL;
    pub fn otrl_auth_handle_key(
        auth: *mut OtrlAuthInfo,
        keymsg: *const c_char,
        havemsgp: *mut c_int,
        privkey: *mut OtrlPrivKey,
    ) -> GcryError {
        // SAFETY: the caller's promise.
        unsafe {
            put(havemsgp, 0);
            let Some(message) = bytes_of(keymsg) else { return GcryError::INV_VALUE };
            let key = match privkey::signing_key(privkey) {
                Ok(key) => key,
                Err(error) => return error,
            };
            step(auth, |state, tags| state.on_dh_key(message, &key, tags, &OpenedPairs::default()))
                .map(|reply| put(havemsgp, c_bool(reply)))
                .into()
        }
    }
}

/// Handles a reveal signature message. When the exchange is done, `auth_succeeded` is called, and a
/// message is to be sent if `*havemsgp` is 1.
///
/// # Safety
/// As for [`otrl_auth_handle_key`].
#[unsafe(no_mangle)]
#[allow(unreachable_pub, reason = "C calls it")]
pub unsafe extern "C-unwind" fn otrl_auth_handle_revealsig(
    auth: *mut OtrlAuthInfo,
    revealmsg: *const c_char,
    havemsgp: *mut c_int,
    privkey: *mut OtrlPrivKey,
    auth_succeeded: AuthSucceeded,
    asdata: *mut c_void,
) -> GcryError {
    // SAFETY: the caller's promise.
    unsafe {
        put(havemsgp, 0);
        let Some(message) = bytes_of(revealmsg) else {
            return GcryError::INV_VALUE;
        };
        let outcome = with_key(privkey, |key| {
            step(auth, |state, tags| {
                state.on_reveal_signature(message, key, tags, &mut OpenedPairs::default())
            })
        });
        let outcome = outcome.map(|established| established.map(|established| (established, true)));
        finish(auth, outcome, havemsgp, auth_succeeded, asdata)
    }
}

/// Handles a signature message. When the exchange is done, `auth_succeeded` is called; nothing is to be sent.
///
/// # Safety
/// `auth` is NULL or live, and so is what it points to; `sigmsg` is NULL or a C string; `havemsgp` is NULL or writable.
#[unsafe(no_mangle)]
#[allow(unreachable_pub, reason = "C calls it")]
pub unsafe extern "C-unwind" fn otrl_auth_handle_signature(
    auth: *mut OtrlAuthInfo,
    sigmsg: *const c_char,
    havemsgp: *mut c_int,
    auth_succeeded: AuthSucceeded,
    asdata: *mut c_void,
) -> GcryError {
    // SAFETY: the caller's promise.
    unsafe {
        put(havemsgp, 0);
        let Some(message) = bytes_of(sigmsg) else {
            return GcryError::INV_VALUE;
        };
        let outcome = step(auth, |state, _| {
            state.on_signature(message, &mut OpenedPairs::default())
        });
        let outcome =
            outcome.map(|established| established.map(|established| (established, false)));
        finish(auth, outcome, havemsgp, auth_succeeded, asdata)
    }
}

entry! {
    /// Starts an exchange of version 1, with the given DH key or a fresh one.
    ///
    /// # Safety
    /// `auth` is NULL or live, and so is what it points to; `our_dh` and `privkey` are NULL or live.
    on panic GcryError::INTERNAL;
    pub fn otrl_auth_start_v1(
        auth: *mut OtrlAuthInfo,
        our_dh: *mut DhKeypair,
        our_keyid: c_uint,
        privkey: *mut OtrlPrivKey,
    ) -> GcryError {
        // SAFETY: the caller's promise.
        unsafe {
            with_key(privkey, |key| {
                let existing = given_pair(our_dh, our_keyid)?;
                step(auth, |state, _| {
                    *state = Auth::start_v1(existing, key)?;
                    Ok(())
                })
            })
            .into()
        }
    }
}

/// Handles a key exchange message of version 1, with the given DH key or a fresh one. When the exchange
/// is done, `auth_succeeded` is called, and a message is to be sent if `*havemsgp` is 1.
///
/// # Safety
/// As for [`otrl_auth_handle_key`]; `our_dh` is NULL or live.
#[unsafe(no_mangle)]
#[allow(unreachable_pub, reason = "C calls it")]
pub unsafe extern "C-unwind" fn otrl_auth_handle_v1_key_exchange(
    auth: *mut OtrlAuthInfo,
    keyexchmsg: *const c_char,
    havemsgp: *mut c_int,
    privkey: *mut OtrlPrivKey,
    our_dh: *mut DhKeypair,
    our_keyid: c_uint,
    auth_succeeded: AuthSucceeded,
    asdata: *mut c_void,
) -> GcryError {
    // SAFETY: the caller's promise.
    unsafe {
        put(havemsgp, 0);
        let Some(message) = bytes_of(keyexchmsg) else {
            return GcryError::INV_VALUE;
        };
        let outcome = with_key(privkey, |key| {
            let existing = given_pair(our_dh, our_keyid)?;
            step(auth, |state, _| {
                let offer = V1Offer::read(message)?;
                let setup = state.v1_setup().map(|s| (s.our_dh.clone(), s.our_keyid));
                let pair = match (offer.is_reply(), setup) {
                    (true, None) => return Ok(None),
                    (true, Some(setup)) => setup,
                    (false, setup) => match existing.or(setup) {
                        Some(pair) => pair,
                        None => (DhKeyPair::generate()?, 1),
                    },
                };
                state.complete_v1(offer, pair, key).map(Some)
            })
        });
        finish(auth, outcome, havemsgp, auth_succeeded, asdata)
    }
}

/// Runs a step on the exchange in the struct and writes it back if it succeeded.
///
/// # Safety
/// `auth` is NULL or live; its pointers are NULL or live objects of the library.
unsafe fn step<T>(
    auth: *mut OtrlAuthInfo,
    step: impl FnOnce(&mut Auth, Tags) -> Result<T, ProtocolError>,
) -> Result<T, GcryError> {
    // SAFETY: the callers pass what their clients vouch for.
    unsafe {
        let tags = interface::tags_of(auth).ok_or(GcryError::INV_VALUE)?;
        let mut state = exchange::load(auth, None);
        let (outcome, state) = guard(move || (step(&mut state, tags), state))?;
        let value = outcome?;
        exchange::store(auth, &state)?;
        Ok(value)
    }
}

/// Does something with a node's key.
///
/// # Safety
/// `privkey` is NULL or a live node.
unsafe fn with_key<T>(
    privkey: *const OtrlPrivKey,
    run: impl FnOnce(&SigningKey) -> Result<T, GcryError>,
) -> Result<T, GcryError> {
    // SAFETY: the callers pass what their clients vouch for.
    let key = unsafe { privkey::signing_key(privkey) }?;
    run(&key)
}

/// The client's key pair; `None` if there is none.
///
/// # Safety
/// `our_dh` is NULL or live, and so are its numbers.
unsafe fn given_pair(
    our_dh: *const DhKeypair,
    keyid: c_uint,
) -> Result<Option<(DhKeyPair, u32)>, GcryError> {
    if our_dh.is_null() {
        return Ok(None);
    }
    // SAFETY: not NULL, and the client vouches for it.
    match unsafe { exchange::load_keypair(our_dh) } {
        Some(pair) => Ok(Some((pair, keyid))),
        None => Err(GcryError::INV_VALUE),
    }
}

/// Shows the outcome in the struct, as the client's function reads it, and calls that function.
///
/// # Safety
/// `auth` is live, `havemsgp` NULL or writable, `auth_succeeded` what `auth.h` says. The client's code may run.
unsafe fn finish(
    auth: *mut OtrlAuthInfo,
    outcome: Result<Option<(Established, bool)>, GcryError>,
    havemsgp: *mut c_int,
    auth_succeeded: AuthSucceeded,
    asdata: *mut c_void,
) -> GcryError {
    // SAFETY: the callers pass what their clients vouch for; nothing of ours is alive during the callback.
    unsafe {
        let reply = match outcome {
            Ok(Some((established, reply))) => {
                exchange::show_established(auth, &established);
                reply
            }
            Ok(None) => return GcryError::NO_ERROR,
            Err(error) => return error,
        };
        let answer = match auth_succeeded {
            Some(tell) => tell(auth, asdata),
            None => GcryError::NO_ERROR,
        };
        put(havemsgp, c_bool(reply));
        (*auth).our_keyid = 0;
        exchange::store_keypair(&raw mut (*auth).our_dh, None);
        answer
    }
}
