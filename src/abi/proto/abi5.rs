//! Version 3: its messages are told apart, have instance tags, and go with an extra key.

use std::ffi::{c_char, c_int, c_uint};
use std::ptr;

use super::{Parts, accept_data, create_data, fragment_create};
use crate::abi::entry::entry;
use crate::abi::error::GcryError;
use crate::abi::memory::{bytes_of, put};
use crate::abi::types::{ConnContext, OtrlTLV};
use otr_protocol::wire::classify::{instances, message_version};
use otr_protocol::wire::fragment::FragmentHeader;

entry! {
    /// The version of an encoded message; 0 for any other.
    ///
    /// # Safety
    /// `message` is NULL or a C string.
    on panic 0;
    pub fn otrl_proto_message_version(message: *const c_char) -> c_int {
        // SAFETY: the caller's promise.
        let message = unsafe { bytes_of(message) }.unwrap_or_default();
        message_version(message).map_or(0, |version| version.number().into())
    }
}

entry! {
    /// The instance tags of a version 3 message, which must begin with its "?OTR:".
    ///
    /// # Safety
    /// `otrmsg` is NULL or a C string; the out-parameters are NULL or writable.
    on panic GcryError::INTERNAL;
    pub fn otrl_proto_instance(
        otrmsg: *const c_char, instance_from: *mut c_uint, instance_to: *mut c_uint,
    ) -> GcryError {
        // SAFETY: the caller's promise.
        unsafe {
            match bytes_of(otrmsg).map(instances) {
                Some(Ok(tags)) => {
                    put(instance_from, tags.from);
                    put(instance_to, tags.to);
                    GcryError::NO_ERROR
                }
                _ => GcryError::INV_VALUE,
            }
        }
    }
}

entry! {
    /// Encrypts a data message; the result is malloc'ed. The extra key goes into `extrakey` unless that is NULL.
    ///
    /// # Safety
    /// `context` is NULL or live; `msg` is NULL or a C string, `tlvs` a chain; `encmessagep` is NULL or
    /// writable; `extrakey` is NULL or points at 32 writable bytes.
    on panic GcryError::INTERNAL;
    pub fn otrl_proto_create_data(
        encmessagep: *mut *mut c_char, context: *mut ConnContext, msg: *const c_char,
        tlvs: *const OtrlTLV, flags: u8, extrakey: *mut u8,
    ) -> GcryError {
        // SAFETY: the caller's promise.
        unsafe {
            match create_data(encmessagep, context, msg, tlvs, flags) {
                Ok(key) => {
                    put_key(extrakey, &key);
                    GcryError::NO_ERROR
                }
                Err(error) => error,
            }
        }
    }
}

entry! {
    /// Checks and decrypts a data message; text and TLVs are malloc'ed.
    ///
    /// # Safety
    /// `context` is NULL or live; `datamsg` is NULL or a C string; `plaintextp` and `tlvsp` are NULL or
    /// writable, and so is `flagsp`; `extrakey` is NULL or points at 32 writable bytes.
    on panic GcryError::INTERNAL;
    pub fn otrl_proto_accept_data(
        plaintextp: *mut *mut c_char, tlvsp: *mut *mut OtrlTLV, context: *mut ConnContext,
        datamsg: *const c_char, flagsp: *mut u8, extrakey: *mut u8,
    ) -> GcryError {
        // SAFETY: the caller's promise.
        unsafe {
            match accept_data(Parts { plaintextp, tlvsp, flagsp }, context, datamsg) {
                Ok(key) => {
                    put_key(extrakey, &key);
                    GcryError::NO_ERROR
                }
                Err(error) => error,
            }
        }
    }
}

entry! {
    /// Cuts a message into `fragment_count` pieces of at most `mms` bytes with their headers.
    ///
    /// # Safety
    /// `fragments` is NULL or writable; `context` is NULL or live; `message` is NULL or a C string.
    on panic GcryError::INTERNAL;
    pub fn otrl_proto_fragment_create(
        mms: c_int, fragment_count: c_int, fragments: *mut *mut *mut c_char,
        context: *mut ConnContext, message: *const c_char,
    ) -> GcryError {
        if context.is_null() {
            return GcryError::INV_VALUE;
        }
        // SAFETY: not NULL, and the caller's promise.
        unsafe {
            let header = if (*context).auth.protocol_version == 3 {
                FragmentHeader::V3 { ours: (*context).our_instance, theirs: (*context).their_instance }
            } else {
                FragmentHeader::V2
            };
            fragment_create(mms, fragment_count, fragments, header, message)
        }
    }
}

/// # Safety
/// `place` is NULL or points at 32 writable bytes.
unsafe fn put_key(place: *mut u8, key: &[u8; 32]) {
    if !place.is_null() {
        // SAFETY: the caller vouches for the 32 bytes.
        unsafe { ptr::copy_nonoverlapping(key.as_ptr(), place, key.len()) };
    }
}
