//! No instruction and no address depends on a secret, on the processor that this runs on: its fast kernels included, of
//! which valgrind (constant_time.rs) knows nothing.
//!
//! Each case runs in several processes that differ in their secrets alone. Each tells every instruction that it carries
//! out and every address that it reads or writes there, and all must tell the same from beginning to end. What a division
//! divides must be the same as well, because its time depends on it. (Stepping through them under ptrace would show the
//! same, some hundred times slower, and counts the same instructions: `translate` says how it is done instead.)
//!
//! The processors without the newest instructions are played by the one that is there: see `machine`.
//!
//!     traces [--all] [WORD...]        the short list, or all; only cases in whose name one of the words is

#[cfg(target_arch = "x86_64")]
mod cases;
#[cfg(target_arch = "x86_64")]
mod compare;
#[cfg(target_arch = "x86_64")]
mod copies;
#[cfg(target_arch = "x86_64")]
mod follow;
#[cfg(target_arch = "x86_64")]
mod heap;
#[cfg(target_arch = "x86_64")]
#[path = "../hex.rs"]
mod hex;
#[cfg(target_arch = "x86_64")]
mod machine;
#[cfg(target_arch = "x86_64")]
mod plan;
#[cfg(target_arch = "x86_64")]
mod secrets;
#[cfg(target_arch = "x86_64")]
mod state;
#[cfg(target_arch = "x86_64")]
mod translate;

#[cfg(target_arch = "x86_64")]
fn main() -> std::process::ExitCode {
    plan::main()
}

#[cfg(not(target_arch = "x86_64"))]
fn main() -> std::process::ExitCode {
    println!("not ok - instructions are followed on x86-64 only");
    println!("1..1");
    std::process::ExitCode::FAILURE
}
