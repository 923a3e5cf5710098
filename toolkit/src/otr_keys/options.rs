//! The command line of `otr-keys`.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use lexopt::{Arg, Parser, ValueExt};

use crate::key_files::Kind;
use crate::program::Failure;

/// What is to be done, to what.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) command: String,
    pub(super) files: Vec<OsString>,
    pub(super) private: bool,
    pub(super) account: Option<Vec<u8>>,
    pub(super) protocol: Option<Vec<u8>>,
    pub(super) kind: Option<Kind>,
}

impl Options {
    /// Reads the arguments behind the name of the program.
    pub(super) fn parse(arguments: &[Vec<u8>]) -> Result<Self, Failure> {
        let mut arguments = arguments.iter().cloned().map(OsString::from_vec);
        let Some(command) = arguments.next() else {
            return Err(Failure::usage("otr-keys: no command was given."));
        };
        let mut options = Self {
            command: command.to_string_lossy().into_owned(),
            files: Vec::new(),
            private: false,
            account: None,
            protocol: None,
            kind: None,
        };
        options
            .read(Parser::from_args(arguments))
            .map_err(|error| Failure::usage(&format!("otr-keys: {error}.")))?;
        Ok(options)
    }

    fn read(&mut self, mut parser: Parser) -> Result<(), lexopt::Error> {
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Long("private") => self.private = true,
                Arg::Long("account") => self.account = Some(parser.value()?.into_vec()),
                Arg::Long("protocol") => self.protocol = Some(parser.value()?.into_vec()),
                Arg::Long("type") => {
                    let name = parser.value()?.string()?;
                    let kind = Kind::named(&name);
                    self.kind = Some(kind.ok_or(format!("there is no type {name:?}"))?);
                }
                Arg::Value(file) => self.files.push(file),
                _ => return Err(argument.unexpected()),
            }
        }
        Ok(())
    }
}
