//! `context_priv.h`: the state that clients don't look into, and behind it what C has no members for.

use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::dh_objects::{keypair_free, session_free};
use super::entry::{entry, guard};
use super::gcry::mpi;
use super::memory::{c_zeroed, free_and_clear, wipe, wipe_string_and_clear};
use super::private::Private;
use super::types::{ConnContext, ConnContextPriv, DhSesskeys};

/// What stands in the four paddings of a block that was made here. Clients' own blocks are zeroed there, or hold rubbish.
const MARKS: [u32; 4] = [0x4f74_7250, 0x9d3b_61c7, 0x2ea8_5f14, 0xc06d_f392];

static SERIALS: AtomicUsize = AtomicUsize::new(1);

/// One malloc'ed block: what C sees, and what it does not.
#[repr(C)]
struct PrivateBlock {
    public: ConnContextPriv,
    serial: usize,
    private: *mut Private,
}

/// A new, empty block. NULL without memory.
pub fn new() -> *mut ConnContextPriv {
    let block: *mut PrivateBlock = c_zeroed();
    if block.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: new memory of the right size; all zeros are an empty block.
    unsafe {
        (*block).serial = SERIALS.fetch_add(1, Ordering::Relaxed);
        (*block).private = Box::into_raw(Private::new());
        let public = &raw mut (*block).public;
        (*public).mark0 = MARKS[0];
        (*public).mark1 = MARKS[1];
        (*public).mark2 = MARKS[2];
        (*public).mark3 = MARKS[3];
    }
    block.cast()
}

/// Forgets everything about a session, and keeps the times and the count of sessions.
///
/// # Safety
/// `block` is a block.
pub unsafe fn force_finished(block: *mut ConnContextPriv) {
    // SAFETY: the caller's promise.
    unsafe {
        free_and_clear(&raw mut (*block).fragment);
        (*block).fragment_len = 0;
        (*block).fragment_n = 0;
        (*block).fragment_k = 0;
        // These were about to be published.
        free_and_clear(&raw mut (*block).saved_mac_keys);
        (*block).numsavedkeys = 0;
        wipe_string_and_clear(&raw mut (*block).lastmessage);
        (*block).may_retransmit = 0;
        (*block).their_keyid = 0;
        mpi::release_and_clear(&raw mut (*block).their_y);
        mpi::release_and_clear(&raw mut (*block).their_old_y);
        (*block).our_keyid = 0;
        keypair_free(&raw mut (*block).our_dh_key);
        keypair_free(&raw mut (*block).our_old_dh_key);
        for keys in 0..4 {
            session_free((&raw mut (*block).sesskeys).cast::<DhSesskeys>().add(keys));
        }
        if let Some(whole) = marked(block) {
            let private = (*whole).private;
            // Forgetting must succeed: what can't be emptied is left behind for a fresh state.
            if guard(|| (*private).force_finished()).is_err() {
                (*whole).private = Box::into_raw(Private::new());
            }
        }
    }
}

/// Gives a block back, wiped. NULL is accepted.
///
/// # Safety
/// `block` is NULL, or a malloc'ed block that is used no more.
pub unsafe fn free(block: *mut ConnContextPriv) {
    if block.is_null() {
        return;
    }
    // SAFETY: the caller's promise.
    unsafe {
        force_finished(block);
        if let Some(whole) = marked(block) {
            drop(Box::from_raw((*whole).private));
            wipe(whole.cast(), size_of::<PrivateBlock>());
        }
        libc::free(block.cast());
    }
}

/// The state behind a context; `None` for a context that a client put together itself.
///
/// # Safety
/// `context` is NULL or a live context. The answer dies with it.
pub unsafe fn private_of(context: *mut ConnContext) -> Option<*mut Private> {
    if context.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    let whole = unsafe { marked((*context).context_priv) }?;
    // SAFETY: a block that was made here.
    Some(unsafe { (*whole).private })
}

/// A number that no other context of this process has; 0 for a context that a client put together itself.
///
/// # Safety
/// `context` is NULL or a live context.
pub unsafe fn serial_of(context: *const ConnContext) -> usize {
    if context.is_null() {
        return 0;
    }
    // SAFETY: the caller's promise.
    unsafe { marked((*context).context_priv) }
        // SAFETY: a block that was made here.
        .map_or(0, |whole| unsafe { (*whole).serial })
}

/// The whole of a block that was made here.
///
/// # Safety
/// `block` is NULL or a block.
unsafe fn marked(block: *mut ConnContextPriv) -> Option<*mut PrivateBlock> {
    if block.is_null() {
        return None;
    }
    // SAFETY: not NULL, so a block, and the paddings are within it.
    let marks = unsafe {
        [
            (*block).mark0,
            (*block).mark1,
            (*block).mark2,
            (*block).mark3,
        ]
    };
    (marks == MARKS).then_some(block.cast())
}

entry! {
    /// A new, empty block, malloc'ed. NULL without memory.
    ///
    /// # Safety
    /// None beyond C's calling convention.
    on panic ptr::null_mut();
    pub fn otrl_context_priv_new() -> *mut ConnContextPriv {
        new()
    }
}

entry! {
    /// Forgets everything about a session.
    ///
    /// # Safety
    /// `block` is NULL or a block.
    on panic ();
    pub fn otrl_context_priv_force_finished(block: *mut ConnContextPriv) {
        if !block.is_null() {
            // SAFETY: not NULL.
            unsafe { force_finished(block) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::gcry::mpi;
    use crate::abi::memory::c_string;

    #[test]
    fn a_block_of_ours_is_emptied_and_keeps_its_times() {
        let block = new_block();
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
            free(block);
        }
    }

    #[test]
    fn a_block_that_a_client_made_is_not_read_beyond_its_end() {
        let block: *mut ConnContextPriv = c_zeroed();
        unsafe {
            assert!(marked(block).is_none());
            otrl_context_priv_force_finished(block);
            otrl_context_priv_force_finished(ptr::null_mut());
            free(block);
        }
    }

    fn new_block() -> *mut ConnContextPriv {
        let block = unsafe { otrl_context_priv_new() };
        unsafe {
            assert!(marked(block).is_some());
        }
        block
    }
}
