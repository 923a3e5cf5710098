//! See [`otr_toolkit::otr_modify`].
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    otr_toolkit::otr_modify::PROGRAM.main()
}
