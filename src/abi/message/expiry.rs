//! Private DH values that have waited long enough, and the record of the sessions that others have opened.

use crate::abi::context::Ctx;
use crate::abi::exchange;
use crate::abi::message::clock::now;

/// Wipes expired values in the exchanges with this correspondent, in all instances: clients that never poll must not keep them
/// forever, and a message that comes too late must not find them.
pub(crate) fn expire(ctx: Ctx<'_>) {
    /// Up to this many opened sessions are recorded without checking which are still needed.
    const FEW: usize = 16;
    let now = now();
    // Checked already in the same second.
    let (looked_at, opened) = ctx.look_at_exchanges(now);
    let is_due = looked_at != now;
    if is_due {
        ctx.members().for_each(|member| expire_one(member, now));
    }
    if is_due || opened > FEW {
        forget_unheld(ctx.master());
    }
}

/// [`expire`] for one context.
pub(crate) fn expire_one(ctx: Ctx<'_>, now: i64) {
    ctx.look_at_secrets(|secrets| {
        secrets.crossed.take_if(|crossed| crossed.is_over(now));
        secrets.expire_fragments(now);
    });
    let Some(mut auth) = exchange::waiting(ctx) else {
        return;
    };
    if auth.expire(now) {
        exchange::keep(ctx, &auth);
    }
}

/// Whether this context contains values that will expire.
#[cfg(feature = "abi5")]
pub(crate) fn is_waiting(ctx: Ctx<'_>) -> bool {
    let crossed = ctx.look_at_secrets(|secrets| secrets.crossed.is_some());
    crossed.unwrap_or(false)
        || exchange::waiting(ctx).is_some_and(|auth| auth.waits_for().is_some())
}

/// Forgets the sessions whose private value of the exchange no longer exists: no other session can be opened with it.
fn forget_unheld(master: Ctx<'_>) {
    exchange::forget_opened_but(master, || {
        let mut held = Vec::new();
        for member in master.members() {
            held.extend(exchange::load_of(member).held_values());
            let crossed = member.look_at_secrets(|secrets| {
                secrets.crossed.as_ref().map(|crossed| crossed.our_value())
            });
            held.extend(crossed.flatten());
        }
        held
    });
}
