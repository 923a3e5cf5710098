//! `tlv.h`: chains of typed values.

use std::ffi::{c_uchar, c_ushort};
use std::ptr;

use super::entry::entry;
use super::memory::{self, slice_of};
use super::types::OtrlTLV;
use otr_protocol::buffer::{self, OutOfMemory};
use otr_protocol::wire::tlv::{self, Tlv};

/// One malloc'ed TLV. NULL without memory, and for a value over 65535 bytes.
pub fn new(kind: u16, value: &[u8]) -> *mut OtrlTLV {
    match u16::try_from(value.len()) {
        Ok(len) => with_data(kind, len, memory::c_buffer(value)),
        Err(_) => ptr::null_mut(),
    }
}

/// A TLV of malloc'ed data, which is its own. NULL without memory, also if that is why `data` is NULL.
fn with_data(kind: u16, len: u16, data: *mut u8) -> *mut OtrlTLV {
    let node: *mut OtrlTLV = memory::c_zeroed();
    if data.is_null() || node.is_null() {
        // SAFETY: NULL, or just made here.
        unsafe {
            libc::free(data.cast());
            libc::free(node.cast());
        }
        return ptr::null_mut();
    }
    // SAFETY: new memory of the right size.
    unsafe {
        node.write(OtrlTLV {
            tlv_type: kind,
            len,
            data,
            next: ptr::null_mut(),
        })
    };
    node
}

/// A malloc'ed chain in the same order. NULL for an empty one, and when memory ends on the way.
pub fn from_chain(chain: &[Tlv]) -> *mut OtrlTLV {
    let mut first = ptr::null_mut();
    for tlv in chain.iter().rev() {
        let node = new(tlv.kind, &tlv.value);
        if node.is_null() {
            // SAFETY: the chain was made here.
            unsafe { free(first) };
            return ptr::null_mut();
        }
        // SAFETY: the node is new.
        unsafe { (*node).next = first };
        first = node;
    }
    first
}

/// A chain that the library made, or none. It has no destructor, as `CText` has none.
#[must_use = "nobody else frees it"]
#[derive(Debug)]
pub struct Chain(*mut OtrlTLV);

impl Chain {
    /// None.
    pub const NONE: Self = Self(ptr::null_mut());

    /// One of these, as [`from_chain`].
    pub fn new(tlvs: &[Tlv]) -> Self {
        Self(from_chain(tlvs))
    }

    /// Whether there is none.
    pub fn is_null(&self) -> bool {
        self.0.is_null()
    }

    /// A copy of what is in it.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn copy(&self) -> Result<Vec<Tlv>, OutOfMemory> {
        // SAFETY: NULL or a chain, by every constructor.
        unsafe { to_chain(self.0) }
    }

    /// For the client to free.
    pub fn into_raw(self) -> *mut OtrlTLV {
        self.0
    }

    /// Gives it back, wiped.
    pub fn free(self) {
        // SAFETY: NULL or a chain of the library's, by every constructor, and used no more.
        unsafe { free(self.0) };
    }
}

/// A copy of the client's chain.
///
/// # Errors
/// There is no memory for it.
///
/// # Safety
/// `chain` is NULL or a chain of TLVs.
pub unsafe fn to_chain(chain: *const OtrlTLV) -> Result<Vec<Tlv>, OutOfMemory> {
    // SAFETY: the caller's promise; the value is copied at once.
    let copies =
        unsafe { nodes(chain) }.map(|node| unsafe { Tlv::new((*node).tlv_type, value_of(node)) });
    buffer::collect(copies)
}

/// The value of a node.
///
/// # Safety
/// `node` is a node of a chain, and nobody changes or frees it while the answer is in use.
unsafe fn value_of<'a>(node: *const OtrlTLV) -> &'a [u8] {
    // SAFETY: the caller's promise; the data are as long as the node says.
    unsafe { slice_of((*node).data, usize::from((*node).len)) }
}

/// Frees a chain; the values are wiped, because some are secret. NULL is accepted.
///
/// # Safety
/// `chain` is NULL or a chain of malloc'ed TLVs that is used no more.
pub unsafe fn free(chain: *mut OtrlTLV) {
    let mut node = chain;
    while !node.is_null() {
        // SAFETY: a live node of the chain; its successor is read before it goes.
        unsafe {
            let next = (*node).next;
            memory::wipe_and_clear(&raw mut (*node).data, usize::from((*node).len));
            libc::free(node.cast());
            node = next;
        }
    }
}

/// # Safety
/// `chain` is NULL or a chain of TLVs that stays as it is meanwhile.
unsafe fn nodes(chain: *const OtrlTLV) -> impl Iterator<Item = *const OtrlTLV> {
    std::iter::successors((!chain.is_null()).then_some(chain), |node| {
        // SAFETY: a node of the chain, by the caller's promise.
        let next = unsafe { (**node).next };
        (!next.is_null()).then_some(next.cast_const())
    })
}

entry! {
    /// Makes a TLV with a copy of the value. NULL data stand for as many zero bytes as `len` says.
    ///
    /// # Safety
    /// `data` is NULL or `len` bytes long.
    on panic ptr::null_mut();
    pub fn otrl_tlv_new(kind: c_ushort, len: c_ushort, data: *const c_uchar) -> *mut OtrlTLV {
        if data.is_null() {
            return with_data(kind, len, memory::c_zeros(len.into()));
        }
        // SAFETY: the caller's promise.
        new(kind, unsafe { slice_of(data, usize::from(len)) })
    }
}

entry! {
    /// Makes a chain of all the whole TLVs at the beginning of `serialized`; NULL when there is none.
    ///
    /// # Safety
    /// `serialized` is NULL or `len` bytes long.
    on panic ptr::null_mut();
    pub fn otrl_tlv_parse(serialized: *const c_uchar, len: usize) -> *mut OtrlTLV {
        // SAFETY: the caller's promise.
        tlv::parse_chain(unsafe { slice_of(serialized, len) }).map_or(ptr::null_mut(), |chain| from_chain(&chain))
    }
}

entry! {
    /// Frees a chain.
    ///
    /// # Safety
    /// As for [`free`].
    on panic ();
    pub fn otrl_tlv_free(chain: *mut OtrlTLV) {
        // SAFETY: the caller's promise.
        unsafe { free(chain) }
    }
}

entry! {
    /// How many bytes `otrl_tlv_serialize` will write.
    ///
    /// # Safety
    /// `chain` is NULL or a chain of TLVs.
    on panic 0;
    pub fn otrl_tlv_seriallen(chain: *const OtrlTLV) -> usize {
        // SAFETY: the caller's promise.
        unsafe { nodes(chain).map(|node| 4 + usize::from((*node).len)).sum() }
    }
}

entry! {
    /// Writes a chain as it goes into a message.
    ///
    /// # Safety
    /// `chain` is NULL or a chain of TLVs, and `buffer` has `otrl_tlv_seriallen(chain)` bytes.
    on panic ();
    pub fn otrl_tlv_serialize(buffer: *mut c_uchar, chain: *const OtrlTLV) {
        if buffer.is_null() {
            return;
        }
        let mut end = buffer;
        // SAFETY: the caller's promise: the buffer is as long as the caller was told to make it, and the client's own.
        unsafe {
            for node in nodes(chain) {
                let (kind, len) = ((*node).tlv_type.to_be_bytes(), (*node).len.to_be_bytes());
                for part in [&kind, &len, value_of(node)] {
                    ptr::copy_nonoverlapping(part.as_ptr(), end, part.len());
                    end = end.add(part.len());
                }
            }
        }
    }
}

entry! {
    /// The first TLV of a kind, or NULL. It stays part of the chain.
    ///
    /// # Safety
    /// `chain` is NULL or a chain of TLVs.
    on panic ptr::null_mut();
    pub fn otrl_tlv_find(chain: *mut OtrlTLV, kind: c_ushort) -> *mut OtrlTLV {
        // SAFETY: the caller's promise.
        unsafe { nodes(chain).find(|node| (**node).tlv_type == kind) }.map_or(ptr::null_mut(), <*const _>::cast_mut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_survives_the_way_through_bytes() {
        let serialized = b"\x04\x02\x00\x03123\x02\x02\x00\x00\x02\x02\xff\xff1337";
        unsafe {
            let chain = otrl_tlv_parse(serialized.as_ptr(), serialized.len());
            assert_eq!(((*chain).tlv_type, (*chain).len), (0x402, 3));
            assert_eq!(slice_of((*chain).data, 4), b"123\0");
            let second = (*chain).next;
            assert_eq!(
                ((*second).tlv_type, (*second).len, (*second).next),
                (0x202, 0, ptr::null_mut())
            );
            assert_eq!(otrl_tlv_find(chain, 0x202), second);
            assert!(otrl_tlv_find(chain, 9).is_null());
            assert_eq!(otrl_tlv_seriallen(chain), 11);
            let mut buffer = [0xaa; 12];
            otrl_tlv_serialize(buffer.as_mut_ptr(), chain);
            assert_eq!(&buffer[..11], &serialized[..11]);
            assert_eq!(buffer[11], 0xaa);
            otrl_tlv_free(chain);
        }
    }

    #[test]
    fn a_chain_that_a_client_linked_is_one() {
        unsafe {
            let first = otrl_tlv_new(1, 0, ptr::null());
            (*first).next = otrl_tlv_new(8, 4, b"\0\0\0\x01".as_ptr());
            assert_eq!(to_chain(first).unwrap().len(), 2);
            assert_eq!(otrl_tlv_seriallen(first), 12);
            otrl_tlv_free(first);
        }
    }

    #[test]
    fn nothing_is_an_empty_chain() {
        unsafe {
            otrl_tlv_free(ptr::null_mut());
            assert!(otrl_tlv_find(ptr::null_mut(), 1).is_null());
            assert!(otrl_tlv_parse(ptr::null(), 0).is_null());
            assert!(otrl_tlv_parse([0, 1, 0].as_ptr(), 3).is_null());
            assert_eq!(otrl_tlv_seriallen(ptr::null()), 0);
            otrl_tlv_serialize(ptr::null_mut(), ptr::null());
        }
        assert!(new(1, &vec![0; 65_536]).is_null());
    }
}
