//! The functions of a library that has the interface: this one.

use std::ffi::{c_char, c_int, c_void};

use crate::abi::context::Names;
use crate::abi::error::GcryError;
use crate::abi::types::*;
use crate::abi::{context, message, privkey, userstate};

/// What a party calls.
pub struct Library {
    pub userstate_create: unsafe extern "C-unwind" fn() -> OtrlUserState,
    pub userstate_free: unsafe extern "C-unwind" fn(OtrlUserState),
    pub privkey_read: unsafe extern "C-unwind" fn(OtrlUserState, *const c_char) -> GcryError,
    pub receiving: Receiving,
    pub sending: Sending,
    pub disconnect: Disconnect,
    pub initiate_smp: Smp,
    pub respond_smp: Smp,
    #[cfg(feature = "abi5")]
    pub abort_smp: unsafe extern "C-unwind" fn(
        OtrlUserState,
        *const OtrlMessageAppOps,
        *mut c_void,
        *mut ConnContext,
    ),
}

/// Begins or answers the SMP.
pub type Smp = unsafe extern "C-unwind" fn(
    OtrlUserState,
    *const OtrlMessageAppOps,
    *mut c_void,
    *mut ConnContext,
    *const u8,
    usize,
);

#[cfg(feature = "abi5")]
type Receiving = unsafe extern "C-unwind" fn(
    OtrlUserState,
    *const OtrlMessageAppOps,
    *mut c_void,
    *const c_char,
    *const c_char,
    *const c_char,
    *const c_char,
    *mut *mut c_char,
    *mut *mut OtrlTLV,
    *mut *mut ConnContext,
    AddAppData,
    *mut c_void,
) -> c_int;

#[cfg(feature = "abi2")]
type Receiving = unsafe extern "C-unwind" fn(
    OtrlUserState,
    *const OtrlMessageAppOps,
    *mut c_void,
    *const c_char,
    *const c_char,
    *const c_char,
    *const c_char,
    *mut *mut c_char,
    *mut *mut OtrlTLV,
    AddAppData,
    *mut c_void,
) -> c_int;

#[cfg(feature = "abi5")]
type Sending = unsafe extern "C-unwind" fn(
    OtrlUserState,
    *const OtrlMessageAppOps,
    *mut c_void,
    *const c_char,
    *const c_char,
    *const c_char,
    OtrlInstag,
    *const c_char,
    *mut OtrlTLV,
    *mut *mut c_char,
    OtrlFragmentPolicy,
    *mut *mut ConnContext,
    AddAppData,
    *mut c_void,
) -> GcryError;

#[cfg(feature = "abi2")]
type Sending = unsafe extern "C-unwind" fn(
    OtrlUserState,
    *const OtrlMessageAppOps,
    *mut c_void,
    *const c_char,
    *const c_char,
    *const c_char,
    *const c_char,
    *mut OtrlTLV,
    *mut *mut c_char,
    AddAppData,
    *mut c_void,
) -> GcryError;

type Disconnect = unsafe extern "C-unwind" fn(
    OtrlUserState,
    *const OtrlMessageAppOps,
    *mut c_void,
    *const c_char,
    *const c_char,
    *const c_char,
);

/// This library.
pub static OURS: Library = Library {
    userstate_create: userstate::otrl_userstate_create,
    userstate_free: userstate::otrl_userstate_free,
    privkey_read: privkey::otrl_privkey_read,
    receiving: message::otrl_message_receiving,
    sending: message::otrl_message_sending,
    #[cfg(feature = "abi5")]
    disconnect: message::otrl_message_disconnect_all_instances,
    #[cfg(feature = "abi2")]
    disconnect: message::otrl_message_disconnect,
    initiate_smp: message::otrl_message_initiate_smp,
    respond_smp: message::otrl_message_respond_smp,
    #[cfg(feature = "abi5")]
    abort_smp: message::otrl_message_abort_smp,
};

/// The correspondent's context of this kind; NULL if there is none.
pub unsafe fn find(us: OtrlUserState, names: Names, their_tag: u32) -> *mut ConnContext {
    #[cfg(feature = "abi5")]
    unsafe {
        context::find(us, names, their_tag, std::ptr::null_mut(), None)
    }
    #[cfg(feature = "abi2")]
    unsafe {
        let _ = their_tag;
        context::find_correspondent(us, names, std::ptr::null_mut(), None)
    }
}
