//! Structs and constants that only the interface of libotr 3.2 has, or that differ there.

use std::ffi::{c_char, c_int, c_uchar, c_uint, c_ushort, c_void};

use super::*;

/// `OtrlNotifyLevel`: one of `NOTIFY_*`.
pub type OtrlNotifyLevel = c_uint;

constants! { OtrlFragmentPolicy:
    FRAGMENT_SEND_ALL = 0; FRAGMENT_SEND_ALL_BUT_FIRST = 1; FRAGMENT_SEND_ALL_BUT_LAST = 2;
}
constants! { OtrlPolicy:
    POLICY_NEVER = 0; POLICY_ALLOW_V1 = 0x01; POLICY_ALLOW_V2 = 0x02; POLICY_REQUIRE_ENCRYPTION = 0x04;
    POLICY_SEND_WHITESPACE_TAG = 0x08; POLICY_WHITESPACE_START_AKE = 0x10; POLICY_ERROR_START_AKE = 0x20;
    POLICY_VERSION_MASK = 0x03; POLICY_MANUAL = 0x03; POLICY_OPPORTUNISTIC = 0x3b; POLICY_ALWAYS = 0x37;
}
constants! { OtrlNotifyLevel: NOTIFY_ERROR = 0; NOTIFY_WARNING = 1; NOTIFY_INFO = 2; }

/// `struct s_OtrlUserState`: the two lists of one user.
#[repr(C)]
pub struct UserState {
    /// Sorted by user, account and protocol.
    pub context_root: *mut ConnContext,
    /// Newest first.
    pub privkey_root: *mut OtrlPrivKey,
}

/// `ConnContext`: the conversation with one correspondent. The four `mark` members are in C's padding (with 64-bit pointers):
/// they distinguish a context that the library made, which has a tail behind this struct, from one that a client made itself.
#[repr(C)]
pub struct ConnContext {
    /// The next of the user state's list.
    pub next: *mut ConnContext,
    /// The link that points to this node.
    pub tous: *mut *mut ConnContext,
    /// The correspondent; malloc'ed.
    pub username: *mut c_char,
    /// Our account; malloc'ed.
    pub accountname: *mut c_char,
    /// malloc'ed.
    pub protocol: *mut c_char,
    /// Fragments collected so far; malloc'ed.
    pub fragment: *mut c_char,
    /// Bytes of it.
    pub fragment_len: usize,
    /// How many pieces there will be.
    pub fragment_n: c_ushort,
    /// How many were received.
    pub fragment_k: c_ushort,
    /// One of `MSGSTATE_*`.
    pub msgstate: OtrlMessageState,
    /// The AKE under way.
    pub auth: OtrlAuthInfo,
    /// Its `next` is the first fingerprint.
    pub fingerprint_root: Fingerprint,
    /// The fingerprint of the key that authenticated the session.
    pub active_fingerprint: *mut Fingerprint,
    /// Their newest key id.
    pub their_keyid: c_uint,
    /// Padding in C.
    #[cfg(target_pointer_width = "64")]
    pub mark0: u32,
    /// Their newest DH public value.
    pub their_y: *mut Mpi,
    /// The one before.
    pub their_old_y: *mut Mpi,
    /// Our newest key id.
    pub our_keyid: c_uint,
    /// Padding in C.
    #[cfg(target_pointer_width = "64")]
    pub mark1: u32,
    /// Our newest DH key.
    pub our_dh_key: DhKeypair,
    /// The one before.
    pub our_old_dh_key: DhKeypair,
    /// By our key (newest, old) and their key (newest, old).
    pub sesskeys: [[DhSesskeys; 2]; 2],
    /// The secure session id.
    pub sessionid: [c_uchar; 20],
    /// Bytes of it, 0 outside a session.
    pub sessionid_len: usize,
    /// Which half to show in bold.
    pub sessionid_half: OtrlSessionIdHalf,
    /// Of the session; 0 outside one.
    pub protocol_version: c_uint,
    /// Kept for the client; the library does not use it; malloc'ed.
    pub preshared_secret: *mut c_uchar,
    /// Bytes of it.
    pub preshared_secret_len: usize,
    /// MAC keys waiting to be revealed.
    pub numsavedkeys: c_uint,
    /// Padding in C.
    #[cfg(target_pointer_width = "64")]
    pub mark2: u32,
    /// 20 bytes each; malloc'ed.
    pub saved_mac_keys: *mut c_uchar,
    /// How many sessions this context has seen.
    pub generation: c_uint,
    /// Padding in C.
    #[cfg(target_pointer_width = "64")]
    pub mark3: u32,
    /// When a data message was last sent, in seconds of `time(2)`.
    pub lastsent: libc::time_t,
    /// The text that may have to be sent again; malloc'ed.
    pub lastmessage: *mut c_char,
    /// Whether it may.
    pub may_retransmit: c_int,
    /// One of `OFFER_*`; some clients write it.
    pub otr_offer: c_uint,
    /// Data of the client.
    pub app_data: *mut c_void,
    /// Called with `app_data` when the context is forgotten.
    pub app_data_free: AppDataFree,
    /// The socialist millionaires' protocol; malloc'ed, never NULL in a context of the library.
    pub smstate: *mut OtrlSMState,
}

/// `OtrlMessageAppOps`: the client's callbacks. Any of them may be NULL. The last three came with API 3.1: a client that
/// was built for 3.0 has a table that ends before them.
#[repr(C)]
pub struct OtrlMessageAppOps {
    /// Which policy to follow with this correspondent.
    pub policy: Option<unsafe extern "C-unwind" fn(*mut c_void, *mut ConnContext) -> OtrlPolicy>,
    /// Make a private key for this account and protocol.
    pub create_privkey:
        Option<unsafe extern "C-unwind" fn(*mut c_void, *const c_char, *const c_char)>,
    /// 1 if the recipient is online, 0 if not, -1 if not known.
    pub is_logged_in: Option<
        unsafe extern "C-unwind" fn(
            *mut c_void,
            *const c_char,
            *const c_char,
            *const c_char,
        ) -> c_int,
    >,
    /// Send this message: account, protocol, recipient, text.
    pub inject_message: Option<
        unsafe extern "C-unwind" fn(
            *mut c_void,
            *const c_char,
            *const c_char,
            *const c_char,
            *const c_char,
        ),
    >,
    /// Show a notice in a separate window: level, account, protocol, user, title, primary and secondary text.
    pub notify: Option<
        unsafe extern "C-unwind" fn(
            *mut c_void,
            OtrlNotifyLevel,
            *const c_char,
            *const c_char,
            *const c_char,
            *const c_char,
            *const c_char,
            *const c_char,
        ),
    >,
    /// Show a notice in the conversation: account, protocol, user, text. 0 when it was shown.
    pub display_otr_message: Option<
        unsafe extern "C-unwind" fn(
            *mut c_void,
            *const c_char,
            *const c_char,
            *const c_char,
            *const c_char,
        ) -> c_int,
    >,
    /// The list of contexts or fingerprints changed.
    pub update_context_list: Option<unsafe extern "C-unwind" fn(*mut c_void)>,
    /// How to name this protocol to the user.
    pub protocol_name:
        Option<unsafe extern "C-unwind" fn(*mut c_void, *const c_char) -> *const c_char>,
    /// Frees the result of `protocol_name`.
    pub protocol_name_free: Option<unsafe extern "C-unwind" fn(*mut c_void, *const c_char)>,
    /// A fingerprint was seen for the first time: account, protocol, user, 20 bytes.
    pub new_fingerprint: Option<
        unsafe extern "C-unwind" fn(
            *mut c_void,
            OtrlUserState,
            *const c_char,
            *const c_char,
            *const c_char,
            *mut c_uchar,
        ),
    >,
    /// Write the fingerprints to disk.
    pub write_fingerprints: Option<unsafe extern "C-unwind" fn(*mut c_void)>,
    /// A session began.
    pub gone_secure: Option<unsafe extern "C-unwind" fn(*mut c_void, *mut ConnContext)>,
    /// A session ended.
    pub gone_insecure: Option<unsafe extern "C-unwind" fn(*mut c_void, *mut ConnContext)>,
    /// A session was refreshed; the last argument is not 0 when we began it.
    pub still_secure: Option<unsafe extern "C-unwind" fn(*mut c_void, *mut ConnContext, c_int)>,
    /// Add this line to the log; it ends in a newline.
    pub log_message: Option<unsafe extern "C-unwind" fn(*mut c_void, *const c_char)>,
    /// The maximum message size of the network, 0 for no limit.
    pub max_message_size:
        Option<unsafe extern "C-unwind" fn(*mut c_void, *mut ConnContext) -> c_int>,
    /// How to name this account and protocol to the user.
    pub account_name: Option<
        unsafe extern "C-unwind" fn(*mut c_void, *const c_char, *const c_char) -> *const c_char,
    >,
    /// Frees the result of `account_name`.
    pub account_name_free: Option<unsafe extern "C-unwind" fn(*mut c_void, *const c_char)>,
}

#[cfg(target_pointer_width = "64")]
mod layouts {
    use super::*;

    layout!(DhSesskeys, 112:
        sendctr = 0, rcvctr = 16, sendenc = 32, rcvenc = 40, sendmac = 48, sendmackey = 56, sendmacused = 76,
        rcvmac = 80, rcvmackey = 88, rcvmacused = 108,
    );
    layout!(OtrlAuthInfo, 240:
        authstate = 0, our_dh = 8, our_keyid = 32, encgx = 40, encgx_len = 48, r = 56, hashgx = 72,
        their_pub = 104, their_keyid = 112, enc_c = 120, enc_cp = 128, mac_m1 = 136, mac_m1p = 144, mac_m2 = 152,
        mac_m2p = 160, their_fingerprint = 168, initiated = 188, protocol_version = 192, secure_session_id = 196,
        secure_session_id_len = 216, session_id_half = 224, lastauthmsg = 232,
    );
    layout!(UserState, 16: context_root = 0, privkey_root = 8,);
    layout!(ConnContext, 1008:
        next = 0, tous = 8, username = 16, accountname = 24, protocol = 32, fragment = 40, fragment_len = 48,
        fragment_n = 56, fragment_k = 58, msgstate = 60, auth = 64, fingerprint_root = 304,
        active_fingerprint = 344, their_keyid = 352, their_y = 360, their_old_y = 368, our_keyid = 376,
        our_dh_key = 384, our_old_dh_key = 408, sesskeys = 432, sessionid = 880, sessionid_len = 904,
        sessionid_half = 912, protocol_version = 916, preshared_secret = 920, preshared_secret_len = 928,
        numsavedkeys = 936, saved_mac_keys = 944, generation = 952, lastsent = 960, lastmessage = 968,
        may_retransmit = 976, otr_offer = 980, app_data = 984, app_data_free = 992, smstate = 1000,
    );
    layout!(OtrlMessageAppOps, 144:
        policy = 0, create_privkey = 8, is_logged_in = 16, inject_message = 24, notify = 32,
        display_otr_message = 40, update_context_list = 48, protocol_name = 56, protocol_name_free = 64,
        new_fingerprint = 72, write_fingerprints = 80, gone_secure = 88, gone_insecure = 96, still_secure = 104,
        log_message = 112, max_message_size = 120, account_name = 128, account_name_free = 136,
    );
}

crate::abi::linked_list::nodes!(ConnContext);

crate::abi::borrowed::members! {
    UserState {
        context_root: *mut ConnContext,
        privkey_root: *mut OtrlPrivKey,
    }
    ConnContext {
        next: *mut ConnContext,
        tous: *mut *mut ConnContext,
        fragment_len: usize,
        fragment_n: c_ushort,
        fragment_k: c_ushort,
        msgstate: OtrlMessageState,
        auth: OtrlAuthInfo,
        fingerprint_root: Fingerprint,
        active_fingerprint: *mut Fingerprint,
        their_keyid: c_uint,
        their_y: *mut Mpi,
        their_old_y: *mut Mpi,
        our_keyid: c_uint,
        our_dh_key: DhKeypair,
        our_old_dh_key: DhKeypair,
        sesskeys: [[DhSesskeys; 2]; 2],
        sessionid: [c_uchar; 20],
        sessionid_len: usize,
        sessionid_half: OtrlSessionIdHalf,
        protocol_version: c_uint,
        preshared_secret_len: usize,
        numsavedkeys: c_uint,
        generation: c_uint,
        lastsent: libc::time_t,
        may_retransmit: c_int,
        otr_offer: c_uint,
        smstate: *mut OtrlSMState,
        #[cfg(target_pointer_width = "64")] mark0: u32,
        #[cfg(target_pointer_width = "64")] mark1: u32,
        #[cfg(target_pointer_width = "64")] mark2: u32,
        #[cfg(target_pointer_width = "64")] mark3: u32,
        ; text username, accountname, protocol
        ; malloced fragment, saved_mac_keys, lastmessage, preshared_secret
    }
}
