//! The client's arguments, copied before its code runs: a callback may free or reuse them. Real clients run nested event loops
//! in `create_privkey`.

use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;
use std::ptr;

use crate::abi::borrowed::{Borrowed, Char};
use crate::abi::context::Names;
use crate::abi::memory::wipe;
use crate::abi::tlv::{self, Chain};
use crate::abi::types::OtrlTLV;

/// Memory of the caller for short arguments, which need none from malloc then.
pub(crate) struct Space(MaybeUninit<[u8; 512]>);

impl Space {
    pub(crate) const fn new() -> Self {
        Self(MaybeUninit::uninit())
    }
}

/// The names and the text of a call in one block, and a chain of TLVs.
pub(crate) struct Arguments<'s> {
    /// They point into the block, or to constants.
    names: Names<'s>,
    /// It begins with the text and its NUL; NULL if there is none.
    block: *mut u8,
    /// From malloc, if it is longer than a [`Space`].
    length: usize,
    /// Whether the block is wiped.
    is_secret: bool,
    /// The length of the text, without the NUL.
    text_length: usize,
    tlvs: Chain,
}

impl<'s> Arguments<'s> {
    /// None, for a call about an existing context.
    pub(crate) const NONE: Self = Self {
        names: Names::EMPTY,
        block: ptr::null_mut(),
        length: 0,
        is_secret: false,
        text_length: 0,
        tlvs: Chain::NONE,
    };

    /// Copies the arguments. `None` if out of memory.
    #[inline(never)]
    pub(crate) fn copy(
        names: &Names<'_>,
        text: Borrowed<'_, Char>,
        tlvs: Option<Borrowed<'_, OtrlTLV>>,
        is_secret: bool,
        space: &'s mut Space,
    ) -> Option<Self> {
        let text = text.bytes();
        let parts = [
            text,
            names.user.bytes(),
            names.account.bytes(),
            names.protocol.bytes(),
        ];
        let length = parts.iter().map(|part| part.len() + 1).sum();
        let block: *mut u8 = if length > size_of::<Space>() {
            // SAFETY: malloc has no preconditions.
            unsafe { libc::malloc(length) }.cast()
        } else {
            space.0.as_mut_ptr().cast()
        };
        if block.is_null() {
            return None;
        }
        let mut at = block;
        let copies = parts.map(|part| {
            let copy = at;
            // SAFETY: the length of the block is that of all parts with their NULs.
            unsafe {
                ptr::copy_nonoverlapping(part.as_ptr(), at, part.len());
                at.add(part.len()).write(0);
                at = at.add(part.len() + 1);
            }
            copy.cast::<c_char>().cast_const()
        });
        let [_, user, account, protocol] = copies;
        // SAFETY: C strings in the block, which live as long as it.
        let names = unsafe { Names::new(user, account, protocol) }?;
        let mut arguments = Self {
            names,
            block,
            length,
            is_secret,
            text_length: text.len(),
            tlvs: Chain::NONE,
        };
        if tlvs.is_some() {
            let copy = tlv::to_chain(tlvs);
            arguments.tlvs = copy.map_or(Chain::NONE, |copy| Chain::new(&copy));
            if arguments.tlvs.is_null() {
                arguments.free();
                return None;
            }
        }
        Some(arguments)
    }

    /// The names, which live as long as this.
    pub(crate) fn names(&self) -> &Names<'s> {
        &self.names
    }

    /// The text; empty if there is none.
    pub(crate) fn text(&self) -> &CStr {
        if self.block.is_null() {
            return c"";
        }
        // SAFETY: the bytes of a C string and its NUL, at the start of our block.
        unsafe {
            let bytes = std::slice::from_raw_parts(self.block, self.text_length + 1);
            CStr::from_bytes_with_nul_unchecked(bytes)
        }
    }

    /// The name of our account.
    pub(crate) fn account(&self) -> &[u8] {
        self.names.account.bytes()
    }

    /// The TLVs that are encrypted with the text.
    pub(crate) fn tlvs(&self) -> &Chain {
        &self.tlvs
    }

    /// Frees them.
    pub(crate) fn free(self) {
        if !self.block.is_null() {
            // SAFETY: it has this length, is from malloc if it is longer than a `Space`, and is not used afterwards.
            unsafe {
                if self.is_secret {
                    wipe(self.block, self.length);
                }
                if self.length > size_of::<Space>() {
                    libc::free(self.block.cast());
                }
            }
        }
        self.tlvs.free();
    }
}
