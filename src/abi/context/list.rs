//! Finding contexts, and making them.

use std::cmp::Ordering;
use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use super::family::{find_recent_instance, recent_secure_instance};
use super::handle::Handle;
use crate::abi::memory::{bytes_of, c_string, c_zeroed, put};
use crate::abi::types::{
    AddAppData, ConnContext, INSTAG_BEST, INSTAG_MASTER, INSTAG_RECENT, INSTAG_RECENT_RECEIVED,
    INSTAG_RECENT_SENT, MIN_VALID_INSTAG, OtrlInstag, OtrlSMState, UserState,
};
use crate::abi::{auth_info, context_priv, instag, sm_objects};

/// Finds the context of a correspondent: one instance, the master, the best, or one of the recent ones. If `add` asks for
/// it a missing one is made, an instance together with its master, and `add_app_data` is called for each that was made.
/// What can't be an instance makes a master. NULL when there is none, for NULL names, and without memory.
///
/// # Safety
/// `us` is NULL or a live user state, the names NULL or C strings, `added` NULL or writable.
#[expect(
    clippy::too_many_arguments,
    reason = "the arguments of otrl_context_find"
)]
pub unsafe fn find(
    us: *mut UserState,
    user: *const c_char,
    account: *const c_char,
    protocol: *const c_char,
    their_instance: OtrlInstag,
    add: bool,
    added: *mut c_int,
    add_app_data: AddAppData,
    data: *mut c_void,
) -> *mut ConnContext {
    // SAFETY: the caller's promise.
    unsafe {
        find_behind(
            ptr::null_mut(),
            us,
            user,
            account,
            protocol,
            their_instance,
            add,
            added,
            add_app_data,
            data,
        )
    }
}

/// The same, and quicker if the context stands not far behind `near`, whether it does or not. NULL is near nothing.
///
/// # Safety
/// As for [`find`]; `near` is NULL or a live context of the user state.
#[expect(
    clippy::too_many_arguments,
    reason = "the arguments of otrl_context_find"
)]
pub unsafe fn find_behind(
    near: *mut ConnContext,
    us: *mut UserState,
    user: *const c_char,
    account: *const c_char,
    protocol: *const c_char,
    their_instance: OtrlInstag,
    add: bool,
    added: *mut c_int,
    add_app_data: AddAppData,
    data: *mut c_void,
) -> *mut ConnContext {
    // SAFETY: the caller's promise.
    unsafe { put(added, 0) };
    let names = Names {
        user,
        account,
        protocol,
        near,
    };
    if us.is_null() || names.any_is_null() {
        return ptr::null_mut();
    }
    // SAFETY: neither is NULL.
    unsafe {
        let found = names.look_up(us, their_instance);
        if !found.is_null() || !add || !is_asked_for(their_instance) {
            return found;
        }
        if their_instance < MIN_VALID_INSTAG {
            let master = names.add(us, INSTAG_MASTER, add_app_data, data);
            put(added, c_int::from(!master.is_null()));
            return master;
        }
        // An instance never stands without a master before it.
        if names.head(us).is_null() && names.add(us, INSTAG_MASTER, add_app_data, data).is_null() {
            return ptr::null_mut();
        }
        // The callback may have asked for this very instance, and forgotten others.
        let names = Names {
            near: ptr::null_mut(),
            ..names
        };
        let mut context = names.look_up(us, their_instance);
        if context.is_null() {
            context = names.add(us, their_instance, add_app_data, data);
        }
        put(added, c_int::from(!context.is_null()));
        context
    }
}

/// Whether a number names an instance or is one of the ways to choose one.
fn is_asked_for(instance: OtrlInstag) -> bool {
    instance >= MIN_VALID_INSTAG || instance <= INSTAG_RECENT_SENT
}

/// Who a context is about, as the client says it.
#[derive(Clone, Copy)]
struct Names {
    user: *const c_char,
    account: *const c_char,
    protocol: *const c_char,
    /// NULL or a live context from which the search may start, if it stands before what is looked for.
    near: *mut ConnContext,
}

impl Names {
    fn any_is_null(self) -> bool {
        self.user.is_null() || self.account.is_null() || self.protocol.is_null()
    }

    /// How a context's names compare with these.
    ///
    /// # Safety
    /// `context` is a live context, and the names are C strings.
    unsafe fn compare(self, context: *const ConnContext) -> Ordering {
        // SAFETY: the caller's promise.
        unsafe {
            compare_text((*context).username, self.user)
                .then_with(|| compare_text((*context).accountname, self.account))
                .then_with(|| compare_text((*context).protocol, self.protocol))
        }
    }

    /// Where this instance stands, or would stand; the first of the correspondent's contexts for anything but an instance.
    ///
    /// # Safety
    /// `us` is a live user state, and the names are C strings.
    unsafe fn place(self, us: *mut UserState, their_instance: OtrlInstag) -> *mut *mut ConnContext {
        // SAFETY: the caller's promise: a list of live contexts.
        unsafe {
            let mut place = &raw mut (*us).context_root;
            if !self.near.is_null() && self.compare(self.near) == Ordering::Less {
                place = &raw mut (*self.near).next;
            }
            while !(*place).is_null() {
                let here = *place;
                match self.compare(here) {
                    Ordering::Greater => break,
                    Ordering::Equal
                        if their_instance < MIN_VALID_INSTAG
                            || (*here).their_instance >= their_instance =>
                    {
                        break;
                    }
                    _ => place = &raw mut (*here).next,
                }
            }
            place
        }
    }

    /// The first of the correspondent's contexts, which is the master; or NULL.
    ///
    /// # Safety
    /// As for [`Names::place`].
    unsafe fn head(self, us: *mut UserState) -> *mut ConnContext {
        // SAFETY: the caller's promise.
        unsafe {
            let here = *self.place(us, INSTAG_MASTER);
            if here.is_null() || self.compare(here) != Ordering::Equal {
                ptr::null_mut()
            } else {
                here
            }
        }
    }

    /// # Safety
    /// As for [`Names::place`].
    unsafe fn look_up(self, us: *mut UserState, their_instance: OtrlInstag) -> *mut ConnContext {
        // SAFETY: the caller's promise.
        unsafe {
            if their_instance < MIN_VALID_INSTAG {
                let head = self.head(us);
                return match their_instance {
                    INSTAG_MASTER => head,
                    INSTAG_BEST => recent_secure_instance(head),
                    INSTAG_RECENT | INSTAG_RECENT_RECEIVED | INSTAG_RECENT_SENT => {
                        find_recent_instance(head, their_instance)
                    }
                    _ => ptr::null_mut(),
                };
            }
            let here = *self.place(us, their_instance);
            if here.is_null()
                || (*here).their_instance != their_instance
                || self.compare(here) != Ordering::Equal
            {
                return ptr::null_mut();
            }
            // Left so when a client's add_app_data never returned.
            if (*here).m_context == here {
                (*here).m_context = self.head(us);
            }
            here
        }
    }

    /// Makes a context and puts it into the list.
    ///
    /// # Safety
    /// As for [`Names::place`]; `add_app_data` is the client's and may call back into the library.
    unsafe fn add(
        self,
        us: *mut UserState,
        their_instance: OtrlInstag,
        add_app_data: AddAppData,
        data: *mut c_void,
    ) -> *mut ConnContext {
        // SAFETY: the caller's promise; the new context is whole when it enters the list.
        unsafe {
            let context = self.new_context(us, their_instance);
            if context.is_null() {
                return context;
            }
            let place = self.place(us, their_instance);
            (*context).next = *place;
            if !(*context).next.is_null() {
                (*(*context).next).tous = &raw mut (*context).next;
            }
            (*context).tous = place;
            *place = context;

            if let Some(add_app_data) = add_app_data {
                let handle = Handle::of(context);
                add_app_data(data, context);
                if handle.get(us).is_none() {
                    return ptr::null_mut();
                }
            }
            if their_instance >= MIN_VALID_INSTAG {
                // The client's own strings may have gone during the callback.
                let names = Self {
                    user: (*context).username,
                    account: (*context).accountname,
                    protocol: (*context).protocol,
                    near: ptr::null_mut(),
                };
                (*context).m_context = names.head(us);
            }
            context
        }
    }

    /// A whole context of its own, in no list; its own master until it gets one.
    ///
    /// # Safety
    /// As for [`Names::place`].
    unsafe fn new_context(
        self,
        us: *mut UserState,
        their_instance: OtrlInstag,
    ) -> *mut ConnContext {
        let context: *mut ConnContext = c_zeroed();
        if context.is_null() {
            return context;
        }
        // SAFETY: the caller's promise, and new memory; all zeros are a context in plaintext state, empty everywhere.
        unsafe {
            (*context).username = bytes_of(self.user).map_or(ptr::null_mut(), c_string);
            (*context).accountname = bytes_of(self.account).map_or(ptr::null_mut(), c_string);
            (*context).protocol = bytes_of(self.protocol).map_or(ptr::null_mut(), c_string);
            (*context).smstate = c_zeroed::<OtrlSMState>();
            (*context).context_priv = context_priv::new();
            if (*context).username.is_null()
                || (*context).accountname.is_null()
                || (*context).protocol.is_null()
                || (*context).smstate.is_null()
                || (*context).context_priv.is_null()
            {
                libc::free((*context).username.cast());
                libc::free((*context).accountname.cast());
                libc::free((*context).protocol.cast());
                libc::free((*context).smstate.cast());
                context_priv::free((*context).context_priv);
                libc::free(context.cast());
                return ptr::null_mut();
            }
            sm_objects::state_new((*context).smstate);
            auth_info::new(context);
            (*context).fingerprint_root.context = context;
            (*context).m_context = context;
            (*context).their_instance = their_instance;
            if their_instance == INSTAG_MASTER {
                (*context).recent_child = context;
                (*context).recent_rcvd_child = context;
                (*context).recent_sent_child = context;
            }
            let our_tag = instag::find(us, self.account, self.protocol);
            if !our_tag.is_null() {
                (*context).our_instance = (*our_tag).instag;
            }
        }
        context
    }
}

/// How two C strings compare, byte by byte; NULL comes before all others.
///
/// # Safety
/// Each is NULL or a C string.
unsafe fn compare_text(a: *const c_char, b: *const c_char) -> Ordering {
    if a.is_null() || b.is_null() {
        return (!a.is_null()).cmp(&!b.is_null());
    }
    // SAFETY: both are C strings.
    unsafe { libc::strcmp(a, b) }.cmp(&0)
}

/// Finds or makes a context.
///
/// # Safety
/// As for [`find`].
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn otrl_context_find(
    us: *mut UserState,
    user: *const c_char,
    account: *const c_char,
    protocol: *const c_char,
    their_instance: OtrlInstag,
    add: c_int,
    added: *mut c_int,
    add_app_data: AddAppData,
    data: *mut c_void,
) -> *mut ConnContext {
    // SAFETY: the caller's promise.
    unsafe {
        find(
            us,
            user,
            account,
            protocol,
            their_instance,
            add != 0,
            added,
            add_app_data,
            data,
        )
    }
}
