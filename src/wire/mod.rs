//! Bytes to typed messages and back. Total: any input gives a value or a typed error.
#![forbid(unsafe_code)]
