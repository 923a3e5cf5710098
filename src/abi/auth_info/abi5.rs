//! An AKE knows its context, and when its DH-commit was sent.

use crate::abi::dh_objects::{keypair_copy, keypair_free};
use crate::abi::entry::entry;
use crate::abi::memory::{self, c_buffer, slice_of, wipe};
use crate::abi::numbers::{c_time, time_from, version_from};
use crate::abi::types::{
    AUTHSTATE_AWAITING_DHKEY, AUTHSTATE_AWAITING_SIG, ConnContext, OtrlAuthInfo,
};
use otr_protocol::ake::Auth;
use otr_protocol::wire::version::Version;

/// Makes an empty AKE of whatever was in the context.
///
/// # Safety
/// `context` is a context whose `auth` holds nothing to release.
pub unsafe fn new(context: *mut ConnContext) {
    // SAFETY: the caller's promise; all zeros are an empty AKE.
    unsafe {
        let auth = &raw mut (*context).auth;
        wipe(auth.cast(), size_of::<OtrlAuthInfo>());
        (*auth).context = context;
    }
}

/// Empties an AKE that holds nothing to release; its context stays.
///
/// # Safety
/// `auth` is an AKE.
pub(crate) unsafe fn blank(auth: *mut OtrlAuthInfo) {
    // SAFETY: the caller's promise.
    unsafe {
        let context = (*auth).context;
        wipe(auth.cast(), size_of::<OtrlAuthInfo>());
        (*auth).context = context;
    }
}

/// The version that is being spoken.
///
/// # Safety
/// `auth` is an AKE.
pub unsafe fn version(auth: *const OtrlAuthInfo) -> Option<Version> {
    // SAFETY: the caller's promise.
    unsafe { version_from((*auth).protocol_version) }
}

/// The version that the struct shows: the one being spoken.
pub fn shown_version(auth: &Auth) -> Option<Version> {
    auth.version
}

/// When our DH-commit was sent.
///
/// # Safety
/// `auth` is an AKE.
pub unsafe fn commit_sent(auth: *const OtrlAuthInfo) -> i64 {
    // SAFETY: the caller's promise.
    time_from(unsafe { (*auth).commit_sent_time })
}

/// Notes when our DH-commit was sent.
///
/// # Safety
/// `auth` is an AKE.
pub unsafe fn note_commit_sent(auth: *mut OtrlAuthInfo, time: i64) {
    // SAFETY: the caller's promise.
    unsafe { (*auth).commit_sent_time = c_time(time) };
}

/// Carries our DH-commit from the master to the instance that answered it, which then waits for that answer.
///
/// # Safety
/// Both are AKEs.
pub(crate) unsafe fn copy_on_key(from: *const OtrlAuthInfo, to: *mut OtrlAuthInfo) {
    // SAFETY: the caller's promise.
    unsafe {
        if std::ptr::eq(from, to)
            || !matches!(
                (*from).authstate,
                AUTHSTATE_AWAITING_DHKEY | AUTHSTATE_AWAITING_SIG
            )
        {
            return;
        }
        keypair_free(&raw mut (*to).our_dh);
        keypair_copy(&raw mut (*to).our_dh, &raw const (*from).our_dh);
        (*to).initiated = (*from).initiated;
        (*to).our_keyid = (*from).our_keyid;
        (*to).r = (*from).r;
        (*to).hashgx = (*from).hashgx;
        memory::free_and_clear(&raw mut (*to).encgx);
        (*to).encgx = c_buffer(slice_of((*from).encgx, (*from).encgx_len));
        (*to).encgx_len = if (*to).encgx.is_null() {
            0
        } else {
            (*from).encgx_len
        };
        (*to).authstate = AUTHSTATE_AWAITING_DHKEY;
    }
}

entry! {
    /// Makes an empty AKE of whatever was in the context.
    ///
    /// # Safety
    /// `context` is NULL or as [`new`] says.
    on panic ();
    pub fn otrl_auth_new(context: *mut ConnContext) {
        if !context.is_null() {
            // SAFETY: not NULL.
            unsafe { new(context) }
        }
    }
}

entry! {
    /// Carries our DH-commit from the master (`from`) to the instance that answered it.
    ///
    /// # Safety
    /// Both are NULL or AKEs.
    on panic ();
    pub fn otrl_auth_copy_on_key(from: *mut OtrlAuthInfo, to: *mut OtrlAuthInfo) {
        if !from.is_null() && !to.is_null() {
            // SAFETY: neither is NULL.
            unsafe { copy_on_key(from, to) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::auth_info::otrl_auth_clear;
    use crate::abi::gcry::mpi;
    use crate::abi::memory::c_zeroed;
    use crate::abi::types::{AUTHSTATE_AWAITING_REVEALSIG, AUTHSTATE_NONE};

    #[test]
    fn our_commit_is_carried_to_the_instance_that_answered() {
        unsafe {
            let (master, child): (*mut ConnContext, *mut ConnContext) = (c_zeroed(), c_zeroed());
            otrl_auth_new(master);
            otrl_auth_new(child);
            let (from, to) = (&raw mut (*master).auth, &raw mut (*child).auth);
            assert_eq!(((*from).context, (*to).context), (master, child));
            (*from).initiated = 1;
            (*from).our_keyid = 1;
            (*from).our_dh.private = mpi::new_secret(&[4]).unwrap();
            (*from).r = [3; 16];
            (*from).hashgx = [5; 32];
            (*from).encgx = c_buffer(b"g^x");
            (*from).encgx_len = 3;

            (*from).authstate = AUTHSTATE_AWAITING_REVEALSIG;
            otrl_auth_copy_on_key(from, to);
            assert_eq!(((*to).authstate, (*to).initiated), (AUTHSTATE_NONE, 0));

            (*from).authstate = AUTHSTATE_AWAITING_SIG;
            otrl_auth_copy_on_key(from, to);
            otrl_auth_clear(from);
            otrl_auth_clear(from);
            assert_eq!(
                ((*to).authstate, (*to).initiated, (*to).our_keyid),
                (AUTHSTATE_AWAITING_DHKEY, 1, 1)
            );
            assert_eq!(
                ((*to).r, (*to).hashgx, (*to).context),
                ([3; 16], [5; 32], child)
            );
            assert_eq!(slice_of((*to).encgx, (*to).encgx_len), b"g^x");
            assert_eq!(mpi::bytes((*to).our_dh.private).unwrap().as_slice(), [4]);
            assert!((*from).encgx.is_null() && (*from).r == [0; 16] && (*from).context == master);

            otrl_auth_clear(to);
            otrl_auth_clear(std::ptr::null_mut());
            libc::free(master.cast());
            libc::free(child.cast());
        }
    }
}
