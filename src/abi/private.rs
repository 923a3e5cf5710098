//! What a conversation keeps out of the client's sight.

/// The state behind a context.
#[derive(Debug)]
pub struct Private;

impl Private {
    /// The state of a conversation that has not begun.
    pub fn new() -> Box<Self> {
        Box::new(Self)
    }

    /// Forgets everything about a session.
    pub fn force_finished(&mut self) {}
}
