//! Making contexts, and the order in which they stand.

use std::cmp::Ordering;
use std::ffi::{c_char, c_void};
use std::ptr;

use super::handle::Handle;
use crate::abi::linked_list;
use crate::abi::memory::{bytes_of, c_string, c_zeroed};
use crate::abi::types::{AddAppData, ConnContext, OtrlSMState, UserState};
use crate::abi::{auth_info, context_priv, sm_objects};

/// A correspondent: whom, from which account, over which protocol. The client's strings.
#[derive(Clone, Copy)]
pub struct Names {
    /// The correspondent.
    pub user: *const c_char,
    /// Our account.
    pub account: *const c_char,
    /// The network.
    pub protocol: *const c_char,
    /// NULL or a live context from which the search may start, if it stands before what is looked for.
    pub near: *mut ConnContext,
}

/// What the client wants done with each new context.
#[derive(Clone, Copy)]
pub struct NewContexts {
    /// Its function, if any.
    pub add_appdata: AddAppData,
    /// That function's own data.
    pub data: *mut c_void,
}

impl Names {
    /// These, to be looked for from the start of the list.
    pub fn new(user: *const c_char, account: *const c_char, protocol: *const c_char) -> Self {
        Self {
            user,
            account,
            protocol,
            near: ptr::null_mut(),
        }
    }

    /// Whether one is missing.
    pub fn any_is_null(self) -> bool {
        self.user.is_null() || self.account.is_null() || self.protocol.is_null()
    }

    /// How a context's names compare with these.
    ///
    /// # Safety
    /// `context` is a live context, and the names are C strings.
    pub unsafe fn compare(self, context: *const ConnContext) -> Ordering {
        // SAFETY: the caller's promise.
        unsafe {
            compare_text((*context).username, self.user)
                .then_with(|| compare_text((*context).accountname, self.account))
                .then_with(|| compare_text((*context).protocol, self.protocol))
        }
    }

    /// What points at the first context that need be looked at.
    ///
    /// # Safety
    /// `us` is a live user state, and the names are C strings.
    pub unsafe fn first_place(self, us: *mut UserState) -> *mut *mut ConnContext {
        // SAFETY: the caller's promise.
        unsafe {
            if !self.near.is_null() && self.compare(self.near) == Ordering::Less {
                &raw mut (*self.near).next
            } else {
                &raw mut (*us).context_root
            }
        }
    }

    /// A whole context of its own, in no list.
    ///
    /// # Safety
    /// The names are C strings.
    pub unsafe fn new_context(self) -> *mut ConnContext {
        let context = context_priv::new_context();
        if context.is_null() {
            return context;
        }
        // SAFETY: the caller's promise, and new memory; all zeros are a context in plaintext state, empty everywhere.
        unsafe {
            (*context).username = bytes_of(self.user).map_or(ptr::null_mut(), c_string);
            (*context).accountname = bytes_of(self.account).map_or(ptr::null_mut(), c_string);
            (*context).protocol = bytes_of(self.protocol).map_or(ptr::null_mut(), c_string);
            (*context).smstate = c_zeroed::<OtrlSMState>();
            if (*context).username.is_null()
                || (*context).accountname.is_null()
                || (*context).protocol.is_null()
                || (*context).smstate.is_null()
            {
                libc::free((*context).username.cast());
                libc::free((*context).accountname.cast());
                libc::free((*context).protocol.cast());
                libc::free((*context).smstate.cast());
                context_priv::free_context(context);
                return ptr::null_mut();
            }
            sm_objects::state_new((*context).smstate);
            auth_info::new(context);
            (*context).fingerprint_root.context = context;
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

impl NewContexts {
    /// Puts a whole context into the list and shows it to the client; false if the client forgets it at once.
    ///
    /// # Safety
    /// `us` is a live user state and `place` in its list; the client may call back into the library.
    pub unsafe fn enter(
        self,
        us: *mut UserState,
        place: *mut *mut ConnContext,
        context: *mut ConnContext,
    ) -> bool {
        // SAFETY: the caller's promise.
        unsafe {
            linked_list::link(place, context);
            if let Some(add_appdata) = self.add_appdata {
                let handle = Handle::of(context);
                add_appdata(self.data, context);
                return handle.get(us).is_some();
            }
            true
        }
    }
}
