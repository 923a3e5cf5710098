//! `proto.h`: the message formats, and data messages by hand.

use std::ffi::{c_char, c_int, c_uint, c_ushort};
use std::ptr;

use super::bridge::{DIALECT, policy_from, with_conversation, with_secrets};
use super::context::Ctx;
use super::entry::entry;
use super::error::GcryError;
use super::memory::{
    bytes_of, c_array, c_buffer, c_string, free_array, put, wipe_string_and_clear,
};
use super::tlv;
use super::types::*;
use otr_crypto::secret::SecretKey;
use otr_protocol::error::ProtocolError;
use otr_protocol::incoming::REASSEMBLY_LIMIT;
use otr_protocol::wire::classify::MessageKind;
use otr_protocol::wire::fragment::{Accumulated, FragmentHeader, Piece, create};
use otr_protocol::wire::messages::data::data_flags;
use otr_protocol::wire::query::query_versions;
use otr_protocol::wire::version::Version;
use otr_protocol::wire::whitespace::find_tag;

#[cfg(feature = "abi2")]
mod abi2;
#[cfg(feature = "abi5")]
mod abi5;

entry! {
    /// The query message in our name, malloc'ed; NULL without memory.
    ///
    /// # Safety
    /// `ourname` is NULL or a C string.
    on panic ptr::null_mut();
    pub fn otrl_proto_default_query_msg(ourname: *const c_char, policy: OtrlPolicy) -> *mut c_char {
        // SAFETY: the caller's promise.
        let name = unsafe { bytes_of(ourname) }.unwrap_or_default();
        policy_from(policy).query(name).map_or(ptr::null_mut(), |query| c_string(&query))
    }
}

entry! {
    /// The best version that a query message and our policy have in common; 0 for none.
    ///
    /// # Safety
    /// `querymsg` is NULL or a C string.
    on panic 0;
    pub fn otrl_proto_query_bestversion(querymsg: *const c_char, policy: OtrlPolicy) -> c_uint {
        // SAFETY: the caller's promise.
        let message = unsafe { bytes_of(querymsg) }.unwrap_or_default();
        number(query_versions(message).best_common(policy_from(policy).versions))
    }
}

entry! {
    /// The best version that a whitespace tag and our policy have in common; 0 for none. Where the tag
    /// begins and ends goes into the out-parameters, NULL if there is none.
    ///
    /// # Safety
    /// `msg` is NULL or a C string; the out-parameters are NULL or writable.
    on panic 0;
    pub fn otrl_proto_whitespace_bestversion(
        msg: *const c_char,
        starttagp: *mut *const c_char,
        endtagp: *mut *const c_char,
        policy: OtrlPolicy,
    ) -> c_uint {
        // SAFETY: the caller's promise; the range lies within the string.
        unsafe {
            put(starttagp, ptr::null());
            put(endtagp, ptr::null());
            let Some((range, versions)) = bytes_of(msg).and_then(find_tag) else { return 0 };
            put(starttagp, msg.add(range.start));
            put(endtagp, msg.add(range.end));
            number(versions.best_common(policy_from(policy).versions))
        }
    }
}

entry! {
    /// What kind of message this looks like, by its beginning.
    ///
    /// # Safety
    /// `message` is NULL or a C string.
    on panic MSGTYPE_UNKNOWN;
    pub fn otrl_proto_message_type(message: *const c_char) -> OtrlMessageType {
        // SAFETY: the caller's promise.
        match DIALECT.kind_of(unsafe { bytes_of(message) }.unwrap_or_default()) {
            MessageKind::NotOtr => MSGTYPE_NOTOTR,
            MessageKind::TaggedPlaintext => MSGTYPE_TAGGEDPLAINTEXT,
            MessageKind::Query => MSGTYPE_QUERY,
            MessageKind::DhCommit => MSGTYPE_DH_COMMIT,
            MessageKind::DhKey => MSGTYPE_DH_KEY,
            MessageKind::RevealSig => MSGTYPE_REVEALSIG,
            MessageKind::Signature => MSGTYPE_SIGNATURE,
            MessageKind::V1KeyExchange => MSGTYPE_V1_KEYEXCH,
            MessageKind::Data => MSGTYPE_DATA,
            MessageKind::Error => MSGTYPE_ERROR,
            MessageKind::Unknown => MSGTYPE_UNKNOWN,
        }
    }
}

entry! {
    /// Reads the flags of a data message that may be unreadable otherwise.
    ///
    /// # Safety
    /// `datamsg` is NULL or a C string; `flagsp` is NULL or writable.
    on panic GcryError::INTERNAL;
    pub fn otrl_proto_data_read_flags(datamsg: *const c_char, flagsp: *mut u8) -> GcryError {
        // SAFETY: the caller's promise.
        unsafe {
            let flags = bytes_of(datamsg).and_then(data_flags);
            put(flagsp, flags.unwrap_or(0));
            if flags.is_some() { GcryError::NO_ERROR } else { GcryError::INV_VALUE }
        }
    }
}

entry! {
    /// Takes up a fragment; a message that is complete now is put into `*unfragmessagep`, malloc'ed.
    ///
    /// # Safety
    /// `context` is NULL or live; `msg` is NULL or a C string; `unfragmessagep` is NULL or writable.
    on panic FRAGMENT_INCOMPLETE;
    pub fn otrl_proto_fragment_accumulate(
        unfragmessagep: *mut *mut c_char, context: *mut ConnContext, msg: *const c_char,
    ) -> OtrlFragmentResult {
        // SAFETY: the caller's promise.
        unsafe {
            let message = bytes_of(msg).filter(|_| !unfragmessagep.is_null());
            let (Some(message), Some(ctx)) = (message, Ctx::lend(context)) else {
                return FRAGMENT_INCOMPLETE;
            };
            let limit = REASSEMBLY_LIMIT;
            match with_secrets(ctx, |secrets| secrets.reassembly.accept(message, limit)) {
                Ok(Accumulated::Unfragmented) => FRAGMENT_UNFRAGMENTED,
                Ok(Accumulated::Complete(whole)) => {
                    *unfragmessagep = c_string(&whole);
                    if (*unfragmessagep).is_null() { FRAGMENT_INCOMPLETE } else { FRAGMENT_COMPLETE }
                }
                Ok(Accumulated::Incomplete | Accumulated::Lost) | Err(_) => FRAGMENT_INCOMPLETE,
            }
        }
    }
}

entry! {
    /// Frees what `otrl_proto_fragment_create` made.
    ///
    /// # Safety
    /// `fragments` is NULL or points at an array of `arraylen` malloc'ed strings.
    on panic ();
    pub fn otrl_proto_fragment_free(fragments: *mut *mut *mut c_char, arraylen: c_ushort) {
        // SAFETY: the caller's promise.
        unsafe {
            if fragments.is_null() || (*fragments).is_null() {
                return;
            }
            free_array(*fragments, arraylen.into());
        }
    }
}

/// Encrypts a data message into `*encmessagep`, malloc'ed.
///
/// # Safety
/// `context` is NULL or live; `msg` is NULL or a C string, `tlvs` a chain; `encmessagep` is NULL or writable.
unsafe fn create_data(
    encmessagep: *mut *mut c_char,
    context: *mut ConnContext,
    msg: *const c_char,
    tlvs: *const OtrlTLV,
    flags: u8,
) -> Result<SecretKey, GcryError> {
    // SAFETY: the caller's promise.
    unsafe {
        put(encmessagep, ptr::null_mut());
        let ctx = Ctx::lend(context).filter(|_| !encmessagep.is_null());
        let (Some(text), Some(ctx)) = (bytes_of(msg), ctx) else {
            return Err(GcryError::INV_VALUE);
        };
        let chain = tlv::to_chain(tlvs)?;
        let sent = with_conversation(ctx, |c| c.create_data(text, &chain, flags))??;
        *encmessagep = c_string(&sent.message);
        if (*encmessagep).is_null() {
            return Err(GcryError::ENOMEM);
        }
        Ok(sent.extra_key)
    }
}

/// Where the parts of a data message go.
struct Parts {
    plaintextp: *mut *mut c_char,
    tlvsp: *mut *mut OtrlTLV,
    flagsp: *mut u8,
}

/// Checks and decrypts a data message; text and TLVs are malloc'ed.
///
/// # Safety
/// `context` is NULL or live; `datamsg` is NULL or a C string; the places are NULL or writable.
unsafe fn accept_data(
    parts: Parts,
    context: *mut ConnContext,
    datamsg: *const c_char,
) -> Result<SecretKey, GcryError> {
    let Parts {
        plaintextp,
        tlvsp,
        flagsp,
    } = parts;
    // SAFETY: the caller's promise.
    unsafe {
        put(plaintextp, ptr::null_mut());
        put(tlvsp, ptr::null_mut());
        put(flagsp, 0);
        let complete = !plaintextp.is_null() && !tlvsp.is_null();
        let ctx = Ctx::lend(context).filter(|_| complete);
        let (Some(message), Some(ctx)) = (bytes_of(datamsg), ctx) else {
            return Err(GcryError::INV_VALUE);
        };
        put(flagsp, data_flags(message).unwrap_or(0));
        let received = with_conversation(ctx, |c| match c.secrets.session.as_mut() {
            Some(session) => session.decrypt(message).map_err(|refused| refused.error),
            None => Err(ProtocolError::Conflict),
        })??;
        *plaintextp = c_buffer(&received.text).cast();
        if (*plaintextp).is_null() {
            return Err(GcryError::ENOMEM);
        }
        *tlvsp = tlv::from_chain(&received.tlvs);
        if (*tlvsp).is_null() && !received.tlvs.is_empty() {
            wipe_string_and_clear(plaintextp);
            return Err(GcryError::ENOMEM);
        }
        Ok(received.extra_key)
    }
}

/// Cuts a message into `count` pieces of at most `size` bytes with their headers: a malloc'ed array.
///
/// # Safety
/// `fragments` is NULL or writable; `message` is NULL or a C string.
unsafe fn fragment_create(
    size: c_int,
    count: c_int,
    fragments: *mut *mut *mut c_char,
    header: FragmentHeader,
    message: *const c_char,
) -> GcryError {
    // SAFETY: the caller's promise.
    unsafe {
        let text = bytes_of(message).filter(|_| !fragments.is_null());
        let sizes = usize::try_from(size).ok().zip(usize::try_from(count).ok());
        let (Some(text), Some((size, count))) = (text, sizes) else {
            return GcryError::INV_VALUE;
        };
        match create(text, size, count, header) {
            Ok(cut) => match c_array(cut.pieces(), cut.count(), Piece::parts) {
                Some(array) => {
                    *fragments = array;
                    GcryError::NO_ERROR
                }
                None => GcryError::ENOMEM,
            },
            Err(_) => GcryError::INV_VALUE,
        }
    }
}

fn number(version: Option<Version>) -> c_uint {
    version.map_or(0, |version| version.number().into())
}
