//! The C face: the only room with `unsafe` in it.
