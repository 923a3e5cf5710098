//! Receiving a message. The core decides how it is handled ([`Incoming`]); this runs the steps on the contexts, with the
//! client's code in between.

use std::ffi::c_int;
use std::mem::ManuallyDrop;

use super::call::{Call, Client, Given, Places, Refused};
use super::clock::now;
use super::deliver::deliver;
use super::expiry::expire;
use super::family::Contexts;
use super::interface;
use super::lost::tell_lost;
use crate::abi::bridge::{policy_from, with_arrival, with_correspondent, with_exchange};
use crate::abi::context::{Ctx, Handle};
use crate::abi::error::GcryError;
use crate::abi::privkey;
use crate::abi::text::{CText, StepText};
use crate::abi::tlv::Chain;
use otr_protocol::incoming::{Incoming, Recipient, Shown, Step};
use otr_protocol::policy::Policy;
use otr_protocol::wire::tlv::Tlv;

/// Returned if nothing is to be shown.
const NOTHING: c_int = 1;

/// Returned if something is to be shown: the new text, or the message itself.
const SOMETHING: c_int = 0;

/// The contexts of a received message.
pub(crate) struct Arrival<'a> {
    /// The correspondent's context, or the master.
    #[cfg_attr(
        feature = "abi2",
        expect(dead_code, reason = "there are no instances to go on to")
    )]
    pub master: &'a Handle,
    /// The context that it belongs to; the master until the instance is known.
    pub from: Handle,
}

/// Runs the call of the exported function; `find` returns the master context of the sender, and whether it is new.
pub(crate) fn call(
    client: Client,
    given: &Given<'_>,
    places: &Places<'_>,
    find: impl FnOnce(&mut Call<'_>) -> Option<(Handle, bool)>,
) -> c_int {
    let received = Call::about_message(client, given, places, |call| match find(call) {
        Some((master, is_new)) => receive(call, &master, is_new),
        None => NOTHING,
    });
    received.unwrap_or_else(|refused| match refused {
        Refused::Invalid => SOMETHING,
        Refused::NoMemory => NOTHING,
        Refused::NotCopied => {
            tell_lost(client, given, places);
            NOTHING
        }
    })
}

/// Handles the client's message. [`NOTHING`] if there is nothing to show.
///
/// `master` is the master context of the sender.
fn receive(call: &mut Call<'_>, master: &Handle, is_new: bool) -> c_int {
    let (policy, tag) = match begin(call, *master, is_new).zip(call.get(*master)) {
        Some((policy, ctx)) => (policy, ctx.tags().ours),
        None => return NOTHING,
    };
    let recipient = Recipient {
        name: call.account(),
        tag,
        policy,
    };
    let mut arrival = Arrival {
        master,
        from: *master,
    };
    // If a callback never returns, only this memory is leaked.
    let mut incoming = ManuallyDrop::new(Incoming::new(call.text().to_bytes(), recipient));
    let returned = run(call, &mut arrival, &mut incoming);
    incoming.forget();
    returned
}

/// Prepares the context for a message, and returns the policy. `None` if a callback has forgotten the context.
#[inline(never)]
fn begin(call: &mut Call<'_>, master: Handle, is_new: bool) -> Option<Policy> {
    if is_new {
        call.update_context_list();
    }
    interface::ready(call, master);
    expire(call.get(master)?);
    call.policy(master).map(policy_from)
}

/// Runs the steps. If one cannot be run, the conversation is as it was before, or closed after a panic.
fn run(
    call: &mut Call<'_>,
    arrival: &mut Arrival<'_>,
    incoming: &mut Incoming<'_, StepText>,
) -> c_int {
    let mut decrypted = CText::NONE;
    let mut step = incoming.begin();
    let shown = loop {
        step = match step {
            Step::Done(shown) => break shown,
            Step::Deliver => {
                deliver(call, arrival.from, incoming.take_effects());
                incoming.delivered()
            }
            Step::Read => {
                let (text, tlvs) = incoming.received();
                decrypted = text.take().map_or(CText::NONE, StepText::into_text);
                take_tlvs(call, tlvs);
                incoming.read()
            }
            Step::Instance(tag) => match interface::enter(call, arrival, tag) {
                Some(is_new) => incoming.entered(is_new),
                None => break Shown::Nothing,
            },
            Step::ExchangeWithKey => exchange_with_key(call, arrival.from, incoming),
            Step::Heard => {
                call.answer.context = Some(arrival.from);
                if let Some(ctx) = call.get(arrival.from) {
                    interface::note_heard(ctx);
                }
                incoming.heard()
            }
            _ => match call.get(arrival.from) {
                Some(ctx) => run_in(ctx, incoming, step),
                None => break Shown::Nothing,
            },
        };
    };
    show(call, arrival, incoming, shown, decrypted)
}

/// Runs a step in the context that the message belongs to.
#[inline(never)]
fn run_in(ctx: Ctx<'_>, incoming: &mut Incoming<'_, StepText>, step: Step) -> Step {
    let contexts = Contexts::of(ctx);
    let ran = match step {
        Step::Arrival => with_arrival(ctx, |secrets, state, offer| {
            incoming.arrive(secrets, state, offer, now())
        }),
        Step::Data => {
            with_correspondent(ctx, |c, shared| incoming.data(c, shared, &contexts, now()))
        }
        Step::Exchange => with_exchange(ctx, |c, auth, shared| {
            incoming.in_exchange(c, auth, shared, &contexts, None, now())
        }),
        _ => Ok(incoming.plaintext(&contexts)),
    };
    ran.unwrap_or_else(|_| incoming.skip())
}

/// Runs a step that needs our private key. If there is none, asks the client for one; if there is still none, skips the step.
#[inline(never)]
fn exchange_with_key(
    call: &mut Call<'_>,
    handle: Handle,
    incoming: &mut Incoming<'_, StepText>,
) -> Step {
    if !has_key(call) {
        call.create_privkey();
    }
    let found = has_key(call);
    let Some(ctx) = call.get(handle).filter(|_| found) else {
        return incoming.skip();
    };
    // Looked up again inside, because another thread may be replacing the list.
    let names = call.names();
    let (account, protocol) = (names.account.bytes(), names.protocol.bytes());
    let us = call.us().ok_or(GcryError::INV_VALUE);
    match us.and_then(|us| privkey::signing_key_of(us, account, protocol)) {
        Ok(key) => {
            let contexts = Contexts::of(ctx);
            let ran = with_exchange(ctx, |c, auth, shared| {
                incoming.in_exchange(c, auth, shared, &contexts, Some(&key), now())
            });
            ran.unwrap_or_else(|_| incoming.skip())
        }
        Err(error) => {
            interface::setup_failed(call, handle, error);
            incoming.skip()
        }
    }
}

/// Whether there is a private key for our account.
fn has_key(call: &Call<'_>) -> bool {
    let names = call.names();
    let (account, protocol) = (names.account.bytes(), names.protocol.bytes());
    call.us()
        .is_some_and(|us| privkey::find(us, account, protocol).is_some())
}

/// Takes the TLVs of a data message for the client.
fn take_tlvs(call: &mut Call<'_>, tlvs: &[Tlv]) {
    if call.answer.wants_tlvs {
        std::mem::replace(&mut call.answer.tlvs, Chain::new(tlvs)).free();
    }
}

/// Sets the text that the client shows.
#[inline(never)]
fn show(
    call: &mut Call<'_>,
    arrival: &Arrival<'_>,
    incoming: &Incoming<'_, StepText>,
    shown: Shown,
    decrypted: CText,
) -> c_int {
    match shown {
        Shown::Decrypted => return show_decrypted(call, arrival, decrypted),
        Shown::AsItCame => return SOMETHING,
        Shown::Nothing => {}
        Shown::Error if !interface::show_error(call, arrival, incoming.message()) => {
            return SOMETHING;
        }
        Shown::PlainUnexpected if interface::is_told_of_plaintext(call) => {
            let mut text = CText::NONE;
            if !incoming.is_as_it_came() {
                text = CText::of_parts(incoming.plain_text());
            }
            // If out of memory, the message as it came.
            let shown = text.c_str().unwrap_or(call.text());
            interface::show_unexpected(call, arrival, shown);
            text.wipe();
        }
        Shown::Plain | Shown::PlainUnexpected => {
            // If out of memory, with its tag, which is invisible.
            if incoming.is_stripped() {
                call.answer
                    .text
                    .replace(CText::of_parts(incoming.plain_text()));
            }
            return SOMETHING;
        }
        Shown::Error => {}
    }
    decrypted.free();
    // A notice for the user may be there instead.
    if call.answer.text.is_null() {
        NOTHING
    } else {
        SOMETHING
    }
}

fn show_decrypted(call: &mut Call<'_>, arrival: &Arrival<'_>, text: CText) -> c_int {
    let Some(shown) = text.borrowed() else {
        return NOTHING;
    };
    let converted = interface::convert_received(call, arrival.from, shown);
    if converted.is_null() {
        call.answer.text.replace(text);
    } else {
        text.wipe();
        call.answer.text.replace(converted);
    }
    SOMETHING
}
