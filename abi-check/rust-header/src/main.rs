//! Writes a C header of the functions that some Rust source exports, and of the types in them, as cbindgen reads them.
//! `rust.py` compares it with the interface; nothing is ever compiled with it.
//!
//! usage: libotr-rust-header SOURCE
//!
//! SOURCE is one file with all macros expanded (`entry!` makes most of the functions, and cbindgen does not look into
//! macros).

use std::process::ExitCode;

use cbindgen::{Builder, Config, Language, Style};

fn main() -> ExitCode {
    let Some(source) = std::env::args_os().nth(1) else {
        eprintln!("usage: libotr-rust-header SOURCE");
        return ExitCode::FAILURE;
    };
    let config = Config {
        language: Language::C,
        style: Style::Type,
        usize_is_size_t: true,
        documentation: false,
        // A declaration is one line: rust.py reads them line by line.
        line_length: usize::MAX,
        ..Config::default()
    };
    match Builder::new()
        .with_src(source)
        .with_config(config)
        .generate()
    {
        Ok(header) => {
            header.write(std::io::stdout());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("cbindgen: {error}");
            ExitCode::FAILURE
        }
    }
}
