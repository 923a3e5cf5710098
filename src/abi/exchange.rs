//! `OtrlAuthInfo` to and from the typed key exchange.

use zeroize::Zeroizing;

use super::auth_info;
use super::borrowed::Borrowed;
use super::context::Ctx;
use super::dh_objects::keypair_free;
use super::error::GcryError;
use super::numbers::{half_number, version_number};
use super::private::ExchangeExtras;
use super::types::*;
use otr_crypto::group::{Element, Exponent};
use otr_crypto::stack;
use otr_protocol::ake::{Auth, AuthState, Commitment, Established, Responding, Revealed, V1Setup};
use otr_protocol::dh::{AuthKeys, DhKeyPair};

/// Reads an exchange. A struct whose state says that an exchange is under way, but that lacks a value, is read as no exchange.
#[inline(never)]
pub(crate) fn load(info: Borrowed<'_, OtrlAuthInfo>, extras: Option<&ExchangeExtras>) -> Auth {
    // Keys may have to be derived again, and this is outside of the guard of the step.
    let state = stack::wiping(|| load_state(info, extras));
    // SAFETY: the member is NULL or points to a C string, as the struct defines.
    let last_message = unsafe { info.lastauthmsg().copy_text() };
    Auth {
        state: state.unwrap_or_default(),
        initiated: info.initiated().get() != 0,
        version: auth_info::version(info),
        last_message,
        // Only one of the interfaces has a member for it.
        waits_since: match auth_info::commit_sent(info) {
            0 => extras.map_or(0, ExchangeExtras::since),
            since => since,
        },
    }
}

/// The exchange of a context.
pub(crate) fn load_of(ctx: Ctx<'_>) -> Auth {
    let extras = ctx.private().map(|private| private.exchange.borrow());
    load(ctx.auth(), extras.as_deref())
}

/// Writes the exchange of a context back.
///
/// # Errors
/// `ENOMEM`: the exchange is discarded.
pub(crate) fn store_of(ctx: Ctx<'_>, auth: &Auth) -> Result<(), GcryError> {
    let stored = store(ctx.auth(), auth);
    if let Some(private) = ctx.private() {
        let mut extras = private.exchange.borrow_mut();
        extras.keep(auth);
        if stored.is_err() {
            *extras = ExchangeExtras::default();
        }
    }
    stored
}

/// The exchange of a context, if a message of it waits for an answer.
pub(crate) fn waiting(ctx: Ctx<'_>) -> Option<Auth> {
    let info = ctx.auth();
    let waits = auth_info::commit_sent(info) > 0 && info.authstate().get() != AUTHSTATE_NONE;
    waits.then(|| load_of(ctx))
}

/// Writes an exchange back after something in it was wiped; one that is over is cleared.
pub(crate) fn keep(ctx: Ctx<'_>, auth: &Auth) {
    // If out of memory, the exchange is discarded, which is as good.
    if store_of(ctx, auth).is_err() || !auth.is_under_way() {
        auth_info::clear(ctx.auth());
    }
}

/// Forgets which sessions were opened with private values that no longer exist; `held` returns the public halves of those that
/// do.
pub(crate) fn forget_opened_but(master: Ctx<'_>, held: impl FnOnce() -> Vec<Vec<u8>>) {
    if let Some(mut shared) = master.shared().filter(|it| !it.opened.is_empty()) {
        shared.opened.forget_all_but(&held());
    }
}

/// The state of the exchange. `None` if a value is missing.
fn load_state(
    info: Borrowed<'_, OtrlAuthInfo>,
    extras: Option<&ExchangeExtras>,
) -> Option<AuthState> {
    let our_keyid = info.our_keyid().get();
    let version = || auth_info::version(info);
    let our_dh = || load_keypair(info.our_dh());
    let encrypted_gx = || info.encrypted_gx();
    let hashed_gx = info.hashgx().get();
    let commitment = || {
        Some(Commitment {
            version: version()?,
            our_dh: our_dh()?,
            our_keyid,
            r: Zeroizing::new(info.r().get()),
            encrypted_gx: encrypted_gx()?,
            hashed_gx,
        })
    };
    Some(match info.authstate().get() {
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
            let their_dh = Element::from_bytes(&info.their_pub().number()?)?;
            let ours = commitment.our_dh.public().to_bytes();
            let keys = extras
                .and_then(|extras| extras.keys_between(&ours, &their_dh.to_bytes()))
                .unwrap_or_else(|| AuthKeys::derive(commitment.our_dh.shared_secret(&their_dh)));
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

/// Writes an exchange back. If it is finished, its private values are removed.
///
/// # Errors
/// `ENOMEM`: the exchange is discarded. An incomplete one would never end.
#[inline(never)]
pub(crate) fn store(info: Borrowed<'_, OtrlAuthInfo>, auth: &Auth) -> Result<(), GcryError> {
    write(info, auth);
    if is_whole(info, auth) {
        return Ok(());
    }
    write(info, &Auth::default());
    Err(GcryError::ENOMEM)
}

/// Whether everything that [`write`] had to allocate is there.
fn is_whole(info: Borrowed<'_, OtrlAuthInfo>, auth: &Auth) -> bool {
    let message = auth.last_message.is_none() || !info.lastauthmsg().is_null();
    let keys = !info.our_dh().private().is_null() && !info.our_dh().public().is_null();
    let commit = info.encgx_len().get() != 0;
    message
        && match &auth.state {
            AuthState::None => true,
            AuthState::AwaitingDhKey(_) => keys && commit,
            AuthState::AwaitingRevealSig(responding) => {
                keys && (commit || responding.encrypted_gx.is_empty())
            }
            AuthState::AwaitingSig(_) => keys && commit && !info.their_pub().is_null(),
            AuthState::V1Setup(_) => keys,
        }
}

/// Writes an exchange into the struct.
fn write(info: Borrowed<'_, OtrlAuthInfo>, auth: &Auth) {
    info.initiated().set(auth.initiated.into());
    let version = version_number(auth_info::shown_version(auth));
    info.protocol_version().set(version);
    auth_info::note_commit_sent(info, auth.waits_since);
    match &auth.last_message {
        // The message contains no NUL; the copy gets one at its end.
        Some(message) => {
            info.lastauthmsg().store_copy(message);
        }
        None => info.lastauthmsg().free(),
    }
    match &auth.state {
        AuthState::None => {
            info.authstate().set(AUTHSTATE_NONE);
            store_keypair(info.our_dh(), None);
            info.our_keyid().set(0);
            store_commit(info, &[], [0; 32]);
            info.r().wipe();
        }
        AuthState::AwaitingDhKey(commitment) => {
            info.authstate().set(AUTHSTATE_AWAITING_DHKEY);
            clear_their_side(info);
            store_commitment(info, commitment);
        }
        AuthState::AwaitingRevealSig(responding) => {
            info.authstate().set(AUTHSTATE_AWAITING_REVEALSIG);
            clear_their_side(info);
            store_keypair(info.our_dh(), Some(&responding.our_dh));
            info.our_keyid().set(responding.our_keyid);
            store_commit(info, &responding.encrypted_gx, responding.hashed_gx);
        }
        AuthState::AwaitingSig(revealed) => {
            info.authstate().set(AUTHSTATE_AWAITING_SIG);
            store_commitment(info, &revealed.commitment);
            info.their_pub().put(&revealed.their_dh.to_bytes());
            store_session_id(info, &revealed.keys.session_id);
        }
        AuthState::V1Setup(setup) => {
            info.authstate().set(AUTHSTATE_V1_SETUP);
            clear_their_side(info);
            store_keypair(info.our_dh(), Some(&setup.our_dh));
            info.our_keyid().set(setup.our_keyid);
        }
    }
}

/// Writes the outcome of a finished exchange, which a callback of the client may read.
pub(crate) fn show_established(info: Borrowed<'_, OtrlAuthInfo>, established: &Established) {
    store_keypair(info.our_dh(), Some(established.our_dh()));
    info.our_keyid().set(established.our_keyid());
    show_their_side(info, established);
}

/// The public half of [`show_established`]: their fingerprint and the session id.
pub(crate) fn show_their_side(info: Borrowed<'_, OtrlAuthInfo>, established: &Established) {
    let id = established.session_id();
    info.their_pub().put(&established.their_dh().to_bytes());
    info.their_keyid().set(established.their_keyid());
    info.their_fingerprint()
        .set(*established.their_fingerprint());
    store_session_id(info, id.as_bytes());
    info.session_id_half().set(half_number(id.half()));
}

/// Clears their fingerprint and the session id, which are those of the previous exchange.
fn clear_their_side(info: Borrowed<'_, OtrlAuthInfo>) {
    info.their_pub().clear();
    info.their_keyid().set(0);
    info.their_fingerprint().set([0; 20]);
    store_session_id(info, &[]);
}

/// Writes a session id, as far as it fits.
fn store_session_id(info: Borrowed<'_, OtrlAuthInfo>, id: &[u8]) {
    let mut bytes = [0; 20];
    for (to, from) in bytes.iter_mut().zip(id) {
        *to = *from;
    }
    info.secure_session_id().set(bytes);
    info.secure_session_id_len().set(id.len());
}

/// Reads a key pair; `None` if a half is missing, out of range or of another group.
pub(crate) fn load_keypair(pair: Borrowed<'_, DhKeypair>) -> Option<DhKeyPair> {
    if pair.groupid().get() != DH1536_GROUP_ID {
        return None;
    }
    let secret = Exponent::from_bytes(&pair.private().number()?)?;
    let public = Element::from_bytes(&pair.public().number()?)?;
    Some(DhKeyPair::from_parts(secret, public))
}

/// Writes a key pair, or clears it.
pub(crate) fn store_keypair(pair: Borrowed<'_, DhKeypair>, keys: Option<&DhKeyPair>) {
    let Some(keys) = keys else {
        return keypair_free(pair);
    };
    pair.groupid().set(DH1536_GROUP_ID);
    pair.private().put(&keys.secret().to_bytes());
    pair.public().put(&keys.public().to_bytes());
}

/// Writes the contents of our DH-commit.
fn store_commitment(info: Borrowed<'_, OtrlAuthInfo>, commitment: &Commitment) {
    store_keypair(info.our_dh(), Some(&commitment.our_dh));
    info.our_keyid().set(commitment.our_keyid);
    info.r().set(*commitment.r);
    store_commit(info, &commitment.encrypted_gx, commitment.hashed_gx);
}

/// Writes the encrypted value of a DH-commit and its hash.
fn store_commit(info: Borrowed<'_, OtrlAuthInfo>, encrypted_gx: &[u8], hashed_gx: [u8; 32]) {
    info.store_encrypted_gx(encrypted_gx);
    info.hashgx().set(hashed_gx);
}
