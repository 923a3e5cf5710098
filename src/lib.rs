//! Off-the-Record messaging: the protocol in safe Rust, and over it the C interface of libotr.
//!
//! Arrows run one way: `abi` -> `protocol` -> `wire` -> `crypto`, with `store` beside `protocol`.
//! docs/architecture.md shows the rooms and the way of one message through them.

#[cfg(any(feature = "abi5", feature = "abi2"))]
pub mod abi;
pub mod crypto;
pub mod protocol;
pub mod store;
pub mod wire;
