//! The state machines of OTR over typed messages, without I/O and without calling out.
#![forbid(unsafe_code)]
