//! The functions of a library that has the interface: this one.

use std::ffi::{c_char, c_int, c_void};
#[cfg(otr_real_library)]
use std::sync::LazyLock;

use crate::abi::error::GcryError;
#[cfg(feature = "abi5")]
use crate::abi::instag;
use crate::abi::types::*;
use crate::abi::{context, message, privkey, tlv, userstate};

/// The functions that a party calls.
pub(crate) struct Library {
    pub userstate_create: unsafe extern "C-unwind" fn() -> OtrlUserState,
    pub userstate_free: unsafe extern "C-unwind" fn(OtrlUserState),
    pub privkey_read: unsafe extern "C-unwind" fn(OtrlUserState, *const c_char) -> GcryError,
    #[cfg(feature = "abi5")]
    pub instag_generate: unsafe extern "C-unwind" fn(
        OtrlUserState,
        *const c_char,
        *const c_char,
        *const c_char,
    ) -> GcryError,
    pub context_find: ContextFind,
    pub tlv_free: unsafe extern "C-unwind" fn(*mut OtrlTLV),
    pub receiving: Receiving,
    pub sending: Sending,
    pub disconnect: Disconnect,
    pub initiate_smp: Smp,
    pub respond_smp: Smp,
    pub initiate_smp_q: unsafe extern "C-unwind" fn(
        OtrlUserState,
        *const OtrlMessageAppOps,
        *mut c_void,
        *mut ConnContext,
        *const c_char,
        *const u8,
        usize,
    ),
    #[cfg(feature = "abi5")]
    pub abort_smp: unsafe extern "C-unwind" fn(
        OtrlUserState,
        *const OtrlMessageAppOps,
        *mut c_void,
        *mut ConnContext,
    ),
}

/// Begins or answers the SMP.
pub(crate) type Smp = unsafe extern "C-unwind" fn(
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

#[cfg(feature = "abi5")]
type ContextFind = unsafe extern "C-unwind" fn(
    OtrlUserState,
    *const c_char,
    *const c_char,
    *const c_char,
    OtrlInstag,
    c_int,
    *mut c_int,
    AddAppData,
    *mut c_void,
) -> *mut ConnContext;

#[cfg(feature = "abi2")]
type ContextFind = unsafe extern "C-unwind" fn(
    OtrlUserState,
    *const c_char,
    *const c_char,
    *const c_char,
    c_int,
    *mut c_int,
    AddAppData,
    *mut c_void,
) -> *mut ConnContext;

/// This library.
pub(crate) static OURS: Library = Library {
    userstate_create: userstate::otrl_userstate_create,
    userstate_free: userstate::otrl_userstate_free,
    privkey_read: privkey::otrl_privkey_read,
    #[cfg(feature = "abi5")]
    instag_generate: instag::otrl_instag_generate,
    context_find: context::otrl_context_find,
    tlv_free: tlv::otrl_tlv_free,
    receiving: message::otrl_message_receiving,
    sending: message::otrl_message_sending,
    #[cfg(feature = "abi5")]
    disconnect: message::otrl_message_disconnect_all_instances,
    #[cfg(feature = "abi2")]
    disconnect: message::otrl_message_disconnect,
    initiate_smp: message::otrl_message_initiate_smp,
    respond_smp: message::otrl_message_respond_smp,
    initiate_smp_q: message::otrl_message_initiate_smp_q,
    #[cfg(feature = "abi5")]
    abort_smp: message::otrl_message_abort_smp,
};

/// The function of this name in the real library.
///
/// # Safety
/// `T` is the type of a pointer to it.
#[cfg(otr_real_library)]
unsafe fn function<T: Copy>(library: *mut c_void, name: &std::ffi::CStr) -> T {
    let found = unsafe { libc::dlsym(library, name.as_ptr()) };
    assert!(!found.is_null(), "the real library has no {name:?}");
    unsafe { std::mem::transmute_copy(&found) }
}

/// The distribution's libotr, from the path in OTR_REAL_LIBRARY.
#[cfg(otr_real_library)]
pub(crate) static REAL: LazyLock<Library> = LazyLock::new(|| unsafe {
    let path = std::env::var("OTR_REAL_LIBRARY").unwrap();
    let path = std::ffi::CString::new(path).unwrap();
    let library = libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL);
    assert!(!library.is_null(), "{path:?} cannot be loaded");
    let init: unsafe extern "C" fn(u32, u32, u32) -> GcryError = function(library, c"otrl_init");
    assert!(!init(4, 1, 1).is_error());
    Library {
        userstate_create: function(library, c"otrl_userstate_create"),
        userstate_free: function(library, c"otrl_userstate_free"),
        privkey_read: function(library, c"otrl_privkey_read"),
        instag_generate: function(library, c"otrl_instag_generate"),
        context_find: function(library, c"otrl_context_find"),
        tlv_free: function(library, c"otrl_tlv_free"),
        receiving: function(library, c"otrl_message_receiving"),
        sending: function(library, c"otrl_message_sending"),
        disconnect: function(library, c"otrl_message_disconnect_all_instances"),
        initiate_smp: function(library, c"otrl_message_initiate_smp"),
        respond_smp: function(library, c"otrl_message_respond_smp"),
        initiate_smp_q: function(library, c"otrl_message_initiate_smp_q"),
        abort_smp: function(library, c"otrl_message_abort_smp"),
    }
});
