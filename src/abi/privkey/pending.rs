//! The accounts in a user state whose keys are being generated. Only this public list says whether one is.

use crate::abi::borrowed::{self, Borrowed};
use crate::abi::entry::entry;
use crate::abi::error::GcryError;
use crate::abi::linked_list;
use crate::abi::lock::locked;
use crate::abi::text::CText;
use crate::abi::types::{OtrlPendingPrivKey, UserState, free_of_account, of_account};

/// Adds an account.
///
/// # Errors
/// `EEXIST` if it is there already, `ENOMEM`.
pub(crate) fn add(
    us: Borrowed<'_, UserState>,
    account: &[u8],
    protocol: &[u8],
) -> Result<(), GcryError> {
    let node: Borrowed<OtrlPendingPrivKey> = borrowed::new_zeroed().ok_or(GcryError::ENOMEM)?;
    let named = node.accountname().store(CText::up_to_nul(account))
        & node.protocol().store(CText::up_to_nul(protocol));
    let added = locked(|| {
        if !named {
            return Err(GcryError::ENOMEM);
        }
        if of_account(us.pending_root(), account, protocol).is_some() {
            return Err(GcryError::EEXIST);
        }
        linked_list::link(us.pending_root(), node);
        Ok(())
    });
    if added.is_err() {
        // SAFETY: made above, and in no list.
        unsafe { free_of_account(node) };
    }
    added
}

/// Forgets an account, if it is there.
pub(crate) fn forget(us: Borrowed<'_, UserState>, account: &[u8], protocol: &[u8]) {
    let found = locked(|| {
        of_account(us.pending_root(), account, protocol).inspect(|node| linked_list::unlink(*node))
    });
    if let Some(node) = found {
        // SAFETY: not in a list any more, and clients have no reason to keep a pointer to such a node.
        unsafe { free_of_account(node) };
    }
}

/// Forgets every account.
pub(crate) fn forget_all(us: Borrowed<'_, UserState>) {
    while let Some(node) = locked(|| linked_list::take_first(us.pending_root())) {
        // SAFETY: not in a list any more.
        unsafe { free_of_account(node) };
    }
}

entry! {
    /// Forgets which keys are being generated.
    ///
    /// # Safety
    /// `us` is NULL or a live user state.
    on panic ();
    pub fn otrl_privkey_pending_forget_all(us: *mut UserState as Option<Borrowed<UserState>>) {
        if let Some(us) = us {
            forget_all(us);
        }
    }
}
