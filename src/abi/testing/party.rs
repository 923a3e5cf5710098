//! One user: a user state, a table of callbacks, and the results of calls.

use std::collections::VecDeque;
use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::ptr;
use std::sync::LazyLock;

use super::library::{self, Library, OURS};
use crate::abi::borrowed::borrow;
use crate::abi::error::GcryError;
use crate::abi::types::*;
use crate::abi::{privkey, userstate};
use otr_protocol::ake::SigningKey;

pub(crate) const ALICE: &CStr = c"alice";
pub(crate) const BOB: &CStr = c"bob";
/// Has a key that nobody trusts.
pub(crate) const MALLORY: &CStr = c"mallory";
const PROTOCOL: &CStr = c"test";

/// A file with a key for each of the three, in memory; made once, since that takes a while.
static KEYS: LazyLock<CString> = LazyLock::new(|| {
    let path = std::env::temp_dir().join(format!("otr-testing-{}", std::process::id()));
    let name = CString::new(path.clone().into_os_string().into_encoded_bytes()).unwrap();
    unsafe {
        let us = userstate::otrl_userstate_create();
        for account in [ALICE, BOB, MALLORY] {
            let (account, protocol) = (account.as_ptr(), PROTOCOL.as_ptr());
            let error = privkey::otrl_privkey_generate(us, name.as_ptr(), account, protocol);
            assert!(!error.is_error());
        }
        userstate::otrl_userstate_free(us);
        let contents = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let file = libc::memfd_create(c"keys".as_ptr(), 0);
        assert!(file >= 0);
        let written = libc::write(file, contents.as_ptr().cast(), contents.len());
        assert_eq!(usize::try_from(written).unwrap(), contents.len());
        CString::new(format!("/proc/self/fd/{file}")).unwrap()
    }
});

/// Mallory's key as the core has it.
pub(crate) static MALLORYS_KEY: LazyLock<SigningKey> = LazyLock::new(|| unsafe {
    let us = userstate::otrl_userstate_create();
    privkey::otrl_privkey_read(us, KEYS.as_ptr());
    let key = privkey::signing_key_of(borrow(us), MALLORY.to_bytes(), PROTOCOL.to_bytes());
    userstate::otrl_userstate_free(us);
    *key.unwrap_or_else(|_| panic!("the key was made above"))
});

/// What the client of a party was told, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Secure,
    Still,
    /// The number of the event; its text; the error.
    Message(c_uint, Vec<u8>, u32),
    Smp(c_uint),
    /// A text that is shown to the user.
    Text(Vec<u8>),
    /// A line from the library itself, in the old interface.
    #[cfg(feature = "abi2")]
    Line(Vec<u8>),
}

/// What the callbacks record.
#[derive(Default)]
pub(crate) struct Seen {
    pub policy: c_uint,
    pub outbox: VecDeque<Vec<u8>>,
    pub told: Vec<Told>,
}

pub(crate) struct Party {
    lib: &'static Library,
    us: OtrlUserState,
    ops: Box<OtrlMessageAppOps>,
    seen: Box<Seen>,
    name: CString,
    peer: CString,
}

impl Party {
    pub(crate) fn new(name: &CStr, peer: &CStr, policy: c_uint) -> Self {
        Self::on(&OURS, name, peer, policy)
    }

    /// A user of this library.
    pub(crate) fn on(lib: &'static Library, name: &CStr, peer: &CStr, policy: c_uint) -> Self {
        let us = unsafe { (lib.userstate_create)() };
        assert!(!unsafe { (lib.privkey_read)(us, KEYS.as_ptr()) }.is_error());
        // libotr works without a tag from the client, but its instances do not.
        #[cfg(feature = "abi5")]
        unsafe {
            (lib.instag_generate)(us, c"/dev/null".as_ptr(), name.as_ptr(), PROTOCOL.as_ptr());
        }
        Self {
            lib,
            us,
            ops: Box::new(table()),
            seen: Box::new(Seen {
                policy,
                ..Seen::default()
            }),
            name: name.to_owned(),
            peer: peer.to_owned(),
        }
    }

    pub(crate) fn take_told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.seen.told)
    }

    /// Takes all messages to be sent.
    pub(crate) fn take_outbox(&mut self) -> Vec<Vec<u8>> {
        self.seen.outbox.drain(..).collect()
    }

    /// Handles a message from the correspondent. Texts for the user are in `told`.
    pub(crate) fn receive(&mut self, message: &[u8]) {
        let text = CString::new(message).unwrap();
        let mut shown = ptr::null_mut();
        let mut tlvs = ptr::null_mut();
        let data = (&raw mut *self.seen).cast();
        unsafe {
            let internal = (self.lib.receiving)(
                self.us,
                &raw const *self.ops,
                data,
                self.name.as_ptr(),
                PROTOCOL.as_ptr(),
                self.peer.as_ptr(),
                text.as_ptr(),
                &raw mut shown,
                &raw mut tlvs,
                #[cfg(feature = "abi5")]
                ptr::null_mut(),
                None,
                ptr::null_mut(),
            );
            if internal == 0 {
                let text = if shown.is_null() {
                    message.to_vec()
                } else {
                    CStr::from_ptr(shown).to_bytes().to_vec()
                };
                self.seen.told.push(Told::Text(text));
            }
            libc::free(shown.cast());
            (self.lib.tlv_free)(tlvs);
        }
    }

    /// The user sends a text; the messages are in the outbox. On an error nothing is sent.
    pub(crate) fn send(&mut self, text: &[u8]) -> Result<(), GcryError> {
        #[cfg(feature = "abi5")]
        return self.send_to(INSTAG_BEST, text);
        #[cfg(feature = "abi2")]
        return self.send_to(0, text);
    }

    /// The same to one instance, or by one of the ways to choose one.
    pub(crate) fn send_to(&mut self, tag: u32, text: &[u8]) -> Result<(), GcryError> {
        let original = CString::new(text).unwrap();
        let mut message = ptr::null_mut();
        let data = (&raw mut *self.seen).cast();
        let error = unsafe {
            (self.lib.sending)(
                self.us,
                &raw const *self.ops,
                data,
                self.name.as_ptr(),
                PROTOCOL.as_ptr(),
                self.peer.as_ptr(),
                #[cfg(feature = "abi5")]
                tag,
                original.as_ptr(),
                ptr::null_mut(),
                &raw mut message,
                #[cfg(feature = "abi5")]
                FRAGMENT_SEND_SKIP,
                #[cfg(feature = "abi5")]
                ptr::null_mut(),
                None,
                ptr::null_mut(),
            )
        };
        #[cfg(feature = "abi2")]
        let _ = tag;
        if error.is_error() {
            return Err(error);
        }
        let out = if message.is_null() {
            text.to_vec()
        } else {
            unsafe { CStr::from_ptr(message) }.to_bytes().to_vec()
        };
        unsafe { libc::free(message.cast()) };
        if !out.is_empty() {
            self.seen.outbox.push_back(out);
        }
        Ok(())
    }

    /// The user ends all sessions.
    pub(crate) fn end(&mut self) {
        let data = (&raw mut *self.seen).cast();
        unsafe {
            (self.lib.disconnect)(
                self.us,
                &raw const *self.ops,
                data,
                self.name.as_ptr(),
                PROTOCOL.as_ptr(),
                self.peer.as_ptr(),
            );
        }
    }

    /// The user asks for the secret to be compared.
    pub(crate) fn ask(&mut self, secret: &[u8]) {
        self.smp(self.lib.initiate_smp, secret);
    }

    /// The user asks a question.
    pub(crate) fn ask_question(&mut self, question: &[u8], secret: &[u8]) {
        let question = CString::new(question).unwrap();
        let data = (&raw mut *self.seen).cast();
        let context = self.best();
        unsafe {
            (self.lib.initiate_smp_q)(
                self.us,
                &raw const *self.ops,
                data,
                context,
                question.as_ptr(),
                secret.as_ptr(),
                secret.len(),
            );
        }
    }

    /// The user answers.
    pub(crate) fn answer(&mut self, secret: &[u8]) {
        self.smp(self.lib.respond_smp, secret);
    }

    /// The user aborts the comparison.
    #[cfg(feature = "abi5")]
    pub(crate) fn break_off(&mut self) {
        let data = (&raw mut *self.seen).cast();
        let context = self.best();
        unsafe { (self.lib.abort_smp)(self.us, &raw const *self.ops, data, context) };
    }

    fn smp(&mut self, step: library::Smp, secret: &[u8]) {
        let data = (&raw mut *self.seen).cast();
        let context = self.best();
        if !context.is_null() {
            unsafe {
                step(
                    self.us,
                    &raw const *self.ops,
                    data,
                    context,
                    secret.as_ptr(),
                    secret.len(),
                );
            }
        }
    }

    /// The context that a client uses for the correspondent.
    pub(crate) fn best(&mut self) -> *mut ConnContext {
        #[cfg(feature = "abi5")]
        return self.context(INSTAG_BEST);
        #[cfg(feature = "abi2")]
        return self.context(());
    }

    /// The context of one instance, or of one of the ways to choose one; NULL if there is none.
    pub(crate) fn context(
        &mut self,
        #[cfg(feature = "abi5")] tag: OtrlInstag,
        #[cfg(feature = "abi2")] _: (),
    ) -> *mut ConnContext {
        unsafe {
            (self.lib.context_find)(
                self.us,
                self.peer.as_ptr(),
                self.name.as_ptr(),
                PROTOCOL.as_ptr(),
                #[cfg(feature = "abi5")]
                tag,
                0,
                ptr::null_mut(),
                None,
                ptr::null_mut(),
            )
        }
    }

    pub(crate) fn is_secure(&mut self) -> bool {
        let best = self.best();
        !best.is_null() && unsafe { (*best).msgstate } == MSGSTATE_ENCRYPTED
    }

    /// The trust in the active fingerprint.
    pub(crate) fn trust(&mut self) -> String {
        let best = self.best();
        unsafe {
            let active = (*best).active_fingerprint;
            if active.is_null() || (*active).trust.is_null() {
                return String::new();
            }
            CStr::from_ptr((*active).trust)
                .to_string_lossy()
                .into_owned()
        }
    }

    /// The id of the session in the context that a client uses; empty without one.
    pub(crate) fn session_id(&mut self) -> Vec<u8> {
        let best = self.best();
        if !self.is_secure() {
            return Vec::new();
        }
        unsafe { (&(*best).sessionid)[..(*best).sessionid_len].to_vec() }
    }

    /// The id of the session with one instance of the correspondent; empty without one.
    #[cfg(feature = "abi5")]
    pub(crate) fn session_id_with(&mut self, instance: OtrlInstag) -> Vec<u8> {
        let context = self.context(instance);
        if context.is_null() {
            return Vec::new();
        }
        unsafe {
            if (*context).msgstate != MSGSTATE_ENCRYPTED {
                return Vec::new();
            }
            (&(*context).sessionid)[..(*context).sessionid_len].to_vec()
        }
    }

    /// Changes the correspondent.
    #[cfg(feature = "abi5")]
    pub(crate) fn write_to(&mut self, peer: &str) {
        self.peer = CString::new(peer).unwrap();
    }

    /// Our instance tag.
    #[cfg(feature = "abi5")]
    pub(crate) fn our_tag(&self) -> OtrlInstag {
        unsafe { (*(*self.us).instag_root).instag }
    }

    /// Uses the tag of another login.
    #[cfg(feature = "abi5")]
    pub(crate) fn set_our_tag(&mut self, tag: OtrlInstag) {
        unsafe { (*(*self.us).instag_root).instag = tag };
    }

    pub(crate) fn us(&self) -> OtrlUserState {
        self.us
    }
}

impl Drop for Party {
    fn drop(&mut self) {
        unsafe { (self.lib.userstate_free)(self.us) };
    }
}

/// Delivers messages in both directions, in order, until there are none left; false if that does not end.
pub(crate) fn settle(a: &mut Party, b: &mut Party) -> bool {
    for _ in 0..40 {
        let (to_b, to_a) = (a.take_outbox(), b.take_outbox());
        if to_b.is_empty() && to_a.is_empty() {
            return true;
        }
        to_b.iter().for_each(|message| b.receive(message));
        to_a.iter().for_each(|message| a.receive(message));
    }
    false
}

unsafe fn told(data: *mut c_void, what: Told) {
    unsafe { (*data.cast::<Seen>()).told.push(what) };
}

unsafe fn bytes(text: *const c_char) -> Vec<u8> {
    if text.is_null() {
        return Vec::new();
    }
    unsafe { CStr::from_ptr(text) }.to_bytes().to_vec()
}

unsafe extern "C-unwind" fn policy(data: *mut c_void, _: *mut ConnContext) -> OtrlPolicy {
    unsafe { (*data.cast::<Seen>()).policy }
}

unsafe extern "C-unwind" fn is_logged_in(
    _: *mut c_void,
    _: *const c_char,
    _: *const c_char,
    _: *const c_char,
) -> c_int {
    1
}

unsafe extern "C-unwind" fn inject(
    data: *mut c_void,
    _: *const c_char,
    _: *const c_char,
    _: *const c_char,
    message: *const c_char,
) {
    unsafe { (*data.cast::<Seen>()).outbox.push_back(bytes(message)) };
}

unsafe extern "C-unwind" fn gone_secure(data: *mut c_void, _: *mut ConnContext) {
    unsafe { told(data, Told::Secure) };
}

unsafe extern "C-unwind" fn still_secure(data: *mut c_void, _: *mut ConnContext, _: c_int) {
    unsafe { told(data, Told::Still) };
}

#[cfg(feature = "abi5")]
unsafe extern "C-unwind" fn message_event(
    data: *mut c_void,
    event: OtrlMessageEvent,
    _: *mut ConnContext,
    text: *const c_char,
    error: GcryError,
) {
    unsafe { told(data, Told::Message(event, bytes(text), error.0)) };
}

#[cfg(feature = "abi5")]
unsafe extern "C-unwind" fn smp_event(
    data: *mut c_void,
    event: OtrlSmpEvent,
    _: *mut ConnContext,
    _: std::ffi::c_ushort,
    _: *mut c_char,
) {
    unsafe { told(data, Told::Smp(event)) };
}

#[cfg(feature = "abi5")]
unsafe extern "C-unwind" fn error_message(
    _: *mut c_void,
    _: *mut ConnContext,
    _: OtrlErrorCode,
) -> *const c_char {
    c"an error".as_ptr()
}

#[cfg(feature = "abi2")]
unsafe extern "C-unwind" fn display(
    data: *mut c_void,
    _: *const c_char,
    _: *const c_char,
    _: *const c_char,
    text: *const c_char,
) -> c_int {
    unsafe { told(data, Told::Line(bytes(text))) };
    0
}

/// The callbacks that these tests need.
fn table() -> OtrlMessageAppOps {
    // SAFETY: all zeros make every member NULL, which is valid.
    let empty: OtrlMessageAppOps = unsafe { std::mem::zeroed() };
    OtrlMessageAppOps {
        policy: Some(policy),
        is_logged_in: Some(is_logged_in),
        inject_message: Some(inject),
        gone_secure: Some(gone_secure),
        still_secure: Some(still_secure),
        #[cfg(feature = "abi5")]
        handle_msg_event: Some(message_event),
        #[cfg(feature = "abi5")]
        handle_smp_event: Some(smp_event),
        #[cfg(feature = "abi5")]
        otr_error_message: Some(error_message),
        #[cfg(feature = "abi2")]
        display_otr_message: Some(display),
        ..empty
    }
}
