//! Comparing secrets, for which libotr 4 has a public function.

use std::ffi::{c_int, c_uchar};

use crate::abi::borrowed::bytes;
use crate::abi::entry::entry;
use otr_crypto::mac;

entry! {
    /// 1 if two blocks differ, else 0, in a time that does not depend on their contents.
    ///
    /// # Safety
    /// Both blocks are `len` bytes long, or NULL if `len` is 0.
    on panic 1;
    pub fn otrl_mem_differ(a: *const c_uchar, b: *const c_uchar, len: usize) -> c_int as bool
    where first = bytes(a, len), second = bytes(b, len) {
        let is_missing = len != 0 && (a.is_null() || b.is_null());
        is_missing || !mac::equal(first, second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::mem::otrl_mem_init;
    use std::ptr;

    #[test]
    fn differing_is_1_and_equal_0() {
        let (a, b) = (b"secret", b"sEcret");
        unsafe {
            otrl_mem_init();
            assert_eq!(otrl_mem_differ(a.as_ptr(), a.as_ptr(), 6), 0);
            assert_eq!(otrl_mem_differ(a.as_ptr(), b.as_ptr(), 6), 1);
            assert_eq!(otrl_mem_differ(a.as_ptr(), b.as_ptr(), 1), 0);
            assert_eq!(otrl_mem_differ(ptr::null(), ptr::null(), 0), 0);
            assert_eq!(otrl_mem_differ(ptr::null(), a.as_ptr(), 1), 1);
        }
    }
}
