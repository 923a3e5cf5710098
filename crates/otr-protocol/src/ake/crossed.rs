//! Two exchanges, one begun by each side, in which both sides have revealed their values. Each side then accepts the
//! other's reveal signature, so that there is a session whatever the network has lost. If both exchanges finish, both sides
//! know it by the signatures, and the one whose DH-commit has the numerically higher hash counts.

use super::expiry::Waiting;
use super::{Established, Revealed};
use crate::error::ProtocolError;
use crate::opened_pairs::OpenedPairs;
use crate::session_id::SessionId;

/// Our exchange, which still waits for its signature after the other side's exchange has opened a session.
#[derive(Debug)]
pub struct Crossed {
    revealed: Revealed,
    their_commit: [u8; 32],
    /// The session that their exchange has opened.
    rival: SessionId,
    /// When that was, in seconds since 1970.
    since: i64,
}

/// The outcome of our exchange.
#[derive(Debug)]
pub enum Finished {
    /// Its session replaces that of the other exchange.
    Wins(Established),
    /// Messages of its session may still be in transit to us.
    Loses(Established),
}

impl Crossed {
    /// Our exchange `revealed`, after the one with the DH-commit `their_commit` has opened the session `rival`.
    pub fn new(revealed: Revealed, their_commit: [u8; 32], rival: SessionId, since: i64) -> Self {
        Self {
            revealed,
            their_commit,
            rival,
            since,
        }
    }

    /// Whether the signature has not arrived in time.
    pub fn is_over(&self, now: i64) -> bool {
        Waiting::Signature.is_over(self.since, now)
    }

    /// Whether this is the session that the other exchange has opened.
    pub fn has_rival(&self, session: SessionId) -> bool {
        self.rival == session
    }

    /// The hash of our DH-commit.
    pub fn our_commit(&self) -> &[u8; 32] {
        &self.revealed.commitment.hashed_gx
    }

    /// The public half of our private value.
    pub fn our_value(&self) -> Vec<u8> {
        self.revealed.commitment.our_dh.public().to_bytes()
    }

    /// Handles a signature message. `None`: it is not for this exchange.
    pub fn on_signature(
        &self,
        message: &[u8],
        opened: &mut OpenedPairs,
    ) -> Result<Option<Finished>, ProtocolError> {
        let Some(established) = self.revealed.finish(message, opened)? else {
            return Ok(None);
        };
        opened.note(established.our_dh().public(), established.their_dh());
        Ok(Some(if *self.our_commit() > self.their_commit {
            Finished::Wins(established)
        } else {
            Finished::Loses(established)
        }))
    }
}
