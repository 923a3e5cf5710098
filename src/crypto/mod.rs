//! The primitives that OTR names. Nothing here has heard of a message.
#![forbid(unsafe_code)]
