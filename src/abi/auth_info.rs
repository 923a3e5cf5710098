//! The part of `auth.h` that only copies and frees objects.

use super::borrowed::Borrowed;
use super::dh_objects::keypair_free;
use super::entry::entry;
use super::types::OtrlAuthInfo;

#[cfg(feature = "abi2")]
mod abi2;
#[cfg(feature = "abi5")]
mod abi5;

#[cfg(feature = "abi2")]
use abi2 as interface;
#[cfg(feature = "abi5")]
use abi5 as interface;

pub(crate) use interface::{commit_sent, new, note_commit_sent, shown_version, version};

/// Releases the contents of an AKE and empties it. Its context, if it has one, stays.
pub(crate) fn clear(auth: Borrowed<'_, OtrlAuthInfo>) {
    keypair_free(auth.our_dh());
    auth.their_pub().clear();
    auth.enc_c().clear();
    auth.enc_cp().clear();
    for digest in [auth.mac_m1(), auth.mac_m1p(), auth.mac_m2(), auth.mac_m2p()] {
        digest.clear();
    }
    auth.store_encrypted_gx(&[]);
    // SAFETY: the member is NULL or points to a C string, as the struct defines.
    unsafe { auth.lastauthmsg().wipe_text() };
    interface::blank(auth);
}

entry! {
    /// Releases the contents of an AKE and empties it.
    ///
    /// # Safety
    /// `auth` is NULL or an AKE.
    on panic ();
    pub fn otrl_auth_clear(auth: *mut OtrlAuthInfo as Option<Borrowed<OtrlAuthInfo>>) {
        if let Some(auth) = auth {
            clear(auth);
        }
    }
}
