//! No version 3: its messages are of an unknown type.

use std::ffi::{c_char, c_int};

use super::{Parts, accept_data, create_data, fragment_create};
use crate::abi::borrowed::{Borrowed, Out};
use crate::abi::entry::entry;
use crate::abi::error::GcryError;
use crate::abi::types::{ConnContext, OtrlTLV};
use otr_protocol::wire::fragment::FragmentHeader;

entry! {
    /// Encrypts a data message; the result is malloc'ed.
    ///
    /// # Safety
    /// `context` is NULL or live; `msg` is NULL or a C string, `tlvs` a chain; `encmessagep` is NULL or writable.
    on panic GcryError::INTERNAL;
    pub fn otrl_proto_create_data(
        encmessagep: *mut *mut c_char as Out<*mut c_char>,
        context: *mut ConnContext as Option<Borrowed<ConnContext>>,
        msg: *const c_char as Option<&[u8]>,
        tlvs: *const OtrlTLV as Option<Borrowed<OtrlTLV>>,
        flags: u8,
    ) -> GcryError as Result<(), GcryError> {
        create_data(encmessagep, context, msg, tlvs, flags).map(drop)
    }
}

entry! {
    /// Checks and decrypts a data message; text and TLVs are malloc'ed.
    ///
    /// # Safety
    /// `context` is NULL or live; `datamsg` is NULL or a C string; `plaintextp` and `tlvsp` are NULL or
    /// writable, and so is `flagsp`.
    on panic GcryError::INTERNAL;
    pub fn otrl_proto_accept_data(
        plaintextp: *mut *mut c_char as Out<*mut c_char>,
        tlvsp: *mut *mut OtrlTLV as Out<*mut OtrlTLV>,
        context: *mut ConnContext as Option<Borrowed<ConnContext>>,
        datamsg: *const c_char as Option<&[u8]>,
        flagsp: *mut u8 as Out<u8>,
    ) -> GcryError as Result<(), GcryError> {
        accept_data(Parts { plaintextp, tlvsp, flagsp }, context, datamsg).map(drop)
    }
}

entry! {
    /// Cuts a message into `fragment_count` pieces of at most `mms` bytes, headers included.
    ///
    /// # Safety
    /// `fragments` is NULL or writable; `message` is NULL or a C string.
    on panic GcryError::INTERNAL;
    pub fn otrl_proto_fragment_create(
        mms: c_int,
        fragment_count: c_int,
        fragments: *mut *mut *mut c_char as Out<*mut *mut c_char>,
        message: *const c_char as Option<&[u8]>,
    ) -> GcryError as Result<(), GcryError> {
        fragment_create(mms, fragment_count, fragments, FragmentHeader::V2, message)
    }
}
