//! A message that is lost because there is no memory for it. The user who has a session with its sender is told, and so is
//! the sender, who may send it again.

use super::call::{Call, Client, Given, Places};
use super::deliver::deliver;
use super::interface;
use crate::abi::borrowed::Borrowed;
use crate::abi::context::{Ctx, Handle};
use otr_protocol::receiving::lost;

/// Tells both sides that a message was lost, if there is a session.
pub(crate) fn tell_lost(call: &mut Call<'_>, handle: Handle) {
    if let Some(ctx) = call.get(handle) {
        let effects = lost(ctx.state());
        deliver(call, handle, effects);
    }
}

/// The same for a message that could not even be copied.
#[inline(never)]
pub(crate) fn tell_lost_from(client: Client, given: &Given<'_>, places: &Places<'_>) {
    let given = Given {
        text: Some(Borrowed::of_str(c"")),
        ..*given
    };
    // If there is no memory for the names either, nobody is told.
    let _ = Call::about_message(client, &given, places, |call| {
        if let Some(handle) = interface::find_best(call).map(Ctx::handle) {
            tell_lost(call, handle);
        }
    });
}
