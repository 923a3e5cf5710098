//! The callbacks that only libotr 3 has.

use std::ffi::{CStr, c_char};
use std::ptr;
use std::sync::atomic::Ordering;

use crate::abi::context::Handle;
use crate::abi::message::call::Call;
use crate::abi::message::callbacks::call_back;
use crate::abi::text::CText;
use crate::abi::types::*;
use crate::abi::version::otrl_api_version;

/// The first version whose table has the last three members.
const API_3_1: u32 = 0x3_0100;

/// Whether every client of the process was built with a table that has the members of API 3.1.
pub(crate) fn has_max_message_size() -> bool {
    otrl_api_version.load(Ordering::Acquire) >= API_3_1
}

/// A notice for the user with more than one line.
pub(crate) struct Note {
    /// Its severity.
    pub level: OtrlNotifyLevel,
    /// What it is about.
    pub title: CText,
    /// What happened.
    pub primary: CText,
    /// Details, if any.
    pub secondary: CText,
}

impl Call<'_> {
    /// Shows a line in the conversation; false if the client did not show it.
    pub(crate) fn display(&mut self, handle: Handle, text: &CStr) -> bool {
        let Some([account, protocol, user]) = self.names_in(handle) else {
            return false;
        };
        let displayed = call_back!(
            self,
            display_otr_message,
            account,
            protocol,
            user,
            text.as_ptr()
        );
        displayed == Some(0)
    }

    /// Shows a notice in a separate window.
    pub(crate) fn notify(&mut self, handle: Handle, note: &Note) {
        let pointer = |text: &CText| text.c_str().map_or(ptr::null(), CStr::as_ptr);
        if let Some([account, protocol, user]) = self.names_in(handle) {
            call_back!(
                self,
                notify,
                note.level,
                account,
                protocol,
                user,
                pointer(&note.title),
                pointer(&note.primary),
                pointer(&note.secondary),
            );
        }
    }

    /// Adds a line to the log.
    pub(crate) fn log(&mut self, line: &CStr) {
        call_back!(self, log_message, line.as_ptr());
    }

    /// The display name of our account, to be freed with [`free_account_name`](Self::free_account_name). NULL if there is none.
    pub(crate) fn account_name(&mut self, handle: Handle) -> *const c_char {
        // Older tables end before this member.
        if !has_max_message_size() {
            return ptr::null();
        }
        let Some([account, protocol, _]) = self.names_in(handle) else {
            return ptr::null();
        };
        call_back!(self, account_name, account, protocol).unwrap_or(ptr::null())
    }

    /// Frees the display name of an account. NULL is accepted.
    pub(crate) fn free_account_name(&mut self, name: *const c_char) {
        if !name.is_null() && has_max_message_size() {
            call_back!(self, account_name_free, name);
        }
    }
}
