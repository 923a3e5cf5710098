//! The private members are in the context itself, and the tail behind it.

use super::{Tail, force_finished, marks};
use crate::abi::borrowed::Borrowed;
use crate::abi::memory::{c_zeroed, wipe};
use crate::abi::types::ConnContext;

/// The private members are in the same struct as the public ones.
pub(crate) type PrivateMembers = ConnContext;

/// One malloc'ed block: the struct that C sees, and the tail behind it.
#[repr(C)]
struct ContextBlock {
    public: ConnContext,
    tail: Tail,
}

/// A new context, all zeros but for its private part. `None` if out of memory.
pub(crate) fn new_context() -> Option<Borrowed<'static, ConnContext>> {
    let block: *mut ContextBlock = c_zeroed();
    // SAFETY: NULL, or new memory of the right size; all zeros are an empty context.
    unsafe {
        if !block.is_null() {
            (&raw mut (*block).tail).write(Tail::new());
        }
        Borrowed::new(block.cast::<PrivateMembers>()).inspect(|context| marks::put(*context))
    }
}

/// Wipes and frees a context, whose other parts were freed before.
///
/// # Safety
/// `context` came from malloc, and is not used afterwards.
pub(crate) unsafe fn free_context(context: Borrowed<'_, ConnContext>) {
    force_finished(context);
    // SAFETY: from malloc and not used afterwards, as the caller guarantees; so there is no reference to its private part
    // either.
    unsafe {
        if let Some(tail) = tail(context) {
            tail.drop_private();
            wipe(context.as_ptr().cast(), size_of::<ContextBlock>());
        }
        context.free();
    }
}

/// The private members.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the other interface may have none"
)]
pub(crate) fn private_members(
    context: Borrowed<'_, ConnContext>,
) -> Option<Borrowed<'_, PrivateMembers>> {
    Some(context)
}

/// The tail of a context that was made here.
pub(crate) fn tail(context: Borrowed<'_, ConnContext>) -> Option<&Tail> {
    let whole: *const ContextBlock = context.as_ptr().cast_const().cast();
    // SAFETY: a context with the marks for its address was made here, so it has a tail.
    marks::stand_in(context).then(|| unsafe { &(*whole).tail })
}

/// Frees the preshared secret at the end of a session.
pub(crate) fn forget_more(members: Borrowed<'_, PrivateMembers>) {
    let len = members.preshared_secret_len();
    // SAFETY: the length is the struct's own.
    unsafe { members.preshared_secret().wipe(len.get()) };
    len.set(0);
}

#[cfg(test)]
mod tests {
    use super::super::{Moment, private_of};
    use super::*;
    use crate::abi::borrowed;
    use crate::abi::gcry::mpi;
    use crate::abi::memory::{c_buffer, c_string};

    #[test]
    fn a_context_of_ours_is_emptied_and_keeps_its_times() {
        unsafe {
            let before = Moment::now();
            let borrowed = new_context().unwrap();
            assert!(private_of(borrowed).is_some());
            assert!(!before.is_after_the_making_of(borrowed));
            assert!(Moment::now().is_after_the_making_of(borrowed));
            let context = borrowed.as_ptr();
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
            (*context).their_y = mpi::new_from_bytes(&[5]).unwrap().into_raw();
            (*context).our_dh_key.private = mpi::new_from_bytes(&[6]).unwrap().into_raw();
            (*context).preshared_secret = c_buffer(b"secret");
            (*context).preshared_secret_len = 6;
            force_finished(borrowed);
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
            free_context(borrowed);
        }
    }

    #[test]
    fn a_context_that_a_client_made_is_not_read_beyond_its_end() {
        unsafe {
            let zeroed: Borrowed<ConnContext> = borrowed::new_zeroed().unwrap();
            assert!(private_of(zeroed).is_none());
            assert!(Moment::now().is_after_the_making_of(zeroed));
            force_finished(zeroed);
            free_context(zeroed);

            let ours = new_context().unwrap();
            let copied: Borrowed<ConnContext> = borrowed::new_zeroed().unwrap();
            std::ptr::copy_nonoverlapping(ours.as_ptr(), copied.as_ptr(), 1);
            assert!(private_of(copied).is_none(), "a copy has no tail");
            copied.free();
            free_context(ours);
        }
    }
}
