//! The contexts of libotr 4: a correspondent has a master context and, behind it, one for each of its instances.

mod family;
mod find;

pub(crate) use family::{
    last_heard, leave_family, master_of, members, stand_alone, update_recent_child,
};
#[cfg(test)]
pub(crate) use find::otrl_context_find;
pub(crate) use find::{become_instance, find, find_correspondent};

use std::ffi::c_int;
use std::ptr;

use super::{fingerprint, forget};
use crate::abi::entry::entry;
use crate::abi::types::{ConnContext, Fingerprint, INSTAG_MASTER};
use otr_protocol::ake::Tags;

#[cfg(test)]
mod tests;

/// The instance tags of a context.
///
/// # Safety
/// `ctx` is live.
pub(crate) unsafe fn tags_of(ctx: *const ConnContext) -> Tags {
    // SAFETY: the caller's promise.
    unsafe {
        Tags {
            ours: (*ctx).our_instance,
            theirs: (*ctx).their_instance,
        }
    }
}

/// Whether this is a master context.
///
/// # Safety
/// `ctx` is live.
pub(crate) unsafe fn is_master(ctx: *const ConnContext) -> bool {
    // SAFETY: the caller's promise.
    unsafe { ptr::eq((*ctx).m_context, ctx) }
}

/// Whether this is the context of one instance, and stands behind its master.
///
/// # Safety
/// `ctx` is live.
pub(crate) unsafe fn is_instance(ctx: *const ConnContext) -> bool {
    // SAFETY: the caller's promise.
    unsafe { (*ctx).their_instance != INSTAG_MASTER }
}

/// Forgets a context: 0 when it is gone, 1 when it can't go.
///
/// # Safety
/// As for [`forget::forget`].
#[unsafe(no_mangle)]
#[allow(unreachable_pub, reason = "C calls it")]
pub unsafe extern "C-unwind" fn otrl_context_forget(context: *mut ConnContext) -> c_int {
    // SAFETY: the caller's promise.
    c_int::from(!unsafe { forget::forget(context) })
}

entry! {
    /// 1 when there is a trust that is not "", and 0 when not.
    ///
    /// # Safety
    /// As for [`fingerprint::is_trusted`].
    on panic 0;
    pub fn otrl_context_is_fingerprint_trusted(fingerprint: *mut Fingerprint) -> c_int {
        // SAFETY: the caller's promise.
        c_int::from(unsafe { fingerprint::is_trusted(fingerprint) })
    }
}
