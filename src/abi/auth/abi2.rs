//! Exchanges by themselves, of version 2.

use std::ffi::c_char;

use super::step;
use crate::abi::entry::entry;
use crate::abi::error::GcryError;
use crate::abi::memory::bytes_of;
use crate::abi::types::OtrlAuthInfo;
use otr_protocol::ake::{Auth, CommitOutcome, Tags};
use otr_protocol::wire::version::Version;

/// No instance tags; `None` for NULL.
///
/// # Safety
/// None: the exchange is not looked at.
pub(crate) unsafe fn tags_of(auth: *const OtrlAuthInfo) -> Option<Tags> {
    (!auth.is_null()).then(Tags::default)
}

entry! {
    /// Starts an exchange of version 2; the message to send is in `auth->lastauthmsg`.
    ///
    /// # Safety
    /// `auth` is NULL or live.
    on panic GcryError::INTERNAL;
    pub fn otrl_auth_start_v2(auth: *mut OtrlAuthInfo) -> GcryError {
        // SAFETY: the caller's promise.
        unsafe {
            step(auth, |state, tags| {
                *state = Auth::start(Version::V2, tags)?;
                Ok(())
            })
            .into()
        }
    }
}

entry! {
    /// Handles a DH-commit message of version 2; the message to send is in `auth->lastauthmsg`.
    ///
    /// # Safety
    /// `auth` is NULL or live; `commitmsg` is NULL or a C string.
    on panic GcryError::INTERNAL;
    pub fn otrl_auth_handle_commit(auth: *mut OtrlAuthInfo, commitmsg: *const c_char) -> GcryError {
        // SAFETY: the caller's promise.
        unsafe {
            let Some(message) = bytes_of(commitmsg) else { return GcryError::INV_VALUE };
            // Without a rival every outcome leaves the message to send in place.
            step(auth, |state, tags| {
                state.on_commit(message, Version::V2, tags, None).map(|_: CommitOutcome| ())
            })
            .into()
        }
    }
}
