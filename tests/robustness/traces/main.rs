//! No instruction and no address depends on a secret, on the processor that this runs on, including its fast kernels, which
//! valgrind (constant_time.rs) does not support.
//!
//! Each case runs in several processes that differ only in their secrets. Each reports every instruction that it executes
//! and every address that it reads or writes there, and all reports must be equal from beginning to end. The operands of
//! divisions must be equal as well, because the time of a division depends on them. (Stepping under ptrace would give the
//! same result some hundred times slower, and counts the same instructions: `translate` says how it is done instead.)
//!
//! Processors without the newest instructions are simulated on this one: see `machine`.
//!
//!     traces [--all] [WORD...]        the short list, or all; only cases in whose name one of the words is
//!
//! On other processors, this is the program that is followed, under qemu: see `emulated`.

mod cases;
#[path = "../hex.rs"]
mod hex;
mod secrets;

#[cfg(target_arch = "x86_64")]
mod compare;
#[cfg(target_arch = "x86_64")]
mod copies;
#[cfg(not(target_arch = "x86_64"))]
mod emulated;
#[cfg(target_arch = "x86_64")]
mod follow;
#[cfg(target_arch = "x86_64")]
mod heap;
#[cfg(target_arch = "x86_64")]
mod machine;
#[cfg(target_arch = "x86_64")]
mod plan;
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
    emulated::main()
}
