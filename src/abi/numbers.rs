//! Numbers of the C interface, and the values that they stand for.

use std::ffi::{c_int, c_uint};

use super::types::{OtrlSessionIdHalf, SESSIONID_FIRST_HALF_BOLD, SESSIONID_SECOND_HALF_BOLD};
use otr_protocol::session_id::BoldHalf;
use otr_protocol::wire::version::Version;

/// A version as the structs number it, 0 for none.
pub fn version_number(version: Option<Version>) -> c_uint {
    version.map_or(0, |version| version.number().into())
}

/// The version with this number.
pub fn version_from(number: c_uint) -> Option<Version> {
    u8::try_from(number).ok().and_then(Version::from_number)
}

/// The bold half as the structs number it.
pub fn half_number(half: BoldHalf) -> OtrlSessionIdHalf {
    match half {
        BoldHalf::First => SESSIONID_FIRST_HALF_BOLD,
        BoldHalf::Second => SESSIONID_SECOND_HALF_BOLD,
    }
}

/// A C truth value.
pub fn c_bool(value: bool) -> c_int {
    value.into()
}
