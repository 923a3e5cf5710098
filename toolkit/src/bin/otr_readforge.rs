//! See [`otr_toolkit::otr_readforge`].
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    otr_toolkit::otr_readforge::PROGRAM.main()
}
