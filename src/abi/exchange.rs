//! `OtrlAuthInfo` to and from the typed key exchange.

use std::ffi::c_uint;
use std::ptr;

use zeroize::Zeroizing;

use super::auth_info;
use super::context::Ctx;
use super::error::GcryError;
use super::gcry::mpi;
use super::memory::{bytes_of, c_buffer, c_string, free_and_clear, slice_of};
use super::numbers::{half_number, version_number};
use super::private::ExchangeExtras;
use super::types::*;
use otr_crypto::group::{Element, Exponent};
use otr_crypto::stack;
use otr_protocol::ake::{Auth, AuthState, Commitment, Established, Responding, Revealed, V1Setup};
use otr_protocol::buffer;
use otr_protocol::dh::{AuthKeys, DhKeyPair};

/// Reads an exchange. A struct that says it is under way but lacks a value is read as no exchange.
///
/// # Safety
/// `info` is live; its pointers are NULL or live objects of the library.
#[inline(never)]
pub(crate) unsafe fn load(info: *const OtrlAuthInfo, extras: Option<&ExchangeExtras>) -> Auth {
    // Keys may have to be derived again, and this is outside of the guard of the step.
    // SAFETY: the caller's promise.
    let state = stack::wiping(|| unsafe { load_state(info, extras) });
    // SAFETY: likewise.
    unsafe {
        Auth {
            state: state.unwrap_or_default(),
            initiated: (*info).initiated != 0,
            version: auth_info::version(info),
            last_message: bytes_of((*info).lastauthmsg).and_then(|text| buffer::copy(text).ok()),
            // One of the interfaces has a member for it.
            waits_since: match auth_info::commit_sent(info) {
                0 => extras.map_or(0, ExchangeExtras::since),
                since => since,
            },
        }
    }
}

/// The exchange of a context.
pub(crate) fn load_of(ctx: Ctx<'_>) -> Auth {
    // SAFETY: a live context, with its private part, in which nothing is borrowed.
    unsafe {
        let extras = ctx.private().map(|private| &(*private).exchange);
        load(ctx.auth(), extras)
    }
}

/// Writes the exchange of a context back.
///
/// # Errors
/// `ENOMEM`: there is no exchange any more.
pub(crate) fn store_of(ctx: Ctx<'_>, auth: &Auth) -> Result<(), GcryError> {
    // SAFETY: likewise.
    unsafe {
        let stored = store(ctx.auth(), auth);
        if let Some(private) = ctx.private() {
            (*private).exchange.keep(auth);
            if stored.is_err() {
                (*private).exchange = ExchangeExtras::default();
            }
        }
        stored
    }
}

/// The exchange of a context, if a message of it has been waiting for an answer since some time.
pub(crate) fn waiting(ctx: Ctx<'_>) -> Option<Auth> {
    let info = ctx.auth();
    // SAFETY: the struct of a live context.
    let waits = unsafe { auth_info::commit_sent(info) > 0 && (*info).authstate != AUTHSTATE_NONE };
    waits.then(|| load_of(ctx))
}

/// Writes an exchange back from which something was wiped; one that is over is cleared.
pub(crate) fn keep(ctx: Ctx<'_>, auth: &Auth) {
    // Without memory there is no exchange afterwards, which is as good.
    if store_of(ctx, auth).is_err() || !auth.is_under_way() {
        // SAFETY: the struct of a live context.
        unsafe { auth_info::clear(ctx.auth()) };
    }
}

/// Shows in the struct of a context who they are, and the session id.
pub(crate) fn show_their_side_of(ctx: Ctx<'_>, established: &Established) {
    // SAFETY: the struct of a live context.
    unsafe { show_their_side(ctx.auth(), established) };
}

/// Forgets which sessions were opened with private values that nobody holds any more; `held` gives the public halves of those
/// that are held.
pub(crate) fn forget_opened_but(master: Ctx<'_>, held: impl FnOnce() -> Vec<Vec<u8>>) {
    let Some(mut shared) = master.take_shared() else {
        return;
    };
    if !shared.opened.is_empty() {
        shared.opened.forget_all_but(&held());
    }
    master.put_shared(shared);
}

/// The state of the exchange. `None` if a value is missing.
///
/// # Safety
/// As for [`load`].
unsafe fn load_state(
    info: *const OtrlAuthInfo,
    extras: Option<&ExchangeExtras>,
) -> Option<AuthState> {
    // SAFETY: the caller vouches for the struct.
    unsafe {
        let our_keyid = (*info).our_keyid;
        let version = || auth_info::version(info);
        let our_dh = || load_keypair(&raw const (*info).our_dh);
        let encrypted_gx = || buffer::copy(slice_of((*info).encgx, (*info).encgx_len)).ok();
        let hashed_gx = (*info).hashgx;
        let commitment = || {
            Some(Commitment {
                version: version()?,
                our_dh: our_dh()?,
                our_keyid,
                r: Zeroizing::new((*info).r),
                encrypted_gx: encrypted_gx()?,
                hashed_gx,
            })
        };
        Some(match (*info).authstate {
            AUTHSTATE_AWAITING_DHKEY => AuthState::AwaitingDhKey(Box::new(commitment()?)),
            AUTHSTATE_AWAITING_REVEALSIG => AuthState::AwaitingRevealSig(Box::new(Responding {
                version: version()?,
                our_dh: our_dh()?,
                our_keyid,
                encrypted_gx: encrypted_gx()?,
                hashed_gx,
                begun: extras.and_then(|extras| extras.begun_before(&hashed_gx)),
            })),
            AUTHSTATE_AWAITING_SIG => {
                let commitment = commitment()?;
                let their_dh = Element::from_bytes(&mpi::bytes((*info).their_pub)?)?;
                let ours = commitment.our_dh.public().to_bytes();
                let keys = extras
                    .and_then(|extras| extras.keys_between(&ours, &their_dh.to_bytes()))
                    .unwrap_or_else(|| {
                        AuthKeys::derive(commitment.our_dh.shared_secret(&their_dh))
                    });
                AuthState::AwaitingSig(Box::new(Revealed {
                    commitment,
                    their_dh,
                    keys,
                    answered: extras.and_then(|extras| extras.answered_beside(&ours)),
                }))
            }
            AUTHSTATE_V1_SETUP => {
                let our_dh = our_dh()?;
                let ours = our_dh.public().to_bytes();
                AuthState::V1Setup(Box::new(V1Setup {
                    our_dh,
                    our_keyid,
                    is_fresh: extras.is_some_and(|extras| extras.is_fresh(&ours)),
                }))
            }
            _ => AuthState::None,
        })
    }
}

/// Writes an exchange back. The private values of a finished one are gone afterwards.
///
/// # Errors
/// `ENOMEM`: there is no exchange any more. Half a one would never end.
///
/// # Safety
/// As for [`load`], and `info` is writable.
#[inline(never)]
pub(crate) unsafe fn store(info: *mut OtrlAuthInfo, auth: &Auth) -> Result<(), GcryError> {
    // SAFETY: the caller's promise.
    unsafe {
        write(info, auth);
        if is_whole(info, auth) {
            return Ok(());
        }
        write(info, &Auth::default());
    }
    Err(GcryError::ENOMEM)
}

/// Whether everything that [`write`] had to make is there.
///
/// # Safety
/// As for [`load`].
unsafe fn is_whole(info: *const OtrlAuthInfo, auth: &Auth) -> bool {
    // SAFETY: the caller vouches for the struct.
    unsafe {
        let message = auth.last_message.is_none() || !(*info).lastauthmsg.is_null();
        let keys = !(*info).our_dh.private.is_null() && !(*info).our_dh.public.is_null();
        let commit = !(*info).encgx.is_null();
        message
            && match &auth.state {
                AuthState::None => true,
                AuthState::AwaitingDhKey(_) => keys && commit,
                AuthState::AwaitingRevealSig(responding) => {
                    keys && (commit || responding.encrypted_gx.is_empty())
                }
                AuthState::AwaitingSig(_) => keys && commit && !(*info).their_pub.is_null(),
                AuthState::V1Setup(_) => keys,
            }
    }
}

/// Writes an exchange into the struct.
///
/// # Safety
/// As for [`store`].
unsafe fn write(info: *mut OtrlAuthInfo, auth: &Auth) {
    // SAFETY: the caller vouches for the struct.
    unsafe {
        (*info).initiated = auth.initiated.into();
        (*info).protocol_version = version_number(auth_info::shown_version(auth));
        auth_info::note_commit_sent(info, auth.waits_since);
        free_and_clear(&raw mut (*info).lastauthmsg);
        if let Some(message) = &auth.last_message {
            (*info).lastauthmsg = c_string(message);
        }
        match &auth.state {
            AuthState::None => {
                (*info).authstate = AUTHSTATE_NONE;
                store_keypair(&raw mut (*info).our_dh, None);
                (*info).our_keyid = 0;
                store_commit(info, &[], [0; 32]);
                super::memory::wipe((&raw mut (*info).r).cast(), 16);
            }
            AuthState::AwaitingDhKey(commitment) => {
                (*info).authstate = AUTHSTATE_AWAITING_DHKEY;
                clear_their_side(info);
                store_commitment(info, commitment);
            }
            AuthState::AwaitingRevealSig(responding) => {
                (*info).authstate = AUTHSTATE_AWAITING_REVEALSIG;
                clear_their_side(info);
                store_keypair(&raw mut (*info).our_dh, Some(&responding.our_dh));
                (*info).our_keyid = responding.our_keyid;
                store_commit(info, &responding.encrypted_gx, responding.hashed_gx);
            }
            AuthState::AwaitingSig(revealed) => {
                (*info).authstate = AUTHSTATE_AWAITING_SIG;
                store_commitment(info, &revealed.commitment);
                store_public(&raw mut (*info).their_pub, &revealed.their_dh);
                (*info).secure_session_id = [0; 20];
                copy(
                    &revealed.keys.session_id,
                    &raw mut (*info).secure_session_id,
                );
                (*info).secure_session_id_len = revealed.keys.session_id.len();
            }
            AuthState::V1Setup(setup) => {
                (*info).authstate = AUTHSTATE_V1_SETUP;
                clear_their_side(info);
                store_keypair(&raw mut (*info).our_dh, Some(&setup.our_dh));
                (*info).our_keyid = setup.our_keyid;
            }
        }
    }
}

/// Shows the outcome of a finished exchange, as a callback of the client may read it.
///
/// # Safety
/// As for [`store`].
pub(crate) unsafe fn show_established(info: *mut OtrlAuthInfo, established: &Established) {
    // SAFETY: the caller's promise.
    unsafe {
        store_keypair(&raw mut (*info).our_dh, Some(established.our_dh()));
        (*info).our_keyid = established.our_keyid();
        show_their_side(info, established);
    }
}

/// The public half of [`show_established`]: who they are, and the session id.
///
/// # Safety
/// As for [`store`].
unsafe fn show_their_side(info: *mut OtrlAuthInfo, established: &Established) {
    // SAFETY: the caller's promise.
    unsafe {
        store_public(&raw mut (*info).their_pub, established.their_dh());
        (*info).their_keyid = established.their_keyid();
        (*info).their_fingerprint = *established.their_fingerprint();
        let id = established.session_id();
        (*info).secure_session_id = [0; 20];
        copy(id.as_bytes(), &raw mut (*info).secure_session_id);
        (*info).secure_session_id_len = id.as_bytes().len();
        (*info).session_id_half = half_number(id.half());
    }
}

/// Forgets who they are and the session id: those of the exchange before, once another has begun.
///
/// # Safety
/// As for [`store`].
unsafe fn clear_their_side(info: *mut OtrlAuthInfo) {
    // SAFETY: the caller vouches for the struct.
    unsafe {
        mpi::release_and_clear(&raw mut (*info).their_pub);
        (*info).their_keyid = 0;
        (*info).their_fingerprint = [0; 20];
        (*info).secure_session_id = [0; 20];
        (*info).secure_session_id_len = 0;
    }
}

/// Reads a key pair; `None` if a half is missing, out of range or of another group.
///
/// # Safety
/// `pair` is live; its numbers are NULL or live.
pub(crate) unsafe fn load_keypair(pair: *const DhKeypair) -> Option<DhKeyPair> {
    // SAFETY: the caller's promise.
    unsafe {
        if (*pair).groupid != DH1536_GROUP_ID {
            return None;
        }
        let secret = Exponent::from_bytes(&mpi::bytes((*pair).private)?)?;
        let public = Element::from_bytes(&mpi::bytes((*pair).public)?)?;
        Some(DhKeyPair::from_parts(secret, public))
    }
}

/// Writes a key pair, or clears it.
///
/// # Safety
/// `pair` is live and writable; its numbers are NULL or live.
pub(crate) unsafe fn store_keypair(pair: *mut DhKeypair, keys: Option<&DhKeyPair>) {
    // SAFETY: the caller's promise.
    unsafe {
        mpi::release_and_clear(&raw mut (*pair).private);
        mpi::release_and_clear(&raw mut (*pair).public);
        if let Some(keys) = keys {
            (*pair).groupid = DH1536_GROUP_ID as c_uint;
            (*pair).private = mpi::new_secret(&keys.secret().to_bytes()).unwrap_or(ptr::null_mut());
            (*pair).public =
                mpi::new_from_bytes(&keys.public().to_bytes()).unwrap_or(ptr::null_mut());
        }
    }
}

/// Writes what a DH-commit of ours stands for.
///
/// # Safety
/// As for [`store`].
unsafe fn store_commitment(info: *mut OtrlAuthInfo, commitment: &Commitment) {
    // SAFETY: the caller vouches for the struct.
    unsafe {
        store_keypair(&raw mut (*info).our_dh, Some(&commitment.our_dh));
        (*info).our_keyid = commitment.our_keyid;
        (*info).r = *commitment.r;
        store_commit(info, &commitment.encrypted_gx, commitment.hashed_gx);
    }
}

/// Writes the encrypted value of a DH-commit and its hash.
///
/// # Safety
/// As for [`store`].
unsafe fn store_commit(info: *mut OtrlAuthInfo, encrypted_gx: &[u8], hashed_gx: [u8; 32]) {
    // SAFETY: the caller vouches for the struct; encgx came from malloc.
    unsafe {
        free_and_clear(&raw mut (*info).encgx);
        (*info).encgx_len = 0;
        if !encrypted_gx.is_empty() {
            (*info).encgx = c_buffer(encrypted_gx);
            (*info).encgx_len = if (*info).encgx.is_null() {
                0
            } else {
                encrypted_gx.len()
            };
        }
        (*info).hashgx = hashed_gx;
    }
}

/// Puts a public value into this place.
///
/// # Safety
/// `place` is writable, and NULL or a live number.
unsafe fn store_public(place: *mut *mut super::gcry::Mpi, value: &Element) {
    // SAFETY: the caller vouches for the place.
    unsafe {
        mpi::release_and_clear(place);
        *place = mpi::new_from_bytes(&value.to_bytes()).unwrap_or(ptr::null_mut());
    }
}

/// Copies as many of the bytes as there is space for.
///
/// # Safety
/// `to` is writable.
unsafe fn copy(bytes: &[u8], to: *mut [u8; 20]) {
    // SAFETY: the caller vouches for the place; no more bytes are written than it has.
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), to.cast(), bytes.len().min(20)) }
}
