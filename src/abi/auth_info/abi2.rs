//! An AKE has no context.

use crate::abi::borrowed::Borrowed;
use crate::abi::entry::entry;
use crate::abi::numbers::version_from;
use crate::abi::types::{
    AUTHSTATE_AWAITING_DHKEY, AUTHSTATE_AWAITING_REVEALSIG, AUTHSTATE_AWAITING_SIG,
    AUTHSTATE_V1_SETUP, ConnContext, OtrlAuthInfo,
};
use otr_protocol::ake::{Auth, AuthState};
use otr_protocol::wire::version::Version;

/// Initialises the AKE of a context. Pointers that were there before are overwritten, not freed.
pub(crate) fn new(context: Borrowed<'_, ConnContext>) {
    blank(context.auth());
}

/// Empties an AKE without releasing anything.
pub(crate) fn blank(auth: Borrowed<'_, OtrlAuthInfo>) {
    auth.blank();
}

/// The version in use. The struct has it at the end only; before that its state implies it.
pub(crate) fn version(auth: Borrowed<'_, OtrlAuthInfo>) -> Option<Version> {
    match auth.authstate().get() {
        AUTHSTATE_AWAITING_DHKEY | AUTHSTATE_AWAITING_REVEALSIG | AUTHSTATE_AWAITING_SIG => {
            Some(Version::V2)
        }
        AUTHSTATE_V1_SETUP => Some(Version::V1),
        _ => version_from(auth.protocol_version().get()),
    }
}

/// The version that the struct shows: only that of a finished exchange.
pub(crate) fn shown_version(auth: &Auth) -> Option<Version> {
    match auth.state {
        AuthState::None => auth.version,
        _ => None,
    }
}

/// Always 0: only DH-commits of version 3 wait for answers from several instances.
pub(crate) fn commit_sent(_auth: Borrowed<'_, OtrlAuthInfo>) -> i64 {
    0
}

/// Nothing: see [`commit_sent`].
pub(crate) fn note_commit_sent(_auth: Borrowed<'_, OtrlAuthInfo>, _time: i64) {}

entry! {
    /// Initialises an AKE. What was there before is overwritten.
    ///
    /// # Safety
    /// `auth` is NULL or writable.
    on panic ();
    pub fn otrl_auth_new(auth: *mut OtrlAuthInfo as Option<Borrowed<OtrlAuthInfo>>) {
        if let Some(auth) = auth {
            blank(auth);
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
                assert_eq!(version(crate::abi::borrowed::borrow(info)), spoken);
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
            (*auth).our_dh.private = mpi::new_from_bytes(&[4]).unwrap().into_raw();
            (*auth).their_pub = mpi::new_from_bytes(&[4]).unwrap().into_raw();
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
