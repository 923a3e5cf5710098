//! See [`otr_toolkit::otr_sesskeys`].
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    otr_toolkit::otr_sesskeys::PROGRAM.main()
}
