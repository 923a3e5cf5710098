//! The C interface of libotr, over `otr_protocol` (the protocol in safe Rust) and `otr_crypto` (its primitives).
//!
//! docs/architecture.md shows the layers and the path of a message through them.

#![cfg_attr(not(test), deny(clippy::disallowed_types, clippy::disallowed_methods))]
#![cfg_attr(
    target_env = "musl",
    allow(deprecated, reason = "libc::time_t, which is right on 64-bit machines")
)]

#[cfg(any(feature = "abi5", feature = "abi2"))]
pub mod abi;
