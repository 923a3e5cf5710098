//! The time, from libc's `time`: tests and clients interpose it.

/// Seconds since 1970.
#[cfg(not(test))]
pub(crate) fn now() -> i64 {
    // SAFETY: time accepts NULL.
    crate::abi::numbers::time_from(unsafe { libc::time(std::ptr::null_mut()) })
}

#[cfg(test)]
pub(crate) use crate::abi::testing::now;
