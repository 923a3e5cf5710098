//! The Socialist Millionaires' Protocol: its steps, and the state between them.

pub mod state;
pub mod steps;
