//! `auth.h`: the key exchange run directly on the public struct. In one interface an exchange knows its context, and with
//! it instance tags: `auth/abi2.rs`, `auth/abi5.rs`.

use std::ffi::{c_char, c_int, c_uint, c_void};

use super::borrowed::{Borrowed, Out};
use super::entry::{entry, guard};
use super::error::GcryError;
use super::exchange;
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
    /// Handles a DH-key message; `*havemsgp` is set to 1 if there is a message to send, else to 0.
    ///
    /// # Safety
    /// `auth` is NULL or live, and so is what it points to; `keymsg` is NULL or a C string; `privkey` is NULL or live, `havemsgp`
    /// NULL or writable.
    on panic GcryError::INTERNAL;
    pub fn otrl_auth_handle_key(
        auth: *mut OtrlAuthInfo as Option<Borrowed<OtrlAuthInfo>>,
        keymsg: *const c_char as Option<&[u8]>,
        havemsgp: *mut c_int as Out<c_int>,
        privkey: *mut OtrlPrivKey as Option<Borrowed<OtrlPrivKey>>,
    ) -> GcryError as Result<(), GcryError> {
        havemsgp.put(0);
        let message = keymsg.ok_or(GcryError::INV_VALUE)?;
        let key = privkey::signing_key(privkey)?;
        let reply = step(auth, |state, tags| state.on_dh_key(message, &key, tags, &OpenedPairs::default()))?;
        havemsgp.put(c_bool(reply));
        Ok(())
    }
}

entry! {
    /// Handles a reveal signature message. When the exchange is done, `auth_succeeded` is called, and a
    /// message is to be sent if `*havemsgp` is 1.
    ///
    /// # Safety
    /// As for [`otrl_auth_handle_key`]. `auth_succeeded` has the type that `auth.h` declares, and does not free the exchange.
    calls back;
    pub fn otrl_auth_handle_revealsig(
        auth: *mut OtrlAuthInfo as Option<Borrowed<OtrlAuthInfo>>,
        revealmsg: *const c_char as Option<&[u8]>,
        havemsgp: *mut c_int as Out<c_int>,
        privkey: *mut OtrlPrivKey as Option<Borrowed<OtrlPrivKey>>,
        auth_succeeded: AuthSucceeded,
        asdata: *mut c_void,
    ) -> GcryError as Result<(), GcryError>
    where tell = Tell::new(auth_succeeded, asdata) {
        havemsgp.put(0);
        let message = revealmsg.ok_or(GcryError::INV_VALUE)?;
        let established = step_with_key(auth, privkey, |state, key, tags| {
            state.on_reveal_signature(message, key, tags, &mut OpenedPairs::default())
        })?;
        finish(auth, established.map(|established| (established, true)), havemsgp, tell)
    }
}

entry! {
    /// Handles a signature message. When the exchange is done, `auth_succeeded` is called; nothing is to be sent.
    ///
    /// # Safety
    /// `auth` is NULL or live, and so is what it points to; `sigmsg` is NULL or a C string; `havemsgp` is NULL or writable.
    /// `auth_succeeded` has the type that `auth.h` declares, and does not free the exchange.
    calls back;
    pub fn otrl_auth_handle_signature(
        auth: *mut OtrlAuthInfo as Option<Borrowed<OtrlAuthInfo>>,
        sigmsg: *const c_char as Option<&[u8]>,
        havemsgp: *mut c_int as Out<c_int>,
        auth_succeeded: AuthSucceeded,
        asdata: *mut c_void,
    ) -> GcryError as Result<(), GcryError>
    where tell = Tell::new(auth_succeeded, asdata) {
        havemsgp.put(0);
        let message = sigmsg.ok_or(GcryError::INV_VALUE)?;
        let established = step(auth, |state, _| state.on_signature(message, &mut OpenedPairs::default()))?;
        finish(auth, established.map(|established| (established, false)), havemsgp, tell)
    }
}

entry! {
    /// Starts an exchange of version 1, with the given DH key or a fresh one.
    ///
    /// # Safety
    /// `auth` is NULL or live, and so is what it points to; `our_dh` and `privkey` are NULL or live.
    on panic GcryError::INTERNAL;
    pub fn otrl_auth_start_v1(
        auth: *mut OtrlAuthInfo as Option<Borrowed<OtrlAuthInfo>>,
        our_dh: *mut DhKeypair as Option<Borrowed<DhKeypair>>,
        our_keyid: c_uint,
        privkey: *mut OtrlPrivKey as Option<Borrowed<OtrlPrivKey>>,
    ) -> GcryError as Result<(), GcryError> {
        let key = privkey::signing_key(privkey)?;
        let existing = given_pair(our_dh, our_keyid)?;
        step(auth, |state, _| {
            *state = Auth::start_v1(existing, &key)?;
            Ok(())
        })
    }
}

entry! {
    /// Handles a key exchange message of version 1, with the given DH key or a fresh one. When the exchange
    /// is done, `auth_succeeded` is called, and a message is to be sent if `*havemsgp` is 1.
    ///
    /// # Safety
    /// As for [`otrl_auth_handle_revealsig`]; `our_dh` is NULL or live.
    calls back;
    pub fn otrl_auth_handle_v1_key_exchange(
        auth: *mut OtrlAuthInfo as Option<Borrowed<OtrlAuthInfo>>,
        keyexchmsg: *const c_char as Option<&[u8]>,
        havemsgp: *mut c_int as Out<c_int>,
        privkey: *mut OtrlPrivKey as Option<Borrowed<OtrlPrivKey>>,
        our_dh: *mut DhKeypair as Option<Borrowed<DhKeypair>>,
        our_keyid: c_uint,
        auth_succeeded: AuthSucceeded,
        asdata: *mut c_void,
    ) -> GcryError as Result<(), GcryError>
    where tell = Tell::new(auth_succeeded, asdata) {
        havemsgp.put(0);
        let message = keyexchmsg.ok_or(GcryError::INV_VALUE)?;
        let existing = given_pair(our_dh, our_keyid);
        let outcome = step_with_key(auth, privkey, |state, key, _| on_v1(state, message, key, existing?))?;
        finish(auth, outcome, havemsgp, tell)
    }
}

/// Handles a key exchange message of version 1. If the exchange is done: whether there is a reply to send.
fn on_v1(
    state: &mut Auth,
    message: &[u8],
    key: &SigningKey,
    existing: Option<(DhKeyPair, u32)>,
) -> Result<Option<(Established, bool)>, ProtocolError> {
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
}

/// Runs a step on the exchange in the struct and writes it back if it succeeded.
fn step<T>(
    auth: Option<Borrowed<'_, OtrlAuthInfo>>,
    step: impl FnOnce(&mut Auth, Tags) -> Result<T, ProtocolError>,
) -> Result<T, GcryError> {
    let auth = auth.ok_or(GcryError::INV_VALUE)?;
    let tags = interface::tags_of(auth).ok_or(GcryError::INV_VALUE)?;
    let mut state = exchange::load(auth, None);
    let (outcome, state) = guard(move || (step(&mut state, tags), state))?;
    let value = outcome?;
    exchange::store(auth, &state)?;
    Ok(value)
}

/// The same for a step that needs our private key.
fn step_with_key<T>(
    auth: Option<Borrowed<'_, OtrlAuthInfo>>,
    key: Option<Borrowed<'_, OtrlPrivKey>>,
    run: impl FnOnce(&mut Auth, &SigningKey, Tags) -> Result<T, ProtocolError>,
) -> Result<T, GcryError> {
    let key = privkey::signing_key(key)?;
    step(auth, |state, tags| run(state, &key, tags))
}

/// The client's key pair; `None` if there is none.
fn given_pair(
    our_dh: Option<Borrowed<'_, DhKeypair>>,
    keyid: c_uint,
) -> Result<Option<(DhKeyPair, u32)>, ProtocolError> {
    let Some(our_dh) = our_dh else {
        return Ok(None);
    };
    match exchange::load_keypair(our_dh) {
        Some(pair) => Ok(Some((pair, keyid))),
        None => Err(ProtocolError::Invalid),
    }
}

/// The client's function that is called when an exchange is done.
#[derive(Clone, Copy)]
struct Tell {
    function: AuthSucceeded,
    data: *mut c_void,
}

impl Tell {
    /// # Safety
    /// The function has the type that `auth.h` declares.
    unsafe fn new(function: AuthSucceeded, data: *mut c_void) -> Self {
        Self { function, data }
    }

    fn tell(self, auth: Borrowed<'_, OtrlAuthInfo>) -> Result<(), GcryError> {
        match self.function {
            // SAFETY: as `new` requires.
            Some(function) => unsafe { function(auth.as_ptr(), self.data) }.ok(),
            None => Ok(()),
        }
    }
}

/// Writes the outcome to the struct, where the client's function reads it, and calls that function. No value with a destructor
/// is alive then.
fn finish(
    auth: Option<Borrowed<'_, OtrlAuthInfo>>,
    outcome: Option<(Established, bool)>,
    havemsgp: Out<'_, c_int>,
    tell: Tell,
) -> Result<(), GcryError> {
    let (Some(auth), Some((established, reply))) = (auth, outcome) else {
        return Ok(());
    };
    exchange::show_established(auth, &established);
    drop(established);
    let answer = tell.tell(auth);
    havemsgp.put(c_bool(reply));
    auth.our_keyid().set(0);
    exchange::store_keypair(auth.our_dh(), None);
    answer
}
