//! A whole conversation in one process: two accounts, a session, a text each way, a question, and the end.
//!
//!     cargo run -p otr-protocol --example conversation

use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

use otr_protocol::{Account, Chat, Event, Outbox, Policy, PrivateKey};

fn main() -> Result<(), Box<dyn Error>> {
    let alice = Account::new("alice@example.org", "prpl-jabber", PrivateKey::generate()?)?;
    let bob = Account::new("bob@example.org", "prpl-jabber", PrivateKey::generate()?)?;
    println!("Alice's fingerprint: {}", alice.fingerprint());
    println!("Bob's fingerprint:   {}", bob.fingerprint());

    let policy = Policy::v2_v3().require_encryption();
    let mut at_alice = alice.chat(bob.name(), policy);
    let mut at_bob = bob.chat(alice.name(), policy);

    println!("\nAlice asks for a session.");
    let query = at_alice.start(now());
    carry(&mut at_alice, &mut at_bob, query)?;

    println!("\nBob writes.");
    let text = at_bob.send("Hello, Alice!".as_bytes(), now())?;
    carry(&mut at_bob, &mut at_alice, text)?;

    println!("\nAlice asks Bob a question.");
    let question = at_alice.ask(b"Where did we meet?", b"at the mill", now())?;
    carry(&mut at_alice, &mut at_bob, question)?;

    println!("\nAlice ends the session.");
    let goodbye = at_alice.end(now());
    carry(&mut at_alice, &mut at_bob, goodbye)
}

/// Carries messages from one side to the other, and the answers back, until nobody has more to send.
fn carry(from: &mut Chat, to: &mut Chat, messages: Outbox) -> Result<(), Box<dyn Error>> {
    for message in messages {
        println!("  on the wire: {}", beginning(&message));
        let (events, mut answers) = to.receive(&message, now()).into_parts();
        for event in events {
            show(from.correspondent(), &event);
            if let Event::Question(question) = event {
                answers.append(question.answer(to, b"at the mill", now())?);
            }
        }
        carry(to, from, answers)?;
    }
    Ok(())
}

fn show(who: &str, event: &Event) {
    match event {
        Event::Message(message) => {
            println!("{who} reads: {}", String::from_utf8_lossy(&message.text));
        }
        Event::Question(question) => {
            let text = question.text().unwrap_or_default();
            println!("{who} is asked: {}", String::from_utf8_lossy(text));
        }
        Event::Secure(peer) => println!("{who} has a session with the key {}", peer.fingerprint()),
        Event::Matched => println!("{who}: the answers are the same"),
        Event::Ended => println!("{who}: the session is over"),
        other => println!("{who}: {other:?}"),
    }
}

fn beginning(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message);
    let line = text.lines().next().unwrap_or_default();
    let cut: String = line.chars().take(40).collect();
    format!("{cut}{}", if text.len() > cut.len() { "..." } else { "" })
}

fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
