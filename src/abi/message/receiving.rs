//! A message on its way in. The core decides what becomes of it ([`Incoming`]); this runs its steps on the contexts, with the
//! client's code in between.

use std::ffi::{c_char, c_int};
use std::mem::ManuallyDrop;
use std::ptr;

use super::super::bridge::{policy_from, with_correspondent, with_exchange};
use super::super::context::{Handle, Names, NewContexts};
use super::super::memory::{
    bytes_of, c_text, c_text_of, free_and_clear, put, wipe_string_and_clear,
};
use super::super::types::*;
use super::super::{privkey, tlv};
use super::client::Client;
use super::clock::now;
use super::correspondent::find_or_add;
use super::deliver::deliver;
use super::expiry::expire;
use super::family::Contexts;
use super::interface;
use super::lost::tell_lost;
use otr_protocol::incoming::{Incoming, Recipient, Shown, Step};
use otr_protocol::receiving::Delivery;

/// What the function returns when nothing is to be shown.
pub const NOTHING: c_int = 1;

/// What it returns when something is: what `newmessagep` says, or the message itself.
pub const SOMETHING: c_int = 0;

/// Where the client wants the answers; the last two may be NULL. libotr 3 does not give the context.
#[derive(Clone, Copy)]
pub struct Out {
    /// What to show instead of the message.
    pub newmessagep: *mut *mut c_char,
    /// What came beside the text.
    pub tlvsp: *mut *mut OtrlTLV,
    /// The context of the instance it came from.
    pub contextp: *mut *mut ConnContext,
}

/// One message being received. Plain data: a callback may never come back.
#[derive(Clone, Copy)]
pub struct Arrival {
    /// Whose it is.
    pub client: Client,
    /// Who sent it, and to whom.
    pub names: Names,
    /// What the client wants done with new contexts.
    #[cfg_attr(
        feature = "abi2",
        expect(dead_code, reason = "there are no instances to go on to")
    )]
    pub new: NewContexts,
    /// The message as it came.
    pub text: *const c_char,
    /// The correspondent's context, or the master of them.
    #[cfg_attr(
        feature = "abi2",
        expect(dead_code, reason = "there are no instances to go on to")
    )]
    pub master: Handle,
    /// The context it belongs to; the master as long as no instance is known.
    pub from: Handle,
    /// Where the answers go.
    pub out: Out,
}

/// Handles a message. [`NOTHING`] if there is nothing to show.
///
/// # Safety
/// As the exported function demands; no argument but the optional ones is NULL.
pub unsafe fn receive(
    client: Client,
    names: Names,
    new: NewContexts,
    message: *const c_char,
    out: Out,
) -> c_int {
    // SAFETY: the arguments are as the exported function demands; after each callback the contexts are looked up again.
    unsafe {
        let Some(found) = find_or_add(client, names, new) else {
            return NOTHING;
        };
        let master = found.handle;
        if found.added {
            client.update_context_list();
        }
        interface::ready(client, names, master);
        let Some(ctx) = master.get(client.us) else {
            return NOTHING;
        };
        expire(ctx);
        let policy = policy_from(client.policy(ctx));
        let Some(ctx) = master.get(client.us) else {
            return NOTHING;
        };
        let recipient = Recipient {
            name: bytes_of(names.account).unwrap_or_default(),
            tag: interface::our_tag(ctx),
            policy,
        };
        let mut arrival = Arrival {
            client,
            names,
            new,
            text: message,
            master,
            from: master,
            out,
        };
        let text = bytes_of(message).unwrap_or_default();
        // Should a callback never return, this memory is lost, and nothing else.
        let mut incoming = ManuallyDrop::new(Incoming::new(text, recipient));
        let returned = arrival.run(&mut incoming);
        ManuallyDrop::drop(&mut incoming);
        returned
    }
}

impl Arrival {
    /// Runs the steps.
    unsafe fn run(&mut self, incoming: &mut Incoming<'_>) -> c_int {
        let mut decrypted = ptr::null_mut();
        let mut step = incoming.begin();
        // SAFETY: as for `receive`; a step that cannot be run leaves the conversation as it was, or closed after a panic.
        unsafe {
            let shown = loop {
                step = match step {
                    Step::Done(shown) => break shown,
                    Step::Deliver(effects) => {
                        deliver(self.client, self.from, effects);
                        incoming.delivered()
                    }
                    Step::Read(delivery) => {
                        decrypted = self.read(delivery);
                        incoming.delivered()
                    }
                    Step::Instance(tag) => match interface::enter(self, tag) {
                        Some(is_new) => incoming.entered(is_new),
                        None => return NOTHING,
                    },
                    Step::ExchangeWithKey => self.exchange_with_key(incoming),
                    other => {
                        let Some(ctx) = self.from.get(self.client.us) else {
                            return NOTHING;
                        };
                        self.run_in(ctx, incoming, other)
                    }
                };
            };
            self.show(incoming, shown, decrypted)
        }
    }

    /// Runs a step in the context that the message belongs to.
    #[inline(never)]
    unsafe fn run_in(
        &self,
        ctx: *mut ConnContext,
        incoming: &mut Incoming<'_>,
        step: Step,
    ) -> Step {
        // SAFETY: the caller vouches for the context; no callback runs.
        unsafe {
            let contexts = Contexts::of(ctx);
            let ran = match step {
                Step::Conversation => with_correspondent(ctx, |c, shared| {
                    incoming.in_conversation(c, shared, &contexts, now())
                }),
                Step::Exchange => with_exchange(ctx, |c, auth, shared| {
                    incoming.in_exchange(c, auth, shared, &contexts, None, now())
                }),
                Step::Heard => {
                    put(self.out.contextp, ctx);
                    interface::note_heard(ctx);
                    Ok(incoming.heard())
                }
                _ => Ok(incoming.plaintext(&contexts)),
            };
            ran.unwrap_or_else(|_| incoming.skip())
        }
    }

    /// Runs a step that needs our private key; without one (the client may make it now) nothing happens.
    #[inline(never)]
    unsafe fn exchange_with_key(&self, incoming: &mut Incoming<'_>) -> Step {
        // SAFETY: as for `receive`; nothing is borrowed while the callback runs.
        unsafe {
            let (account, protocol) = (self.names.account, self.names.protocol);
            if privkey::find(self.client.us, account, protocol).is_null() {
                self.client.create_privkey(account, protocol);
            }
            let found = !privkey::find(self.client.us, account, protocol).is_null();
            let Some(ctx) = self.from.get(self.client.us).filter(|_| found) else {
                return incoming.skip();
            };
            // Looked up again inside: another thread may be replacing the list.
            match privkey::signing_key_of(self.client.us, account, protocol) {
                Ok(key) => {
                    let contexts = Contexts::of(ctx);
                    let ran = with_exchange(ctx, |c, auth, shared| {
                        incoming.in_exchange(c, auth, shared, &contexts, Some(&key), now())
                    });
                    ran.unwrap_or_else(|_| incoming.skip())
                }
                Err(error) => {
                    interface::setup_failed(self.client, ctx, error);
                    incoming.skip()
                }
            }
        }
    }

    /// Delivers what follows from a data message; its text, malloc'ed.
    #[expect(clippy::boxed_local, reason = "too large for a small stack")]
    #[inline(never)]
    unsafe fn read(&self, delivery: Box<Delivery>) -> *mut c_char {
        let Delivery { received, effects } = *delivery;
        let text = c_text(&received.text);
        let is_lost = text.is_null() && !received.text.is_empty();
        let chain = tlv::from_chain(&received.tlvs);
        drop(received);
        // SAFETY: as for `receive`. The chain is the client's from here on, whatever the callbacks do.
        unsafe {
            let unwanted = self.out.tlvsp.is_null();
            put(self.out.tlvsp, chain);
            deliver(self.client, self.from, effects);
            if unwanted {
                tlv::free(chain);
            }
            if is_lost {
                tell_lost(self.client, self.from);
            }
        }
        text
    }

    /// Gives the client what it is to show.
    #[inline(never)]
    unsafe fn show(
        self,
        incoming: &Incoming<'_>,
        shown: Shown,
        mut decrypted: *mut c_char,
    ) -> c_int {
        // SAFETY: as for `receive`; the places are ours.
        unsafe {
            match shown {
                Shown::Decrypted => return self.show_decrypted(decrypted),
                Shown::AsItCame => return SOMETHING,
                Shown::Nothing => {}
                Shown::Error if !interface::show_error(self, incoming.message()) => {
                    return SOMETHING;
                }
                Shown::PlainUnexpected if interface::is_told_of_plaintext(self.client) => {
                    self.show_unexpected(incoming);
                }
                Shown::Plain | Shown::PlainUnexpected => {
                    // Without memory with its tag, which nobody sees.
                    if incoming.is_stripped() {
                        self.replace(c_text_of(incoming.plain_text()));
                    }
                    return SOMETHING;
                }
                Shown::Error => {}
            }
            free_and_clear(&raw mut decrypted);
            // A word to the user may have come instead.
            if (*self.out.newmessagep).is_null() {
                NOTHING
            } else {
                SOMETHING
            }
        }
    }

    unsafe fn show_unexpected(self, incoming: &Incoming<'_>) {
        // SAFETY: as for `receive`; the texts outlive the callback.
        unsafe {
            let mut whole = ptr::null_mut();
            if !incoming.is_as_it_came() {
                whole = c_text_of(incoming.plain_text());
            }
            let text = if whole.is_null() {
                self.text
            } else {
                whole.cast_const()
            };
            interface::show_unexpected(self, text);
            wipe_string_and_clear(&raw mut whole);
        }
    }

    unsafe fn show_decrypted(self, mut text: *mut c_char) -> c_int {
        if text.is_null() {
            return NOTHING;
        }
        // SAFETY: as for `receive`; the text outlives the callback.
        unsafe {
            let converted = interface::convert_received(self.client, self.from, text);
            if !converted.is_null() {
                wipe_string_and_clear(&raw mut text);
                text = converted;
            }
            self.replace(text);
        }
        SOMETHING
    }

    /// Shows another text than came.
    unsafe fn replace(self, text: *mut c_char) {
        // SAFETY: the place is ours, and what is in it was malloc'ed.
        unsafe {
            libc::free((*self.out.newmessagep).cast());
            *self.out.newmessagep = text;
        }
    }
}
