//! See [`otr_toolkit::otr_remac`].
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    otr_toolkit::otr_remac::PROGRAM.main()
}
