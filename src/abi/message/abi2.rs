//! `message.h` of libotr 3.2: one context per correspondent, and the library's own words for the user.

mod callbacks;
mod notify;
mod routing;
mod texts;

pub use callbacks::has_max_message_size;
pub use notify::{error_text, notice, resent_prefix, setup_failed, smp_not_sent, tell};
pub use routing::{enter, is_told_of_plaintext, note_heard, our_tag, show_error, show_unexpected};

use std::borrow::Cow;
use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use super::arguments::Arguments;
use super::client::Client;
use super::correspondent::find_or_add;
use super::disconnect::disconnect;
use super::lost::tell_lost_from;
use super::receiving::{self, Out};
use super::sending::{self, Text};
use super::transmit::transmit;
use crate::abi::context::{self, Handle, Names, NewContexts};
use crate::abi::context_priv::private_of;
use crate::abi::error::GcryError;
use crate::abi::in_use;
use crate::abi::memory::put;
use crate::abi::reserve;
use crate::abi::types::*;
use otr_protocol::conversation::HEARTBEAT_INTERVAL;
use otr_protocol::wire::messages::smp::{join_question, split_question};
use otr_protocol::wire::tlv::{self, Tlv};

/// Handles a message that the user sends. `*messagep` becomes what to send instead, or stays NULL: send
/// the original. An error means: send nothing.
///
/// # Safety
/// `us` is live; strings are NULL or C strings; out-parameters are NULL or writable; `ops` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn otrl_message_sending(
    us: OtrlUserState,
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
    accountname: *const c_char,
    protocol: *const c_char,
    recipient: *const c_char,
    message: *const c_char,
    tlvs: *mut OtrlTLV,
    messagep: *mut *mut c_char,
    add_appdata: AddAppData,
    data: *mut c_void,
) -> GcryError {
    // SAFETY: the caller's promise.
    unsafe {
        put(messagep, ptr::null_mut());
        let names = Names {
            user: recipient,
            account: accountname,
            protocol,
            near: ptr::null_mut(),
        };
        if us.is_null() || messagep.is_null() || names.any_is_null() || message.is_null() {
            return GcryError::INV_VALUE;
        }
        if reserve::is_low() {
            return GcryError::ENOMEM;
        }
        let Some(arguments) = Arguments::copy(names, message, tlvs) else {
            return GcryError::ENOMEM;
        };
        let client = Client::new(us, ops, opdata);
        let text = Text {
            original: arguments.text,
            tlvs: arguments.tlvs,
        };
        let new_contexts = NewContexts { add_appdata, data };
        // The client's place is written once and never read: a call inside a callback may have the same one.
        let mut to_send = ptr::null_mut();
        let place = &raw mut to_send;
        let sent = in_use::during(us, || {
            let found = find_or_add(client, arguments.names, new_contexts);
            found.ok_or(GcryError::ENOMEM).and_then(|found| {
                sending::send(client, arguments.names, found, text, place, ptr::null_mut())
            })
        });
        arguments.free();
        *messagep = to_send;
        sent.map(|_: Handle| ()).into()
    }
}

/// Handles a message that arrived. Returns 1 if there is nothing to show; else `*newmessagep` is what to
/// show, or stays NULL: show the original.
///
/// # Safety
/// As for [`otrl_message_sending`].
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn otrl_message_receiving(
    us: OtrlUserState,
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
    accountname: *const c_char,
    protocol: *const c_char,
    sender: *const c_char,
    message: *const c_char,
    newmessagep: *mut *mut c_char,
    tlvsp: *mut *mut OtrlTLV,
    add_appdata: AddAppData,
    data: *mut c_void,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        put(newmessagep, ptr::null_mut());
        put(tlvsp, ptr::null_mut());
        let names = Names {
            user: sender,
            account: accountname,
            protocol,
            near: ptr::null_mut(),
        };
        if us.is_null() || newmessagep.is_null() || names.any_is_null() || message.is_null() {
            return 0;
        }
        if reserve::is_low() {
            return 1;
        }
        let client = Client::new(us, ops, opdata);
        let Some(arguments) = Arguments::copy(names, message, ptr::null()) else {
            tell_lost_from(client, names);
            return 1;
        };
        // As in sending.
        let (mut shown_text, mut chain) = (ptr::null_mut(), ptr::null_mut());
        let client = Client {
            inline: &raw mut shown_text,
            ..client
        };
        let out = Out {
            newmessagep: &raw mut shown_text,
            tlvsp: if tlvsp.is_null() {
                ptr::null_mut()
            } else {
                &raw mut chain
            },
            contextp: ptr::null_mut(),
        };
        let new_contexts = NewContexts { add_appdata, data };
        let shown = in_use::during(us, || {
            receiving::receive(client, arguments.names, new_contexts, arguments.text, out)
        });
        arguments.free();
        *newmessagep = shown_text;
        put(tlvsp, chain);
        shown
    }
}

/// Sends a message, in fragments if it is too long for the network. By `policy` one piece is not sent but put into
/// `*returned`, malloc'ed, for the client to send.
///
/// # Safety
/// `ops` is NULL or live; `context` is live and stays so; `message` is NULL or a C string; `returned` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn otrl_message_fragment_and_send(
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
    context: *mut ConnContext,
    message: *const c_char,
    policy: OtrlFragmentPolicy,
    returned: *mut *mut c_char,
) -> GcryError {
    // SAFETY: the caller's promise. There is no user state to look the context up again in, so that its names are copied.
    unsafe {
        put(returned, ptr::null_mut());
        if context.is_null() {
            return GcryError::INV_VALUE;
        }
        let client = Client::new(ptr::null_mut(), ops, opdata);
        transmit(client, Handle::of(context), message, policy, returned).into()
    }
}

/// Ends the session with a correspondent.
///
/// # Safety
/// `us` is NULL or live; strings are NULL or C strings; `ops` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn otrl_message_disconnect(
    us: OtrlUserState,
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
    accountname: *const c_char,
    protocol: *const c_char,
    username: *const c_char,
) {
    let names = Names {
        user: username,
        account: accountname,
        protocol,
        near: ptr::null_mut(),
    };
    // SAFETY: the caller's promise.
    unsafe {
        let ctx = context::find_correspondent(us, names, ptr::null_mut(), None);
        if !ctx.is_null() {
            let client = Client::new(us, ops, opdata);
            in_use::during(us, || disconnect(client, Handle::of(ctx)));
        }
    }
}

/// Nothing: version 2 knows no instances.
///
/// # Safety
/// None.
pub unsafe fn ready(_client: Client, _names: Names, _handle: Handle) {}

/// The context of the correspondent, if there is one.
///
/// # Safety
/// The client's user state is live and the names are C strings.
pub unsafe fn find_best(client: Client, names: Names) -> Option<*mut ConnContext> {
    // SAFETY: the caller's promise.
    let ctx = unsafe { context::find_correspondent(client.us, names, ptr::null_mut(), None) };
    (!ctx.is_null()).then_some(ctx)
}

/// Whether a heartbeat, which the core has found due, is not too early after an exchange.
///
/// # Safety
/// `ctx` is live.
pub unsafe fn heartbeat_is_due(ctx: *mut ConnContext, now: i64) -> bool {
    // SAFETY: the caller's promise.
    let exchange = unsafe { private_of(ctx).map_or(0, |private| (*private).exchange_sent) };
    exchange < now.saturating_sub(HEARTBEAT_INTERVAL)
}

/// A record of SMP as it is handled. To libotr 4 an empty one with a question comes at the wrong time, and the client is
/// told. Clients of libotr 3 look at the records themselves: they must see that this one proves nothing.
pub fn smp_record(tlv: &Tlv) -> Cow<'_, Tlv> {
    if tlv.kind != tlv::SMP1Q || split_question(&tlv.value).is_some() {
        return Cow::Borrowed(tlv);
    }
    match join_question(&tlv.value, b"") {
        Ok(value) => Cow::Owned(Tlv {
            kind: tlv.kind,
            value,
        }),
        Err(_) => Cow::Borrowed(tlv),
    }
}

/// NULL: there is no such callback.
///
/// # Safety
/// None.
pub unsafe fn convert_sending(
    _client: Client,
    _handle: Handle,
    _text: *const c_char,
) -> Result<*mut c_char, GcryError> {
    Ok(ptr::null_mut())
}

/// NULL: there is no such callback.
///
/// # Safety
/// None.
pub unsafe fn convert_received(
    _client: Client,
    _handle: Handle,
    _text: *const c_char,
) -> *mut c_char {
    ptr::null_mut()
}
