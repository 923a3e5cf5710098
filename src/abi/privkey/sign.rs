//! Signing with our keys, and checking signatures.

use std::ffi::{c_char, c_uchar, c_ushort};
use std::ptr;

use super::list::{find_locked, numbers_of};
use crate::abi::entry::entry;
use crate::abi::error::GcryError;
use crate::abi::gcry::{self, sexp};
use crate::abi::lock::locked;
use crate::abi::memory::{c_buffer, put, slice_of};
use crate::abi::types::{OtrlPrivKey, PUBKEY_TYPE_DSA, UserState};
use otr_crypto::dsa::{PrivateKey, PublicKey};
use otr_crypto::stack;
use otr_protocol::ake::SigningKey;
use otr_protocol::store::private_keys::{DsaNumbers, PrivateKeysError};
use otr_protocol::store::sexp::Sexp;

const SIGNATURE_BYTES: usize = 40;

/// The key in a node, ready for use. Made from the node's own object, which may be the client's.
///
/// # Errors
/// `INV_VALUE` for NULL and for what is no DSA key, `UNUSABLE_SECKEY`.
///
/// # Safety
/// `node` is NULL or a live node.
pub unsafe fn signing_key(node: *const OtrlPrivKey) -> Result<SigningKey, GcryError> {
    // SAFETY: the caller's promise.
    let key = private_key(unsafe { numbers(node) }?)?;
    SigningKey::new(key).map_err(|_| GcryError::UNUSABLE_SECKEY)
}

/// The key of an account, ready for use. Safe even while another thread generates a key for the same user, which
/// replaces all nodes.
///
/// # Errors
/// `UNUSABLE_SECKEY`, also if there is none; `INV_VALUE` for what is no DSA key.
///
/// # Safety
/// `us` is NULL or a live user state, the names NULL or C strings.
#[inline(never)]
pub unsafe fn signing_key_of(
    us: *const UserState,
    account: *const c_char,
    protocol: *const c_char,
) -> Result<Box<SigningKey>, GcryError> {
    // SAFETY: the caller's promise.
    let numbers = locked(|| unsafe {
        let node = find_locked(us, account, protocol);
        if node.is_null() {
            return Err(GcryError::UNUSABLE_SECKEY);
        }
        numbers(node)
    })?;
    stack::wiping(|| {
        let key = SigningKey::new(private_key(numbers)?).map_err(|_| GcryError::UNUSABLE_SECKEY)?;
        Ok(Box::new(key))
    })
}

/// # Safety
/// `node` is NULL or a live node.
unsafe fn numbers(node: *const OtrlPrivKey) -> Result<DsaNumbers, GcryError> {
    // SAFETY: the caller's promise.
    unsafe {
        if node.is_null() || (*node).pubkey_type != PUBKEY_TYPE_DSA {
            return Err(GcryError::INV_VALUE);
        }
        numbers_of(node)
    }
}

fn private_key(numbers: DsaNumbers) -> Result<PrivateKey, GcryError> {
    PrivateKey::new(&numbers.p, &numbers.q, &numbers.g, &numbers.y, &numbers.x)
        .map_err(|_| GcryError::UNUSABLE_SECKEY)
}

entry! {
    /// Signs data, taken as a big-endian number. The signature comes from malloc.
    ///
    /// # Safety
    /// `key` is NULL or a live node, `data` is `len` bytes long, the others NULL or writable.
    on panic GcryError::INTERNAL;
    pub fn otrl_privkey_sign(
        signature: *mut *mut c_uchar,
        signature_len: *mut usize,
        key: *mut OtrlPrivKey,
        data: *const c_uchar,
        len: usize,
    ) -> GcryError {
        if signature.is_null() || signature_len.is_null() || (data.is_null() && len != 0) {
            return GcryError::INV_VALUE;
        }
        // SAFETY: the caller's promise.
        unsafe {
            put(signature, ptr::null_mut());
            put(signature_len, 0);
            let signed = match sign(key, slice_of(data, len)) {
                Ok(signed) => c_buffer(&signed),
                Err(error) => return error,
            };
            if signed.is_null() {
                return GcryError::ENOMEM;
            }
            put(signature, signed);
            put(signature_len, SIGNATURE_BYTES);
        }
        GcryError::NO_ERROR
    }
}

/// # Safety
/// `key` is NULL or a live node.
unsafe fn sign(key: *const OtrlPrivKey, data: &[u8]) -> Result<[u8; SIGNATURE_BYTES], GcryError> {
    // SAFETY: the caller's promise.
    let numbers = unsafe { numbers(key) }?;
    private_key(numbers)?
        .sign(data)
        .map_err(|_| GcryError::UNUSABLE_SECKEY)
}

entry! {
    /// Checks a signature of data with a public key, or with the public half of a private one.
    ///
    /// # Safety
    /// `signature` is `signature_len` bytes long and `data` `len` bytes, `key` is NULL or a live S-expression.
    on panic GcryError::INTERNAL;
    pub fn otrl_privkey_verify(
        signature: *const c_uchar,
        signature_len: usize,
        pubkey_type: c_ushort,
        key: *mut gcry::Sexp,
        data: *const c_uchar,
        len: usize,
    ) -> GcryError {
        // SAFETY: the caller's promise.
        let (signature, data) = unsafe { (slice_of(signature, signature_len), slice_of(data, len)) };
        let Ok(signature) = <&[u8; SIGNATURE_BYTES]>::try_from(signature) else {
            return GcryError::INV_VALUE;
        };
        if pubkey_type != PUBKEY_TYPE_DSA || data.len() != len {
            return GcryError::INV_VALUE;
        }
        // SAFETY: likewise.
        unsafe { verify(signature, key, data) }.into()
    }
}

/// What libgcrypt's `gcry_pk_verify` says about a key.
mod fault {
    use crate::abi::error::GcryError;

    pub(crate) const UNKNOWN_ALGORITHM: GcryError = GcryError::from_gcrypt(4);
    pub(crate) const BAD_SIGNATURE: GcryError = GcryError::from_gcrypt(8);
    pub(crate) const NO_KEY: GcryError = GcryError::from_gcrypt(65);
    pub(crate) const MISSING_NUMBER: GcryError = GcryError::from_gcrypt(68);
    pub(crate) const OTHER_ALGORITHM: GcryError = GcryError::from_gcrypt(70);
}

/// # Safety
/// `key` is NULL or a live S-expression.
unsafe fn verify(
    signature: &[u8; SIGNATURE_BYTES],
    key: *const gcry::Sexp,
    data: &[u8],
) -> Result<(), GcryError> {
    // SAFETY: the caller's promise.
    let text = unsafe { sexp::bytes(key) }.ok_or(fault::NO_KEY)?;
    let expression = Sexp::parse(&text).map_err(|_| fault::NO_KEY)?;
    let key = [b"public-key".as_slice(), b"private-key"]
        .iter()
        .find_map(|kind| expression.whole().find_token(kind))
        .ok_or(fault::NO_KEY)?;
    let algorithm = key.tail().next().ok_or(fault::UNKNOWN_ALGORITHM)?;
    match algorithm.nth_data(0) {
        Some(name) if is_one_of(name, &["dsa", "openpgp-dsa"]) => {}
        Some(name)
            if is_one_of(
                name,
                &[
                    "rsa",
                    "openpgp-rsa",
                    "oid.1.2.840.113549.1.1.1",
                    "elg",
                    "openpgp-elg",
                    "openpgp-elg-sig",
                    "ecc",
                    "ecdsa",
                    "eddsa",
                    "gost",
                    "sm2",
                    "ecdh",
                ],
            ) =>
        {
            return Err(fault::OTHER_ALGORITHM);
        }
        _ => return Err(fault::UNKNOWN_ALGORITHM),
    }
    let numbers = DsaNumbers::from_sexp(key).map_err(|error| match error {
        PrivateKeysError::OutOfMemory => GcryError::ENOMEM,
        _ => fault::MISSING_NUMBER,
    })?;
    // Numbers that make no key verify nothing.
    PublicKey::new(&numbers.p, &numbers.q, &numbers.g, &numbers.y)
        .is_ok_and(|key| key.verify(data, signature))
        .then_some(())
        .ok_or(fault::BAD_SIGNATURE)
}

fn is_one_of(name: &[u8], names: &[&str]) -> bool {
    names
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}
