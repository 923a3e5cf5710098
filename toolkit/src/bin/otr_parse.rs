//! See [`otr_toolkit::otr_parse`].
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    otr_toolkit::otr_parse::PROGRAM.main()
}
