//! A program for processors that this machine emulates: it runs one case with one secret, between two marks for whoever follows it.
//!
//!     traces                 the address of `getrandom`, how many secrets are enough in a short run, how many there are, and the
//!                            cases, and whether each must be found to leak
//!     traces CASE SECRET     runs one, by their numbers

use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::cases::{self, Case};
use crate::secrets::{self, Secret};

/// What emulated.c looks for: files that are never open.
const BEGIN_MARK: libc::c_int = 0x4074_6001;
const END_MARK: libc::c_int = 0x4074_6002;
const PAUSE_MARK: libc::c_int = 0x4074_6003;
const RESUME_MARK: libc::c_int = 0x4074_6004;

/// What is drawn at random: the number of a secret, and how often. While a case is prepared it is the same for all.
static DRAWN_FROM: AtomicUsize = AtomicUsize::new(usize::MAX);
// From 1 on no number that is published begins with a zero byte, which would show in its length.
static DRAWS: AtomicUsize = AtomicUsize::new(1);

pub(crate) fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| arguments.get(at)?.parse::<usize>().ok();
    if arguments.is_empty() {
        println!("{:x}", (getrandom as *const ()).addr());
        println!("{} {}", secrets::SHORT.len(), secrets::ALL.len());
        for case in all() {
            let leaks = cases::PLANTED
                .iter()
                .any(|planted| planted.name == case.name);
            println!("{} {}", if leaks { "leaks" } else { "constant" }, case.name);
        }
        return ExitCode::SUCCESS;
    }
    let case = number(0).and_then(|number| all().nth(number));
    let secret = number(1).and_then(|number| Some((number, secrets::ALL.get(number)?)));
    let (Some(case), Some((number, secret))) = (case, secret) else {
        println!("traces: there is no such case, or no such secret");
        return ExitCode::FAILURE;
    };
    cases::meet_processor();
    let mut work = (case.prepare)(*secret);
    DRAWN_FROM.store(number, Ordering::Relaxed);
    DRAWS.store(0, Ordering::Relaxed);
    mark(BEGIN_MARK);
    work();
    mark(END_MARK);
    ExitCode::SUCCESS
}

fn all() -> impl Iterator<Item = &'static Case> {
    cases::CASES.iter().chain(cases::PLANTED)
}

fn mark(number: libc::c_int) {
    // SAFETY: not an open file.
    unsafe { libc::close(number) };
}

/// In the place of libc's.
///
/// # Safety
/// As for libc's.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn getrandom(
    buffer: *mut u8,
    length: usize,
    _: libc::c_uint,
) -> isize {
    if length == 0 {
        // Only asked whether there is such a function.
        return 0;
    }
    mark(PAUSE_MARK);
    let from = secrets::ALL.get(DRAWN_FROM.load(Ordering::Relaxed));
    let draw = 1 + DRAWS.fetch_add(1, Ordering::Relaxed) as u64;
    let bytes = from.unwrap_or(&Secret::Random(0)).drawn(length, draw);
    // SAFETY: there is room for so many, as the caller guarantees.
    unsafe { buffer.copy_from_nonoverlapping(bytes.as_ptr(), length) };
    drop(bytes);
    mark(RESUME_MARK);
    isize::try_from(length).unwrap_or(-1)
}
