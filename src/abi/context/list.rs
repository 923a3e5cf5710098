//! Making contexts, and the order in which they stand.

use std::cmp::Ordering;
use std::ffi::{c_char, c_void};
use std::ptr;

use super::handle::Handle;
use crate::abi::memory::{bytes_of, c_string, c_zeroed};
use crate::abi::types::{AddAppData, ConnContext, OtrlSMState, UserState};
use crate::abi::{auth_info, hidden, sm_objects};

/// A correspondent: whom, from which account, over which protocol. The client's strings.
#[derive(Clone, Copy)]
pub struct Names {
    /// The correspondent.
    pub user: *const c_char,
    /// Our account.
    pub account: *const c_char,
    /// The network.
    pub protocol: *const c_char,
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
            bytes_of((*context).username)
                .cmp(&bytes_of(self.user))
                .then_with(|| bytes_of((*context).accountname).cmp(&bytes_of(self.account)))
                .then_with(|| bytes_of((*context).protocol).cmp(&bytes_of(self.protocol)))
        }
    }

    /// A whole context of its own, in no list.
    ///
    /// # Safety
    /// The names are C strings.
    pub unsafe fn new_context(self) -> *mut ConnContext {
        let context = hidden::new_context();
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
                hidden::free_context(context);
                return ptr::null_mut();
            }
            sm_objects::state_new((*context).smstate);
            auth_info::new(context);
            (*context).fingerprint_root.context = context;
        }
        context
    }
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
            (*context).next = *place;
            if !(*context).next.is_null() {
                (*(*context).next).tous = &raw mut (*context).next;
            }
            (*context).tous = place;
            *place = context;

            if let Some(add_appdata) = self.add_appdata {
                let handle = Handle::of(context);
                add_appdata(self.data, context);
                return handle.get(us).is_some();
            }
            true
        }
    }
}
