//! The boundary to C: how a function is exported, and how a panic is handled.
//!
//! Callbacks of a client may leave through our frames by longjmp or with an exception of C++ or Objective-C, and Rust
//! aborts when it catches a foreign exception. So [`guard`] goes around pure Rust only, never around a callback, and
//! nothing with a destructor is alive while one runs. A caught panic prints one line on stderr (from the standard library's
//! hook, which a library does not replace), and the function returns the failure value that it names. Within a guard a
//! thread is not cancelled, and at its end the stack that its calculations used is wiped: clients that use several stacks
//! switch them in callbacks, so only outside of guards.

use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};

use otr_crypto::stack;

/// A panic was caught. The state that it interrupted must be considered inconsistent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Panicked;

/// Runs a step of pure Rust; no callback of a client may be called from `body`.
pub fn guard<T>(body: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch(|| {
        may_panic();
        body()
    })
}

/// The same for a whole exported function: see `entry!`.
pub fn catch<T>(body: impl FnOnce() -> T) -> Result<T, Panicked> {
    let cancellation = Uncancelled::begin();
    let outcome = stack::wiping(|| catch_unwind(AssertUnwindSafe(body)));
    cancellation.end();
    outcome.map_err(|payload| {
        // The payload's own destructor might panic as well; its payload is then leaked.
        if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(second);
        }
        Panicked
    })
}

/// Disables cancellation of the thread. On a cancellation the C library unwinds the stack, and a `catch_unwind` on it would end
/// the process. A `pthread_cancel` during that time takes effect at the thread's next cancellation point.
struct Uncancelled {
    before: c_int,
}

unsafe extern "C" {
    fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
}

impl Uncancelled {
    /// `PTHREAD_CANCEL_DISABLE` of Linux.
    const DISABLE: c_int = 1;

    fn begin() -> Self {
        let mut before = 0;
        // SAFETY: a valid state, and an out-parameter of ours.
        unsafe { pthread_setcancelstate(Self::DISABLE, &raw mut before) };
        Self { before }
    }

    fn end(self) {
        let mut ignored = 0;
        // SAFETY: the state that the thread had, and an out-parameter of ours. This is no cancellation point.
        unsafe { pthread_setcancelstate(self.before, &raw mut ignored) };
    }
}

/// A point at which a test can cause a panic: tests/robustness/faults.c, which is preloaded, replaces this system function.
/// Only a library built with `--cfg otr_panics` has such points.
pub fn may_panic() {
    #[cfg(otr_panics)]
    // SAFETY: it may be called at any time, and does not fail.
    let _: () = assert!(unsafe { libc::sched_yield() } == 0, "as the test demands");
}

/// Defines an exported function. Its arguments are converted, its body is usually safe Rust, and its result is converted back.
///
/// ```text
/// entry! {
///     /// What it does.
///     ///
///     /// # Safety
///     /// What the caller must guarantee.
///     on panic GcryError::INTERNAL;
///     pub fn otrl_something(us: OtrlUserState as Option<Borrowed<UserState>>, data: *const u8, len: usize)
///         -> GcryError as Result<(), GcryError>
///     where data = bytes(data, len) { .. }
/// }
/// ```
/// An argument with `as` is converted to that type by [`FromC`](crate::abi::borrowed::FromC), and the result of the body by
/// [`IntoC`](crate::abi::borrowed::IntoC), so the body may use `?`. `where` makes one value from several arguments, with a
/// function that requires no more than the `# Safety` section says.
///
/// The whole body is guarded, and after a panic the value after `on panic` is returned. A function that calls the client back
/// has `calls back;` instead: then only what goes through [`guard`] is guarded, and no value with a destructor may be alive in
/// the body while the client's code runs. `never panics;` is for a function that only frees: it is not guarded either.
macro_rules! entry {
    (
        $(#[$meta:meta])*
        $(on panic $failure:expr;)?
        $(calls $back:ident;)?
        $(never $panics:ident;)?
        pub fn $name:ident($($argument:ident: $type:ty $(as $rust:ty)?),* $(,)?) $(-> $result:ty $(as $given:ty)?)?
        $(where $($made:ident = $($maker:ident)::+($($from:ident),+)),+)? $body:block
    ) => {
        $(#[$meta])*
        #[unsafe(no_mangle)]
        #[allow(unreachable_pub, reason = "C calls it")]
        pub unsafe extern "C-unwind" fn $name($($argument: $type),*) $(-> $result)? {
            $crate::abi::entry::run!([$($failure)?] [$($back)? $($panics)?] {
                $($($crate::abi::entry::convert!($argument, $rust);)?)*
                $($($crate::abi::entry::make!($made, $($maker)::+($($from),+));)+)?
                $crate::abi::entry::answer!($body $(, $result $(, $given)?)?)
            })
        }
    };
}
pub(crate) use entry;

/// Runs a body, guarded or not.
macro_rules! run {
    ([$failure:expr] [] $body:block) => {
        $crate::abi::entry::catch(move || $body).unwrap_or_else(|_| $failure)
    };
    ([] [back] $body:block) => {
        $body
    };
    ([] [panics] $body:block) => {
        $body
    };
}
pub(crate) use run;

/// Converts an argument.
macro_rules! convert {
    ($argument:ident, $rust:ty) => {
        // SAFETY: guaranteed by the caller, as the `# Safety` section of the exported function requires.
        let $argument: $rust = unsafe { $crate::abi::borrowed::FromC::from_c($argument) };
    };
}
pub(crate) use convert;

/// Makes one value from several arguments.
macro_rules! make {
    ($made:ident, $($maker:ident)::+($($from:ident),+)) => {
        // SAFETY: guaranteed by the caller, as the `# Safety` section of the exported function requires.
        let $made = unsafe { $($maker)::+($($from),+) };
    };
}
pub(crate) use make;

/// The result of a body, converted if it is not of C's type.
macro_rules! answer {
    ($body:block $(, $result:ty)?) => {
        $body
    };
    ($body:block, $result:ty, $given:ty) => {{
        let body = move || -> $given { $body };
        $crate::abi::borrowed::IntoC::<$result>::into_c(body())
    }};
}
pub(crate) use answer;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::error::GcryError;

    entry! {
        /// Panics.
        ///
        /// # Safety
        /// None.
        on panic GcryError::INTERNAL;
        pub fn otr_test_that_panics(really: bool) -> GcryError {
            assert!(!really, "this panic is part of a test");
            GcryError::NO_ERROR
        }
    }

    #[test]
    fn a_panic_becomes_the_stated_value() {
        assert_eq!(unsafe { otr_test_that_panics(false) }, GcryError::NO_ERROR);
        assert_eq!(
            unsafe { otr_test_that_panics(true) },
            GcryError(0x2000_003f)
        );
    }

    #[test]
    fn a_guard_gives_the_value_or_the_panic() {
        assert_eq!(guard(|| 5), Ok(5));
        assert_eq!(
            guard(|| -> i32 { panic!("this panic is part of a test") }),
            Err(Panicked)
        );
        assert_eq!(GcryError::from(Panicked), GcryError::INTERNAL);
    }
}
