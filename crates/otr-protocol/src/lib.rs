//! Off-the-Record messaging (OTR) in safe Rust: encrypted, authenticated, deniable conversations between two people over any
//! network that carries text. It speaks versions 2 and 3 of the protocol, and version 1 on request. File formats and messages
//! are compatible with libotr.
//!
//! An [`Account`] has a long-term key. A [`Chat`] is a conversation with one correspondent. It does no I/O: pass it what the
//! network brings and send what it returns.
//!
//! ```
//! use otr_protocol::{Account, Event, Policy, PrivateKey};
//!
//! // Each side has a key. People compare fingerprints, or ask a question as below.
//! let alice = Account::new("alice@example.org", "prpl-jabber", PrivateKey::generate()?)?;
//! let bob = Account::new("bob@example.org", "prpl-jabber", PrivateKey::generate()?)?;
//! let mut at_alice = alice.chat("bob@example.org", Policy::v2_v3().require_encryption());
//! let mut at_bob = bob.chat("alice@example.org", Policy::v2_v3());
//! let now = 1_700_000_000; // seconds since 1970
//!
//! // The network of this example: carries messages until both sides are silent, and collects the events.
//! let mut network = |mut to_bob: Vec<Vec<u8>>, at_alice: &mut otr_protocol::Chat, at_bob: &mut otr_protocol::Chat| {
//!     let mut happened = Vec::new();
//!     let mut to_alice = Vec::new();
//!     while !(to_bob.is_empty() && to_alice.is_empty()) {
//!         for message in std::mem::take(&mut to_bob) {
//!             let (events, outbox) = at_bob.receive(&message, now).into_parts();
//!             happened.extend(events.into_iter().map(|event| ("bob", event)));
//!             to_alice.extend(outbox);
//!         }
//!         for message in std::mem::take(&mut to_alice) {
//!             let (events, outbox) = at_alice.receive(&message, now).into_parts();
//!             happened.extend(events.into_iter().map(|event| ("alice", event)));
//!             to_bob.extend(outbox);
//!         }
//!     }
//!     happened
//! };
//!
//! // Alice writes before there is a session: the text waits, a query goes out, and the text follows encrypted.
//! let sent = at_alice.send(b"Hello, Bob!", now)?;
//! let happened = network(sent.into_iter().collect(), &mut at_alice, &mut at_bob);
//! assert!(happened.iter().any(|(who, event)| *who == "alice" && matches!(event, Event::Secure(_))));
//! assert!(happened.iter().any(|(_, event)| matches!(event, Event::Message(it) if it.text == b"Hello, Bob!")));
//!
//! // Is it really Bob? The answers are compared without being shown to anybody.
//! let asked = at_alice.ask(b"Where did we meet?", b"at the mill", now)?;
//! for (_, event) in network(asked.into_iter().collect(), &mut at_alice, &mut at_bob) {
//!     if let Event::Question(question) = event {
//!         let answered = question.answer(&mut at_bob, b"at the mill", now)?;
//!         // From Bob to Alice this time.
//!         network(answered.into_iter().collect(), &mut at_bob, &mut at_alice);
//!     }
//! }
//! assert!(at_alice.peer().is_some_and(|bob| bob.is_trusted()));
//!
//! // The end. Nothing goes out in the clear because of it.
//! let goodbye = at_alice.end(now);
//! network(goodbye.into_iter().collect(), &mut at_alice, &mut at_bob);
//! assert!(at_bob.send(b"too late", now).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Runnable programs are in `examples/`: `conversation` prints every step, `tcp_chat` talks over a socket in two terminals,
//! `read_keys` lists the keys in a file of libotr's.
//!
//! # What to rely on
//!
//! - [`Chat::send`] encrypts or fails; only [`Chat::send_in_the_clear`] sends a text in the clear.
//! - A damaged or forged message changes nothing.
//! - Keys are wiped when they are discarded; `Debug` never prints texts or keys.
//! - No function makes callbacks, blocks or starts a thread. Every random number comes from the operating system, so a
//!   process may fork.
//!
//! # The modules
//!
//! The types above are built from the modules below. libotr, the C library, uses those directly; they change more often.
//!
//! - [`wire`]: bytes to typed messages and back.
//! - [`ake`] and [`ake_v1`]: the authenticated key exchange, one side of it.
//! - [`session`]: the keys of a session and their rotation; [`message_cipher`] encrypts with them.
//! - [`smp`] and [`smp_exchange`]: the Socialist Millionaires' Protocol.
//! - [`conversation`]: one conversation with one instance of a correspondent. [`incoming`] has the steps of a received message,
//!   [`receiving`] and [`key_exchange`] handle the kinds of messages, [`correspondent`] is what all instances share, and
//!   [`instances`] chooses one of them.
//! - [`effects`]: what a step asks its caller to send and to tell, in order.
//! - [`store`]: the files of libotr.
//! - [`buffer`]: memory whose size depends on the input, and whose allocation may fail.
#![warn(missing_debug_implementations)]
#![cfg_attr(not(test), deny(clippy::disallowed_types, clippy::disallowed_methods))]
#![forbid(unsafe_code)]

mod api;

pub mod ake;
pub mod ake_v1;
pub mod buffer;
pub mod conversation;
pub mod correspondent;
pub mod dh;
pub mod effects;
pub mod error;
pub mod held_texts;
pub mod incoming;
pub mod instances;
pub mod key_exchange;
pub mod message_cipher;
pub mod opened_pairs;
pub mod policy;
pub mod receiving;
pub mod seen_messages;
pub mod session;
pub mod session_id;
mod session_keys;
pub mod smp;
pub mod smp_exchange;
pub mod store;
pub mod wire;
mod workspace;

pub use api::{
    Account, Chat, Error, Event, Files, Fingerprint, LoadError, Message, Outbox, Peer, Protection,
    Question, Received,
};
pub use conversation::MessageState;
pub use effects::Notice;
pub use otr_crypto::dsa::PrivateKey;
pub use policy::Policy;
pub use session_id::SessionId;

#[cfg(test)]
mod tests;
