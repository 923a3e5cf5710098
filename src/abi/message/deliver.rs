//! Delivering the effects of a step: in order, each with the context looked up again, while nothing of the core is borrowed
//! and nothing with a destructor is alive.

use std::collections::VecDeque;
use std::mem::ManuallyDrop;

use super::call::Call;
use super::clock::now;
use super::transmit::transmit_all;
use super::{fragments, interface};
use crate::abi::bridge::{with_conversation, with_correspondent, with_exchanging, with_smp};
use crate::abi::context::{Ctx, Handle};
use crate::abi::exchange;
use otr_protocol::conversation::{Conversation, RESENT_PREFIX};
use otr_protocol::effects::{Effect, Task};
use otr_protocol::instances;

/// Delivers `effects` and those of their tasks. Stops if the context is gone or a session could not be opened.
pub(crate) fn deliver(call: &mut Call<'_>, handle: Handle, effects: Vec<Effect>) {
    // If a callback never returns, only this memory is leaked.
    let mut queue = ManuallyDrop::new(VecDeque::from(effects));
    while call.get(handle).is_some() {
        let Some(effect) = queue.pop_front() else {
            break;
        };
        let effect = ManuallyDrop::new(effect);
        match &*effect {
            Effect::Then(task) => {
                let more = bring_back(call, handle, task);
                for effect in more.into_iter().rev() {
                    queue.push_front(effect);
                }
            }
            told => tell(call, handle, told),
        }
        drop(ManuallyDrop::into_inner(effect));
    }
    drop(ManuallyDrop::into_inner(queue));
}

/// Delivers one effect that is not a task for the core.
#[inline(never)]
fn tell(call: &mut Call<'_>, handle: Handle, effect: &Effect) {
    let Some(ctx) = call.get(handle) else {
        return;
    };
    match effect {
        Effect::Inject(message) => {
            // The peer will ask again for what could not be sent.
            let _ = transmit_all(call, handle, message);
        }
        Effect::FingerprintSeen(fingerprint) => {
            let mut fingerprint = *fingerprint;
            if ctx.add_fingerprint(&fingerprint) {
                call.new_fingerprint(handle, &mut fingerprint);
                call.write_fingerprints();
            }
        }
        Effect::ContextListChanged => call.update_context_list(),
        Effect::GoneSecure => call.gone_secure(handle),
        Effect::StillSecure(initiated) => call.still_secure(handle, (*initiated).into()),
        Effect::Finish => ctx.force_finished(),
        Effect::Trust(trusted) => {
            ctx.trust_active_fingerprint(*trusted);
            call.write_fingerprints();
        }
        Effect::FragmentsWait => fragments::bound(call, ctx),
        Effect::TextMayBeLost => note_error(ctx),
        Effect::Then(_) => {}
        other => interface::tell(call, handle, other),
    }
}

/// Notes that the correspondent has reported an error. The message has no instance tag: it is noted in the session that they
/// may have lost.
fn note_error(ctx: Ctx<'_>) {
    if let Some(last) = instances::last_written_to(ctx.members().map(Ctx::describe)) {
        let _ = with_conversation(last, Conversation::note_error);
    }
}

/// Passes a task back to the core.
#[inline(never)]
fn bring_back(call: &mut Call<'_>, handle: Handle, task: &Task) -> Vec<Effect> {
    let Some(ctx) = call.get(handle) else {
        return Vec::new();
    };
    let now = now();
    let outcome = match task {
        Task::Activate(established, reply) => {
            exchange::show_their_side(ctx.auth(), established);
            with_exchanging(ctx, |c| c.activate(established, reply.clone(), now))
        }
        Task::Resend => return resend(call, handle, now),
        Task::SmpMessages(tlvs) => with_smp(ctx, |c, smp| c.on_smp_messages(smp, tlvs)),
        Task::SmpMessage(tlv, expected) => {
            let tlv = interface::smp_record(tlv);
            with_smp(ctx, |c, smp| c.on_smp_message(smp, &tlv, *expected))
        }
        Task::SendTlv(tlv) => with_conversation(ctx, |c| c.send_tlv(tlv.clone())),
        Task::Heartbeat if !interface::heartbeat_is_due(ctx, now) => return Vec::new(),
        Task::Heartbeat => with_conversation(ctx, |c| c.heartbeat(now)),
    };
    // After a panic the conversation is already closed; there is nothing more to tell.
    outcome.unwrap_or_default()
}

/// Sends the text that was lost with the old session, and those that wait for one.
#[inline(never)]
fn resend(call: &mut Call<'_>, handle: Handle, now: i64) -> Vec<Effect> {
    let Some(ctx) = call.get(handle) else {
        return Vec::new();
    };
    take_lost_text(ctx);
    let mut effects = Vec::new();
    if with_conversation(ctx, |c| c.resend_is_due(now)).unwrap_or(false) {
        let prefix = interface::resent_prefix(call, handle);
        if let Some(ctx) = call.get(handle) {
            let words = prefix.bytes().unwrap_or(RESENT_PREFIX);
            effects = with_conversation(ctx, |c| c.resend(words, now)).unwrap_or_default();
        }
        prefix.free();
    }
    if let Some(ctx) = call.get(handle) {
        let held = with_correspondent(ctx, |c, shared| c.send_held(&mut shared.held, now));
        effects.extend(held.unwrap_or_default());
    }
    effects
}

/// Lets an instance send again the text that was lost with the session of another instance of the same correspondent.
#[inline(never)]
fn take_lost_text(ctx: Ctx<'_>) {
    for other in ctx.members() {
        if other == ctx || !other.may_retransmit() {
            continue;
        }
        let lost = with_conversation(other, Conversation::give_lost_text);
        if let Ok(Some(lost)) = lost {
            let _ = with_conversation(ctx, |c| c.take_lost_text(lost));
        }
    }
}
