//! What a conversation keeps out of the client's sight.

/// The state behind a context.
#[derive(Debug)]
pub struct Private {
    _state: u8,
}

impl Private {
    /// The state of a conversation that has not begun.
    pub fn new() -> Box<Self> {
        Box::new(Self { _state: 0 })
    }

    /// Forgets everything about a session.
    pub fn force_finished(&mut self) {}
}
