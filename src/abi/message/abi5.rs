//! `message.h` of libotr 4: instances, events, and texts from the client.

mod callbacks;
mod disconnect;
mod instance;
mod notify;
mod poll;
mod routing;
mod symkey;

pub(crate) use callbacks::has_max_message_size;
#[cfg(test)]
pub use disconnect::otrl_message_disconnect_all_instances;
pub(crate) use instance::{ensure_our_tag as ready, find_best};
pub(crate) use notify::{error_text, notice, resent_prefix, setup_failed, smp_not_sent, tell};
pub(crate) use routing::{enter, is_told_of_plaintext, note_heard, show_error, show_unexpected};

use std::borrow::Cow;
use std::ffi::{c_char, c_int, c_void};

use super::call::{Call, Client, Given, Places};
use super::receiving;
use super::sending;
use super::transmit::transmit;
use crate::abi::borrowed::{Borrowed, Char, Out};
use crate::abi::context::{Ctx, Handle, Names, NewContexts};
use crate::abi::entry::entry;
use crate::abi::error::GcryError;
use crate::abi::text::CText;
use crate::abi::types::*;
use otr_protocol::wire::tlv::Tlv;

entry! {
    /// Handles a message that the user sends. `*messagep` is set to the message to send instead, or stays NULL: send the
    /// original. On an error nothing may be sent.
    ///
    /// # Safety
    /// `us` is live; strings are NULL or C strings; out-parameters are NULL or writable; `ops` is NULL or live.
    calls back;
    pub fn otrl_message_sending(
        us: OtrlUserState,
        ops: *const OtrlMessageAppOps,
        opdata: *mut c_void,
        accountname: *const c_char,
        protocol: *const c_char,
        recipient: *const c_char,
        their_instag: OtrlInstag,
        original_msg: *const c_char as Option<Borrowed<Char>>,
        tlvs: *mut OtrlTLV as Option<Borrowed<OtrlTLV>>,
        messagep: *mut *mut c_char as Out<*mut c_char>,
        frag_policy: OtrlFragmentPolicy,
        contextp: *mut *mut ConnContext as Out<*mut ConnContext>,
        add_appdata: AddAppData,
        data: *mut c_void,
    ) -> GcryError as Result<(), GcryError>
    where client = Client::new(us, ops, opdata), names = Names::new(recipient, accountname, protocol) {
        let given = Given { names, text: original_msg, is_secret: true, tlvs, new: NewContexts { add_appdata, data } };
        let places = Places { text: messagep, tlvs: Out::NONE, context: contextp };
        Call::about_message(client, &given, &places, |call| {
            let Some((handle, is_new)) = instance::find_or_add(call, their_instag) else {
                return Err(GcryError::ENOMEM);
            };
            sending::send(call, handle, is_new)?;
            transmit_by_policy(call, handle, frag_policy)
        })?
    }
}

entry! {
    /// Handles a message that arrived. Returns 1 if there is nothing to show; otherwise `*newmessagep` is set to the text to
    /// show, or stays NULL: show the original.
    ///
    /// # Safety
    /// As for [`otrl_message_sending`].
    calls back;
    pub fn otrl_message_receiving(
        us: OtrlUserState,
        ops: *const OtrlMessageAppOps,
        opdata: *mut c_void,
        accountname: *const c_char,
        protocol: *const c_char,
        sender: *const c_char,
        message: *const c_char as Option<Borrowed<Char>>,
        newmessagep: *mut *mut c_char as Out<*mut c_char>,
        tlvsp: *mut *mut OtrlTLV as Out<*mut OtrlTLV>,
        contextp: *mut *mut ConnContext as Out<*mut ConnContext>,
        add_appdata: AddAppData,
        data: *mut c_void,
    ) -> c_int
    where client = Client::new(us, ops, opdata), names = Names::new(sender, accountname, protocol) {
        let given = Given { names, text: message, is_secret: false, tlvs: None, new: NewContexts { add_appdata, data } };
        let places = Places { text: newmessagep, tlvs: tlvsp, context: contextp };
        receiving::call(client, &given, &places, |call| instance::find_or_add(call, INSTAG_MASTER))
    }
}

/// The user's text as converted by the client for encryption; none to leave it as it is.
///
/// # Errors
/// `ENOMEM`: then it must not be sent unconverted.
pub(crate) fn convert_sending(call: &mut Call<'_>, handle: Handle) -> Result<CText, GcryError> {
    let text = Borrowed::of_str(call.text());
    call.convert(handle, CONVERT_SENDING, text)
}

/// A decrypted text as converted by the client for display; none to leave it as it is, also if out of memory.
pub(crate) fn convert_received(
    call: &mut Call<'_>,
    handle: Handle,
    text: Borrowed<'_, Char>,
) -> CText {
    call.convert(handle, CONVERT_RECEIVING, text)
        .unwrap_or(CText::NONE)
}

/// Sends the message according to the client's fragment policy; one piece may be returned instead.
fn transmit_by_policy(
    call: &mut Call<'_>,
    handle: Handle,
    policy: OtrlFragmentPolicy,
) -> Result<(), GcryError> {
    if policy == FRAGMENT_SEND_SKIP || call.answer.text.is_null() {
        return Ok(());
    }
    let message = std::mem::replace(&mut call.answer.text, CText::NONE);
    let outcome = transmit(call, handle, message.c_str(), policy);
    match outcome {
        Ok(returned) if !returned.is_null() => {
            message.free();
            call.answer.text.replace(returned);
            Ok(())
        }
        other => {
            call.answer.text.replace(message);
            other.map(CText::free)
        }
    }
}

/// Always true: the core has counted everything that was sent.
pub(crate) fn heartbeat_is_due(_ctx: Ctx<'_>, _now: i64) -> bool {
    true
}

/// The SMP record to handle: unchanged.
pub(crate) fn smp_record(tlv: &Tlv) -> Cow<'_, Tlv> {
    Cow::Borrowed(tlv)
}
