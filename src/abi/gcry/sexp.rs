//! S-expressions: what a `gcry_sexp_t` points at. Ours keep the canonical form.

use std::ptr;

use zeroize::Zeroizing;

use super::{Maker, Owned, Sexp, foreign, maker};
use crate::abi::error::GcryError;

const KIND: u64 = 2;
/// `GCRYSEXP_FMT_CANON`: lengths and raw bytes.
const CANONICAL: i32 = 1;

type Object = Owned<Zeroizing<Vec<u8>>>;

/// An S-expression from its canonical form. A string that is not in this form is refused, with the code that libgcrypt has
/// for the first fault.
///
/// The forms that people write are read in `store`, which prints the canonical one.
pub fn from_bytes(canonical: &[u8]) -> Result<*mut Sexp, GcryError> {
    match maker() {
        Maker::Ours => {
            check(canonical).map_err(GcryError::from_gcrypt)?;
            Ok(Object::into_raw(KIND, Zeroizing::new(canonical.to_vec())).cast())
        }
        Maker::Gcrypt(gcrypt) => {
            let sexp_new = gcrypt.sexp_new.ok_or(GcryError::INTERNAL)?;
            let mut sexp = ptr::null_mut();
            // SAFETY: an out-parameter of ours, and a buffer with its length. 1 lets libgcrypt see which form it is.
            unsafe { sexp_new(&mut sexp, canonical.as_ptr(), canonical.len(), 1) }.ok()?;
            Ok(sexp)
        }
    }
}

/// The canonical form. `None` for NULL, and for what is no readable S-expression.
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
        return Some(unsafe { (*object).content.clone() });
    }
    let sexp_sprint = foreign()?.sexp_sprint?;
    // SAFETY: not ours, so libgcrypt's. No buffer asks for the size, which counts a closing NUL.
    let size = unsafe { sexp_sprint(sexp, CANONICAL, ptr::null_mut(), 0) };
    let mut text = Zeroizing::new(vec![0; size]);
    // SAFETY: a buffer of the size that was asked for. The answer is the length without the NUL.
    let len = unsafe { sexp_sprint(sexp, CANONICAL, text.as_mut_ptr(), size) };
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

/// What libgcrypt calls the faults of a canonical expression.
mod fault {
    pub const STRING_TOO_LONG: u16 = 202;
    pub const UNMATCHED_PARENTHESES: u16 = 203;
    pub const NOT_CANONICAL: u16 = 204;
    pub const BAD_CHARACTER: u16 = 205;
    pub const ZERO_PREFIX: u16 = 207;
}

/// Whether this is one list in canonical form, with every string within it whole.
fn check(canonical: &[u8]) -> Result<(), u16> {
    let mut depth = 0_usize;
    let mut rest = canonical;
    while let Some((first, tail)) = rest.split_first() {
        match first {
            b'(' => {
                depth += 1;
                rest = tail;
            }
            b')' => {
                depth = depth.checked_sub(1).ok_or(fault::UNMATCHED_PARENTHESES)?;
                rest = tail;
                if depth == 0 {
                    break;
                }
            }
            b'0' if tail.first() != Some(&b':') => return Err(fault::ZERO_PREFIX),
            b'0'..=b'9' if depth != 0 => rest = skip_string(rest)?,
            b'0'..=b'9' => return Err(fault::NOT_CANONICAL),
            _ => return Err(fault::BAD_CHARACTER),
        }
    }
    match (canonical.is_empty(), depth, rest.is_empty()) {
        (false, 0, true) => Ok(()),
        (_, 0, _) => Err(fault::NOT_CANONICAL),
        _ => Err(fault::UNMATCHED_PARENTHESES),
    }
}

/// What stands behind `length:bytes`.
fn skip_string(text: &[u8]) -> Result<&[u8], u16> {
    let colon = text
        .iter()
        .position(|byte| *byte == b':')
        .ok_or(fault::NOT_CANONICAL)?;
    let (digits, tail) = text.split_at_checked(colon).ok_or(fault::NOT_CANONICAL)?;
    let len: usize = std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| digits.parse().ok())
        .ok_or(fault::NOT_CANONICAL)?;
    tail.get(1..)
        .and_then(|tail| tail.get(len..))
        .ok_or(fault::STRING_TOO_LONG)
}
