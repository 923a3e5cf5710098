//! `proto.h`: the message formats, and data messages by hand.

use std::ffi::{c_char, c_int, c_uint, c_ushort};
use std::ptr;

use super::borrowed::{Borrowed, Out};
use super::bridge::{DIALECT, policy_from, with_conversation, with_secrets};
use super::context::Ctx;
use super::entry::entry;
use super::error::GcryError;
use super::memory::{c_array, c_string, free_array};
use super::text::{CText, StepText};
use super::tlv::{self, Chain};
use super::types::*;
use otr_crypto::secret::SecretKey;
use otr_protocol::error::ProtocolError;
use otr_protocol::incoming::REASSEMBLY_LIMIT;
use otr_protocol::session::Received;
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
    /// The query message in our name, malloc'ed; NULL if out of memory.
    ///
    /// # Safety
    /// `ourname` is NULL or a C string.
    on panic ptr::null_mut();
    pub fn otrl_proto_default_query_msg(ourname: *const c_char as Option<&[u8]>, policy: OtrlPolicy) -> *mut c_char {
        let query = policy_from(policy).query(ourname.unwrap_or_default());
        query.map_or(ptr::null_mut(), |query| c_string(&query))
    }
}

entry! {
    /// The best version that a query message and our policy have in common; 0 for none.
    ///
    /// # Safety
    /// `querymsg` is NULL or a C string.
    on panic 0;
    pub fn otrl_proto_query_bestversion(querymsg: *const c_char as Option<&[u8]>, policy: OtrlPolicy) -> c_uint {
        number(query_versions(querymsg.unwrap_or_default()).best_common(policy_from(policy).versions))
    }
}

entry! {
    /// The best version that a whitespace tag and our policy have in common; 0 for none. The out-parameters are set to the
    /// start and the end of the tag, NULL if there is none.
    ///
    /// # Safety
    /// `msg` is NULL or a C string; the out-parameters are NULL or writable.
    on panic 0;
    pub fn otrl_proto_whitespace_bestversion(
        msg: *const c_char as Option<&[u8]>,
        starttagp: *mut *const c_char as Out<*const c_char>,
        endtagp: *mut *const c_char as Out<*const c_char>,
        policy: OtrlPolicy,
    ) -> c_uint {
        starttagp.put(ptr::null());
        endtagp.put(ptr::null());
        let message = msg.unwrap_or_default();
        let Some((range, versions)) = find_tag(message) else { return 0 };
        // The ends of the tag, of which the second may be the NUL.
        starttagp.put(message.as_ptr().wrapping_add(range.start).cast());
        endtagp.put(message.as_ptr().wrapping_add(range.end).cast());
        number(versions.best_common(policy_from(policy).versions))
    }
}

entry! {
    /// The type of a message, judged by its beginning.
    ///
    /// # Safety
    /// `message` is NULL or a C string.
    on panic MSGTYPE_UNKNOWN;
    pub fn otrl_proto_message_type(message: *const c_char as Option<&[u8]>) -> OtrlMessageType {
        match DIALECT.kind_of(message.unwrap_or_default()) {
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
    /// Reads the flags of a data message, even if the rest is unreadable.
    ///
    /// # Safety
    /// `datamsg` is NULL or a C string; `flagsp` is NULL or writable.
    on panic GcryError::INTERNAL;
    pub fn otrl_proto_data_read_flags(
        datamsg: *const c_char as Option<&[u8]>,
        flagsp: *mut u8 as Out<u8>,
    ) -> GcryError as Result<(), GcryError> {
        let flags = datamsg.and_then(data_flags);
        flagsp.put(flags.unwrap_or(0));
        flags.map(drop).ok_or(GcryError::INV_VALUE)
    }
}

entry! {
    /// Handles a fragment; if it completes a message, that is returned in `*unfragmessagep`, malloc'ed.
    ///
    /// # Safety
    /// `context` is NULL or live; `msg` is NULL or a C string; `unfragmessagep` is NULL or writable.
    on panic FRAGMENT_INCOMPLETE;
    pub fn otrl_proto_fragment_accumulate(
        unfragmessagep: *mut *mut c_char as Out<*mut c_char>,
        context: *mut ConnContext as Option<Borrowed<ConnContext>>,
        msg: *const c_char as Option<&[u8]>,
    ) -> OtrlFragmentResult {
        let (Some(message), Some(context), true) = (msg, context, unfragmessagep.is_wanted()) else {
            return FRAGMENT_INCOMPLETE;
        };
        let limit = REASSEMBLY_LIMIT;
        match with_secrets(Ctx::from(context), |secrets| secrets.reassembly.accept(message, limit)) {
            Ok(Accumulated::Unfragmented) => FRAGMENT_UNFRAGMENTED,
            Ok(Accumulated::Complete(whole)) => {
                let copy = c_string(&whole);
                unfragmessagep.put(copy);
                if copy.is_null() { FRAGMENT_INCOMPLETE } else { FRAGMENT_COMPLETE }
            }
            Ok(Accumulated::Incomplete | Accumulated::Lost) | Err(_) => FRAGMENT_INCOMPLETE,
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
        // SAFETY: NULL, or an array of `arraylen` strings from malloc, as `# Safety` requires.
        unsafe {
            if let Some(array) = fragments.as_ref().filter(|array| !array.is_null()) {
                free_array(*array, arraylen.into());
            }
        }
    }
}

/// Encrypts a data message into `*encmessagep`, malloc'ed.
fn create_data(
    encmessagep: Out<'_, *mut c_char>,
    context: Option<Borrowed<'_, ConnContext>>,
    msg: Option<&[u8]>,
    tlvs: Option<Borrowed<'_, OtrlTLV>>,
    flags: u8,
) -> Result<SecretKey, GcryError> {
    encmessagep.put(ptr::null_mut());
    let (Some(text), Some(context), true) = (msg, context, encmessagep.is_wanted()) else {
        return Err(GcryError::INV_VALUE);
    };
    let chain = tlv::to_chain(tlvs)?;
    let (message, extra_key) = with_conversation(Ctx::from(context), |c| {
        let extra_key = c.extra_key().ok_or(ProtocolError::Conflict)?;
        let message = c.create_data(text, &chain, flags, StepText::armoured)?;
        Ok::<_, ProtocolError>((message, extra_key))
    })??;
    encmessagep.put(message.into_text().into_raw());
    Ok(extra_key)
}

/// The out-parameters for the parts of a data message.
struct Parts<'a> {
    plaintextp: Out<'a, *mut c_char>,
    tlvsp: Out<'a, *mut OtrlTLV>,
    flagsp: Out<'a, u8>,
}

/// Checks and decrypts a data message; text and TLVs are malloc'ed.
fn accept_data(
    parts: Parts<'_>,
    context: Option<Borrowed<'_, ConnContext>>,
    datamsg: Option<&[u8]>,
) -> Result<SecretKey, GcryError> {
    let Parts {
        plaintextp,
        tlvsp,
        flagsp,
    } = parts;
    plaintextp.put(ptr::null_mut());
    tlvsp.put(ptr::null_mut());
    flagsp.put(0);
    let complete = plaintextp.is_wanted() && tlvsp.is_wanted();
    let (Some(message), Some(context), true) = (datamsg, context, complete) else {
        return Err(GcryError::INV_VALUE);
    };
    flagsp.put(data_flags(message).unwrap_or(0));
    let (received, extra_key) = with_conversation(Ctx::from(context), |c| {
        let session = c.secrets.session.as_mut().ok_or(ProtocolError::Conflict)?;
        let mut received = Received::<StepText>::default();
        let read = session.decrypt(message, &mut received);
        read.map_err(|refused| refused.error)?;
        let extra_key = session.extra_key(received.keys);
        let extra_key = extra_key.ok_or(ProtocolError::Conflict)?;
        Ok::<_, ProtocolError>((received, extra_key))
    })??;
    let text = received.text.map(StepText::into_text);
    let text = text.unwrap_or_else(|| CText::new(b""));
    let tlvs = Chain::new(&received.tlvs);
    if text.is_null() || (tlvs.is_null() && !received.tlvs.is_empty()) {
        text.wipe();
        tlvs.free();
        return Err(GcryError::ENOMEM);
    }
    plaintextp.put(text.into_raw());
    tlvsp.put(tlvs.into_raw());
    Ok(extra_key)
}

/// Cuts a message into `count` pieces of at most `size` bytes, headers included: a malloc'ed array.
fn fragment_create(
    size: c_int,
    count: c_int,
    fragments: Out<'_, *mut *mut c_char>,
    header: FragmentHeader,
    message: Option<&[u8]>,
) -> Result<(), GcryError> {
    let sizes = usize::try_from(size).ok().zip(usize::try_from(count).ok());
    let (Some(text), Some((size, count)), true) = (message, sizes, fragments.is_wanted()) else {
        return Err(GcryError::INV_VALUE);
    };
    let cut = create(text, size, count, header).map_err(|_| GcryError::INV_VALUE)?;
    let array = c_array(cut.pieces(), cut.count(), Piece::parts);
    fragments.put(array.ok_or(GcryError::ENOMEM)?);
    Ok(())
}

fn number(version: Option<Version>) -> c_uint {
    version.map_or(0, |version| version.number().into())
}
