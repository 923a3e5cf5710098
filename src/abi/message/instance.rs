//! Which context a message belongs to, and our instance tag in it.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use super::super::context::{self, Handle};
use super::super::instag;
use super::super::types::*;
use super::client::Client;

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

/// A context that was looked up, and whether it is new.
#[derive(Clone, Copy)]
pub struct Found {
    /// The context.
    pub handle: Handle,
    /// Made by this look-up.
    pub added: bool,
}

impl Names {
    /// The context of one instance (or meta tag), made if there is none. `None` without memory.
    ///
    /// # Safety
    /// The client's user state is live and the names are C strings; callbacks may run.
    pub unsafe fn find_or_add(
        self,
        client: Client,
        their_tag: OtrlInstag,
        new: NewContexts,
    ) -> Option<Found> {
        // SAFETY: the caller's promise.
        unsafe {
            let mut added: c_int = 0;
            let ctx = context::find(
                client.us,
                self.user,
                self.account,
                self.protocol,
                their_tag,
                true,
                &raw mut added,
                new.add_appdata,
                new.data,
            );
            (!ctx.is_null()).then(|| Found {
                handle: Handle::of(ctx),
                added: added != 0,
            })
        }
    }

    /// The context of one instance (or meta tag), if there is one.
    ///
    /// # Safety
    /// As for [`Names::find_or_add`], but no callback runs.
    pub unsafe fn find(self, client: Client, their_tag: OtrlInstag) -> Option<*mut ConnContext> {
        // SAFETY: the caller's promise.
        let ctx = unsafe {
            context::find(
                client.us,
                self.user,
                self.account,
                self.protocol,
                their_tag,
                false,
                ptr::null_mut(),
                None,
                ptr::null_mut(),
            )
        };
        (!ctx.is_null()).then_some(ctx)
    }
}

/// Gives a context our instance tag: the account's, one that the client makes now, that of the
/// master (all instances of a correspondent must see the same one), or a random one.
///
/// # Safety
/// `handle` names a context of the client's user state; callbacks may run.
pub unsafe fn ensure_our_tag(client: Client, names: Names, handle: Handle) {
    // SAFETY: the caller's promise; the context is looked up again after the callback.
    unsafe {
        if handle
            .get(client.us)
            .is_none_or(|ctx| (*ctx).our_instance != 0)
        {
            return;
        }
        let mut tag = instag::find(client.us, names.account, names.protocol);
        if tag.is_null() {
            client.create_instag(names.account, names.protocol);
            tag = instag::find(client.us, names.account, names.protocol);
        }
        let Some(ctx) = handle.get(client.us) else {
            return;
        };
        if !tag.is_null() && (*tag).instag >= MIN_VALID_INSTAG {
            (*ctx).our_instance = (*tag).instag;
            return;
        }
        let masters = (*(*ctx).m_context).our_instance;
        (*ctx).our_instance = if masters != 0 {
            masters
        } else {
            instag::new_tag()
        };
    }
}
