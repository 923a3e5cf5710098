//! An AKE is by itself.

use crate::abi::entry::entry;
use crate::abi::memory::wipe;
use crate::abi::numbers::version_from;
use crate::abi::types::{
    AUTHSTATE_AWAITING_DHKEY, AUTHSTATE_AWAITING_REVEALSIG, AUTHSTATE_AWAITING_SIG,
    AUTHSTATE_V1_SETUP, ConnContext, OtrlAuthInfo,
};
use otr_protocol::ake::{Auth, AuthState};
use otr_protocol::wire::version::Version;

/// Makes an empty AKE of whatever was in the context.
///
/// # Safety
/// `context` is a context whose `auth` holds nothing to release.
pub unsafe fn new(context: *mut ConnContext) {
    // SAFETY: the caller's promise.
    unsafe { blank(&raw mut (*context).auth) };
}

/// Empties an AKE that holds nothing to release.
///
/// # Safety
/// `auth` is writable.
pub(crate) unsafe fn blank(auth: *mut OtrlAuthInfo) {
    // SAFETY: the caller's promise; all zeros are an empty AKE.
    unsafe { wipe(auth.cast(), size_of::<OtrlAuthInfo>()) };
}

/// The version that is being spoken: the struct shows it at the end only, and its state tells before.
///
/// # Safety
/// `auth` is an AKE.
pub unsafe fn version(auth: *const OtrlAuthInfo) -> Option<Version> {
    // SAFETY: the caller's promise.
    unsafe {
        match (*auth).authstate {
            AUTHSTATE_AWAITING_DHKEY | AUTHSTATE_AWAITING_REVEALSIG | AUTHSTATE_AWAITING_SIG => {
                Some(Version::V2)
            }
            AUTHSTATE_V1_SETUP => Some(Version::V1),
            _ => version_from((*auth).protocol_version),
        }
    }
}

/// The version that the struct shows: that of an exchange which is done.
pub fn shown_version(auth: &Auth) -> Option<Version> {
    match auth.state {
        AuthState::None => auth.version,
        _ => None,
    }
}

/// Never: only the DH-commits of version 3 wait for answers of many.
///
/// # Safety
/// None: the AKE is not looked at.
pub unsafe fn commit_sent(_auth: *const OtrlAuthInfo) -> i64 {
    0
}

/// Nothing: see [`commit_sent`].
///
/// # Safety
/// None: the AKE is not looked at.
pub unsafe fn note_commit_sent(_auth: *mut OtrlAuthInfo, _time: i64) {}

entry! {
    /// Makes an empty AKE of whatever was there.
    ///
    /// # Safety
    /// `auth` is NULL or writable.
    on panic ();
    pub fn otrl_auth_new(auth: *mut OtrlAuthInfo) {
        if !auth.is_null() {
            // SAFETY: not NULL.
            unsafe { blank(auth) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::auth_info::otrl_auth_clear;
    use crate::abi::gcry::mpi;
    use crate::abi::memory::{c_buffer, c_string};
    use crate::abi::types::AUTHSTATE_NONE;
    use otr_protocol::ake::Tags;

    #[test]
    fn the_version_shows_when_an_exchange_is_done_and_is_known_before() {
        let mut info = std::mem::MaybeUninit::<OtrlAuthInfo>::zeroed();
        let info = info.as_mut_ptr();
        unsafe {
            for (state, spoken) in [
                (AUTHSTATE_NONE, None),
                (AUTHSTATE_AWAITING_DHKEY, Some(Version::V2)),
                (AUTHSTATE_AWAITING_REVEALSIG, Some(Version::V2)),
                (AUTHSTATE_AWAITING_SIG, Some(Version::V2)),
                (AUTHSTATE_V1_SETUP, Some(Version::V1)),
            ] {
                (*info).authstate = state;
                assert_eq!(version(info), spoken);
            }
        }
        let done = Auth {
            version: Some(Version::V2),
            ..Auth::default()
        };
        assert_eq!(shown_version(&done), Some(Version::V2));
        let begun = Auth::start(Version::V2, Tags::default()).unwrap();
        assert_eq!(shown_version(&begun), None);
    }

    #[test]
    fn an_exchange_is_emptied_and_starts_anew() {
        let mut auth = std::mem::MaybeUninit::<OtrlAuthInfo>::uninit();
        let auth = auth.as_mut_ptr();
        unsafe {
            auth.cast::<u8>()
                .write_bytes(0xa5, size_of::<OtrlAuthInfo>());
            otrl_auth_new(auth);
            assert_eq!(((*auth).authstate, (*auth).initiated), (AUTHSTATE_NONE, 0));
            (*auth).authstate = AUTHSTATE_AWAITING_SIG;
            (*auth).our_dh.private = mpi::new_secret(&[4]).unwrap();
            (*auth).their_pub = mpi::new_from_bytes(&[4]).unwrap();
            (*auth).encgx = c_buffer(b"g^x");
            (*auth).lastauthmsg = c_string(b"?OTR:");
            otrl_auth_clear(auth);
            otrl_auth_clear(auth);
            assert!((*auth).their_pub.is_null() && (*auth).our_dh.private.is_null());
            assert!((*auth).encgx.is_null() && (*auth).lastauthmsg.is_null());
            assert_eq!((*auth).authstate, AUTHSTATE_NONE);
            otrl_auth_new(std::ptr::null_mut());
        }
    }
}
