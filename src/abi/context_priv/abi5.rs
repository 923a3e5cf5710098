//! `context_priv.h`: a context points at its hidden members, which are a block of their own.

use std::ptr;

use super::{Tail, drop_private, forget_members, forget_private, marks};
use crate::abi::entry::entry;
use crate::abi::memory::{c_zeroed, wipe};
use crate::abi::types::{ConnContext, ConnContextPriv};

/// The members that clients don't look into.
pub(crate) type Hidden = ConnContextPriv;

/// One malloc'ed block: what C sees, and what it does not.
#[repr(C)]
struct PrivateBlock {
    public: ConnContextPriv,
    tail: Tail,
}

/// A new context, all zeros but for its hidden part. NULL without memory.
pub(crate) fn new_context() -> *mut ConnContext {
    let context: *mut ConnContext = c_zeroed();
    if context.is_null() {
        return context;
    }
    let block = new_block();
    // SAFETY: new memory.
    unsafe {
        if block.is_null() {
            libc::free(context.cast());
            return ptr::null_mut();
        }
        (*context).context_priv = block;
    }
    context
}

/// Gives back a context, of which only the hidden part is left. It is wiped.
///
/// # Safety
/// `context` is a malloc'ed context that is used no more.
pub(crate) unsafe fn free_context(context: *mut ConnContext) {
    // SAFETY: the caller's promise.
    unsafe {
        free_block((*context).context_priv);
        libc::free(context.cast());
    }
}

/// The hidden members. NULL if a client's own context has none.
///
/// # Safety
/// `context` is NULL or a live context.
pub(crate) unsafe fn hidden(context: *const ConnContext) -> *mut Hidden {
    if context.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: not NULL.
    unsafe { (*context).context_priv }
}

/// The tail of a context that was made here.
///
/// # Safety
/// `context` is NULL or a live context.
pub(crate) unsafe fn tail(context: *mut ConnContext) -> Option<*mut Tail> {
    // SAFETY: the caller's promise.
    unsafe { marked(hidden(context)).map(|block| &raw mut (*block).tail) }
}

/// Nothing: the members that only this interface has outlive a session.
///
/// # Safety
/// None.
pub(crate) unsafe fn forget_more(_members: *mut Hidden) {}

/// A new, empty block. NULL without memory.
fn new_block() -> *mut ConnContextPriv {
    let block: *mut PrivateBlock = c_zeroed();
    if block.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: new memory of the right size; all zeros are an empty block.
    unsafe {
        (&raw mut (*block).tail).write(Tail::new());
        marks::put(&raw mut (*block).public);
    }
    block.cast()
}

/// Gives a block back, wiped. NULL is accepted.
///
/// # Safety
/// `block` is NULL, or a malloc'ed block that is used no more.
unsafe fn free_block(block: *mut ConnContextPriv) {
    // SAFETY: the caller's promise.
    unsafe {
        force_block_finished(block);
        if let Some(whole) = marked(block) {
            drop_private(&raw mut (*whole).tail);
            wipe(whole.cast(), size_of::<PrivateBlock>());
        }
        libc::free(block.cast());
    }
}

/// # Safety
/// `block` is NULL or a block.
unsafe fn force_block_finished(block: *mut ConnContextPriv) {
    if block.is_null() {
        return;
    }
    // SAFETY: not NULL.
    unsafe {
        forget_members(block);
        if let Some(whole) = marked(block) {
            forget_private(&raw mut (*whole).tail);
        }
    }
}

/// The whole of a block that was made here.
///
/// # Safety
/// `block` is NULL or a block.
unsafe fn marked(block: *mut ConnContextPriv) -> Option<*mut PrivateBlock> {
    if block.is_null() {
        return None;
    }
    // SAFETY: not NULL, so a block.
    unsafe { marks::stand_in(block) }.then_some(block.cast())
}

entry! {
    /// A new, empty block, malloc'ed. NULL without memory.
    ///
    /// # Safety
    /// None beyond C's calling convention.
    on panic ptr::null_mut();
    pub fn otrl_context_priv_new() -> *mut ConnContextPriv {
        new_block()
    }
}

entry! {
    /// Forgets everything about a session.
    ///
    /// # Safety
    /// `block` is NULL or a block.
    on panic ();
    pub fn otrl_context_priv_force_finished(block: *mut ConnContextPriv) {
        // SAFETY: the caller's promise.
        unsafe { force_block_finished(block) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::gcry::mpi;
    use crate::abi::memory::c_string;

    #[test]
    fn a_block_of_ours_is_emptied_and_keeps_its_times() {
        let block = fresh();
        unsafe {
            (*block).their_keyid = 7;
            (*block).our_keyid = 8;
            (*block).generation = 9;
            (*block).lastrecv = 10;
            (*block).may_retransmit = 2;
            (*block).lastmessage = c_string(b"text");
            (*block).fragment = c_string(b"?OTR:AA");
            (*block).fragment_len = 7;
            (*block).saved_mac_keys = c_string(&[1; 40]).cast();
            (*block).numsavedkeys = 2;
            (*block).their_y = mpi::new_from_bytes(&[5]).unwrap();
            (*block).our_dh_key.private = mpi::new_secret(&[6]).unwrap();
            otrl_context_priv_force_finished(block);
            assert_eq!(
                (
                    (*block).their_keyid,
                    (*block).our_keyid,
                    (*block).may_retransmit
                ),
                (0, 0, 0)
            );
            assert!(
                (*block).lastmessage.is_null()
                    && (*block).fragment.is_null()
                    && (*block).their_y.is_null()
            );
            assert!((*block).saved_mac_keys.is_null() && (*block).our_dh_key.private.is_null());
            assert_eq!(((*block).fragment_len, (*block).numsavedkeys), (0, 0));
            assert_eq!(((*block).generation, (*block).lastrecv), (9, 10));
            free_block(block);
        }
    }

    #[test]
    fn a_block_that_a_client_made_is_not_read_beyond_its_end() {
        let block: *mut ConnContextPriv = c_zeroed();
        unsafe {
            assert!(marked(block).is_none());
            otrl_context_priv_force_finished(block);
            otrl_context_priv_force_finished(ptr::null_mut());
            free_block(block);
        }
    }

    /// `context_priv.h` is public, and C copies a struct by assigning it.
    #[test]
    fn a_copy_that_a_client_made_is_not_read_beyond_its_end() {
        unsafe {
            let block = fresh();
            let copy: *mut ConnContextPriv = c_zeroed();
            ptr::copy_nonoverlapping(block, copy, 1);
            assert!(marked(copy).is_none());
            otrl_context_priv_force_finished(copy);
            assert!(marked(block).is_some(), "the original is as it was");
            libc::free(copy.cast());
            free_block(block);
        }
    }

    fn fresh() -> *mut ConnContextPriv {
        let block = unsafe { otrl_context_priv_new() };
        unsafe {
            assert!(marked(block).is_some());
        }
        block
    }
}
