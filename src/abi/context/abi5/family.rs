//! A master and its instances: which one was heard from last, and which is best.

use std::ffi::c_uint;
use std::ptr;

use crate::abi::borrowed::Borrowed;
use crate::abi::context::describe::describe;
use crate::abi::entry::entry;
use crate::abi::linked_list;
use crate::abi::numbers::time_from;
use crate::abi::types::{
    ConnContext, ConnContextPriv, INSTAG_RECENT, INSTAG_RECENT_RECEIVED, INSTAG_RECENT_SENT,
    OtrlInstag,
};
use otr_protocol::instances;

/// The contexts of one master, itself first. They are adjacent in the list.
pub(crate) fn members(
    master: Borrowed<'_, ConnContext>,
) -> impl Iterator<Item = Borrowed<'_, ConnContext>> {
    let behind = linked_list::iter(master.next().follow())
        .take_while(move |context| master_of(*context) == Some(master));
    std::iter::once(master).chain(behind)
}

/// The instance that was last heard from, written to, or either; the master if there was none. `None` for another `which`.
/// Instances with a session are preferred: see [`instances::most_recent`].
pub(crate) fn find_recent_instance(
    context: Borrowed<'_, ConnContext>,
    which: OtrlInstag,
) -> Option<Borrowed<'_, ConnContext>> {
    let master = master_of(context)?;
    let recent = match which {
        INSTAG_RECENT => master.recent_child(),
        INSTAG_RECENT_RECEIVED => master.recent_rcvd_child(),
        INSTAG_RECENT_SENT => master.recent_sent_child(),
        _ => return None,
    };
    let recent = recent.follow().unwrap_or(master);
    Some(instances::most_recent(
        describe(recent),
        members(master).map(describe),
    ))
}

/// The safest instance, and among equals the one heard from last, in whole seconds.
pub(crate) fn recent_secure_instance(
    context: Borrowed<'_, ConnContext>,
) -> Borrowed<'_, ConnContext> {
    let Some(master) = master_of(context) else {
        return context;
    };
    let candidates = std::iter::once(context).chain(members(master));
    instances::best(candidates.map(describe)).unwrap_or(context)
}

/// Notes that something was sent to `context` (`sent`) or received from it.
pub(crate) fn update_recent_child(context: Borrowed<'_, ConnContext>, sent: bool) {
    let Some(master) = master_of(context) else {
        return;
    };
    if sent {
        master.recent_sent_child().point_at(Some(context));
    } else {
        master.recent_rcvd_child().point_at(Some(context));
    }
    master.recent_child().point_at(Some(context));
}

/// Where the master points to this instance, makes it point to itself.
pub(crate) fn leave_family(context: Borrowed<'_, ConnContext>) {
    let Some(master) = master_of(context) else {
        return;
    };
    for place in [
        master.recent_child(),
        master.recent_rcvd_child(),
        master.recent_sent_child(),
    ] {
        if place.follow() == Some(context) {
            place.point_at(Some(master));
        }
    }
}

/// Makes an instance that was taken out of the list its own master.
pub(crate) fn stand_alone(context: Borrowed<'_, ConnContext>) {
    context.m_context().point_at(Some(context));
}

/// The master of a context. `None` if a client made the context and gave it none.
pub(crate) fn master_of(context: Borrowed<'_, ConnContext>) -> Option<Borrowed<'_, ConnContext>> {
    context.m_context().follow()
}

/// When something was last received from a context.
pub(crate) fn last_heard(members: Borrowed<'_, ConnContextPriv>) -> i64 {
    time_from(members.lastrecv().get())
}

entry! {
    /// The instance that was last heard from, written to, or either.
    ///
    /// # Safety
    /// `context` is NULL or a live context.
    on panic ptr::null_mut();
    pub fn otrl_context_find_recent_instance(
        context: *mut ConnContext as Option<Borrowed<ConnContext>>,
        which: OtrlInstag,
    ) -> *mut ConnContext as Option<Borrowed<ConnContext>> {
        find_recent_instance(context?, which)
    }
}

entry! {
    /// The safest instance, and among equals the one heard from last.
    ///
    /// # Safety
    /// `context` is NULL or a live context.
    on panic ptr::null_mut();
    pub fn otrl_context_find_recent_secure_instance(
        context: *mut ConnContext as Option<Borrowed<ConnContext>>,
    ) -> *mut ConnContext as Option<Borrowed<ConnContext>> {
        Some(recent_secure_instance(context?))
    }
}

entry! {
    /// Notes that something was sent to a context (`sent` is not 0) or received from it.
    ///
    /// # Safety
    /// `context` is NULL or a live context.
    on panic ();
    pub fn otrl_context_update_recent_child(context: *mut ConnContext as Option<Borrowed<ConnContext>>, sent: c_uint) {
        if let Some(context) = context {
            update_recent_child(context, sent != 0);
        }
    }
}
