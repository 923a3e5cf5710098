//! Numbers: what a `gcry_mpi_t` points at. Values are big-endian bytes.

use std::ptr;

use otr_protocol::buffer;
use zeroize::Zeroizing;

use super::loaded::Loaded;
use super::{Maker, Mpi, Owned, foreign, maker};

const KIND: u64 = 1;
/// `GCRYMPI_FMT_USG`: unsigned big-endian bytes.
const UNSIGNED: i32 = 5;

type Object = Owned<Zeroizing<Vec<u8>>>;

/// A public number. Leading zeros are dropped. `None` when there is no memory for it.
pub fn new_from_bytes(big_endian: &[u8]) -> Option<*mut Mpi> {
    match maker() {
        Maker::Ours => {
            let digits = Zeroizing::new(buffer::copy(minimal(big_endian)).ok()?);
            Some(Object::into_raw(KIND, digits).cast())
        }
        Maker::Gcrypt(gcrypt) => scan(gcrypt, big_endian),
    }
}

/// A secret number. It lives in ordinary memory, because libgcrypt's secure pool may be full; it is wiped on release.
pub fn new_secret(big_endian: &[u8]) -> Option<*mut Mpi> {
    new_from_bytes(big_endian)
}

/// The number 0, which `gcry_mpi_new` makes too.
pub fn zero() -> Option<*mut Mpi> {
    new_from_bytes(&[])
}

/// The number in as few bytes as it takes: 0 is empty. `None` for NULL, for what is no readable number, and without memory.
///
/// # Safety
/// `mpi` is NULL or a live number made here or by libgcrypt.
pub unsafe fn bytes(mpi: *const Mpi) -> Option<Zeroizing<Vec<u8>>> {
    if mpi.is_null() {
        return None;
    }
    // SAFETY: the caller's promise; an MPI of libgcrypt is longer than 16 bytes.
    if let Some(object) = unsafe { Object::from_raw(KIND, mpi.cast_mut().cast()) } {
        // SAFETY: ours and alive.
        let content = unsafe { &(*object).content };
        return buffer::copy(content).ok().map(Zeroizing::new);
    }
    // SAFETY: not ours, so libgcrypt's.
    unsafe { print(foreign()?, mpi) }
}

/// A second number of the same value; NULL for NULL and without memory.
///
/// # Safety
/// As for [`bytes`].
pub unsafe fn copy(mpi: *const Mpi) -> *mut Mpi {
    if mpi.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: as in `bytes`.
    if let Some(object) = unsafe { Object::from_raw(KIND, mpi.cast_mut().cast()) } {
        // SAFETY: ours and alive.
        return match buffer::copy(unsafe { &(*object).content }) {
            Ok(content) => Object::into_raw(KIND, Zeroizing::new(content)).cast(),
            Err(_) => ptr::null_mut(),
        };
    }
    match foreign().and_then(|gcrypt| gcrypt.mpi_copy) {
        // SAFETY: not ours, so libgcrypt's.
        Some(mpi_copy) => unsafe { mpi_copy(mpi) },
        None => ptr::null_mut(),
    }
}

/// Gives a number back, wiped. NULL is accepted.
///
/// # Safety
/// As for [`bytes`], and it is used no more.
pub unsafe fn release(mpi: *mut Mpi) {
    // SAFETY: as in `bytes`.
    if mpi.is_null() || unsafe { Object::release(KIND, mpi.cast()) } {
        return;
    }
    if let Some(mpi_release) = foreign().and_then(|gcrypt| gcrypt.mpi_release) {
        // SAFETY: not ours, so libgcrypt's, which wipes the limbs before it frees them.
        unsafe { mpi_release(mpi) };
    }
}

/// Releases the number in a struct's member and leaves NULL there.
///
/// # Safety
/// `place` is writable, and holds what [`release`] takes.
pub unsafe fn release_and_clear(place: *mut *mut Mpi) {
    // SAFETY: the caller's promise.
    unsafe { release(place.replace(ptr::null_mut())) };
}

/// Compares two numbers; NULL counts as 0. Not in constant time.
///
/// # Safety
/// As for [`bytes`], for both.
pub unsafe fn compare(a: *const Mpi, b: *const Mpi) -> std::cmp::Ordering {
    // SAFETY: the caller's promise.
    let (a, b) = unsafe { (bytes(a).unwrap_or_default(), bytes(b).unwrap_or_default()) };
    a.len().cmp(&b.len()).then_with(|| a.cmp(&b))
}

fn minimal(big_endian: &[u8]) -> &[u8] {
    let zeros = big_endian.iter().take_while(|byte| **byte == 0).count();
    big_endian.get(zeros..).unwrap_or_default()
}

fn scan(gcrypt: &Loaded, big_endian: &[u8]) -> Option<*mut Mpi> {
    let mut mpi = ptr::null_mut();
    // SAFETY: an out-parameter of ours, and a buffer with its length. A length of 0 is a number of 0.
    let error = unsafe {
        gcrypt.mpi_scan?(
            &mut mpi,
            UNSIGNED,
            big_endian.as_ptr(),
            big_endian.len(),
            ptr::null_mut(),
        )
    };
    (!error.is_error() && !mpi.is_null()).then_some(mpi)
}

/// # Safety
/// `mpi` is a live number of libgcrypt's.
unsafe fn print(gcrypt: &Loaded, mpi: *const Mpi) -> Option<Zeroizing<Vec<u8>>> {
    let mpi_print = gcrypt.mpi_print?;
    let mut len = 0;
    // SAFETY: no buffer asks for the length alone.
    unsafe { mpi_print(UNSIGNED, ptr::null_mut(), 0, &mut len, mpi) }
        .ok()
        .ok()?;
    let mut digits = Zeroizing::new(buffer::zeros(len).ok()?);
    if len != 0 {
        // SAFETY: a buffer of the length that was asked for.
        unsafe { mpi_print(UNSIGNED, digits.as_mut_ptr(), len, &mut len, mpi) }
            .ok()
            .ok()?;
    }
    let significant = minimal(digits.get(..len)?);
    buffer::copy(significant).ok().map(Zeroizing::new)
}
