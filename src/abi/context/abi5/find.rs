//! Finding contexts: an instance, its master, or one of the ways to choose.

use std::ffi::{c_char, c_int, c_void};

use super::family::{find_recent_instance, leave_family, master_of, recent_secure_instance};
use crate::abi::borrowed::{Borrowed, Out};
use crate::abi::context::forget::unlink;
use crate::abi::context::list::{Names, NewContexts, Place};
use crate::abi::context::state::force_plaintext;
use crate::abi::context_priv;
use crate::abi::entry::entry;
use crate::abi::instag;
use crate::abi::linked_list;
use crate::abi::types::{
    AddAppData, ConnContext, INSTAG_BEST, INSTAG_MASTER, INSTAG_RECENT, INSTAG_RECENT_RECEIVED,
    INSTAG_RECENT_SENT, MIN_VALID_INSTAG, OFFER_NOT, OtrlInstag, UserState,
};

/// Finds the context of a correspondent: one instance, the master, the best, or one of the recent ones. `None` for a number
/// that cannot be an instance tag.
pub(crate) fn find<'a>(
    us: Borrowed<'a, UserState>,
    names: &Names<'a>,
    their_instance: OtrlInstag,
) -> Option<Borrowed<'a, ConnContext>> {
    if their_instance < MIN_VALID_INSTAG {
        let head = head(us, names)?;
        return match their_instance {
            INSTAG_MASTER => Some(head),
            INSTAG_BEST => Some(recent_secure_instance(head)),
            INSTAG_RECENT | INSTAG_RECENT_RECEIVED | INSTAG_RECENT_SENT => {
                find_recent_instance(head, their_instance)
            }
            _ => None,
        };
    }
    let found = place(us, names, their_instance).found;
    found.filter(|here| here.their_instance().get() == their_instance)
}

/// The same, but a missing one is made (an instance together with its master) and shown to the client. Also returns whether it
/// was made. A number that cannot be an instance tag makes a master. `None` if out of memory, or if a callback forgets it.
///
/// # Safety
/// The client may call back into the library: no context that was borrowed before is used afterwards.
pub(crate) unsafe fn find_or_add<'a>(
    us: Borrowed<'a, UserState>,
    names: &Names<'a>,
    their_instance: OtrlInstag,
    new: NewContexts,
) -> Option<(Borrowed<'a, ConnContext>, bool)> {
    if let Some(found) = find(us, names, their_instance) {
        return Some((found, false));
    }
    // Neither an instance tag nor a meta tag.
    if (INSTAG_RECENT_SENT + 1..MIN_VALID_INSTAG).contains(&their_instance) {
        return None;
    }
    if their_instance < MIN_VALID_INSTAG {
        // SAFETY: no context that was borrowed before is used afterwards, as the caller guarantees.
        return unsafe { add(us, names, INSTAG_MASTER, new) }.map(|master| (master, true));
    }
    // An instance always has a master before it.
    if head(us, names).is_none() {
        // SAFETY: as above.
        unsafe { add(us, names, INSTAG_MASTER, new) }?;
    }
    // The callback may have made this instance, and forgotten others.
    let names = &Names {
        near: None,
        ..*names
    };
    let context = match find(us, names, their_instance) {
        Some(context) => context,
        // SAFETY: as above.
        None => unsafe { add(us, names, their_instance, new) }?,
    };
    Some((context, true))
}

/// The same for the correspondent's master.
///
/// # Safety
/// As for [`find_or_add`].
pub(crate) unsafe fn find_correspondent<'a>(
    us: Borrowed<'a, UserState>,
    names: &Names<'a>,
    new: NewContexts,
) -> Option<(Borrowed<'a, ConnContext>, bool)> {
    // SAFETY: as above.
    unsafe { find_or_add(us, names, INSTAG_MASTER, new) }
}

/// Reuses the context of an instance that is no longer needed for a new instance. It moves to its new position in the list,
/// keeps nothing but the client's `app_data`, and no earlier [`Handle`](crate::abi::context::Handle) finds it. It is not freed,
/// because the client may have a pointer to it. `their_instance` has no context yet.
pub(crate) fn become_instance(
    us: Borrowed<'_, UserState>,
    context: Borrowed<'_, ConnContext>,
    their_instance: OtrlInstag,
) {
    // The context is out of the list while it changes, and no callback runs.
    leave_family(context);
    unlink(context, context);
    force_plaintext(context);
    context_priv::renew(context);
    context.otr_offer().set(OFFER_NOT);
    context.their_instance().set(their_instance);
    let names = (
        context.username().text(),
        context.accountname().text(),
        context.protocol().text(),
    );
    // The library's own contexts have names.
    if let (Some(user), Some(account), Some(protocol)) = names {
        let names = Names {
            user,
            account,
            protocol,
            near: None,
        };
        linked_list::link(place(us, &names, their_instance).link, context);
    }
}

/// The position of this instance in the list, or where it would be inserted. For anything but an instance: that of the
/// correspondent's first context.
fn place<'a>(
    us: Borrowed<'a, UserState>,
    names: &Names<'a>,
    their_instance: OtrlInstag,
) -> Place<'a> {
    names.place(us, |here| {
        their_instance < MIN_VALID_INSTAG || here.their_instance().get() >= their_instance
    })
}

/// The first of the correspondent's contexts, which is the master.
fn head<'a>(us: Borrowed<'a, UserState>, names: &Names<'a>) -> Option<Borrowed<'a, ConnContext>> {
    place(us, names, INSTAG_MASTER).found
}

/// Makes a context and inserts it into the list.
///
/// # Safety
/// As for [`find_or_add`].
unsafe fn add<'a>(
    us: Borrowed<'a, UserState>,
    names: &Names<'a>,
    their_instance: OtrlInstag,
    new: NewContexts,
) -> Option<Borrowed<'a, ConnContext>> {
    let context: Borrowed<'a, ConnContext> = names.new_context()?;
    // Completed before the client sees it: a callback may forget the master, and the instances with it.
    let is_instance = their_instance >= MIN_VALID_INSTAG;
    let master = if is_instance {
        head(us, names)
    } else {
        Some(context)
    };
    context.m_context().point_at(master);
    context.their_instance().set(their_instance);
    if their_instance == INSTAG_MASTER {
        context.recent_child().point_at(Some(context));
        context.recent_rcvd_child().point_at(Some(context));
        context.recent_sent_child().point_at(Some(context));
    }
    // A correspondent always sees the same tag of ours, even if the account has got another one since.
    let masters = master_of(context).map_or(0, |master| master.our_instance().get());
    let our_tag = instag::find(us, names.account.bytes(), names.protocol.bytes());
    if masters != 0 {
        context.our_instance().set(masters);
    } else if let Some(tag) = our_tag {
        context.our_instance().set(tag.instag().get());
    }
    // SAFETY: as above, for `enter`.
    unsafe { new.enter(us, place(us, names, their_instance).link, context) }
}

entry! {
    /// Finds or makes a context.
    ///
    /// # Safety
    /// `us` is NULL or a live user state, the names NULL or C strings, `added` NULL or writable. `add_appdata` may call back into
    /// the library.
    calls back;
    pub fn otrl_context_find(
        us: *mut UserState as Option<Borrowed<UserState>>,
        user: *const c_char,
        account: *const c_char,
        protocol: *const c_char,
        their_instance: OtrlInstag,
        add: c_int as bool,
        added: *mut c_int as Out<c_int>,
        add_appdata: AddAppData,
        data: *mut c_void,
    ) -> *mut ConnContext as Option<Borrowed<ConnContext>>
    where names = Names::new(user, account, protocol) {
        added.put(0);
        let (us, names) = us.zip(names)?;
        if !add {
            return find(us, &names, their_instance);
        }
        let new = NewContexts { add_appdata, data };
        // SAFETY: the user state stays until the call ends, and nothing in it was borrowed before.
        unsafe { new.find_or_add(us, added, || find_or_add(us, &names, their_instance, new)) }
    }
}
