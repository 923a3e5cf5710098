//! Making contexts, and the order in which they stand.

use std::cmp::Ordering;
use std::ffi::{c_char, c_void};
use std::ptr;

use super::handle::Handle;
use crate::abi::context_priv::Forgotten;
use crate::abi::in_use;
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

    /// Where the walk over the list ends: at a context with greater names, at one with these of which `ends` says so, or at the
    /// end.
    ///
    /// # Safety
    /// `us` is a live user state, and the names are C strings.
    pub(crate) unsafe fn place(
        self,
        us: *mut UserState,
        ends: impl Fn(*mut ConnContext) -> bool,
    ) -> *mut *mut ConnContext {
        /// After a longer walk from one of the hints it begins at the front, and the next one gets a better hint.
        const LONG: usize = 64;
        // SAFETY: the caller's promise: a list of live contexts, sorted by their names, in which the hints stand.
        unsafe {
            let is_before = |context: *mut ConnContext| self.compare(context) == Ordering::Less;
            let near = Some(self.near).filter(|near| !near.is_null() && is_before(*near));
            let root = &raw mut (*us).context_root;
            let now = Forgotten::now(in_use::forgotten(us));
            let noted = || {
                let noted = in_use::index(us).last_before(now, is_before);
                (!noted.is_null()).then_some(noted)
            };
            let hints = near
                .into_iter()
                .chain(std::iter::once_with(noted).flatten());
            for hint in hints {
                if let Some(place) = self.walk(&raw mut (*hint).next, &ends, LONG) {
                    return place;
                }
            }
            if let Some(place) = self.walk(root, &ends, LONG) {
                return place;
            }
            in_use::index(us).note(now, *root);
            let start = noted().map_or(root, |noted| &raw mut (*noted).next);
            self.walk(start, &ends, usize::MAX).unwrap_or(start)
        }
    }

    /// The walk of [`place`](Self::place) from a link on. `None` if it passes more than `limit` contexts.
    ///
    /// # Safety
    /// `place` is a link of a list of live contexts, and the names are C strings.
    unsafe fn walk(
        self,
        mut place: *mut *mut ConnContext,
        ends: impl Fn(*mut ConnContext) -> bool,
        limit: usize,
    ) -> Option<*mut *mut ConnContext> {
        let mut passed = 0;
        // SAFETY: the caller's promise.
        unsafe {
            while !(*place).is_null() {
                let here = *place;
                match self.compare(here) {
                    Ordering::Greater => break,
                    Ordering::Equal if ends(here) => break,
                    _ if passed == limit => return None,
                    _ => place = &raw mut (*here).next,
                }
                passed += 1;
            }
        }
        Some(place)
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
            context_priv::set_count(context, in_use::forgotten(us));
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
