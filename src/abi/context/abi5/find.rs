//! Finding contexts: an instance, its master, or one of the ways to choose.

use std::cmp::Ordering;
use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use super::family::{find_recent_instance, leave_family, recent_secure_instance};
use crate::abi::context::forget::unlink;
use crate::abi::context::list::{Names, NewContexts};
use crate::abi::context::state::force_plaintext;
use crate::abi::context_priv;
use crate::abi::in_use;
use crate::abi::instag;
use crate::abi::linked_list;
use crate::abi::memory::put;
use crate::abi::types::{
    AddAppData, ConnContext, INSTAG_BEST, INSTAG_MASTER, INSTAG_RECENT, INSTAG_RECENT_RECEIVED,
    INSTAG_RECENT_SENT, MIN_VALID_INSTAG, OFFER_NOT, OtrlInstag, UserState,
};

/// Finds the context of a correspondent: one instance, the master, the best, or one of the recent ones. If `new` is there a
/// missing one is made, an instance together with its master, and shown to the client. What can't be an instance makes a
/// master. NULL when there is none, for NULL names, and without memory.
///
/// # Safety
/// `us` is NULL or a live user state, the names NULL or C strings, `added` NULL or writable.
pub(crate) unsafe fn find(
    us: *mut UserState,
    names: Names,
    their_instance: OtrlInstag,
    added: *mut c_int,
    new: Option<NewContexts>,
) -> *mut ConnContext {
    // SAFETY: the caller's promise.
    unsafe { put(added, 0) };
    if us.is_null() || names.any_is_null() {
        return ptr::null_mut();
    }
    // SAFETY: neither is NULL.
    unsafe {
        let found = look_up(us, names, their_instance);
        let Some(new) = new.filter(|_| found.is_null() && is_asked_for(their_instance)) else {
            return found;
        };
        if their_instance < MIN_VALID_INSTAG {
            let master = add(us, names, INSTAG_MASTER, new);
            put(added, c_int::from(!master.is_null()));
            return master;
        }
        // An instance never stands without a master before it.
        if head(us, names).is_null() && add(us, names, INSTAG_MASTER, new).is_null() {
            return ptr::null_mut();
        }
        // The callback may have asked for this very instance, and forgotten others.
        let names = Names {
            near: ptr::null_mut(),
            ..names
        };
        let mut context = look_up(us, names, their_instance);
        if context.is_null() {
            context = add(us, names, their_instance, new);
        }
        put(added, c_int::from(!context.is_null()));
        context
    }
}

/// Makes another instance of one that is of no use any more: it stands where the new one belongs, holds nothing of before but
/// the client's `app_data`, and no [`Handle`](crate::abi::context::Handle) of before leads to it. The client may hold a
/// pointer to it, so that it can't be freed.
///
/// # Safety
/// `context` is an instance in the list of `us`, and `their_instance` has no context yet.
pub(crate) unsafe fn become_instance(
    us: *mut UserState,
    context: *mut ConnContext,
    their_instance: OtrlInstag,
) {
    // SAFETY: the caller's promise; the context is out of the list while it changes, and no callback runs.
    unsafe {
        leave_family(context);
        unlink(context, context);
        force_plaintext(context);
        context_priv::renew(context);
        (*context).otr_offer = OFFER_NOT;
        (*context).their_instance = their_instance;
        let names = Names {
            user: (*context).username,
            account: (*context).accountname,
            protocol: (*context).protocol,
            near: ptr::null_mut(),
        };
        linked_list::link(place(us, names, their_instance), context);
    }
}

/// The correspondent's master context.
///
/// # Safety
/// As for [`find`].
pub(crate) unsafe fn find_correspondent(
    us: *mut UserState,
    names: Names,
    added: *mut c_int,
    new: Option<NewContexts>,
) -> *mut ConnContext {
    // SAFETY: the caller's promise.
    unsafe { find(us, names, INSTAG_MASTER, added, new) }
}

/// Whether a number names an instance or is one of the ways to choose one.
fn is_asked_for(instance: OtrlInstag) -> bool {
    instance >= MIN_VALID_INSTAG || instance <= INSTAG_RECENT_SENT
}

/// Where this instance stands, or would stand; the first of the correspondent's contexts for anything but an instance.
///
/// # Safety
/// `us` is a live user state, and the names are C strings.
unsafe fn place(
    us: *mut UserState,
    names: Names,
    their_instance: OtrlInstag,
) -> *mut *mut ConnContext {
    // SAFETY: the caller's promise: a list of live contexts.
    unsafe {
        names.place(us, |here| {
            their_instance < MIN_VALID_INSTAG || (*here).their_instance >= their_instance
        })
    }
}

/// The first of the correspondent's contexts, which is the master; or NULL.
///
/// # Safety
/// As for [`place`].
unsafe fn head(us: *mut UserState, names: Names) -> *mut ConnContext {
    // SAFETY: the caller's promise.
    unsafe {
        let here = *place(us, names, INSTAG_MASTER);
        if here.is_null() || names.compare(here) != Ordering::Equal {
            ptr::null_mut()
        } else {
            here
        }
    }
}

/// # Safety
/// As for [`place`].
unsafe fn look_up(
    us: *mut UserState,
    names: Names,
    their_instance: OtrlInstag,
) -> *mut ConnContext {
    // SAFETY: the caller's promise.
    unsafe {
        if their_instance < MIN_VALID_INSTAG {
            let head = head(us, names);
            return match their_instance {
                INSTAG_MASTER => head,
                INSTAG_BEST => recent_secure_instance(head),
                INSTAG_RECENT | INSTAG_RECENT_RECEIVED | INSTAG_RECENT_SENT => {
                    find_recent_instance(head, their_instance)
                }
                _ => ptr::null_mut(),
            };
        }
        let here = *place(us, names, their_instance);
        if here.is_null()
            || (*here).their_instance != their_instance
            || names.compare(here) != Ordering::Equal
        {
            return ptr::null_mut();
        }
        here
    }
}

/// Makes a context and puts it into the list.
///
/// # Safety
/// As for [`place`]; the client may call back into the library.
unsafe fn add(
    us: *mut UserState,
    names: Names,
    their_instance: OtrlInstag,
    new: NewContexts,
) -> *mut ConnContext {
    // SAFETY: the caller's promise; the new context is whole when it enters the list.
    unsafe {
        let context = names.new_context();
        if context.is_null() {
            return context;
        }
        // Whole before the client sees it: a callback may forget the master, and the instances with it.
        (*context).m_context = if their_instance >= MIN_VALID_INSTAG {
            head(us, names)
        } else {
            context
        };
        (*context).their_instance = their_instance;
        if their_instance == INSTAG_MASTER {
            (*context).recent_child = context;
            (*context).recent_rcvd_child = context;
            (*context).recent_sent_child = context;
        }
        // A correspondent sees one tag of ours, though the account may have got another meanwhile.
        let master = (*context).m_context;
        let our_tag = instag::find(us, names.account, names.protocol);
        if !master.is_null() && (*master).our_instance != 0 {
            (*context).our_instance = (*master).our_instance;
        } else if !our_tag.is_null() {
            (*context).our_instance = (*our_tag).instag;
        }
        if !new.enter(us, place(us, names, their_instance), context) {
            return ptr::null_mut();
        }
        context
    }
}

/// Finds or makes a context.
///
/// # Safety
/// As for [`find`].
#[unsafe(no_mangle)]
#[allow(unreachable_pub, reason = "C calls it")]
pub unsafe extern "C-unwind" fn otrl_context_find(
    us: *mut UserState,
    user: *const c_char,
    account: *const c_char,
    protocol: *const c_char,
    their_instance: OtrlInstag,
    add: c_int,
    added: *mut c_int,
    add_appdata: AddAppData,
    data: *mut c_void,
) -> *mut ConnContext {
    let names = Names {
        user,
        account,
        protocol,
        near: ptr::null_mut(),
    };
    let new = (add != 0).then_some(NewContexts { add_appdata, data });
    // SAFETY: the caller's promise.
    unsafe {
        in_use::during(us, || {
            let found = find(us, names, their_instance, added, new);
            if in_use::is_freed(us) {
                return ptr::null_mut();
            }
            found
        })
    }
}
