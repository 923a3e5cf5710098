//! `auth.h`: the key exchange run by hand, on the public struct alone.

use std::ffi::{c_char, c_int, c_uint, c_void};

use super::bridge::{c_bool, tags_of, version_from, version_number};
use super::entry::{entry, guard};
use super::error::GcryError;
use super::exchange;
use super::memory::{bytes_of, put};
use super::privkey;
use super::types::*;
use crate::protocol::ake::{Auth, CommitOutcome, Established, SigningKey, Tags};
use crate::protocol::dh::DhKeyPair;
use crate::protocol::error::ProtocolError;
use crate::wire::version::Version;

entry! {
    /// Starts an exchange of version 2 or 3; the message to send is in `auth->lastauthmsg`.
    ///
    /// # Safety
    /// `auth` is NULL or live, and so is the context it points to.
    on panic GcryError::INTERNAL;
    pub fn otrl_auth_start_v23(auth: *mut OtrlAuthInfo, version: c_int) -> GcryError {
        // SAFETY: the caller's promise.
        unsafe {
            let version = c_uint::try_from(version).ok().and_then(version_from);
            let Some(version) = version.filter(|version| *version != Version::V1) else {
                return GcryError::INV_VALUE;
            };
            step(auth, |state, tags| {
                *state = Auth::start(version, tags)?;
                Ok(())
            })
            .map(|()| show_version(auth, version))
            .into()
        }
    }
}

entry! {
    /// Handles a DH-commit message; the message to send is in `auth->lastauthmsg`.
    ///
    /// # Safety
    /// As for [`otrl_auth_start_v23`]; `commitmsg` is NULL or a C string.
    on panic GcryError::INTERNAL;
    pub fn otrl_auth_handle_commit(auth: *mut OtrlAuthInfo, commitmsg: *const c_char, version: c_int) -> GcryError {
        // SAFETY: the caller's promise.
        unsafe {
            let version = c_uint::try_from(version).ok().and_then(version_from);
            let (Some(message), Some(version)) = (bytes_of(commitmsg), version) else {
                return GcryError::INV_VALUE;
            };
            // Without a rival every outcome leaves the message to send in place.
            step(auth, |state, tags| state.on_commit(message, version, tags, None).map(|_: CommitOutcome| ()))
                .map(|()| show_version(auth, version))
                .into()
        }
    }
}

entry! {
    /// Handles a DH-key message; `*havemsgp` says whether there is a message to send.
    ///
    /// # Safety
    /// As for [`otrl_auth_handle_commit`]; `privkey` is NULL or live, `havemsgp` NULL or writable.
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
            step(auth, |state, tags| state.on_dh_key(message, &key, tags))
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
                state.on_reveal_signature(message, key, tags)
            })
        });
        let outcome = outcome.map(|established| established.map(|established| (established, true)));
        finish(auth, outcome, havemsgp, auth_succeeded, asdata)
    }
}

/// Handles a signature message. When the exchange is done, `auth_succeeded` is called; nothing is to be sent.
///
/// # Safety
/// As for [`otrl_auth_handle_commit`]; `havemsgp` is NULL or writable.
#[unsafe(no_mangle)]
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
        let outcome = step(auth, |state, _| state.on_signature(message));
        let outcome =
            outcome.map(|established| established.map(|established| (established, false)));
        finish(auth, outcome, havemsgp, auth_succeeded, asdata)
    }
}

entry! {
    /// Starts an exchange of version 1, with the given DH key or a fresh one.
    ///
    /// # Safety
    /// As for [`otrl_auth_start_v23`]; `our_dh` and `privkey` are NULL or live.
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
                state.on_v1_key_exchange(message, key, existing)
            })
        });
        finish(auth, outcome, havemsgp, auth_succeeded, asdata)
    }
}

/// Runs a step on the exchange in the struct and writes it back if it succeeded.
unsafe fn step<T>(
    auth: *mut OtrlAuthInfo,
    step: impl FnOnce(&mut Auth, Tags) -> Result<T, ProtocolError>,
) -> Result<T, GcryError> {
    // SAFETY: the callers pass what their clients vouch for.
    unsafe {
        if auth.is_null() || (*auth).context.is_null() {
            return Err(GcryError::INV_VALUE);
        }
        let tags = tags_of((*auth).context);
        let mut state = exchange::load(auth, None);
        let (outcome, state) = guard(move || (step(&mut state, tags), state))?;
        let value = outcome?;
        exchange::store(auth, &state)?;
        Ok(value)
    }
}

unsafe fn with_key<T>(
    privkey: *const OtrlPrivKey,
    run: impl FnOnce(&SigningKey) -> Result<T, GcryError>,
) -> Result<T, GcryError> {
    // SAFETY: the callers pass what their clients vouch for.
    let key = unsafe { privkey::signing_key(privkey) }?;
    run(&key)
}

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

/// The context speaks this version now.
unsafe fn show_version(auth: *mut OtrlAuthInfo, version: Version) {
    // SAFETY: `step` has checked both pointers.
    unsafe { (*(*auth).context).protocol_version = version_number(Some(version)) };
}
