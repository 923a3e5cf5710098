//! Two or more users of the C interface in one process, for tests of whole conversations: the test controls the network.

#![cfg_attr(
    feature = "abi2",
    allow(
        dead_code,
        reason = "some of these tests are about what version 3 alone has"
    )
)]

#[cfg(feature = "abi5")]
mod comparing;
#[cfg(feature = "abi5")]
mod fragments;
mod library;
#[cfg(feature = "abi5")]
mod logins;
mod lost;
mod party;
mod plain;
mod recorded;
mod replay;
mod rng;
mod typing;
#[cfg(feature = "abi5")]
mod unreliable;

use rng::Rng;

use std::cell::Cell;

thread_local! {
    /// How far the clock of this test is ahead of the system's, in seconds.
    static AHEAD: Cell<i64> = const { Cell::new(0) };
}

/// The time that the library uses.
pub(crate) fn now() -> i64 {
    // SAFETY: time accepts NULL.
    let system = unsafe { libc::time(std::ptr::null_mut()) };
    crate::abi::numbers::time_from(system) + AHEAD.get()
}

/// Lets time pass.
pub(crate) fn wait(seconds: i64) {
    AHEAD.set(AHEAD.get() + seconds);
}

/// How many random schedules a test plays: the number in this environment variable, or `few`.
pub(crate) fn schedules(variable: &str, few: u64) -> u64 {
    std::env::var(variable)
        .ok()
        .and_then(|number| number.parse().ok())
        .unwrap_or(few)
}

/// The first schedule to play: the number in OTR_FIRST_SEED, or 0. With OTR_REPLAY_SCHEDULES=1 (or the variable of another
/// test) it is the only one.
pub(crate) fn first_seed() -> u64 {
    schedules("OTR_FIRST_SEED", 0)
}

/// Prints a line of what happens, if OTR_TRACE is set.
pub(crate) fn trace(line: impl FnOnce() -> String) {
    if std::env::var_os("OTR_TRACE").is_some() {
        println!("{}", line());
    }
}
