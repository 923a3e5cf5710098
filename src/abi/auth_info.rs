//! The part of `auth.h` that only moves objects about.

use super::dh_objects::keypair_free;
use super::entry::entry;
use super::gcry::{cipher, digest, mpi};
use super::memory::{free_and_clear, wipe_string_and_clear};
use super::types::OtrlAuthInfo;

#[cfg(feature = "abi2")]
mod abi2;
#[cfg(feature = "abi5")]
mod abi5;

#[cfg(feature = "abi2")]
use abi2 as interface;
#[cfg(feature = "abi5")]
use abi5 as interface;

pub use interface::{commit_sent, new, note_commit_sent, shown_version, version};

/// Releases what an AKE holds and empties it; a context that it belongs to stays.
///
/// # Safety
/// `auth` is an AKE.
pub unsafe fn clear(auth: *mut OtrlAuthInfo) {
    // SAFETY: the caller's promise. Nothing is left to release when the struct is zeroed.
    unsafe {
        keypair_free(&raw mut (*auth).our_dh);
        free_and_clear(&raw mut (*auth).encgx);
        mpi::release((*auth).their_pub);
        for handle in [(*auth).enc_c, (*auth).enc_cp] {
            cipher::close(handle);
        }
        for handle in [
            (*auth).mac_m1,
            (*auth).mac_m1p,
            (*auth).mac_m2,
            (*auth).mac_m2p,
        ] {
            digest::close(handle);
        }
        wipe_string_and_clear(&raw mut (*auth).lastauthmsg);
        interface::blank(auth);
    }
}

entry! {
    /// Releases what an AKE holds and empties it.
    ///
    /// # Safety
    /// `auth` is NULL or an AKE.
    on panic ();
    pub fn otrl_auth_clear(auth: *mut OtrlAuthInfo) {
        if !auth.is_null() {
            // SAFETY: not NULL.
            unsafe { clear(auth) }
        }
    }
}
