//! `tlv.h`: chains of typed values.

use std::ffi::{c_uchar, c_ushort};
use std::ptr;

use super::borrowed::{self, Borrowed, Output, bytes};
use super::entry::entry;
use super::types::OtrlTLV;
use otr_protocol::buffer::{self, OutOfMemory};
use otr_protocol::wire::tlv::{self, Tlv};

/// One malloc'ed TLV. `None` if out of memory, and for a value over 65535 bytes.
fn new(kind: u16, value: &[u8]) -> Option<Borrowed<'static, OtrlTLV>> {
    let len = u16::try_from(value.len()).ok()?;
    with_data(kind, len, |data| data.store_copy(value))
}

/// A TLV; `hold` stores the value, and returns false if out of memory.
fn with_data(
    kind: u16,
    len: u16,
    hold: impl FnOnce(Borrowed<'_, *mut u8>) -> bool,
) -> Option<Borrowed<'static, OtrlTLV>> {
    let node = borrowed::new_zeroed::<OtrlTLV>()?;
    node.tlv_type().set(kind);
    node.len().set(len);
    if hold(node.data()) {
        return Some(node);
    }
    // SAFETY: made above.
    unsafe { node.free() };
    None
}

/// A chain that the library made, or none. It has no destructor, as `CText` has none.
#[must_use = "nobody else frees it"]
#[derive(Debug)]
pub struct Chain(*mut OtrlTLV);

impl Chain {
    /// No chain.
    pub const NONE: Self = Self(ptr::null_mut());

    /// A chain of these, in the same order. No chain if there are none, or if out of memory.
    pub fn new(tlvs: &[Tlv]) -> Self {
        let mut chain = Self::NONE;
        for tlv in tlvs.iter().rev() {
            let Some(node) = new(tlv.kind, &tlv.value) else {
                chain.free();
                return Self::NONE;
            };
            node.next().point_at(chain.first());
            chain = Self(node.as_ptr());
        }
        chain
    }

    fn first(&self) -> Option<Borrowed<'_, OtrlTLV>> {
        // SAFETY: NULL or a chain, as every constructor ensures.
        unsafe { Borrowed::new(self.0) }
    }

    /// Whether there is none.
    pub fn is_null(&self) -> bool {
        self.0.is_null()
    }

    /// A copy of the TLVs.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn copy(&self) -> Result<Vec<Tlv>, OutOfMemory> {
        to_chain(self.first())
    }

    /// For the client to free.
    pub fn into_raw(self) -> *mut OtrlTLV {
        self.0
    }

    /// Wipes and frees it.
    pub fn free(self) {
        // SAFETY: NULL or a chain that the library made, as every constructor ensures, and not used afterwards.
        unsafe { free(Borrowed::new(self.0)) };
    }
}

/// A copy of the client's chain.
///
/// # Errors
/// There is no memory for it.
pub(crate) fn to_chain(chain: Option<Borrowed<'_, OtrlTLV>>) -> Result<Vec<Tlv>, OutOfMemory> {
    buffer::collect(nodes(chain).map(|node| Tlv::new(node.tlv_type().get(), node.value())))
}

/// Frees a chain; the values are wiped, because some are secret.
///
/// # Safety
/// It came from malloc, and is not used afterwards.
unsafe fn free(chain: Option<Borrowed<'_, OtrlTLV>>) {
    let mut next = chain;
    while let Some(node) = next {
        next = node.next().follow();
        // SAFETY: a node from malloc with as many bytes as it says; its link was read before it is freed.
        unsafe {
            node.data().free_bytes(node.len().get().into());
            node.free();
        }
    }
}

fn nodes(chain: Option<Borrowed<'_, OtrlTLV>>) -> impl Iterator<Item = Borrowed<'_, OtrlTLV>> {
    std::iter::successors(chain, |node| node.next().follow())
}

entry! {
    /// Makes a TLV with a copy of the value. NULL data means `len` zero bytes.
    ///
    /// # Safety
    /// `data` is NULL or `len` bytes long.
    on panic ptr::null_mut();
    pub fn otrl_tlv_new(
        kind: c_ushort, len: c_ushort, data: *const c_uchar,
    ) -> *mut OtrlTLV as Option<Borrowed<OtrlTLV>>
    where value = bytes(data, len) {
        if data.is_null() {
            return with_data(kind, len, |data| data.store_zeros(len.into()));
        }
        new(kind, value)
    }
}

entry! {
    /// Makes a chain of all the whole TLVs at the beginning of `serialized`; NULL when there is none.
    ///
    /// # Safety
    /// `serialized` is NULL or `len` bytes long.
    on panic ptr::null_mut();
    pub fn otrl_tlv_parse(serialized: *const c_uchar, len: usize) -> *mut OtrlTLV
    where serialized = bytes(serialized, len) {
        tlv::parse_chain(serialized).map_or(ptr::null_mut(), |chain| Chain::new(&chain).into_raw())
    }
}

entry! {
    /// Frees a chain. NULL is accepted.
    ///
    /// # Safety
    /// `chain` is NULL or a chain of malloc'ed TLVs that is not used afterwards.
    never panics;
    pub fn otrl_tlv_free(chain: *mut OtrlTLV as Option<Borrowed<OtrlTLV>>) {
        // SAFETY: the caller gives up ownership of the chain, which is from malloc, as `# Safety` requires.
        unsafe { free(chain) }
    }
}

entry! {
    /// How many bytes `otrl_tlv_serialize` will write.
    ///
    /// # Safety
    /// `chain` is NULL or a chain of TLVs.
    on panic 0;
    pub fn otrl_tlv_seriallen(chain: *const OtrlTLV as Option<Borrowed<OtrlTLV>>) -> usize {
        nodes(chain).map(|node| 4 + usize::from(node.len().get())).sum()
    }
}

entry! {
    /// Serialises a chain as it is in a message.
    ///
    /// # Safety
    /// `chain` is NULL or a chain of TLVs, and `buffer` has `otrl_tlv_seriallen(chain)` bytes.
    on panic ();
    pub fn otrl_tlv_serialize(buffer: *mut c_uchar, chain: *const OtrlTLV as Option<Borrowed<OtrlTLV>>)
    where buffer = Output::new(buffer) {
        let mut buffer = buffer;
        for node in nodes(chain) {
            buffer.write(&node.tlv_type().get().to_be_bytes());
            buffer.write(&node.len().get().to_be_bytes());
            buffer.write(node.value());
        }
    }
}

entry! {
    /// The first TLV of a kind, or NULL. It stays part of the chain.
    ///
    /// # Safety
    /// `chain` is NULL or a chain of TLVs.
    on panic ptr::null_mut();
    pub fn otrl_tlv_find(
        chain: *mut OtrlTLV as Option<Borrowed<OtrlTLV>>, kind: c_ushort,
    ) -> *mut OtrlTLV as Option<Borrowed<OtrlTLV>> {
        nodes(chain).find(|node| node.tlv_type().get() == kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::borrowed::borrow;
    use crate::abi::memory::slice_of;

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
            assert_eq!(to_chain(Some(borrow(first))).unwrap().len(), 2);
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
        assert!(new(1, &vec![0; 65_536]).is_none());
    }
}
