//! The part of `dh.h` that only copies and frees objects.

use std::cmp::Ordering;
use std::ffi::{c_int, c_uchar};

use super::borrowed::Borrowed;
use super::entry::entry;
use super::gcry;
use super::types::{DhKeypair, DhSesskeys};

/// The length of the counter in a counter block.
const COUNTER_BYTES: usize = 8;

/// Copies a pair. What was there before is overwritten.
pub(crate) fn keypair_copy(to: Borrowed<'_, DhKeypair>, from: Borrowed<'_, DhKeypair>) {
    to.blank();
    to.groupid().set(from.groupid().get());
    to.private().copy(from.private());
    to.public().copy(from.public());
}

/// Releases the numbers of a pair.
pub(crate) fn keypair_free(pair: Borrowed<'_, DhKeypair>) {
    pair.private().clear();
    pair.public().clear();
}

/// Releases the handles of session keys and empties them.
pub(crate) fn session_free(keys: Borrowed<'_, DhSesskeys>) {
    keys.sendenc().clear();
    keys.rcvenc().clear();
    keys.sendmac().clear();
    keys.rcvmac().clear();
    keys.blank();
}

entry! {
    /// Initialises the module: nothing is needed.
    ///
    /// # Safety
    /// None beyond C's calling convention.
    on panic ();
    pub fn otrl_dh_init() {
        gcry::get_ready();
    }
}

entry! {
    /// Initialises a pair. What was there before is overwritten.
    ///
    /// # Safety
    /// `pair` is NULL or writable.
    on panic ();
    pub fn otrl_dh_keypair_init(pair: *mut DhKeypair as Option<Borrowed<DhKeypair>>) {
        if let Some(pair) = pair {
            pair.blank();
        }
    }
}

entry! {
    /// Copies a pair. What was there before is overwritten.
    ///
    /// # Safety
    /// `to` is NULL or writable, `from` NULL or a pair.
    on panic ();
    pub fn otrl_dh_keypair_copy(
        to: *mut DhKeypair as Option<Borrowed<DhKeypair>>,
        from: *const DhKeypair as Option<Borrowed<DhKeypair>>,
    ) {
        if let (Some(to), Some(from)) = (to, from) {
            keypair_copy(to, from);
        }
    }
}

entry! {
    /// Releases the numbers of a pair.
    ///
    /// # Safety
    /// `pair` is NULL or a pair.
    on panic ();
    pub fn otrl_dh_keypair_free(pair: *mut DhKeypair as Option<Borrowed<DhKeypair>>) {
        if let Some(pair) = pair {
            keypair_free(pair);
        }
    }
}

entry! {
    /// Releases the handles of session keys and empties them.
    ///
    /// # Safety
    /// `keys` is NULL or session keys.
    on panic ();
    pub fn otrl_dh_session_free(keys: *mut DhSesskeys as Option<Borrowed<DhSesskeys>>) {
        if let Some(keys) = keys {
            session_free(keys);
        }
    }
}

entry! {
    /// Empties session keys without releasing anything.
    ///
    /// # Safety
    /// `keys` is NULL or writable.
    on panic ();
    pub fn otrl_dh_session_blank(keys: *mut DhSesskeys as Option<Borrowed<DhSesskeys>>) {
        if let Some(keys) = keys {
            keys.blank();
        }
    }
}

entry! {
    /// Increments the upper half of a counter block; it wraps to 0.
    ///
    /// # Safety
    /// `counter` is NULL or 8 bytes long.
    on panic ();
    pub fn otrl_dh_incctr(counter: *mut c_uchar as Option<Borrowed<[u8; COUNTER_BYTES]>>) {
        if let Some(counter) = counter {
            counter.set(u64::from_be_bytes(counter.get()).wrapping_add(1).to_be_bytes());
        }
    }
}

entry! {
    /// Compares two counters: negative, 0 or positive. NULL is less than any counter.
    ///
    /// # Safety
    /// Each is NULL or 8 bytes long.
    on panic 0;
    pub fn otrl_dh_cmpctr(
        a: *const c_uchar as Option<Borrowed<[u8; COUNTER_BYTES]>>,
        b: *const c_uchar as Option<Borrowed<[u8; COUNTER_BYTES]>>,
    ) -> c_int {
        match a.map(Borrowed::get).cmp(&b.map(Borrowed::get)) {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::borrowed::borrow;
    use crate::abi::gcry::{cipher, digest, mpi};
    use crate::abi::memory::c_zeroed;
    use std::ptr;

    #[test]
    fn pairs_are_copied_and_freed_each_for_itself() {
        unsafe {
            let mut pair = DhKeypair {
                groupid: 5,
                private: mpi::new_from_bytes(&[3]).unwrap().into_raw(),
                public: mpi::new_from_bytes(&[8]).unwrap().into_raw(),
            };
            let mut copy = std::mem::zeroed();
            otrl_dh_keypair_init(&mut copy);
            otrl_dh_keypair_copy(&mut copy, &pair);
            otrl_dh_keypair_free(&mut pair);
            otrl_dh_keypair_free(&mut pair);
            assert!(pair.private.is_null() && pair.public.is_null());
            assert_eq!(copy.groupid, 5);
            assert_eq!(borrow(copy.private).number().unwrap().as_slice(), [3]);
            assert_eq!(borrow(copy.public).number().unwrap().as_slice(), [8]);
            otrl_dh_keypair_free(&mut copy);
            otrl_dh_keypair_free(ptr::null_mut());
            otrl_dh_init();
        }
    }

    #[test]
    fn session_keys_are_closed_and_emptied() {
        unsafe {
            let keys: *mut DhSesskeys = c_zeroed();
            (*keys).sendenc = cipher::aes128_ctr(&[1; 16], None).unwrap().into_raw();
            (*keys).rcvmac = digest::hmac_sha1(&[1; 20]).unwrap().into_raw();
            (*keys).rcvmackey = [1; 20];
            (*keys).rcvmacused = 1;
            otrl_dh_session_free(keys);
            assert!(slice_is_zero(keys));
            otrl_dh_session_blank(keys);
            libc::free(keys.cast());
        }
    }

    unsafe fn slice_is_zero(keys: *const DhSesskeys) -> bool {
        let bytes = unsafe { crate::abi::memory::slice_of(keys.cast(), size_of::<DhSesskeys>()) };
        bytes.iter().all(|byte| *byte == 0)
    }

    #[test]
    fn counters_count_in_their_upper_half() {
        let mut counter = [0xff_u8; 16];
        unsafe {
            otrl_dh_incctr(counter.as_mut_ptr());
            assert_eq!(counter, [[0; 8], [0xff; 8]].concat().as_slice());
            otrl_dh_incctr(counter.as_mut_ptr());
            assert_eq!(counter[7], 1);
            let (low, high) = ([0, 0, 0, 0, 0, 0, 1, 0xff], [0, 0, 0, 0, 0, 0, 2, 0]);
            assert!(otrl_dh_cmpctr(low.as_ptr(), high.as_ptr()) < 0);
            assert!(otrl_dh_cmpctr(high.as_ptr(), low.as_ptr()) > 0);
            assert_eq!(otrl_dh_cmpctr(low.as_ptr(), low.as_ptr()), 0);
            assert!(otrl_dh_cmpctr(std::ptr::null(), low.as_ptr()) < 0);
        }
    }
}
