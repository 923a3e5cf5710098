//! The hidden members stand in the context itself, and the tail behind it.

use std::ptr;

use super::{Tail, drop_private, force_finished, marks};
use crate::abi::memory::{c_zeroed, wipe, wipe_and_clear};
use crate::abi::types::ConnContext;

/// The members that clients don't look into, among those that they do.
pub(crate) type Hidden = ConnContext;

/// One malloc'ed block: what C sees, and what it does not.
#[repr(C)]
struct ContextBlock {
    public: ConnContext,
    tail: Tail,
}

/// A new context, all zeros but for its hidden part. NULL without memory.
pub(crate) fn new_context() -> *mut ConnContext {
    let block: *mut ContextBlock = c_zeroed();
    if block.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: new memory of the right size; all zeros are an empty context.
    unsafe {
        (&raw mut (*block).tail).write(Tail::new());
        marks::put(&raw mut (*block).public);
    }
    block.cast()
}

/// Gives back a context, of which only the hidden part is left. It is wiped.
///
/// # Safety
/// `context` is a malloc'ed context that is used no more.
pub(crate) unsafe fn free_context(context: *mut ConnContext) {
    // SAFETY: the caller's promise.
    unsafe {
        force_finished(context);
        if let Some(whole) = marked(context) {
            drop_private(&raw mut (*whole).tail);
            wipe(whole.cast(), size_of::<ContextBlock>());
        }
        libc::free(context.cast());
    }
}

/// The hidden members.
///
/// # Safety
/// None: the context is not looked at.
pub(crate) unsafe fn hidden(context: *const ConnContext) -> *mut Hidden {
    context.cast_mut()
}

/// The tail of a context that was made here.
///
/// # Safety
/// `context` is NULL or a live context.
pub(crate) unsafe fn tail(context: *mut ConnContext) -> Option<*mut Tail> {
    // SAFETY: the caller's promise.
    unsafe { marked(context).map(|block| &raw mut (*block).tail) }
}

/// The preshared secret ends with a session.
///
/// # Safety
/// `members` are those of a context.
pub(crate) unsafe fn forget_more(members: *mut Hidden) {
    // SAFETY: the caller's promise.
    unsafe {
        wipe_and_clear(
            &raw mut (*members).preshared_secret,
            (*members).preshared_secret_len,
        );
        (*members).preshared_secret_len = 0;
    }
}

/// The whole of a context that was made here.
///
/// # Safety
/// `context` is NULL or a live context.
unsafe fn marked(context: *mut ConnContext) -> Option<*mut ContextBlock> {
    if context.is_null() {
        return None;
    }
    // SAFETY: not NULL, so a context.
    unsafe { marks::stand_in(context) }.then_some(context.cast())
}

#[cfg(test)]
mod tests {
    use super::super::{private_of, serial_of};
    use super::*;
    use crate::abi::gcry::mpi;
    use crate::abi::memory::{c_buffer, c_string};

    #[test]
    fn a_context_of_ours_is_emptied_and_keeps_its_times() {
        unsafe {
            let context = new_context();
            assert!(private_of(context).is_some() && serial_of(context) != 0);
            (*context).their_keyid = 7;
            (*context).our_keyid = 8;
            (*context).generation = 9;
            (*context).lastsent = 10;
            (*context).may_retransmit = 2;
            (*context).lastmessage = c_string(b"text");
            (*context).fragment = c_string(b"?OTR:AA");
            (*context).fragment_len = 7;
            (*context).saved_mac_keys = c_string(&[1; 40]).cast();
            (*context).numsavedkeys = 2;
            (*context).their_y = mpi::new_from_bytes(&[5]).unwrap();
            (*context).our_dh_key.private = mpi::new_secret(&[6]).unwrap();
            (*context).preshared_secret = c_buffer(b"secret");
            (*context).preshared_secret_len = 6;
            force_finished(context);
            assert_eq!(
                (
                    (*context).their_keyid,
                    (*context).our_keyid,
                    (*context).may_retransmit,
                    (*context).fragment_len,
                    (*context).numsavedkeys,
                    (*context).preshared_secret_len,
                ),
                (0, 0, 0, 0, 0, 0)
            );
            assert!((*context).lastmessage.is_null() && (*context).fragment.is_null());
            assert!((*context).their_y.is_null() && (*context).our_dh_key.private.is_null());
            assert!((*context).saved_mac_keys.is_null() && (*context).preshared_secret.is_null());
            assert_eq!(((*context).generation, (*context).lastsent), (9, 10));
            free_context(context);
        }
    }

    #[test]
    fn a_context_that_a_client_made_is_not_read_beyond_its_end() {
        unsafe {
            let zeroed: *mut ConnContext = c_zeroed();
            assert!(private_of(zeroed).is_none() && serial_of(zeroed) == 0);
            force_finished(zeroed);
            free_context(zeroed);

            let ours = new_context();
            let copied: *mut ConnContext = c_zeroed();
            ptr::copy_nonoverlapping(ours, copied, 1);
            assert!(private_of(copied).is_none(), "a copy has no tail");
            libc::free(copied.cast());
            free_context(ours);
        }
    }
}
