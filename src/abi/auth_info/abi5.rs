//! An AKE knows its context, and when its DH-commit was sent.

use crate::abi::borrowed::Borrowed;
use crate::abi::dh_objects::{keypair_copy, keypair_free};
use crate::abi::entry::entry;
use crate::abi::numbers::{c_time, time_from, version_from};
use crate::abi::types::{
    AUTHSTATE_AWAITING_DHKEY, AUTHSTATE_AWAITING_SIG, ConnContext, OtrlAuthInfo,
};
use otr_protocol::ake::Auth;
use otr_protocol::wire::version::Version;

/// Initialises the AKE of a context. Pointers that were there before are overwritten, not freed.
pub(crate) fn new(context: Borrowed<'_, ConnContext>) {
    context.auth().blank();
    context.auth().context().point_at(Some(context));
}

/// Empties an AKE without releasing anything; its context stays.
pub(crate) fn blank(auth: Borrowed<'_, OtrlAuthInfo>) {
    let context = auth.context().follow();
    auth.blank();
    auth.context().point_at(context);
}

/// The version in use.
pub(crate) fn version(auth: Borrowed<'_, OtrlAuthInfo>) -> Option<Version> {
    version_from(auth.protocol_version().get())
}

/// The version that the struct shows: the one in use.
pub(crate) fn shown_version(auth: &Auth) -> Option<Version> {
    auth.version
}

/// When our DH-commit was sent.
pub(crate) fn commit_sent(auth: Borrowed<'_, OtrlAuthInfo>) -> i64 {
    time_from(auth.commit_sent_time().get())
}

/// Notes when our DH-commit was sent.
pub(crate) fn note_commit_sent(auth: Borrowed<'_, OtrlAuthInfo>, time: i64) {
    auth.commit_sent_time().set(c_time(time));
}

/// Copies our DH-commit from the master to the instance that answered it, which is then in the state that expects the answer.
fn copy_on_key(from: Borrowed<'_, OtrlAuthInfo>, to: Borrowed<'_, OtrlAuthInfo>) {
    let waits = matches!(
        from.authstate().get(),
        AUTHSTATE_AWAITING_DHKEY | AUTHSTATE_AWAITING_SIG
    );
    if from == to || !waits {
        return;
    }
    keypair_free(to.our_dh());
    keypair_copy(to.our_dh(), from.our_dh());
    to.initiated().set(from.initiated().get());
    to.our_keyid().set(from.our_keyid().get());
    to.r().set(from.r().get());
    to.hashgx().set(from.hashgx().get());
    to.store_encrypted_gx(&from.encrypted_gx().unwrap_or_default());
    to.authstate().set(AUTHSTATE_AWAITING_DHKEY);
}

entry! {
    /// Initialises the AKE of a context.
    ///
    /// # Safety
    /// `context` is NULL or a context whose `auth` contains nothing to release.
    on panic ();
    pub fn otrl_auth_new(context: *mut ConnContext as Option<Borrowed<ConnContext>>) {
        if let Some(context) = context {
            new(context);
        }
    }
}

entry! {
    /// Copies our DH-commit from the master (`from`) to the instance that answered it.
    ///
    /// # Safety
    /// Both are NULL or AKEs.
    on panic ();
    pub fn otrl_auth_copy_on_key(
        from: *mut OtrlAuthInfo as Option<Borrowed<OtrlAuthInfo>>,
        to: *mut OtrlAuthInfo as Option<Borrowed<OtrlAuthInfo>>,
    ) {
        if let (Some(from), Some(to)) = (from, to) {
            copy_on_key(from, to);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::auth_info::otrl_auth_clear;
    use crate::abi::borrowed::borrow;
    use crate::abi::gcry::mpi;
    use crate::abi::memory::{c_buffer, c_zeroed, slice_of};
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
            (*from).our_dh.private = mpi::new_from_bytes(&[4]).unwrap().into_raw();
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
            assert_eq!(
                borrow((*to).our_dh.private).number().unwrap().as_slice(),
                [4]
            );
            assert!((*from).encgx.is_null() && (*from).r == [0; 16] && (*from).context == master);

            otrl_auth_clear(to);
            otrl_auth_clear(std::ptr::null_mut());
            libc::free(master.cast());
            libc::free(child.cast());
        }
    }
}
