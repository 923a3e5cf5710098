//! Version 3: its messages are recognised, have instance tags, and come with an extra key.

use std::ffi::{c_char, c_int, c_uint};

use super::{Parts, accept_data, create_data, fragment_create};
use crate::abi::borrowed::{Borrowed, Out};
use crate::abi::entry::entry;
use crate::abi::error::GcryError;
use crate::abi::types::{ConnContext, EXTRAKEY_BYTES, OtrlTLV};
use otr_protocol::wire::classify::{instances, message_version};
use otr_protocol::wire::fragment::FragmentHeader;

entry! {
    /// The version of an encoded message; 0 for any other.
    ///
    /// # Safety
    /// `message` is NULL or a C string.
    on panic 0;
    pub fn otrl_proto_message_version(message: *const c_char as Option<&[u8]>) -> c_int {
        message_version(message.unwrap_or_default()).map_or(0, |version| version.number().into())
    }
}

entry! {
    /// The instance tags of a version 3 message, which must begin with its "?OTR:".
    ///
    /// # Safety
    /// `otrmsg` is NULL or a C string; the out-parameters are NULL or writable.
    on panic GcryError::INTERNAL;
    pub fn otrl_proto_instance(
        otrmsg: *const c_char as Option<&[u8]>,
        instance_from: *mut c_uint as Out<c_uint>,
        instance_to: *mut c_uint as Out<c_uint>,
    ) -> GcryError as Result<(), GcryError> {
        let tags = otrmsg.and_then(|message| instances(message).ok()).ok_or(GcryError::INV_VALUE)?;
        instance_from.put(tags.from);
        instance_to.put(tags.to);
        Ok(())
    }
}

entry! {
    /// Encrypts a data message; the result is malloc'ed. The extra key is written to `extrakey` unless that is NULL.
    ///
    /// # Safety
    /// `context` is NULL or live; `msg` is NULL or a C string, `tlvs` a chain; `encmessagep` is NULL or
    /// writable; `extrakey` is NULL or points at 32 writable bytes.
    on panic GcryError::INTERNAL;
    pub fn otrl_proto_create_data(
        encmessagep: *mut *mut c_char as Out<*mut c_char>,
        context: *mut ConnContext as Option<Borrowed<ConnContext>>,
        msg: *const c_char as Option<&[u8]>,
        tlvs: *const OtrlTLV as Option<Borrowed<OtrlTLV>>,
        flags: u8,
        extrakey: *mut u8 as Option<Borrowed<[u8; EXTRAKEY_BYTES]>>,
    ) -> GcryError as Result<(), GcryError> {
        let key = create_data(encmessagep, context, msg, tlvs, flags)?;
        if let Some(place) = extrakey {
            place.set(*key);
        }
        Ok(())
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
        plaintextp: *mut *mut c_char as Out<*mut c_char>,
        tlvsp: *mut *mut OtrlTLV as Out<*mut OtrlTLV>,
        context: *mut ConnContext as Option<Borrowed<ConnContext>>,
        datamsg: *const c_char as Option<&[u8]>,
        flagsp: *mut u8 as Out<u8>,
        extrakey: *mut u8 as Option<Borrowed<[u8; EXTRAKEY_BYTES]>>,
    ) -> GcryError as Result<(), GcryError> {
        let key = accept_data(Parts { plaintextp, tlvsp, flagsp }, context, datamsg)?;
        if let Some(place) = extrakey {
            place.set(*key);
        }
        Ok(())
    }
}

entry! {
    /// Cuts a message into `fragment_count` pieces of at most `mms` bytes, headers included.
    ///
    /// # Safety
    /// `fragments` is NULL or writable; `context` is NULL or live; `message` is NULL or a C string.
    on panic GcryError::INTERNAL;
    pub fn otrl_proto_fragment_create(
        mms: c_int,
        fragment_count: c_int,
        fragments: *mut *mut *mut c_char as Out<*mut *mut c_char>,
        context: *mut ConnContext as Option<Borrowed<ConnContext>>,
        message: *const c_char as Option<&[u8]>,
    ) -> GcryError as Result<(), GcryError> {
        let context = context.ok_or(GcryError::INV_VALUE)?;
        let header = if context.auth().protocol_version().get() == 3 {
            FragmentHeader::V3 { ours: context.our_instance().get(), theirs: context.their_instance().get() }
        } else {
            FragmentHeader::V2
        };
        fragment_create(mms, fragment_count, fragments, header, message)
    }
}
