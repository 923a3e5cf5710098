//! Numbers of the C interface, and the values they represent.

use std::ffi::{c_int, c_uint};

use super::types::{OtrlSessionIdHalf, SESSIONID_FIRST_HALF_BOLD, SESSIONID_SECOND_HALF_BOLD};
use otr_protocol::session_id::BoldHalf;
use otr_protocol::wire::version::Version;

/// The number of a version in the structs, 0 for none.
pub(crate) fn version_number(version: Option<Version>) -> c_uint {
    version.map_or(0, |version| version.number().into())
}

/// The version with this number.
pub(crate) fn version_from(number: c_uint) -> Option<Version> {
    u8::try_from(number).ok().and_then(Version::from_number)
}

/// The number of the bold half in the structs.
pub(crate) fn half_number(half: BoldHalf) -> OtrlSessionIdHalf {
    match half {
        BoldHalf::First => SESSIONID_FIRST_HALF_BOLD,
        BoldHalf::Second => SESSIONID_SECOND_HALF_BOLD,
    }
}

/// musl has had a 64-bit time_t on all machines since version 1.2, which the libc crate does not know for 32-bit ones.
#[cfg(target_env = "musl")]
const _: () = assert!(size_of::<libc::time_t>() == 8);

/// Converts a time of the structs for the core. `time_t` has 32 bits on some machines.
#[allow(
    clippy::useless_conversion,
    reason = "time_t is i64 on most machines, not on all"
)]
pub(crate) fn time_from(time: libc::time_t) -> i64 {
    time.into()
}

/// Converts a time of the core for the structs; the nearest value if it is out of range.
#[allow(
    clippy::useless_conversion,
    clippy::unnecessary_fallible_conversions,
    reason = "likewise"
)]
pub(crate) fn c_time(time: i64) -> libc::time_t {
    libc::time_t::try_from(time).unwrap_or(if time < 0 {
        libc::time_t::MIN
    } else {
        libc::time_t::MAX
    })
}

/// A C truth value.
pub(crate) fn c_bool(value: bool) -> c_int {
    value.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_has_no_place_in_the_structs_is_the_last_that_has() {
        for time in [0, -1, 1 << 30] {
            assert_eq!(time_from(c_time(time)), time);
        }
        assert_eq!(c_time(i64::MAX), libc::time_t::MAX);
        assert_eq!(c_time(i64::MIN), libc::time_t::MIN);
        // More than 32 bits: clamped, not taken modulo 2^32.
        assert!(time_from(c_time((1 << 32) + 5)) > 1 << 30);
    }
}
