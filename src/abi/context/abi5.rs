//! The contexts of libotr 4: a correspondent has a master context, followed by one for each instance.

mod family;
mod find;

pub(crate) use family::{
    last_heard, leave_family, master_of, members, stand_alone, update_recent_child,
};
#[cfg(test)]
pub(crate) use find::otrl_context_find;
pub(crate) use find::{become_instance, find, find_correspondent, find_or_add};

use std::ffi::c_int;

use super::forget;
use crate::abi::borrowed::Borrowed;
use crate::abi::entry::entry;
use crate::abi::types::{ConnContext, Fingerprint, INSTAG_MASTER};
use otr_protocol::ake::Tags;

#[cfg(test)]
mod tests;

/// The instance tags of a context.
pub(crate) fn tags_of(context: Borrowed<'_, ConnContext>) -> Tags {
    Tags {
        ours: context.our_instance().get(),
        theirs: context.their_instance().get(),
    }
}

/// Whether this is a master context.
pub(crate) fn is_master(context: Borrowed<'_, ConnContext>) -> bool {
    master_of(context) == Some(context)
}

/// Whether this is the context of one instance, which comes after its master in the list.
pub(crate) fn is_instance(context: Borrowed<'_, ConnContext>) -> bool {
    context.their_instance().get() != INSTAG_MASTER
}

entry! {
    /// Forgets a context. Returns 0 if it was forgotten, 1 if it cannot be.
    ///
    /// # Safety
    /// `context` is NULL or a live context of a list. If the result is 0, neither it nor its instances are used afterwards. The
    /// client's `app_data_free` may call back.
    calls back;
    pub fn otrl_context_forget(context: *mut ConnContext as Option<Borrowed<ConnContext>>) -> c_int as bool {
        // SAFETY: the caller gives up the context and its instances if they are forgotten.
        !context.is_some_and(|context| unsafe { forget::forget(context) })
    }
}

entry! {
    /// 1 if the trust is neither NULL nor "", else 0.
    ///
    /// # Safety
    /// `fingerprint` is NULL or a live node.
    on panic 0;
    pub fn otrl_context_is_fingerprint_trusted(
        fingerprint: *mut Fingerprint as Option<Borrowed<Fingerprint>>,
    ) -> c_int as bool {
        fingerprint.is_some_and(Borrowed::is_trusted)
    }
}
