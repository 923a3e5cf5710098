//! How the messages of a key exchange change the conversation, and how an exchange starts. [`ake`](super::ake) and
//! [`ake_v1`](super::ake_v1) have the exchange itself.

use super::ake::crossed::{Crossed, Finished};
use super::ake::{Auth, AuthState, CommitOutcome, Commitment, Established, Revealed, SigningKey};
use super::ake_v1::V1Offer;
use super::buffer;
use super::conversation::{Conversation, MessageState, Peer, PreviousSession};
use super::dh::DhKeyPair;
use super::effects::{Effect, Notice, Task};
use super::error::ProtocolError;
use super::opened_pairs::OpenedPairs;
use super::session::Session;
use super::session_id::SessionId;
use crate::wire::version::Version;

impl Conversation {
    /// Starts an exchange of version 2 or 3 (OTRv3, "Receiving a Query Message"). While one of the same version is under way
    /// here, its last message is sent again instead: both sides may ask for a session, and more than once, and each new
    /// DH-commit would undo what the other side has answered. `opened` are the sessions with this correspondent, and `has_lost`
    /// says whether a DH-commit of ours has lost against one of theirs.
    pub fn start_ake(
        &mut self,
        auth: &mut Auth,
        opened: &OpenedPairs,
        has_lost: impl Fn(&[u8; 32]) -> bool,
        version: Version,
        now: i64,
    ) -> Vec<Effect> {
        let spent = auth.pending_commit().is_some_and(&has_lost)
            || auth
                .commitment()
                .is_some_and(|ours| opened.have_opened(ours.our_dh.public()));
        if auth.version == Some(version) && auth.is_recent(now) && !spent {
            return match &auth.last_message {
                Some(message) => vec![Effect::Inject(message.clone())],
                None => Vec::new(),
            };
        }
        let started = Auth::start(version, self.tags);
        if started.is_ok() {
            self.version = Some(version);
        }
        self.send_started(auth, started, now)
    }

    /// Starts an exchange of version 1, with the keys of the session if there is one.
    pub fn start_v1(&mut self, auth: &mut Auth, key: &SigningKey, now: i64) -> Vec<Effect> {
        let existing = self.session_in_use().map(Session::exchange_key);
        self.send_started(auth, Auth::start_v1(existing, key), now)
    }

    /// The session, while the conversation is encrypted.
    fn session_in_use(&self) -> Option<&Session> {
        let session = self.secrets.session.as_deref();
        session.filter(|_| self.state == MessageState::Encrypted)
    }

    fn send_started(
        &mut self,
        auth: &mut Auth,
        started: Result<Auth, ProtocolError>,
        now: i64,
    ) -> Vec<Effect> {
        match started {
            Ok(started) => {
                *auth = started;
                self.send_auth(auth, now)
            }
            Err(error) => vec![Effect::SetupFailed(error)],
        }
    }

    /// Handles a DH-commit message (OTRv3, "Receiving a D-H Commit Message"). `rival` is the DH-commit that our master
    /// context has sent and that no instance has answered: its hash and the message.
    pub fn on_dh_commit(
        &mut self,
        auth: &mut Auth,
        message: &[u8],
        version: Version,
        rival: Option<(&[u8; 32], &[u8])>,
        now: i64,
    ) -> Vec<Effect> {
        // A commit that this instance has answered, or that lost before, no longer competes.
        let unanswered = rival.filter(|(hash, _)| {
            let known = &self.secrets.masters_commit;
            !known.is_answered(hash) && !known.has_lost(hash)
        });
        match auth.on_commit(
            message,
            version,
            self.tags,
            unanswered.map(|(hash, _)| hash),
        ) {
            Ok(CommitOutcome::RivalWins) => unanswered
                .map(|(_, commit)| vec![Effect::Inject(buffer::bounded(commit))])
                .unwrap_or_default(),
            Ok(CommitOutcome::OursWins) => self.send_auth(auth, now),
            Ok(CommitOutcome::Reflected) => Vec::new(),
            Ok(CommitOutcome::Repeated(reply)) => vec![Effect::Inject(reply)],
            Ok(CommitOutcome::Answered) => {
                self.version = Some(version);
                if let Some((hash, _)) = unanswered {
                    self.secrets.masters_commit.lose(*hash);
                }
                self.send_auth(auth, now)
            }
            Err(error) => vec![Effect::SetupFailed(error)],
        }
    }

    /// Handles a DH-key message (OTRv3, "Receiving a D-H Key Message"). `master` is the exchange of our master context,
    /// which may have sent the DH-commit that this instance answers (version 3): then the exchange goes on here, unless a
    /// DH-commit of this context's own waits for an answer. `opened` are the sessions with this correspondent.
    pub fn on_dh_key(
        &mut self,
        auth: &mut Auth,
        master: Option<&Auth>,
        opened: &OpenedPairs,
        message: &[u8],
        key: &SigningKey,
        now: i64,
    ) -> Vec<Effect> {
        let masters = master
            .and_then(Auth::commitment)
            .filter(|commitment| commitment.version == Version::V3);
        // A repeated DH-key was sent before our reveal signature arrived. It may answer a DH-commit that we had sent before
        // that, but not one that we have sent since.
        let again = auth.has_revealed_for(message);
        let known = masters.map(|masters| masters.hashed_gx);
        let repeats = again && auth.is_recent(now) && known != self.secrets.commit_at_reveal;
        let adopted = masters.filter(|masters| !repeats && self.may_adopt(auth, masters, opened));
        let outcome = match adopted {
            Some(masters) => auth
                .answer_dh_key(masters.clone(), message, key, self.tags, opened)
                .inspect(|answered| {
                    if *answered {
                        self.secrets.masters_commit.answer(masters.hashed_gx);
                        self.version = Some(masters.version);
                    }
                }),
            None => auth.on_dh_key(message, key, self.tags, opened),
        };
        match outcome {
            Ok(true) => {
                if !again {
                    self.secrets.commit_at_reveal = known;
                }
                self.send_auth(auth, now)
            }
            Ok(false) => Vec::new(),
            Err(error) => vec![Effect::SetupFailed(error)],
        }
    }

    /// Whether a DH-key may be the answer to this DH-commit of our master context.
    fn may_adopt(&self, auth: &Auth, masters: &Commitment, opened: &OpenedPairs) -> bool {
        let hash = &masters.hashed_gx;
        let known = &self.secrets.masters_commit;
        let revealed = auth
            .revealed()
            .map(|revealed| &revealed.commitment.hashed_gx);
        // Once it has lost against a commit of theirs, it counts only as long as that has not led to a session.
        let lost = known.has_lost(hash);
        // It waits only for other instances once this one has opened a session with it.
        let done = known.is_answered(hash) && opened.have_opened(masters.our_dh.public());
        // It still waits for its signature, while there is a session from their exchange.
        let crossed = self.secrets.crossed.as_ref();
        let waits = crossed.is_some_and(|crossed| crossed.our_commit() == hash);
        auth.commitment().is_none()
            && revealed != Some(hash)
            && !done
            && !waits
            && (!lost || matches!(auth.state, AuthState::AwaitingRevealSig(_)))
    }

    /// Handles a reveal signature message (OTRv3, "Receiving a Reveal Signature Message"). An exchange of our own in which we
    /// have also revealed our value still waits for its signature; see [`crossed`](super::ake::crossed).
    pub fn on_reveal_signature(
        &mut self,
        auth: &mut Auth,
        opened: &mut OpenedPairs,
        message: &[u8],
        key: &SigningKey,
        now: i64,
    ) -> Vec<Effect> {
        let ours = copy_of_revealed(auth);
        let their_commit = auth.responding().map(|responding| responding.hashed_gx);
        let outcome = auth.on_reveal_signature(message, key, self.tags, opened);
        if let (Ok(Some(established)), Some(ours), Some(their_commit)) =
            (&outcome, ours, their_commit)
        {
            let rival = established.session_id();
            self.secrets.crossed = Some(crossed(ours, their_commit, rival, now));
        }
        finish_exchange(outcome, auth.last_message.clone())
    }

    /// Handles a signature message (OTRv3, "Receiving a Signature Message").
    pub fn on_signature(
        &mut self,
        auth: &mut Auth,
        opened: &mut OpenedPairs,
        message: &[u8],
        now: i64,
    ) -> Vec<Effect> {
        match auth.on_signature(message, opened) {
            Ok(Some(established)) => finish_exchange(Ok(Some(established)), None),
            outcome => match self.finish_crossed(opened, message, now) {
                Some(effects) => effects,
                None => finish_exchange(outcome, None),
            },
        }
    }

    /// Handles a signature message as the last one of our exchange that crossed the one of the session. `None`: it does not
    /// belong to that.
    #[inline(never)]
    fn finish_crossed(
        &mut self,
        opened: &mut OpenedPairs,
        message: &[u8],
        now: i64,
    ) -> Option<Vec<Effect>> {
        let in_use = self.state == MessageState::Encrypted;
        let crossed = self.secrets.crossed.take_if(|crossed| {
            crossed.is_over(now) || !in_use || !crossed.has_rival(self.session_id)
        });
        drop(crossed);
        let finished = self.secrets.crossed.as_ref()?.on_signature(message, opened);
        let finished = finished.ok().flatten()?;
        self.secrets.crossed = None;
        let (Finished::Wins(established) | Finished::Loses(established)) = &finished;
        if self.peer.map(|peer| peer.fingerprint) != Some(*established.their_fingerprint()) {
            return Some(Vec::new());
        }
        match finished {
            Finished::Wins(established) => Some(finish_exchange(Ok(Some(established)), None)),
            Finished::Loses(established) => {
                if let Ok(session) = Session::open(&established) {
                    self.end_previous();
                    self.secrets.previous = Some(PreviousSession {
                        session: Box::new(session),
                        replaced: now,
                    });
                }
                Some(Vec::new())
            }
        }
    }

    /// Handles a key exchange message of version 1 (OTRv2, "Receiving a version 1 Key Exchange Message"). It may confirm
    /// the keys of the session; otherwise it opens one, with a key pair of ours that no session has used before.
    pub fn on_v1_key_exchange(
        &mut self,
        auth: &mut Auth,
        message: &[u8],
        key: &SigningKey,
        now: i64,
    ) -> Vec<Effect> {
        let offer = match V1Offer::read(message) {
            Ok(offer) => offer,
            Err(error) => return vec![Effect::SetupFailed(error)],
        };
        let setup = auth
            .v1_setup()
            .map(|setup| (setup.our_dh.clone(), setup.our_keyid, setup.is_fresh));
        if offer.is_reply() && setup.is_none() {
            // An answer to something that we never sent: another login of ours did.
            return Vec::new();
        }
        let session = self.session_in_use();
        if session.is_some_and(|session| session.has_their_value(offer.their_dh()))
            && self.peer.map(|peer| peer.fingerprint) != Some(*offer.fingerprint())
        {
            // A value of this session, but signed by somebody else.
            return vec![Effect::SetupFailed(ProtocolError::BadSignature)];
        }
        let confirmed = session
            .filter(|session| session.is_theirs(offer.their_dh(), offer.their_keyid()))
            .map(Session::exchange_key);
        let next_keyid = session.map_or(1, |session| session.our_keyid().wrapping_add(1));
        let pair = match (setup, confirmed) {
            (Some((our_dh, keyid, false)), Some(confirmed))
                if offer.is_reply()
                    && keyid == confirmed.1
                    && our_dh.public() == confirmed.0.public() =>
            {
                confirmed
            }
            (Some((our_dh, keyid, true)), _) => (our_dh, keyid),
            // They answer our session key with another key: a new session needs new keys on both sides.
            _ if offer.is_reply() => {
                return self.send_started(auth, Auth::start_v1_anew(next_keyid, key), now);
            }
            (_, Some(confirmed)) => confirmed,
            (_, None) => match DhKeyPair::generate() {
                Ok(fresh) => (fresh, next_keyid),
                Err(error) => return vec![Effect::SetupFailed(error)],
            },
        };
        match auth.complete_v1(offer, pair, key) {
            Ok((established, true)) => {
                finish_exchange(Ok(Some(established)), auth.last_message.clone())
            }
            Ok((established, false)) => finish_exchange(Ok(Some(established)), None),
            Err(error) => vec![Effect::SetupFailed(error)],
        }
    }

    /// Opens the session of a finished exchange, or notes that it only confirmed the one there is.
    pub fn activate(
        &mut self,
        established: &Established,
        reply: Option<Vec<u8>>,
        now: i64,
    ) -> Vec<Effect> {
        let fingerprint = *established.their_fingerprint();
        let same_peer = self.state == MessageState::Encrypted
            && self
                .peer
                .is_some_and(|peer| peer.fingerprint == fingerprint);
        let confirmed = same_peer
            && self
                .secrets
                .session
                .as_ref()
                .is_some_and(|s| s.is_confirmed_by(established));
        let mut effects = Vec::new();
        if confirmed {
            effects.push(Effect::StillSecure(established.initiated()));
        } else {
            let session = match Session::open(established) {
                Ok(session) => session,
                Err(error) => return vec![Effect::SetupFailed(error)],
            };
            self.replace_session(Box::new(session), same_peer, now);
            self.secrets.just_opened = true;
            self.session_id = established.session_id();
            self.version = Some(established.version());
            self.generation = self.generation.wrapping_add(1);
            self.state = MessageState::Encrypted;
            let trusted = self
                .peer
                .is_some_and(|peer| peer.fingerprint == fingerprint && peer.trusted);
            self.peer = Some(Peer {
                fingerprint,
                trusted,
            });
            effects.push(Effect::ContextListChanged);
            // libotr reports a new session if version 3 was begun again inside one.
            let begun_anew = self.secrets.masters_commit.finish();
            effects.push(if same_peer && !begun_anew {
                Effect::StillSecure(established.initiated())
            } else {
                Effect::GoneSecure
            });
        }
        if let Some(reply) = reply {
            self.last_sent = now;
            effects.push(Effect::Inject(reply));
            effects.push(Effect::RecentlySent);
        }
        effects.push(Effect::Then(Task::Resend));
        effects
    }

    /// Replaces the session by a new one. The old one is kept to read what was sent before the correspondent knew of the new
    /// one, unless the new one is with somebody else.
    fn replace_session(&mut self, session: Box<Session>, same_peer: bool, now: i64) {
        self.end_previous();
        let before = self.secrets.session.replace(session);
        self.secrets.previous = before.map(|session| PreviousSession {
            session,
            replaced: now,
        });
        if !same_peer {
            self.end_previous();
        }
    }

    /// Sends the exchange's last message (again).
    fn send_auth(&mut self, auth: &mut Auth, now: i64) -> Vec<Effect> {
        let Some(message) = auth.last_message.clone() else {
            return Vec::new();
        };
        let mut effects = vec![Effect::Inject(message)];
        let v3 = auth.version == Some(Version::V3);
        if auth.waits_since == 0 {
            auth.waits_since = now;
        }
        if !(self.is_master && v3) {
            self.last_sent = now;
            effects.push(Effect::RecentlySent);
        } else if auth.pending_commit().is_some() {
            // Any instance may answer, so the key must be kept for a while, but not longer.
            effects.push(Effect::WatchCommit);
        }
        effects
    }
}

/// The effects of an exchange that may just have finished.
#[inline(never)]
fn finish_exchange(
    outcome: Result<Option<Established>, ProtocolError>,
    reply: Option<Vec<u8>>,
) -> Vec<Effect> {
    match outcome {
        Ok(None) => Vec::new(),
        Err(error) => vec![Effect::SetupFailed(error)],
        Ok(Some(established)) if established.is_reflected() => {
            let mut effects = vec![Effect::Notify(Notice::MessageReflected, None)];
            effects.extend(reply.map(Effect::Inject));
            effects
        }
        Ok(Some(established)) => vec![
            Effect::FingerprintSeen(*established.their_fingerprint()),
            Effect::Then(Task::Activate(Box::new(established), reply)),
        ],
    }
}

/// Our exchange that waits for a signature. Not inlined, like the next one: the calculations of an exchange need stack themselves.
#[inline(never)]
fn copy_of_revealed(auth: &Auth) -> Option<Box<Revealed>> {
    auth.revealed().cloned().map(Box::new)
}

/// The same, after the exchange with their DH-commit has opened a session.
#[expect(clippy::boxed_local, reason = "too large for a small stack")]
#[inline(never)]
fn crossed(
    ours: Box<Revealed>,
    their_commit: [u8; 32],
    rival: SessionId,
    now: i64,
) -> Box<Crossed> {
    Box::new(Crossed::new(*ours, their_commit, rival, now))
}
