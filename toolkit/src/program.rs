//! What the programs share: arguments and streams in, an exit status out.

use std::alloc::{Layout, handle_alloc_error};
use std::ffi::OsString;
use std::io::{self, BufRead, ErrorKind, Write};
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;

use otr_protocol::buffer::OutOfMemory;

/// What a shell shows for a program that was ended by SIGPIPE, as the C programs are when nobody reads on.
const NOBODY_READS: u8 = 128 + 13;

/// The streams of a program.
pub struct Streams<'a> {
    /// Standard input.
    pub input: &'a mut dyn BufRead,
    /// Standard output.
    pub output: &'a mut dyn Write,
    /// Standard error.
    pub errors: &'a mut dyn Write,
}

/// Why a program ends early. Its exit status is 1 then.
#[derive(Debug)]
pub enum Failure {
    /// What was wrong has been said, or is this, if not empty. The usage follows.
    Usage(Vec<u8>),
    /// This sentence, with its newline.
    Message(Vec<u8>),
    /// The input cannot be read.
    Input(io::Error),
    /// The output cannot be written.
    Output(io::Error),
}

impl Failure {
    /// A wrong argument, in a sentence without its newline.
    pub fn usage(sentence: &str) -> Self {
        Self::Usage(format!("{sentence}\n").into_bytes())
    }

    /// Any other failure, likewise.
    pub fn message(sentence: &str) -> Self {
        Self::Message(format!("{sentence}\n").into_bytes())
    }
}

/// A program of the toolkit.
pub struct Program {
    /// Its name.
    pub name: &'static str,
    /// What stands behind its name in the first line of its usage, and the lines below it.
    pub usage: &'static str,
    /// What it does.
    pub run: fn(&[Vec<u8>], &mut Streams<'_>) -> Result<(), Failure>,
}

impl Program {
    /// Runs the program with these arguments, of which the first one is the name it was called by. Returns its exit status.
    pub fn call(&self, arguments: &[Vec<u8>], streams: &mut Streams<'_>) -> u8 {
        let (called, arguments) = match arguments.split_first() {
            Some((called, arguments)) => (called.as_slice(), arguments),
            None => (self.name.as_bytes(), arguments),
        };
        let done = match arguments {
            // Alone, since text that is to be put into a message may look like that.
            [only] if only == b"--help" => self.help(called, streams.output),
            [only] if only == b"--version" => self.version(streams.output),
            _ => (self.run)(arguments, streams),
        };
        let done = done.and_then(|()| streams.output.flush().map_err(Failure::Output));
        let Err(failure) = done else { return 0 };
        let sentence = match failure {
            Failure::Usage(sentence) => [
                &sentence,
                b"Usage: ".as_slice(),
                called,
                self.usage.as_bytes(),
            ]
            .concat(),
            Failure::Message(sentence) => sentence,
            Failure::Input(error) => {
                format!("{}: standard input cannot be read: {error}\n", self.name).into_bytes()
            }
            Failure::Output(error) if error.kind() == ErrorKind::BrokenPipe => return NOBODY_READS,
            Failure::Output(error) => {
                format!("{}: the output cannot be written: {error}\n", self.name).into_bytes()
            }
        };
        // What was written before a failure comes before it, and nobody can be told that this failed.
        let _ = streams.output.flush();
        let _ = streams.errors.write_all(&sentence);
        1
    }

    /// Runs the program in this process.
    pub fn main(&self) -> ExitCode {
        let arguments: Vec<_> = std::env::args_os().map(OsString::into_vec).collect();
        let mut streams = Streams {
            input: &mut io::stdin().lock(),
            output: &mut io::stdout().lock(),
            errors: &mut io::stderr().lock(),
        };
        self.call(&arguments, &mut streams).into()
    }

    fn help(&self, called: &[u8], output: &mut dyn Write) -> Result<(), Failure> {
        let options =
            "\n  --help     print this, and nothing else\n  --version  print the version\n";
        let text = [
            b"Usage: ".as_slice(),
            called,
            self.usage.as_bytes(),
            options.as_bytes(),
            format!("\nSee the manual page {}(1).\n", self.name).as_bytes(),
        ]
        .concat();
        output.write_all(&text).map_err(Failure::Output)
    }

    fn version(&self, output: &mut dyn Write) -> Result<(), Failure> {
        let version = env!("CARGO_PKG_VERSION");
        writeln!(output, "{} (otr-toolkit) {version}", self.name).map_err(Failure::Output)
    }
}

/// What was asked for, or the end: a program goes on without memory no more than Rust's own collections let it.
pub fn or_end<T>(outcome: Result<T, OutOfMemory>) -> T {
    outcome.unwrap_or_else(|_| handle_alloc_error(Layout::new::<u8>()))
}
