//! S-expressions, to which a `gcry_sexp_t` points. They are made from text and printed as text; ours keep the form that
//! libgcrypt calls advanced.
//!
//! The canonical form would be shorter, but libgcrypt prints an empty string there in a way that it cannot read.
//!
//! Private keys are here as long as their user state exists. Ours are kept out of core dumps; all other copies of a key
//! made during a call are wiped when the call ends.

use std::ptr;

use zeroize::Zeroizing;

use super::{Made, Maker, Sexp, foreign, maker};
use crate::abi::borrowed::Borrowed;
use crate::abi::error::GcryError;
use crate::abi::undumped::Undumped;
use otr_protocol::buffer;
use otr_protocol::store::sexp as syntax;

/// `GCRYSEXP_FMT_ADVANCED`: the readable form.
const ADVANCED: i32 = 3;

/// An S-expression from any of the forms that libgcrypt reads. NULL for an empty one, as with libgcrypt.
///
/// # Errors
/// libgcrypt's own codes for what is wrong with the text.
pub fn from_bytes(text: &[u8]) -> Result<Made<Sexp>, GcryError> {
    let gcrypt = match maker() {
        Maker::Ours => {
            let parsed = syntax::Sexp::parse(text).map_err(|fault| match fault {
                syntax::SyntaxError::OutOfMemory => GcryError::ENOMEM,
                fault => sexp_error(fault.code()),
            })?;
            if parsed.is_nil() {
                return Ok(Made(ptr::null_mut()));
            }
            let text = Undumped::new(&parsed.to_advanced()?).ok_or(GcryError::ENOMEM)?;
            return Ok(Made::ours(text));
        }
        Maker::Gcrypt(gcrypt) => gcrypt,
    };
    let sexp_new = gcrypt.sexp_new.ok_or(GcryError::INTERNAL)?;
    let mut sexp = ptr::null_mut();
    // SAFETY: an out-parameter of ours, and a buffer with its length.
    unsafe { sexp_new(&mut sexp, text.as_ptr(), text.len(), 0) }.ok()?;
    Ok(Made(sexp))
}

fn sexp_error(code: u32) -> GcryError {
    u16::try_from(code).map_or(GcryError::INTERNAL, GcryError::from_gcrypt)
}

impl Borrowed<'_, Sexp> {
    /// The advanced form, which `store::sexp` reads. `None` for an unreadable S-expression, and if out of memory.
    pub fn text(self) -> Option<Zeroizing<Vec<u8>>> {
        // Safe to read: libgcrypt's form of an expression with a key is longer than the magic word.
        if let Some(content) = self.content() {
            return buffer::copy(content).ok().map(Zeroizing::new);
        }
        let sexp_sprint = foreign()?.sexp_sprint?;
        // SAFETY: not ours, so libgcrypt's. Without a buffer it returns the size, including a NUL.
        let size = unsafe { sexp_sprint(self.as_ptr(), ADVANCED, ptr::null_mut(), 0) };
        let mut text = Zeroizing::new(buffer::zeros(size).ok()?);
        // SAFETY: a buffer of the size that was returned. The result is the length without the NUL.
        let len = unsafe { sexp_sprint(self.as_ptr(), ADVANCED, text.as_mut_ptr(), size) };
        text.truncate(len);
        (len != 0).then_some(text)
    }
}

impl Borrowed<'_, *mut Sexp> {
    /// The same of the object that a member points to. `None` also for NULL.
    pub fn text(self) -> Option<Zeroizing<Vec<u8>>> {
        self.follow()?.text()
    }
}
