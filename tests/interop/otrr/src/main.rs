//! The crate otrr, an implementation of OTR version 3 (and 4) in Rust, as one end of a conversation.
//!
//!     otrr-peer ACCOUNT PROFILE
//!
//! It takes the commands of ../../peer.c, one per line on stdin, and answers them in the same way; the numbers of policies, SMP
//! events and states are libotr's. The file PROFILE has the client profile, and with it the instance tag; it is made when there is
//! none. The crate cannot store its DSA key, so there is a new one each time. Besides:
//!
//!     fault WORD           (said) the crate has met a fault of its own

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{env, fs, io};

use otrr::crypto::{dsa, ed448, otr};
use otrr::instancetag::InstanceTag;
use otrr::session::{Account, Session};
use otrr::{Host, OTRError, Policy, ProtocolStatus, UserMessage};

const ANSWER: u8 = 4;
const SECRET: u8 = 5;
const SUCCESS: u8 = 7;
const FAILURE: u8 = 8;

fn to_hex(text: &[u8]) -> String {
    if text.is_empty() {
        "-".to_owned()
    } else {
        hex::encode(text)
    }
}

fn from_hex(word: &str) -> Vec<u8> {
    hex::decode(word).unwrap_or_default()
}

fn next_line() -> Option<String> {
    let mut line = String::new();
    (io::stdin().read_line(&mut line).expect("stdin can be read") > 0).then_some(line)
}

// ---- what the crate asks and tells ---------------------------------------------------------------------------------------

struct Client {
    dsa: dsa::Keypair,
    identity: ed448::EdDSAKeyPair,
    forging: ed448::EdDSAKeyPair,
    profile: PathBuf,
    fragment_size: Cell<usize>,
    /// The command that came in the place of an answer to a question of SMP.
    unanswered: RefCell<Option<String>>,
}

impl Host for Client {
    fn message_size(&self) -> usize {
        self.fragment_size.get()
    }

    fn inject(&self, to: &[u8], message: &[u8]) {
        println!("wire {} {}", String::from_utf8_lossy(to), to_hex(message));
    }

    fn keypair(&self) -> Option<&dsa::Keypair> {
        Some(&self.dsa)
    }

    fn keypair_identity(&self) -> &ed448::EdDSAKeyPair {
        &self.identity
    }

    fn keypair_forging(&self) -> &ed448::EdDSAKeyPair {
        &self.forging
    }

    /// The crate wants the secret at once. So the command under way ends here, and the next one is taken: `respond`, or anything
    /// else, which leaves the question without an answer.
    fn query_smp_secret(&self, question: &[u8]) -> Option<Vec<u8>> {
        println!(
            "smp {} 25 {}",
            if question.is_empty() { SECRET } else { ANSWER },
            to_hex(question)
        );
        println!("done");
        let line = next_line()?;
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["respond", _, secret] => Some(from_hex(secret)),
            _ => {
                self.unanswered.replace(Some(line));
                None
            }
        }
    }

    fn client_profile(&self) -> Vec<u8> {
        fs::read(&self.profile).unwrap_or_default()
    }

    fn update_client_profile(&self, profile: Vec<u8>) {
        fs::write(&self.profile, profile).expect("the profile can be written");
    }
}

// ---- commands ------------------------------------------------------------------------------------------------------------

/// The instance that a client would talk to: the one with a session, or else one that has ended it, or else nobody in particular.
fn instance(session: &Session) -> InstanceTag {
    let with = |status: &ProtocolStatus| {
        session
            .instances()
            .into_iter()
            .find(|tag| session.status(*tag).as_ref() == Some(status))
    };
    with(&ProtocolStatus::Encrypted)
        .or_else(|| with(&ProtocolStatus::Finished))
        .unwrap_or(0)
}

fn say_received(result: Result<UserMessage, OTRError>) {
    match result {
        Ok(UserMessage::None | UserMessage::Reset(_)) => {}
        Ok(UserMessage::Plaintext(text)) => println!("shown {}", to_hex(&text)),
        Ok(UserMessage::WarningUnencrypted(text)) => {
            println!("shown {}\nevent unencrypted", to_hex(&text))
        }
        Ok(UserMessage::Error(text)) => println!("error {}", to_hex(&text)),
        Ok(UserMessage::ConfidentialSessionStarted(_)) => println!("secure 3"),
        Ok(UserMessage::Confidential(_, text, _)) => {
            if !text.is_empty() {
                println!("shown {}", to_hex(&text));
            }
        }
        Ok(UserMessage::ConfidentialSessionFinished(..)) => println!("tlv 1 0"),
        Ok(UserMessage::SMPSucceeded(_)) => println!("smp {SUCCESS} 100 -"),
        // Or it was aborted: the crate does not tell these apart.
        Ok(UserMessage::SMPFailed(_)) => println!("smp {FAILURE} 100 -"),
        Err(error) => println!("error {}", to_hex(format!("{error:?}").as_bytes())),
    }
}

fn say_error<T>(result: Result<T, OTRError>) -> Option<T> {
    result
        .map_err(|error| println!("error {}", to_hex(format!("{error:?}").as_bytes())))
        .ok()
}

fn send(session: &mut Session, to: &str, text: &[u8]) {
    if text == b"?OTR?" {
        say_error(session.query());
        return;
    }
    for wire in say_error(session.send(instance(session), text)).unwrap_or_default() {
        println!("wire {to} {}", to_hex(&wire));
    }
}

fn state(client: &Client, session: &Session) {
    let tag = instance(session);
    let number = match session.status(tag) {
        Some(ProtocolStatus::Encrypted) => 1,
        Some(ProtocolStatus::Finished) => 2,
        _ => 0,
    };
    let session_id = session
        .ssid(tag)
        .map_or_else(|_| "-".to_owned(), |ssid| to_hex(&ssid));
    println!(
        "state {number} {} - - {session_id} {}",
        if number == 1 { 3 } else { 0 },
        u8::from(number == 1)
    );
    println!(
        "own {}",
        to_hex(&otr::fingerprint(&client.dsa.public_key()))
    );
}

fn handle(client: &Client, session: &mut Session, words: &[&str]) {
    let tag = instance(session);
    match *words {
        ["send", to, text] => send(session, to, &from_hex(text)),
        ["recv", _, wire] => say_received(session.receive(&from_hex(wire))),
        ["smp", _, secret] => drop(say_error(session.start_smp(tag, &from_hex(secret), b""))),
        ["smpq", _, secret, question] => drop(say_error(session.start_smp(
            tag,
            &from_hex(secret),
            &from_hex(question),
        ))),
        ["abort", _] => drop(say_error(session.abort_smp(tag))),
        ["close", _] => drop(say_error(session.end(tag))),
        ["state", _] => state(client, session),
        // The command for which a question of SMP went unanswered, which has aborted it.
        ["respond", ..] => println!("error -"),
        _ => println!("unknown {}", words.join(" ")),
    }
}

/// The crate takes it for impossible that a text is encrypted to zeros only. A text of one byte is, every 256th time, and an empty
/// one always.
static ZEROS: AtomicBool = AtomicBool::new(false);

fn notice_zeros() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if info.to_string().contains("any_nonzero(&ciphertext)") {
            ZEROS.store(true, Ordering::Relaxed);
        } else {
            before(info);
        }
    }));
}

fn handle_or_tell(client: &Client, session: &mut Session, words: &[&str]) {
    if let Err(payload) = panic::catch_unwind(AssertUnwindSafe(|| handle(client, session, words))) {
        if !ZEROS.swap(false, Ordering::Relaxed) {
            panic::resume_unwind(payload);
        }
        println!("fault zeros");
    }
}

fn main() {
    notice_zeros();
    let (Some(name), Some(profile)) = (env::args().nth(1), env::args().nth(2)) else {
        panic!("otrr-peer ACCOUNT PROFILE");
    };
    let client = Rc::new(Client {
        dsa: dsa::Keypair::generate(),
        identity: ed448::EdDSAKeyPair::generate(),
        forging: ed448::EdDSAKeyPair::generate(),
        profile: profile.into(),
        fragment_size: Cell::new(usize::MAX),
        unanswered: RefCell::default(),
    });
    let account = |bits| {
        let host = Rc::<Client>::clone(&client);
        Account::new(
            name.clone().into_bytes(),
            Policy::from_bits_truncate(bits),
            host,
        )
        .expect("the profile is good")
    };
    let mut ours = account(0);
    while let Some(line) = client.unanswered.take().or_else(next_line) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            // A policy cannot be changed, so this forgets the conversation.
            ["policy", bits] => ours = account(bits.parse().unwrap_or(0)),
            ["mms", "0"] => client.fragment_size.set(usize::MAX),
            ["mms", size] => client.fragment_size.set(size.parse().unwrap_or(usize::MAX)),
            [_, other, ..] => handle_or_tell(&client, ours.session(other.as_bytes()), &words),
            _ => println!("unknown"),
        }
        // The command that left a question without an answer comes after this one, which has already said it.
        if client.unanswered.borrow().is_none() {
            println!("done");
        }
    }
}
