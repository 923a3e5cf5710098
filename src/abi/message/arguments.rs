//! The client's arguments, copied before its code runs: a callback may free or reuse them. Real clients run nested event loops
//! in `create_privkey`.

use std::ffi::c_char;
use std::ptr;

use crate::abi::context::Names;
use crate::abi::memory::{bytes_of, wipe};
use crate::abi::tlv;
use crate::abi::types::OtrlTLV;

/// The names and the text of a call in one malloc'ed block, and a chain of TLVs.
#[derive(Clone, Copy)]
pub struct Arguments {
    /// The names.
    pub names: Names,
    /// The text.
    pub text: *const c_char,
    /// NULL or the chain.
    pub tlvs: *mut OtrlTLV,
    length: usize,
}

impl Arguments {
    /// Copies them. `None` without memory.
    ///
    /// # Safety
    /// The names and the text are C strings; `tlvs` is NULL or a chain.
    pub unsafe fn copy(names: Names, text: *const c_char, tlvs: *const OtrlTLV) -> Option<Self> {
        // SAFETY: the caller's promise.
        let parts = [text, names.user, names.account, names.protocol]
            .map(|part| unsafe { bytes_of(part) }.unwrap_or_default());
        let length = parts.iter().map(|part| part.len() + 1).sum();
        // SAFETY: malloc has no demands.
        let block = unsafe { libc::malloc(length) }.cast::<u8>();
        if block.is_null() {
            return None;
        }
        let mut at = block;
        let copies = parts.map(|part| {
            let copy = at;
            // SAFETY: the parts with their NULs make up the length of the block.
            unsafe {
                ptr::copy_nonoverlapping(part.as_ptr(), at, part.len());
                at.add(part.len()).write(0);
                at = at.add(part.len() + 1);
            }
            copy.cast::<c_char>().cast_const()
        });
        let [text, user, account, protocol] = copies;
        let mut arguments = Self {
            names: Names {
                user,
                account,
                protocol,
                ..names
            },
            text,
            tlvs: ptr::null_mut(),
            length,
        };
        if !tlvs.is_null() {
            // SAFETY: the caller's promise.
            let copy = unsafe { tlv::to_chain(tlvs) };
            arguments.tlvs = copy.map_or(ptr::null_mut(), |copy| tlv::from_chain(&copy));
            if arguments.tlvs.is_null() {
                // SAFETY: made above, used no more.
                unsafe { arguments.free() };
                return None;
            }
        }
        Some(arguments)
    }

    /// Gives them back; the block is wiped, since the text may be one to be encrypted.
    ///
    /// # Safety
    /// They are used no more.
    pub unsafe fn free(self) {
        // SAFETY: the block was malloc'ed with this length, and the text stands at its beginning.
        unsafe {
            let block = self.text.cast_mut();
            wipe(block.cast(), self.length);
            libc::free(block.cast());
            tlv::free(self.tlvs);
        }
    }
}
