//! S-expressions: what a `gcry_sexp_t` points at. They come and go as text; ours keep the form that libgcrypt calls advanced.
//!
//! The canonical form would be shorter, but libgcrypt prints an empty string there in a way that it does not read.
//!
//! This is where private keys are for as long as their user state is. Ours are kept out of core dumps; of everything else
//! that a key is copied to in the course of a call, nothing is left when the call ends.

use std::ptr;

use zeroize::Zeroizing;

use super::{Maker, Owned, Sexp, foreign, maker};
use crate::abi::error::GcryError;
use crate::abi::undumped::Undumped;
use otr_protocol::buffer;
use otr_protocol::store::sexp as syntax;

const KIND: u64 = 2;
/// `GCRYSEXP_FMT_ADVANCED`: what people read and write.
const ADVANCED: i32 = 3;

type Object = Owned<Undumped>;

/// An S-expression from any of the forms that libgcrypt reads. NULL for an empty one, as with libgcrypt.
///
/// # Errors
/// libgcrypt's own codes for what is wrong with the text.
pub fn from_bytes(text: &[u8]) -> Result<*mut Sexp, GcryError> {
    let gcrypt = match maker() {
        Maker::Ours => {
            let parsed = syntax::Sexp::parse(text).map_err(|fault| match fault {
                syntax::SyntaxError::OutOfMemory => GcryError::ENOMEM,
                fault => sexp_error(fault.code()),
            })?;
            if parsed.is_nil() {
                return Ok(ptr::null_mut());
            }
            let text = Undumped::new(&parsed.to_advanced()?).ok_or(GcryError::ENOMEM)?;
            return Ok(Object::into_raw(KIND, text).cast());
        }
        Maker::Gcrypt(gcrypt) => gcrypt,
    };
    let sexp_new = gcrypt.sexp_new.ok_or(GcryError::INTERNAL)?;
    let mut sexp = ptr::null_mut();
    // SAFETY: an out-parameter of ours, and a buffer with its length.
    unsafe { sexp_new(&mut sexp, text.as_ptr(), text.len(), 0) }.ok()?;
    Ok(sexp)
}

fn sexp_error(code: u32) -> GcryError {
    u16::try_from(code).map_or(GcryError::INTERNAL, GcryError::from_gcrypt)
}

/// The advanced form, which `store::sexp` reads. `None` for NULL, for what is no readable S-expression, and without memory.
///
/// # Safety
/// `sexp` is NULL or a live S-expression made here or by libgcrypt.
pub unsafe fn bytes(sexp: *const Sexp) -> Option<Zeroizing<Vec<u8>>> {
    if sexp.is_null() {
        return None;
    }
    // SAFETY: libgcrypt's form of an expression with a key in it is longer than 16 bytes.
    if let Some(object) = unsafe { Object::from_raw(KIND, sexp.cast_mut().cast()) } {
        // SAFETY: ours and alive.
        let content = unsafe { &(*object).content };
        return buffer::copy(content).ok().map(Zeroizing::new);
    }
    let sexp_sprint = foreign()?.sexp_sprint?;
    // SAFETY: not ours, so libgcrypt's. No buffer asks for the size, which counts a closing NUL.
    let size = unsafe { sexp_sprint(sexp, ADVANCED, ptr::null_mut(), 0) };
    let mut text = Zeroizing::new(buffer::zeros(size).ok()?);
    // SAFETY: a buffer of the size that was asked for. The answer is the length without the NUL.
    let len = unsafe { sexp_sprint(sexp, ADVANCED, text.as_mut_ptr(), size) };
    text.truncate(len);
    (len != 0).then_some(text)
}

/// Gives an S-expression back. Ours is wiped. NULL is accepted.
///
/// # Safety
/// As for [`bytes`], and it is used no more.
pub unsafe fn release(sexp: *mut Sexp) {
    // SAFETY: as in `bytes`.
    if sexp.is_null() || unsafe { Object::release(KIND, sexp.cast()) } {
        return;
    }
    if let Some(sexp_release) = foreign().and_then(|gcrypt| gcrypt.sexp_release) {
        // SAFETY: not ours, so libgcrypt's.
        unsafe { sexp_release(sexp) };
    }
}
