//! Exchanges that know their context, of versions 2 and 3.

use std::ffi::{c_char, c_int, c_uint};

use super::step;
use crate::abi::borrowed::Borrowed;
use crate::abi::context;
use crate::abi::entry::entry;
use crate::abi::error::GcryError;
use crate::abi::numbers::{version_from, version_number};
use crate::abi::types::OtrlAuthInfo;
use otr_protocol::ake::{Auth, CommitOutcome, Tags};
use otr_protocol::wire::version::Version;

/// The instance tags of an exchange; `None` without a context.
pub(crate) fn tags_of(auth: Borrowed<'_, OtrlAuthInfo>) -> Option<Tags> {
    auth.context().follow().map(context::tags_of)
}

entry! {
    /// Starts an exchange of version 2 or 3; the message to send is in `auth->lastauthmsg`.
    ///
    /// # Safety
    /// `auth` is NULL or live, and so is the context it points to.
    on panic GcryError::INTERNAL;
    pub fn otrl_auth_start_v23(
        auth: *mut OtrlAuthInfo as Option<Borrowed<OtrlAuthInfo>>,
        version: c_int,
    ) -> GcryError as Result<(), GcryError> {
        let version = c_uint::try_from(version).ok().and_then(version_from);
        let version = version.filter(|version| *version != Version::V1).ok_or(GcryError::INV_VALUE)?;
        step(auth, |state, tags| {
            *state = Auth::start(version, tags)?;
            Ok(())
        })?;
        show_version(auth, version);
        Ok(())
    }
}

entry! {
    /// Handles a DH-commit message; the message to send is in `auth->lastauthmsg`.
    ///
    /// # Safety
    /// As for [`otrl_auth_start_v23`]; `commitmsg` is NULL or a C string.
    on panic GcryError::INTERNAL;
    pub fn otrl_auth_handle_commit(
        auth: *mut OtrlAuthInfo as Option<Borrowed<OtrlAuthInfo>>,
        commitmsg: *const c_char as Option<&[u8]>,
        version: c_int,
    ) -> GcryError as Result<(), GcryError> {
        let version = c_uint::try_from(version).ok().and_then(version_from);
        let (message, version) = commitmsg.zip(version).ok_or(GcryError::INV_VALUE)?;
        // Without a rival commit, the message to send is in `lastauthmsg` whatever the outcome.
        step(auth, |state, tags| state.on_commit(message, version, tags, None).map(|_: CommitOutcome| ()))?;
        show_version(auth, version);
        Ok(())
    }
}

/// Writes the version to the context.
fn show_version(auth: Option<Borrowed<'_, OtrlAuthInfo>>, version: Version) {
    if let Some(context) = auth.and_then(|auth| auth.context().follow()) {
        context
            .protocol_version()
            .set(version_number(Some(version)));
    }
}
