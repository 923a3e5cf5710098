//! Numbers, to which a `gcry_mpi_t` points. Values are big-endian bytes.
//!
//! All of them are in ordinary memory, even secret ones, because libgcrypt's secure pool may be full; they are wiped on
//! release.

use std::ptr;

use otr_protocol::buffer;
use zeroize::Zeroizing;

use super::loaded::Loaded;
use super::{Made, Maker, Mpi, foreign, maker};
use crate::abi::borrowed::Borrowed;

/// `GCRYMPI_FMT_USG`: unsigned big-endian bytes.
const UNSIGNED: i32 = 5;

/// A number. Leading zeros are dropped. `None` when there is no memory for it.
pub fn new_from_bytes(big_endian: &[u8]) -> Option<Made<Mpi>> {
    match maker() {
        Maker::Ours => {
            let digits = buffer::copy(minimal(big_endian)).ok()?;
            Some(Made::ours(Zeroizing::new(digits)))
        }
        Maker::Gcrypt(gcrypt) => scan(gcrypt, big_endian),
    }
}

/// The number 0, which `gcry_mpi_new` makes too.
pub fn zero() -> Option<Made<Mpi>> {
    new_from_bytes(&[])
}

impl Borrowed<'_, Mpi> {
    /// The number without leading zeros: 0 is empty. `None` for an unreadable number, and if out of memory.
    pub fn number(self) -> Option<Zeroizing<Vec<u8>>> {
        match self.content() {
            Some(content) => buffer::copy(content).ok().map(Zeroizing::new),
            None => print(foreign()?, self),
        }
    }
}

impl Borrowed<'_, *mut Mpi> {
    /// The number that a member points to. `None` also for NULL.
    pub fn number(self) -> Option<Zeroizing<Vec<u8>>> {
        self.follow()?.number()
    }

    /// Releases the old number, and makes a new one. NULL if out of memory.
    pub fn put(self, big_endian: &[u8]) {
        self.clear();
        if let Some(made) = new_from_bytes(big_endian) {
            self.store(made);
        }
    }

    /// The same with a copy of another number; NULL for NULL.
    pub fn copy(self, other: Self) {
        match other.number() {
            Some(number) => self.put(&number),
            None => self.clear(),
        }
    }
}

fn minimal(big_endian: &[u8]) -> &[u8] {
    let zeros = big_endian.iter().take_while(|byte| **byte == 0).count();
    big_endian.get(zeros..).unwrap_or_default()
}

fn scan(gcrypt: &Loaded, big_endian: &[u8]) -> Option<Made<Mpi>> {
    let mut mpi = ptr::null_mut();
    let mpi_scan = gcrypt.mpi_scan?;
    let (data, len) = (big_endian.as_ptr(), big_endian.len());
    // SAFETY: an out-parameter of ours, and a buffer with its length. Length 0 is the number 0.
    let error = unsafe { mpi_scan(&raw mut mpi, UNSIGNED, data, len, ptr::null_mut()) };
    (!error.is_error() && !mpi.is_null()).then_some(Made(mpi))
}

/// The bytes of libgcrypt's number.
fn print(gcrypt: &Loaded, mpi: Borrowed<'_, Mpi>) -> Option<Zeroizing<Vec<u8>>> {
    let mpi_print = gcrypt.mpi_print?;
    let mut len = 0;
    let mut digits = Zeroizing::new(Vec::new());
    // The first call has no buffer and returns the length.
    for buffer in [false, true] {
        if buffer {
            *digits = buffer::zeros(len).ok()?;
        }
        let place = if digits.is_empty() {
            ptr::null_mut()
        } else {
            digits.as_mut_ptr()
        };
        // SAFETY: a live number that is not ours, so libgcrypt's; NULL, or a buffer of the length that the first call returned.
        let printed =
            unsafe { mpi_print(UNSIGNED, place, digits.len(), &raw mut len, mpi.as_ptr()) };
        printed.ok().ok()?;
    }
    let significant = minimal(digits.get(..len)?);
    buffer::copy(significant).ok().map(Zeroizing::new)
}
