//! `otr-keys`: lists, checks, copies and converts files of keys, fingerprints and instance tags. See its manual page.

mod convert;
mod copies;
mod options;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use zeroize::Zeroizing;

use crate::dump::hex;
use crate::key_files::{Entries, Key, KeyFile, Kind, printable};
use crate::program::{Failure, Program, Streams};
use options::Options;

/// The program.
pub const PROGRAM: Program = Program {
    name: "otr-keys",
    usage: " COMMAND [OPTION...] FILE...

  list FILE...         what is in the files
  fingerprints FILE... the fingerprints of the private keys in them
  check FILE...        what is wrong with them; the exit status is 1 if anything is
  backup FILE [COPY]   copy a file to COPY, by default FILE.backup, which must not exist
  restore COPY FILE    check COPY, and replace FILE by it, after a copy of FILE was made
  convert FROM TO      add the entries of FROM to the file TO of libotr; write to standard output if TO is -

  --private            list: print the private keys as well; convert: allow private keys on standard output
  --account NAME       convert: the account that the entries of FROM belong to
  --protocol NAME      convert: its protocol, by the name that the client uses for it
  --type TYPE          the type of the file, if its contents do not show it: private-keys, fingerprints,
                       instance-tags (of libotr), potr-key, otr.js-key

A FILE that is only read may be -, for standard input.
",
    run,
};

fn run(arguments: &[Vec<u8>], streams: &mut Streams<'_>) -> Result<(), Failure> {
    let options = Options::parse(arguments)?;
    let files: Vec<&OsStr> = options.files.iter().map(|file| file.as_os_str()).collect();
    match (options.command.as_str(), files.as_slice()) {
        ("list", [_, ..]) => each(&files, &options, streams, |_, file| {
            list(file, options.private)
        }),
        ("fingerprints", [_, ..]) => each(&files, &options, streams, |_, file| fingerprints(file)),
        ("check", [_, ..]) => each(&files, &options, streams, check),
        ("backup", [file]) => copies::backup(file, None, &options, streams),
        ("backup", [file, copy]) => copies::backup(file, Some(copy), &options, streams),
        ("restore", [copy, file]) => copies::restore(copy, file, &options, streams),
        ("convert", [from, to]) => convert::convert(from, to, &options, streams),
        ("list" | "fingerprints" | "check" | "backup" | "restore" | "convert", _) => {
            let sentence = format!(
                "otr-keys: {} does not take {} files.",
                options.command,
                files.len()
            );
            Err(Failure::usage(&sentence))
        }
        (unknown, _) => {
            let sentence = format!(
                "otr-keys: there is no command \"{}\".",
                unknown.escape_debug()
            );
            Err(Failure::usage(&sentence))
        }
    }
}

/// What a command has to say of a file, and whether all of it is well.
struct Report {
    lines: String,
    faults: Vec<String>,
}

/// Goes through files. What is wrong with one is said on standard error, and does not keep the others from their turn.
fn each(
    files: &[&OsStr],
    options: &Options,
    streams: &mut Streams<'_>,
    report: impl Fn(&OsStr, KeyFile) -> Report,
) -> Result<(), Failure> {
    let mut all_well = true;
    for path in files {
        let report = match read(path, options, streams) {
            Ok((_, file)) => report(path, file),
            Err(fault) => Report {
                lines: String::new(),
                faults: vec![fault],
            },
        };
        streams
            .output
            .write_all(report.lines.as_bytes())
            .map_err(Failure::Output)?;
        all_well &= report.faults.is_empty();
        tell(path, &report.faults, streams);
    }
    if all_well {
        Ok(())
    } else {
        Err(Failure::Message(Vec::new()))
    }
}

/// Says what is wrong with a file.
fn tell(path: &OsStr, faults: &[String], streams: &mut Streams<'_>) {
    let name = printable(path.as_encoded_bytes());
    for fault in faults {
        // If this cannot be said, there is nobody to tell.
        let _ = writeln!(streams.errors, "{name}: {fault}");
    }
}

/// A failure that has to do with a file.
fn failure(path: &OsStr, sentence: &str) -> Failure {
    Failure::message(&format!(
        "{}: {sentence}",
        printable(path.as_encoded_bytes())
    ))
}

/// Reads a file: its contents, and what they are.
fn read(
    path: &OsStr,
    options: &Options,
    streams: &mut Streams<'_>,
) -> Result<(Zeroizing<Vec<u8>>, KeyFile), String> {
    let contents = if path == "-" {
        let mut contents = Zeroizing::new(Vec::new());
        streams.input.read_to_end(&mut contents).map(|_| contents)
    } else {
        fs::read(path).map(Zeroizing::new)
    };
    let contents = contents.map_err(|error| format!("it cannot be read: {error}"))?;
    let kind = options.kind.or_else(|| Kind::of(&contents));
    let kind = kind
        .ok_or("it holds no keys, no fingerprints and no instance tags; give --type if it is an empty file")?;
    let file = KeyFile::read(kind, &contents);
    Ok((contents, file))
}

fn list(file: KeyFile, private: bool) -> Report {
    let mut lines = String::new();
    match &file.entries {
        Entries::Keys(keys) => {
            for key in keys {
                let (account, protocol) = names(key);
                let fingerprint = human(&key.fingerprint());
                lines += &format!("key\t{account}\t{protocol}\t{fingerprint}\n");
                if private {
                    let numbers = &key.numbers;
                    for (name, number) in [
                        ("p", &numbers.p),
                        ("q", &numbers.q),
                        ("g", &numbers.g),
                        ("y", &numbers.y),
                        ("x", &numbers.x),
                    ] {
                        lines += &format!("\t{name}\t{}\n", hex(number));
                    }
                }
            }
        }
        Entries::Fingerprints(entries) => {
            for line in entries {
                lines += &format!(
                    "fingerprint\t{}\t{}\t{}\t{}\t{}\n",
                    printable(&line.username),
                    printable(&line.accountname),
                    printable(&line.protocol),
                    human(&line.fingerprint),
                    printable(line.trust.as_deref().unwrap_or_default()),
                );
            }
        }
        Entries::Tags(entries) => {
            for line in entries {
                lines += &format!(
                    "tag\t{}\t{}\t{:08x}\n",
                    printable(&line.accountname),
                    printable(&line.protocol),
                    line.tag,
                );
            }
        }
    }
    Report {
        lines,
        faults: file.faults,
    }
}

fn fingerprints(file: KeyFile) -> Report {
    let Entries::Keys(keys) = &file.entries else {
        return Report {
            lines: String::new(),
            faults: vec![format!("it holds {}, not private keys", file.kind)],
        };
    };
    let line = |key: &Key| {
        let (account, protocol) = names(key);
        format!("{}\t{account}\t{protocol}\n", human(&key.fingerprint()))
    };
    Report {
        lines: keys.iter().map(line).collect(),
        faults: file.faults,
    }
}

fn check(path: &OsStr, mut file: KeyFile) -> Report {
    let others_may_read = fs::metadata(path)
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o077 != 0);
    if file.kind.is_private() && others_may_read {
        file.faults
            .push("others may read or write it: use chmod 600".to_owned());
    }
    let verdict = if file.faults.is_empty() {
        "good"
    } else {
        "not good"
    };
    let name = printable(path.as_encoded_bytes());
    let lines = format!(
        "{name}: {}, {} in all, {verdict}\n",
        file.kind,
        file.entries.count()
    );
    Report {
        lines,
        faults: file.faults,
    }
}

/// Account and protocol of a key, as they are shown; a key of potr or otr.js has none.
fn names(key: &Key) -> (String, String) {
    match &key.owner {
        Some(owner) => (printable(&owner.account), printable(&owner.protocol)),
        None => ("-".to_owned(), "-".to_owned()),
    }
}

/// A fingerprint as clients show it.
fn human(fingerprint: &[u8; 20]) -> String {
    let number = |word: &[u8]| {
        word.iter()
            .fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte))
    };
    let words: Vec<String> = fingerprint
        .chunks_exact(4)
        .map(|word| format!("{:08X}", number(word)))
        .collect();
    words.join(" ")
}
