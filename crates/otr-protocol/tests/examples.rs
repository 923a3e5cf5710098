//! The examples, run as a reader would run them.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// How long a line may take to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// `cargo test` builds the examples beside the tests.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(|deps| deps.parent()).unwrap();
    profile.join("examples").join(name)
}

fn output(name: &str, arguments: &[&str]) -> String {
    let output = Command::new(example(name))
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_conversation_comes_to_its_end() {
    let shown = output("conversation", &[]);
    for line in [
        "alice@example.org reads: Hello, Alice!",
        "bob@example.org is asked: Where did we meet?",
        "alice@example.org: the answers are the same",
        "bob@example.org: the session is over",
    ] {
        assert!(shown.lines().any(|it| it == line), "no '{line}' in {shown}");
    }
}

#[test]
fn the_keys_of_a_file_are_listed() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/data/store/private_keys"
    );
    let shown = output("read_keys", &[file]);
    assert!(shown.contains("\nlast (prpl-aim): 8887AA29 C333E9F4 22B0A52D A984BCFA 7E6D99D6\n"));
}

/// A running chat: what is typed, and the lines that it shows.
struct Chat {
    process: Child,
    typed: ChildStdin,
    lines: Receiver<String>,
}

impl Chat {
    fn start(how: &str, address: &str) -> Self {
        let mut process = Command::new(example("tcp_chat"))
            .args([how, address])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let shown = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in shown.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self {
            typed: process.stdin.take().unwrap(),
            process,
            lines,
        }
    }

    fn types(&mut self, line: &str) {
        writeln!(self.typed, "{line}").unwrap();
    }

    fn shows(&self, beginning: &str) {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("'{beginning}' was not shown"));
            if line.starts_with(beginning) {
                return;
            }
        }
    }
}

impl Drop for Chat {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn two_processes_talk_over_a_socket() {
    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let address = address.to_string();
    let mut listener = Chat::start("listen", &address);
    // It may not listen yet; then the caller ends, and calls again.
    let mut caller = (0..100)
        .find_map(|_| {
            thread::sleep(Duration::from_millis(50));
            let mut caller = Chat::start("connect", &address);
            caller.shows_or_ends().then_some(caller)
        })
        .unwrap();
    caller.shows("* encrypted");
    listener.shows("* encrypted");
    caller.types("hello");
    listener.shows("< hello");
    listener.types("/ask where? = here");
    caller.shows("* they ask: where?");
    caller.types("/answer here");
    listener.shows("* the answers are the same");
    caller.shows("* the answers are the same");
    caller.types("/quit");
    listener.shows("* they have ended the session");
}

impl Chat {
    /// Whether it shows its first line; if not, it has ended.
    fn shows_or_ends(&mut self) -> bool {
        self.lines.recv_timeout(PATIENCE).is_ok()
    }
}
