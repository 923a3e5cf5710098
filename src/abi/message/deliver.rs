//! Delivering the effects of a step: in order, each with the context looked up afresh, while nothing
//! of the core is borrowed and nothing with a destructor is alive.

use std::collections::VecDeque;
use std::mem::ManuallyDrop;

use super::super::bridge::{with_conversation, with_correspondent, with_exchanging, with_smp};
use super::super::context::{self, Handle};
use super::super::context_priv::hidden;
use super::super::memory::bytes_of;
use super::super::types::*;
use super::client::Client;
use super::clock::now;
use super::transmit::transmit_all;
use super::{fragments, interface};
use otr_protocol::conversation::{Conversation, RESENT_PREFIX};
use otr_protocol::effects::{Effect, Task};
use otr_protocol::instances;

/// Delivers `effects` and what follows from them. Stops when the context is gone or a session could not be opened.
///
/// # Safety
/// `handle` names a context of the client's user state, and nothing the client can reach is borrowed.
pub unsafe fn deliver(client: Client, handle: Handle, effects: Vec<Effect>) {
    // Should a callback never return, this memory is lost, and nothing else.
    let mut queue = ManuallyDrop::new(VecDeque::from(effects));
    // SAFETY: the caller's promise; the handle says whether the context is still there.
    while let Some(ctx) = unsafe { handle.get(client.us) }
        && let Some(effect) = queue.pop_front()
    {
        let effect = ManuallyDrop::new(effect);
        // SAFETY: the context is there.
        unsafe {
            match &*effect {
                Effect::Then(task) => {
                    let more = bring_back(client, handle, ctx, task);
                    for effect in more.into_iter().rev() {
                        queue.push_front(effect);
                    }
                }
                told => tell(client, handle, ctx, told),
            }
        }
        drop(ManuallyDrop::into_inner(effect));
    }
    drop(ManuallyDrop::into_inner(queue));
}

/// Delivers one effect that asks nothing more of the core.
#[inline(never)]
unsafe fn tell(client: Client, handle: Handle, ctx: *mut ConnContext, effect: &Effect) {
    // SAFETY: the caller vouches for the context, which each arm uses before its first callback.
    unsafe {
        match effect {
            Effect::Inject(message) => {
                // The peer will ask again for what could not be sent.
                let _ = transmit_all(client, handle, message);
            }
            Effect::FingerprintSeen(fingerprint) => {
                let mut fingerprint = *fingerprint;
                let mut added = 0;
                context::find_fingerprint(ctx, fingerprint.as_mut_ptr(), true, &raw mut added);
                if added != 0 {
                    client.new_fingerprint(ctx, fingerprint.as_mut_ptr());
                    client.write_fingerprints();
                }
            }
            Effect::ContextListChanged => client.update_context_list(),
            Effect::GoneSecure => client.gone_secure(ctx),
            Effect::StillSecure(initiated) => client.still_secure(ctx, (*initiated).into()),
            Effect::Finish => context::force_finished(ctx),
            Effect::Trust(trusted) => {
                let trust = if *trusted { c"smp" } else { c"" };
                context::set_trust((*ctx).active_fingerprint, trust.as_ptr());
                client.write_fingerprints();
            }
            Effect::FragmentsWait => fragments::bound(client.us, ctx),
            Effect::TextMayBeLost => note_error(ctx),
            Effect::Then(_) => {}
            other => interface::tell(client, handle, ctx, other),
        }
    }
}

/// Notes an error of theirs, which bears no tag, in the session that they may have lost.
unsafe fn note_error(ctx: *mut ConnContext) {
    // SAFETY: the caller vouches for the context and its list.
    unsafe {
        let contexts = context::members(context::master_of(ctx));
        let last = instances::last_written_to(contexts.map(|member| context::describe(member)));
        if let Some(last) = last {
            let _ = with_conversation(last, Conversation::note_error);
        }
    }
}

/// Brings a task back to the core.
#[inline(never)]
unsafe fn bring_back(
    client: Client,
    handle: Handle,
    ctx: *mut ConnContext,
    task: &Task,
) -> Vec<Effect> {
    let now = now();
    // SAFETY: the caller vouches for the context.
    let outcome = unsafe {
        match task {
            Task::Activate(established, reply) => {
                super::super::exchange::show_their_side(&raw mut (*ctx).auth, established);
                with_exchanging(ctx, |c| c.activate(established, reply.clone(), now))
            }
            Task::Resend => return resend(client, handle, ctx, now),
            Task::SmpMessages(tlvs) => with_smp(ctx, |c, smp| c.on_smp_messages(smp, tlvs)),
            Task::SmpMessage(tlv, expected) => {
                let tlv = interface::smp_record(tlv);
                with_smp(ctx, |c, smp| c.on_smp_message(smp, &tlv, *expected))
            }
            Task::SendTlv(tlv) => with_conversation(ctx, |c| c.send_tlv(tlv.clone())),
            Task::Heartbeat if !interface::heartbeat_is_due(ctx, now) => return Vec::new(),
            Task::Heartbeat => with_conversation(ctx, |c| c.heartbeat(now)),
        }
    };
    // After a panic the conversation is closed already; there is nothing more to tell.
    outcome.unwrap_or_default()
}

/// Sends what was lost with the old session, and what waits for one.
#[inline(never)]
unsafe fn resend(client: Client, handle: Handle, ctx: *mut ConnContext, now: i64) -> Vec<Effect> {
    // SAFETY: the caller vouches for the context; it is looked up again after the callback.
    unsafe {
        take_lost_text(ctx);
        let mut effects = Vec::new();
        if with_conversation(ctx, |c| c.resend_is_due(now)).unwrap_or(false) {
            let prefix = interface::resent_prefix(client, ctx);
            if let Some(ctx) = handle.get(client.us) {
                let words = bytes_of(prefix).unwrap_or(RESENT_PREFIX);
                effects = with_conversation(ctx, |c| c.resend(words, now)).unwrap_or_default();
            }
            libc::free(prefix.cast());
        }
        if let Some(ctx) = handle.get(client.us) {
            let held = with_correspondent(ctx, |c, shared| c.send_held(&mut shared.held, now));
            effects.extend(held.unwrap_or_default());
        }
        effects
    }
}

/// Lets an instance send again what was lost with the session of another one of the same correspondent.
#[inline(never)]
unsafe fn take_lost_text(ctx: *mut ConnContext) {
    // SAFETY: the caller vouches for the context and its list.
    unsafe {
        for other in context::members(context::master_of(ctx)) {
            if other == ctx || (*hidden(other)).may_retransmit == 0 {
                continue;
            }
            let lost = with_conversation(other, Conversation::give_lost_text);
            if let Ok(Some(lost)) = lost {
                let _ = with_conversation(ctx, |c| c.take_lost_text(lost));
            }
        }
    }
}
