//! `context_priv.h`: a context points to its private members, which are a separate block.

use std::ptr;

use super::{Tail, forget_members, marks};
use crate::abi::borrowed::{self, Borrowed};
use crate::abi::entry::entry;
use crate::abi::memory::{c_zeroed, wipe};
use crate::abi::types::{ConnContext, ConnContextPriv};

/// The members that clients do not access.
pub(crate) type PrivateMembers = ConnContextPriv;

/// One malloc'ed block: the struct that C sees, and the tail behind it.
#[repr(C)]
struct PrivateBlock {
    public: ConnContextPriv,
    tail: Tail,
}

/// A new context, all zeros but for its private part. `None` if out of memory.
pub(crate) fn new_context() -> Option<Borrowed<'static, ConnContext>> {
    let context: Borrowed<ConnContext> = borrowed::new_zeroed()?;
    let block = new_block();
    if block.is_none() {
        // SAFETY: made above.
        unsafe { context.free() };
        return None;
    }
    context.context_priv().point_at(block);
    Some(context)
}

/// Wipes and frees a context, whose other parts were freed before.
///
/// # Safety
/// `context` came from malloc, and is not used afterwards.
pub(crate) unsafe fn free_context(context: Borrowed<'_, ConnContext>) {
    // SAFETY: from malloc and not used afterwards, as the caller guarantees.
    unsafe {
        if let Some(block) = context.context_priv().follow() {
            free_block(block);
        }
        context.free();
    }
}

/// The private members. `None` if a client made the context itself without them.
pub(crate) fn private_members(
    context: Borrowed<'_, ConnContext>,
) -> Option<Borrowed<'_, PrivateMembers>> {
    context.context_priv().follow()
}

/// The tail of a context that was made here.
pub(crate) fn tail(context: Borrowed<'_, ConnContext>) -> Option<&Tail> {
    tail_of(private_members(context)?)
}

/// Does nothing: the members that only this interface has outlive a session.
pub(crate) fn forget_more(_members: Borrowed<'_, PrivateMembers>) {}

/// A new, empty block. `None` if out of memory.
fn new_block() -> Option<Borrowed<'static, ConnContextPriv>> {
    let block: *mut PrivateBlock = c_zeroed();
    // SAFETY: NULL, or new memory of the right size; all zeros are an empty block.
    unsafe {
        if !block.is_null() {
            (&raw mut (*block).tail).write(Tail::new());
        }
        Borrowed::new(block.cast::<PrivateMembers>()).inspect(|block| marks::put(*block))
    }
}

/// Wipes and frees a block.
///
/// # Safety
/// `block` came from malloc, and is not used afterwards.
unsafe fn free_block(block: Borrowed<'_, ConnContextPriv>) {
    force_block_finished(block);
    // SAFETY: as above; so there is no reference to its private part either.
    unsafe {
        if let Some(tail) = tail_of(block) {
            tail.drop_private();
            wipe(block.as_ptr().cast(), size_of::<PrivateBlock>());
        }
        block.free();
    }
}

fn force_block_finished(block: Borrowed<'_, ConnContextPriv>) {
    forget_members(block);
    if let Some(tail) = tail_of(block) {
        tail.force_finished();
    }
}

/// The tail of a block that was made here.
fn tail_of(block: Borrowed<'_, ConnContextPriv>) -> Option<&Tail> {
    let whole: *const PrivateBlock = block.as_ptr().cast_const().cast();
    // SAFETY: a block with the marks for its address was made here, so it has a tail.
    marks::stand_in(block).then(|| unsafe { &(*whole).tail })
}

entry! {
    /// A new, empty block, malloc'ed. NULL if out of memory.
    ///
    /// # Safety
    /// None beyond C's calling convention.
    on panic ptr::null_mut();
    pub fn otrl_context_priv_new() -> *mut ConnContextPriv as Option<Borrowed<ConnContextPriv>> {
        new_block()
    }
}

entry! {
    /// Forgets everything about a session.
    ///
    /// # Safety
    /// `block` is NULL or a block.
    on panic ();
    pub fn otrl_context_priv_force_finished(block: *mut ConnContextPriv as Option<Borrowed<ConnContextPriv>>) {
        if let Some(block) = block {
            force_block_finished(block);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::borrowed::borrow;
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
            (*block).their_y = mpi::new_from_bytes(&[5]).unwrap().into_raw();
            (*block).our_dh_key.private = mpi::new_from_bytes(&[6]).unwrap().into_raw();
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
            free_block(borrow(block));
        }
    }

    #[test]
    fn a_block_that_a_client_made_is_not_read_beyond_its_end() {
        let block: *mut ConnContextPriv = c_zeroed();
        unsafe {
            assert!(tail_of(borrow(block)).is_none());
            otrl_context_priv_force_finished(block);
            otrl_context_priv_force_finished(ptr::null_mut());
            free_block(borrow(block));
        }
    }

    /// `context_priv.h` is public, and C copies a struct by assigning it.
    #[test]
    fn a_copy_that_a_client_made_is_not_read_beyond_its_end() {
        unsafe {
            let block = fresh();
            let copy: *mut ConnContextPriv = c_zeroed();
            ptr::copy_nonoverlapping(block, copy, 1);
            assert!(tail_of(borrow(copy)).is_none());
            otrl_context_priv_force_finished(copy);
            assert!(
                tail_of(borrow(block)).is_some(),
                "the original is as it was"
            );
            libc::free(copy.cast());
            free_block(borrow(block));
        }
    }

    fn fresh() -> *mut ConnContextPriv {
        let block = unsafe { otrl_context_priv_new() };
        assert!(tail_of(borrow(block)).is_some());
        block
    }
}
