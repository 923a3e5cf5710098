//! Exchanges that know their context, of versions 2 and 3.

use std::ffi::{c_char, c_int, c_uint};

use super::step;
use crate::abi::context;
use crate::abi::entry::entry;
use crate::abi::error::GcryError;
use crate::abi::memory::bytes_of;
use crate::abi::numbers::{version_from, version_number};
use crate::abi::types::OtrlAuthInfo;
use otr_protocol::ake::{Auth, CommitOutcome, Tags};
use otr_protocol::wire::version::Version;

/// The instance tags of an exchange; `None` without a context.
///
/// # Safety
/// `auth` is NULL or live, and so is the context it points to.
pub(crate) unsafe fn tags_of(auth: *const OtrlAuthInfo) -> Option<Tags> {
    // SAFETY: the caller's promise.
    unsafe {
        if auth.is_null() || (*auth).context.is_null() {
            return None;
        }
        Some(context::tags_of((*auth).context))
    }
}

entry! {
    /// Starts an exchange of version 2 or 3; the message to send is in `auth->lastauthmsg`.
    ///
    /// # Safety
    /// `auth` is NULL or live, and so is the context it points to.
    on panic GcryError::INTERNAL;
    pub fn otrl_auth_start_v23(auth: *mut OtrlAuthInfo, version: c_int) -> GcryError {
        // SAFETY: the caller's promise.
        unsafe {
            let version = c_uint::try_from(version).ok().and_then(version_from);
            let Some(version) = version.filter(|version| *version != Version::V1) else {
                return GcryError::INV_VALUE;
            };
            step(auth, |state, tags| {
                *state = Auth::start(version, tags)?;
                Ok(())
            })
            .map(|()| show_version(auth, version))
            .into()
        }
    }
}

entry! {
    /// Handles a DH-commit message; the message to send is in `auth->lastauthmsg`.
    ///
    /// # Safety
    /// As for [`otrl_auth_start_v23`]; `commitmsg` is NULL or a C string.
    on panic GcryError::INTERNAL;
    pub fn otrl_auth_handle_commit(auth: *mut OtrlAuthInfo, commitmsg: *const c_char, version: c_int) -> GcryError {
        // SAFETY: the caller's promise.
        unsafe {
            let version = c_uint::try_from(version).ok().and_then(version_from);
            let (Some(message), Some(version)) = (bytes_of(commitmsg), version) else {
                return GcryError::INV_VALUE;
            };
            // Without a rival every outcome leaves the message to send in place.
            step(auth, |state, tags| state.on_commit(message, version, tags, None).map(|_: CommitOutcome| ()))
                .map(|()| show_version(auth, version))
                .into()
        }
    }
}

/// The context speaks this version now.
///
/// # Safety
/// `auth` is live, and so is its context.
unsafe fn show_version(auth: *mut OtrlAuthInfo, version: Version) {
    // SAFETY: `step` has checked both pointers.
    unsafe { (*(*auth).context).protocol_version = version_number(Some(version)) };
}
