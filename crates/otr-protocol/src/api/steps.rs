//! The steps of the core on the contexts of a chat: a received message, and the effects of a step.

use std::collections::VecDeque;

use super::account::KnownKey;
use super::chat::{Chat, peer_of, protection_of};
use super::event::{Event, Fingerprint, Message, Outbox, Protection, Question, Received};
use super::family::Others;
use crate::buffer;
use crate::conversation::{MessageState, RESENT_PREFIX};
use crate::effects::{Effect, ErrorCode, Notice, SmpEvent, Task, unexpected_data};
use crate::incoming::{Incoming, Recipient, Shown, Step};
use crate::instances::{self, Admission, FRAGMENTS_OF_ONE};
use crate::smp::state::{Expected, Progress};
use crate::wire::classify::message_version;
use crate::wire::error_message::{compose, text_of};
use crate::wire::fragment::{FragmentHeader, split};
use crate::wire::version::Version;
use std::sync::Arc;

impl Chat {
    /// Runs a received message.
    pub(super) fn run(&mut self, message: &[u8], now: i64) -> Received {
        let identity = Arc::clone(&self.identity);
        let recipient = Recipient {
            name: identity.name.as_bytes(),
            tag: identity.tag,
            policy: self.policy,
        };
        let mut incoming = Incoming::new(message, recipient);
        let mut out = Received::default();
        let mut at = 0;
        let mut step = incoming.begin();
        let shown = loop {
            step = match step {
                Step::Done(shown) => break shown,
                Step::Instance(tag) => match self.enter(tag) {
                    Some((instance, is_new)) => {
                        at = instance;
                        incoming.entered(is_new)
                    }
                    None => break Shown::Nothing,
                },
                Step::Deliver => {
                    self.deliver(at, incoming.take_effects(), &mut out, now);
                    incoming.delivered()
                }
                Step::Read => {
                    // The text comes before the other effects of the message, of which one may end the session.
                    let text = incoming.received().0.take();
                    if let Some((text, context)) = text.zip(self.contexts.get(at)) {
                        out.events.push(Event::Message(Message {
                            text,
                            protection: protection_of(&context.conversation),
                        }));
                    }
                    incoming.read()
                }
                step => self.step(at, &mut incoming, step, now),
            };
        };
        self.show(shown, &incoming, &mut out);
        out
    }

    /// Runs a step on one context, which is taken out during the step.
    fn step(
        &mut self,
        at: usize,
        incoming: &mut Incoming<'_, Vec<u8>>,
        step: Step,
        now: i64,
    ) -> Step {
        let Some(place) = self.contexts.get_mut(at) else {
            return Step::Done(Shown::Nothing);
        };
        let mut context = std::mem::take(place);
        let others = Others {
            contexts: &self.contexts,
            at,
            current: context.describe(),
        };
        let (c, auth, shared) = (
            &mut context.conversation,
            &mut context.auth,
            &mut self.shared,
        );
        let key = &self.identity.key;
        let next = match step {
            Step::Arrival => incoming.arrive(&mut c.secrets, c.state, &mut c.offer, now),
            Step::Data => incoming.data(c, shared, &others, now),
            Step::Exchange => incoming.in_exchange(c, auth, shared, &others, None, now),
            Step::ExchangeWithKey => incoming.in_exchange(c, auth, shared, &others, Some(key), now),
            Step::Heard => {
                context.last_heard = now;
                incoming.heard()
            }
            _ => incoming.plaintext(&others),
        };
        if let Some(place) = self.contexts.get_mut(at) {
            *place = context;
        }
        next
    }

    /// The context of an instance, and whether it had to be made. `None`: there are too many.
    fn enter(&mut self, tag: u32) -> Option<(usize, bool)> {
        if let Some(at) = self.contexts.iter().position(|it| it.tag == tag) {
            return Some((at, false));
        }
        let context = self.new_context(tag);
        let instances = self.contexts.iter().enumerate().skip(1);
        match instances::admit(instances.map(|(index, it)| (index, it.describe()))) {
            Admission::Added => {
                self.contexts.push(context);
                Some((self.contexts.len() - 1, true))
            }
            Admission::Replaces(at) => {
                *self.contexts.get_mut(at)? = context;
                Some((at, true))
            }
            Admission::Refused => None,
        }
    }

    /// Adds the event for a message that was not encrypted.
    fn show(&self, shown: Shown, incoming: &Incoming<'_, Vec<u8>>, out: &mut Received) {
        let plain = |protection| match buffer::concat(&incoming.plain_text()) {
            Ok(text) => Event::Message(Message { text, protection }),
            Err(_) => Event::Notice(Notice::ReceivedUnreadable),
        };
        out.events.extend(match shown {
            Shown::Nothing | Shown::Decrypted => None,
            Shown::AsItCame | Shown::Plain => Some(plain(Protection::Clear)),
            Shown::PlainUnexpected => Some(plain(Protection::ClearUnexpected)),
            Shown::Error => text_of(incoming.message())
                .and_then(|text| buffer::copy(text).ok())
                .map(Event::TheirError),
        });
    }

    /// Delivers the effects of a step in one context, and what follows from them.
    pub(super) fn deliver(
        &mut self,
        at: usize,
        effects: Vec<Effect>,
        out: &mut Received,
        now: i64,
    ) {
        let mut queue = VecDeque::from(effects);
        while let Some(effect) = queue.pop_front() {
            match effect {
                Effect::Then(task) => {
                    for effect in self.bring_back(at, task, now).into_iter().rev() {
                        queue.push_front(effect);
                    }
                }
                effect => self.tell(at, effect, out),
            }
        }
    }

    fn tell(&mut self, at: usize, effect: Effect, out: &mut Received) {
        let Some(context) = self.contexts.get_mut(at) else {
            return;
        };
        let peer = peer_of(&context.conversation);
        match effect {
            Effect::Inject(message) => out.outbox.append(self.cut(at, message)),
            Effect::ReportError(code) => {
                let message = match code {
                    ErrorCode::NotInPrivate => unexpected_data(self.identity.name.as_bytes())
                        .and_then(|words| compose(&words)),
                    _ => compose(code.phrase().as_bytes()),
                };
                // If out of memory, they are not told.
                if let Ok(message) = message {
                    out.outbox.append(self.cut(at, message));
                }
            }
            Effect::Notify(Notice::HeartbeatReceived | Notice::HeartbeatSent, _) => {}
            Effect::Notify(notice, _) => out.events.push(Event::Notice(notice)),
            Effect::SetupFailed(error) => out.events.push(Event::SetupFailed(error.into())),
            Effect::FingerprintSeen(fingerprint) => {
                if !self.known.iter().any(|it| it.fingerprint == fingerprint) {
                    self.trust(fingerprint, b"");
                    out.events.push(Event::NewKey(Fingerprint(fingerprint)));
                }
            }
            Effect::GoneSecure => out.events.extend(peer.map(Event::Secure)),
            Effect::StillSecure(_) => out.events.extend(peer.map(Event::Refreshed)),
            Effect::Finish => {
                context.reset(MessageState::Finished);
                out.events.push(Event::Ended);
            }
            Effect::ExtraKey(purpose, data, key) => {
                out.events.push(Event::ExtraKey { purpose, data, key });
            }
            Effect::Smp(event, _, text) => {
                let question = Question {
                    text,
                    instance: context.tag,
                    session_id: context.conversation.session_id,
                };
                out.events.push(smp_event(event, question));
            }
            Effect::SmpExpect(expected) | Effect::SmpAdvance(expected) => {
                context.smp.expected = expected;
            }
            Effect::SmpReset => {
                context.smp.expected = Expected::default();
                context.smp.progress = Progress::default();
            }
            Effect::Trust(trusted) => {
                if let Some(peer) = peer {
                    self.trust(peer.fingerprint.0, if trusted { b"smp" } else { b"" });
                }
            }
            Effect::FragmentsWait => self.bound_fragments(),
            Effect::TextMayBeLost => self.note_error(),
            Effect::RecentlySent
            | Effect::ContextListChanged
            | Effect::WatchCommit
            | Effect::Then(_) => {}
        }
    }

    /// Passes a task back to the core.
    fn bring_back(&mut self, at: usize, task: Task, now: i64) -> Vec<Effect> {
        if let Task::Resend = task {
            self.take_lost_text(at);
        }
        let Some(context) = self.contexts.get_mut(at) else {
            return Vec::new();
        };
        let (c, smp) = (&mut context.conversation, &mut context.smp);
        match task {
            Task::Activate(established, reply) => {
                let mut effects = c.activate(&established, reply, now);
                if let Some(peer) = &mut c.peer {
                    let is_theirs = |it: &KnownKey| it.fingerprint == peer.fingerprint;
                    let mut known = self.known.iter();
                    peer.trusted = known.any(|it| is_theirs(it) && !it.trust.is_empty());
                }
                // An SMP belongs to the key that it was begun with.
                if effects.iter().any(|it| matches!(it, Effect::GoneSecure)) {
                    effects.insert(0, Effect::SmpReset);
                }
                effects
            }
            Task::Resend => {
                let mut effects = Vec::new();
                if c.resend_is_due(now) {
                    effects = c.resend(RESENT_PREFIX, now);
                }
                effects.extend(c.send_held(&mut self.shared.held, now));
                effects
            }
            Task::SmpMessages(tlvs) => c.on_smp_messages(smp, &tlvs),
            Task::SmpMessage(tlv, expected) => c.on_smp_message(smp, &tlv, expected),
            Task::SendTlv(tlv) => c.send_tlv(tlv),
            Task::Heartbeat => c.heartbeat(now),
        }
    }

    /// Lets a new session send again the text that was lost with the session of another instance.
    fn take_lost_text(&mut self, at: usize) {
        let mut others = self.contexts.iter_mut().enumerate();
        let lost = others
            .find_map(|(index, it)| (index != at).then(|| it.conversation.give_lost_text())?);
        if let (Some(lost), Some(context)) = (lost, self.contexts.get_mut(at)) {
            context.conversation.take_lost_text(lost);
        }
    }

    fn note_error(&mut self) {
        let all = self.contexts.iter().enumerate();
        let last = instances::last_written_to(all.map(|(index, it)| (index, it.describe())));
        if let Some(context) = last.and_then(|last| self.contexts.get_mut(last)) {
            context.conversation.note_error();
        }
    }

    fn bound_fragments(&mut self) {
        loop {
            let waiting = self.contexts.iter().enumerate().map(|(index, it)| {
                let secrets = &it.conversation.secrets;
                let bytes = secrets.reassembly.data().len();
                let state = it.conversation.state;
                (index, state, bytes, secrets.fragment_heard)
            });
            let oldest = instances::forgets_fragments(FRAGMENTS_OF_ONE, waiting);
            match oldest.and_then(|oldest| self.contexts.get_mut(oldest)) {
                Some(context) => context.conversation.secrets.reassembly.discard(),
                None => return,
            }
        }
    }

    /// Cuts a message into fragments for the network. One that cannot be cut is sent as a whole.
    pub(super) fn cut(&self, at: usize, message: Vec<u8>) -> Outbox {
        let limit = self.max_size.map(std::num::NonZeroUsize::get);
        let Some(limit) = limit.filter(|limit| message.len() > *limit) else {
            return Outbox(vec![message]);
        };
        let tags = self.contexts.get(at).map(|it| it.conversation.tags);
        let tags = tags.unwrap_or_default();
        let header = match message_version(&message) {
            Some(Version::V3) => FragmentHeader::V3 {
                ours: tags.ours,
                theirs: tags.theirs,
            },
            Some(_) => FragmentHeader::V2,
            // Only encoded messages can be reassembled.
            None => return Outbox(vec![message]),
        };
        match split(&message, limit, header) {
            Ok(pieces) => match pieces.to_vecs() {
                Ok(pieces) => Outbox(pieces),
                Err(_) => Outbox(vec![message]),
            },
            Err(_) => Outbox(vec![message]),
        }
    }
}

fn smp_event(event: SmpEvent, question: Question) -> Event {
    match event {
        SmpEvent::AskForAnswer | SmpEvent::AskForSecret => Event::Question(question),
        SmpEvent::InProgress => Event::Comparing,
        SmpEvent::Success => Event::Matched,
        SmpEvent::Failure => Event::NotMatched,
        SmpEvent::Abort => Event::ComparisonAborted,
        SmpEvent::Cheated => Event::ComparisonFailed(true),
        SmpEvent::Error => Event::ComparisonFailed(false),
    }
}
