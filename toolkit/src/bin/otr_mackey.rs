//! See [`otr_toolkit::otr_mackey`].
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    otr_toolkit::otr_mackey::PROGRAM.main()
}
