//! Signing with our keys, and checking signatures.

use std::ffi::{c_uchar, c_ushort};
use std::ptr;

use super::list::{find_locked, numbers_of};
use crate::abi::borrowed::{Borrowed, Out, bytes};
use crate::abi::entry::entry;
use crate::abi::error::GcryError;
use crate::abi::gcry;
use crate::abi::lock::locked;
use crate::abi::memory::c_buffer;
use crate::abi::types::{OtrlPrivKey, PUBKEY_TYPE_DSA, UserState};
use otr_crypto::dsa::{PrivateKey, PublicKey};
use otr_crypto::stack;
use otr_protocol::ake::SigningKey;
use otr_protocol::store::private_keys::{DsaNumbers, PrivateKeysError};
use otr_protocol::store::sexp::Sexp;

const SIGNATURE_BYTES: usize = 40;

/// The key in a node, ready for use. Made from the node's object, which may come from the client.
///
/// # Errors
/// `INV_VALUE` for a missing key and one that is not a DSA key, `UNUSABLE_SECKEY`.
pub fn signing_key(node: Option<Borrowed<'_, OtrlPrivKey>>) -> Result<SigningKey, GcryError> {
    let key = private_key(numbers(node)?)?;
    SigningKey::new(key).map_err(|_| GcryError::UNUSABLE_SECKEY)
}

/// The key of an account, ready for use. Safe even while another thread generates a key for the same user, which
/// replaces all nodes.
///
/// # Errors
/// `UNUSABLE_SECKEY`, also if there is none; `INV_VALUE` for one that is not a DSA key.
#[inline(never)]
pub fn signing_key_of(
    us: Borrowed<'_, UserState>,
    account: &[u8],
    protocol: &[u8],
) -> Result<Box<SigningKey>, GcryError> {
    let numbers = locked(|| {
        let node = find_locked(us, account, protocol).ok_or(GcryError::UNUSABLE_SECKEY)?;
        numbers(Some(node))
    })?;
    stack::wiping(|| {
        let key = SigningKey::new(private_key(numbers)?).map_err(|_| GcryError::UNUSABLE_SECKEY)?;
        Ok(Box::new(key))
    })
}

fn numbers(node: Option<Borrowed<'_, OtrlPrivKey>>) -> Result<DsaNumbers, GcryError> {
    let node = node.filter(|node| node.pubkey_type().get() == PUBKEY_TYPE_DSA);
    numbers_of(node.ok_or(GcryError::INV_VALUE)?)
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
        signature: *mut *mut c_uchar as Out<*mut c_uchar>,
        signature_len: *mut usize as Out<usize>,
        key: *mut OtrlPrivKey as Option<Borrowed<OtrlPrivKey>>,
        data: *const c_uchar,
        len: usize,
    ) -> GcryError as Result<(), GcryError>
    where bytes = bytes(data, len) {
        if !signature.is_wanted() || !signature_len.is_wanted() || (data.is_null() && len != 0) {
            return Err(GcryError::INV_VALUE);
        }
        signature.put(ptr::null_mut());
        signature_len.put(0);
        let signed = private_key(numbers(key)?)?.sign(bytes).map_err(|_| GcryError::UNUSABLE_SECKEY)?;
        let copy = c_buffer(&signed);
        if copy.is_null() {
            return Err(GcryError::ENOMEM);
        }
        signature.put(copy);
        signature_len.put(SIGNATURE_BYTES);
        Ok(())
    }
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
        key: *mut gcry::Sexp as Option<Borrowed<gcry::Sexp>>,
        data: *const c_uchar,
        len: usize,
    ) -> GcryError as Result<(), GcryError>
    where signature = bytes(signature, signature_len), data = bytes(data, len) {
        let signature: &[u8; SIGNATURE_BYTES] = signature.try_into().map_err(|_| GcryError::INV_VALUE)?;
        if pubkey_type != PUBKEY_TYPE_DSA || data.len() != len {
            return Err(GcryError::INV_VALUE);
        }
        let text = key.and_then(|key| key.text()).ok_or(fault::NO_KEY)?;
        verify(signature, &text, data)
    }
}

/// The errors of libgcrypt's `gcry_pk_verify` for a key.
mod fault {
    use crate::abi::error::GcryError;

    pub(crate) const UNKNOWN_ALGORITHM: GcryError = GcryError::from_gcrypt(4);
    pub(crate) const BAD_SIGNATURE: GcryError = GcryError::from_gcrypt(8);
    pub(crate) const NO_KEY: GcryError = GcryError::from_gcrypt(65);
    pub(crate) const MISSING_NUMBER: GcryError = GcryError::from_gcrypt(68);
    pub(crate) const OTHER_ALGORITHM: GcryError = GcryError::from_gcrypt(70);
}

/// Checks a signature with the key in this S-expression.
fn verify(signature: &[u8; SIGNATURE_BYTES], key: &[u8], data: &[u8]) -> Result<(), GcryError> {
    let expression = Sexp::parse(key).map_err(|_| fault::NO_KEY)?;
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
    // Numbers that are not a valid key verify nothing.
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
