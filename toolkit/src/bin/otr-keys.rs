//! See [`otr_toolkit::otr_keys`].
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    otr_toolkit::otr_keys::PROGRAM.main()
}
