//! A chat over TCP, in two terminals. Each line that is typed is a message, and each message is a line on the wire.
//!
//!     cargo run -p otr-protocol --example tcp_chat -- listen 127.0.0.1:4000
//!     cargo run -p otr-protocol --example tcp_chat -- connect 127.0.0.1:4000
//!
//! Commands: /ask QUESTION = ANSWER, /answer ANSWER, /end, /quit.

use std::error::Error;
use std::io::{BufRead, BufReader, Write, stdin};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use otr_protocol::{Account, Chat, Event, Outbox, Policy, PrivateKey, Question};

enum Input {
    Typed(String),
    Arrived(Vec<u8>),
    Tick,
    End,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (how, address) = (arguments.next(), arguments.next());
    let (ours, theirs, socket) = match (how.as_deref(), address) {
        (Some("listen"), Some(address)) => {
            let (socket, _) = TcpListener::bind(address)?.accept()?;
            ("listener", "caller", socket)
        }
        (Some("connect"), Some(address)) => ("caller", "listener", TcpStream::connect(address)?),
        _ => return Err("usage: tcp_chat listen|connect ADDRESS:PORT".into()),
    };
    let account = Account::new(ours, "tcp", PrivateKey::generate()?)?;
    println!("our fingerprint: {}", account.fingerprint());
    let mut chat = account.chat(theirs, Policy::v3().require_encryption());

    let (sender, inputs) = channel();
    let reader = BufReader::new(socket.try_clone()?);
    spawn_lines(sender.clone(), reader, Input::Arrived);
    spawn_lines(sender.clone(), BufReader::new(stdin()), |line| {
        Input::Typed(String::from_utf8_lossy(&line).into_owned())
    });
    thread::spawn(move || {
        while sender.send(Input::Tick).is_ok() {
            thread::sleep(Duration::from_secs(60));
        }
    });

    let mut socket = socket;
    if ours == "caller" {
        send(&mut socket, chat.start(now()))?;
    }
    let mut question = None;
    for input in inputs {
        match input {
            Input::Tick => chat.expire(now()),
            Input::Arrived(message) => {
                let (events, outbox) = chat.receive(&message, now()).into_parts();
                events.iter().for_each(show);
                let asked = events.into_iter().find_map(|event| match event {
                    Event::Question(asked) => Some(asked),
                    _ => None,
                });
                question = asked.or(question);
                send(&mut socket, outbox)?;
            }
            Input::Typed(line) if line == "/quit" => break,
            Input::Typed(line) => match command(&mut chat, &mut question, &line) {
                Ok(outbox) => send(&mut socket, outbox)?,
                Err(error) => println!("* not sent: {error}"),
            },
            Input::End => break,
        }
    }
    send(&mut socket, chat.end(now()))
}

fn command(
    chat: &mut Chat,
    question: &mut Option<Question>,
    line: &str,
) -> Result<Outbox, Box<dyn Error>> {
    if let Some(both) = line.strip_prefix("/ask ") {
        let (question, answer) = both.split_once(" = ").ok_or("/ask QUESTION = ANSWER")?;
        return Ok(chat.ask(question.as_bytes(), answer.as_bytes(), now())?);
    }
    if let Some(answer) = line.strip_prefix("/answer ") {
        let question = question.take().ok_or("nobody asks")?;
        return Ok(question.answer(chat, answer.as_bytes(), now())?);
    }
    match line {
        "/end" => Ok(chat.end(now())),
        "" => Ok(Outbox::default()),
        text => Ok(chat.send(text.as_bytes(), now())?),
    }
}

fn show(event: &Event) {
    match event {
        Event::Message(message) => println!("< {}", String::from_utf8_lossy(&message.text)),
        Event::Secure(peer) => println!("* encrypted, their key is {}", peer.fingerprint()),
        Event::Question(question) => {
            let text = question.text().unwrap_or(b"the shared secret?");
            println!("* they ask: {}", String::from_utf8_lossy(text));
        }
        Event::Matched => println!("* the answers are the same"),
        Event::NotMatched => println!("* the answers are NOT the same"),
        Event::Ended => println!("* they have ended the session; /end to go back to plaintext"),
        other => println!("* {other:?}"),
    }
}

/// One line for each message. Encoded messages have no line break; one in a query message becomes a blank.
fn send(socket: &mut TcpStream, outbox: Outbox) -> Result<(), Box<dyn Error>> {
    for mut message in outbox {
        message
            .iter_mut()
            .filter(|byte| **byte == b'\n')
            .for_each(|byte| *byte = b' ');
        message.push(b'\n');
        socket.write_all(&message)?;
    }
    Ok(())
}

/// Reads lines in a thread until there are no more.
fn spawn_lines(
    sender: Sender<Input>,
    mut reader: impl BufRead + Send + 'static,
    input: fn(Vec<u8>) -> Input,
) {
    thread::spawn(move || {
        let mut line = Vec::new();
        while reader
            .read_until(b'\n', &mut line)
            .is_ok_and(|read| read > 0)
        {
            if line.last() == Some(&b'\n') {
                line.pop();
            }
            if sender.send(input(std::mem::take(&mut line))).is_err() {
                return;
            }
        }
        let _ = sender.send(Input::End);
    });
}

fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
