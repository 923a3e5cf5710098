//! A message that is lost because there is no memory for it. The user who has a session with its sender is told, and so is
//! the sender, who may send it again.

use super::call::{Call, Client, Given, Places};
use super::deliver::deliver;
use super::interface;
use crate::abi::borrowed::Borrowed;
use otr_protocol::receiving::lost;

/// Tells both sides that a message was lost that could not even be copied, if there is a session.
#[inline(never)]
pub(crate) fn tell_lost(client: Client, given: &Given<'_>, places: &Places<'_>) {
    let given = Given {
        text: Some(Borrowed::of_str(c"")),
        ..*given
    };
    // If there is no memory for the names either, nobody is told.
    let _ = Call::about_message(client, &given, places, |call| {
        let best = interface::find_best(call).map(|ctx| (ctx.handle(), ctx.state()));
        if let Some((handle, state)) = best {
            deliver(call, handle, lost(state));
        }
    });
}
