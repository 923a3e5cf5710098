//! Exchanges without a context, of version 2.

use std::ffi::c_char;

use super::step;
use crate::abi::borrowed::Borrowed;
use crate::abi::entry::entry;
use crate::abi::error::GcryError;
use crate::abi::types::OtrlAuthInfo;
use otr_protocol::ake::{Auth, CommitOutcome, Tags};
use otr_protocol::wire::version::Version;

/// No instance tags.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the other interface may have none"
)]
pub(crate) fn tags_of(_auth: Borrowed<'_, OtrlAuthInfo>) -> Option<Tags> {
    Some(Tags::default())
}

entry! {
    /// Starts an exchange of version 2; the message to send is in `auth->lastauthmsg`.
    ///
    /// # Safety
    /// `auth` is NULL or live.
    on panic GcryError::INTERNAL;
    pub fn otrl_auth_start_v2(auth: *mut OtrlAuthInfo as Option<Borrowed<OtrlAuthInfo>>) -> GcryError as Result<(), GcryError> {
        step(auth, |state, tags| {
            *state = Auth::start(Version::V2, tags)?;
            Ok(())
        })
    }
}

entry! {
    /// Handles a DH-commit message of version 2; the message to send is in `auth->lastauthmsg`.
    ///
    /// # Safety
    /// `auth` is NULL or live; `commitmsg` is NULL or a C string.
    on panic GcryError::INTERNAL;
    pub fn otrl_auth_handle_commit(
        auth: *mut OtrlAuthInfo as Option<Borrowed<OtrlAuthInfo>>,
        commitmsg: *const c_char as Option<&[u8]>,
    ) -> GcryError as Result<(), GcryError> {
        let message = commitmsg.ok_or(GcryError::INV_VALUE)?;
        // Without a rival commit, the message to send is in `lastauthmsg` whatever the outcome.
        step(auth, |state, tags| {
            state.on_commit(message, Version::V2, tags, None).map(|_: CommitOutcome| ())
        })
    }
}
