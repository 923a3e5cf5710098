//! The callbacks that only libotr 3 has. What is said of all callbacks in [`super::super::client`] holds for them.

use std::ffi::c_char;
use std::ptr;
use std::sync::atomic::Ordering;

use crate::abi::message::client::{Client, callback};
use crate::abi::types::*;
use crate::abi::version::otrl_api_version;

/// From this version on the table has its last three members.
const API_3_1: u32 = 0x3_0100;

/// Whether every client of the process was built with a table that has the members of API 3.1.
pub fn has_max_message_size() -> bool {
    otrl_api_version.load(Ordering::Acquire) >= API_3_1
}

/// A notice for the user that is more than a line.
#[derive(Clone, Copy)]
pub struct Note {
    /// How grave it is.
    pub level: OtrlNotifyLevel,
    /// What it is about.
    pub title: *const c_char,
    /// What happened.
    pub primary: *const c_char,
    /// What follows from it; NULL for nothing.
    pub secondary: *const c_char,
}

impl Client {
    /// Shows a line in the conversation; false if the client does not.
    ///
    /// # Safety
    /// As for all callbacks; `text` outlives the call.
    pub unsafe fn display(self, ctx: *mut ConnContext, text: *const c_char) -> bool {
        // SAFETY: the caller's promise.
        unsafe {
            match callback!(self, display_otr_message) {
                Some(display) => {
                    display(
                        self.opdata,
                        (*ctx).accountname,
                        (*ctx).protocol,
                        (*ctx).username,
                        text,
                    ) == 0
                }
                None => false,
            }
        }
    }

    /// Shows a notice in a window of its own.
    ///
    /// # Safety
    /// As for all callbacks; the texts outlive the call.
    pub unsafe fn notify(self, ctx: *mut ConnContext, note: Note) {
        // SAFETY: the caller's promise.
        unsafe {
            if let Some(notify) = callback!(self, notify) {
                notify(
                    self.opdata,
                    note.level,
                    (*ctx).accountname,
                    (*ctx).protocol,
                    (*ctx).username,
                    note.title,
                    note.primary,
                    note.secondary,
                );
            }
        }
    }

    /// Takes a line into the log.
    ///
    /// # Safety
    /// As for all callbacks; `line` outlives the call.
    pub unsafe fn log(self, line: *const c_char) {
        // SAFETY: the caller's promise.
        unsafe {
            if let Some(log) = callback!(self, log_message) {
                log(self.opdata, line);
            }
        }
    }

    /// Our account as the client names it to people, which goes back with [`free_account_name`](Self::free_account_name).
    /// NULL without such a name.
    ///
    /// # Safety
    /// As for all callbacks.
    pub unsafe fn account_name(self, ctx: *mut ConnContext) -> *const c_char {
        // SAFETY: the caller's promise.
        unsafe {
            // Older tables end before this member.
            if !has_max_message_size() {
                return ptr::null();
            }
            match callback!(self, account_name) {
                Some(ask) => ask(self.opdata, (*ctx).accountname, (*ctx).protocol),
                None => ptr::null(),
            }
        }
    }

    /// Gives back the name of an account; NULL is none.
    ///
    /// # Safety
    /// As for all callbacks; `name` is the client's.
    pub unsafe fn free_account_name(self, name: *const c_char) {
        // SAFETY: the caller's promise.
        unsafe {
            if name.is_null() || !has_max_message_size() {
                return;
            }
            if let Some(free) = callback!(self, account_name_free) {
                free(self.opdata, name);
            }
        }
    }
}
