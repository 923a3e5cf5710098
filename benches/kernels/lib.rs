//! Empty: a package for the benches next to it.
