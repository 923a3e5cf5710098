//! Structs and constants that only the interface of libotr 4 has, or that differ there.

use std::ffi::{c_char, c_int, c_uchar, c_uint, c_ushort, c_void};

use super::*;

/// `otrl_instag_t`: an instance tag, or one of the `INSTAG_*` ways to choose one.
pub type OtrlInstag = c_uint;
/// `OtrlSMPEvent`: one of `SMPEVENT_*`.
pub type OtrlSmpEvent = c_uint;
/// `OtrlMessageEvent`: one of `MSGEVENT_*`.
pub type OtrlMessageEvent = c_uint;
/// `OtrlErrorCode`: one of `ERRCODE_*`.
pub type OtrlErrorCode = c_uint;
/// `OtrlConvertType`: one of `CONVERT_*`.
pub type OtrlConvertType = c_uint;

constants! { OtrlFragmentPolicy:
    FRAGMENT_SEND_SKIP = 0; FRAGMENT_SEND_ALL = 1; FRAGMENT_SEND_ALL_BUT_FIRST = 2; FRAGMENT_SEND_ALL_BUT_LAST = 3;
}
constants! { OtrlInstag:
    INSTAG_MASTER = 0; INSTAG_BEST = 1; INSTAG_RECENT = 2; INSTAG_RECENT_RECEIVED = 3; INSTAG_RECENT_SENT = 4;
    /// The lowest number that names an instance.
    MIN_VALID_INSTAG = 0x100;
}
constants! { OtrlPolicy:
    POLICY_NEVER = 0; POLICY_ALLOW_V1 = 0x01; POLICY_ALLOW_V2 = 0x02; POLICY_ALLOW_V3 = 0x04;
    POLICY_REQUIRE_ENCRYPTION = 0x08; POLICY_SEND_WHITESPACE_TAG = 0x10; POLICY_WHITESPACE_START_AKE = 0x20;
    POLICY_ERROR_START_AKE = 0x40; POLICY_VERSION_MASK = 0x07; POLICY_MANUAL = 0x06; POLICY_OPPORTUNISTIC = 0x76;
    POLICY_ALWAYS = 0x6e;
}
constants! { OtrlSmpEvent:
    SMPEVENT_NONE = 0; SMPEVENT_ERROR = 1; SMPEVENT_ABORT = 2; SMPEVENT_CHEATED = 3; SMPEVENT_ASK_FOR_ANSWER = 4;
    SMPEVENT_ASK_FOR_SECRET = 5; SMPEVENT_IN_PROGRESS = 6; SMPEVENT_SUCCESS = 7; SMPEVENT_FAILURE = 8;
}
constants! { OtrlMessageEvent:
    MSGEVENT_NONE = 0; MSGEVENT_ENCRYPTION_REQUIRED = 1; MSGEVENT_ENCRYPTION_ERROR = 2;
    MSGEVENT_CONNECTION_ENDED = 3; MSGEVENT_SETUP_ERROR = 4; MSGEVENT_MSG_REFLECTED = 5; MSGEVENT_MSG_RESENT = 6;
    MSGEVENT_RCVDMSG_NOT_IN_PRIVATE = 7; MSGEVENT_RCVDMSG_UNREADABLE = 8; MSGEVENT_RCVDMSG_MALFORMED = 9;
    MSGEVENT_LOG_HEARTBEAT_RCVD = 10; MSGEVENT_LOG_HEARTBEAT_SENT = 11; MSGEVENT_RCVDMSG_GENERAL_ERR = 12;
    MSGEVENT_RCVDMSG_UNENCRYPTED = 13; MSGEVENT_RCVDMSG_UNRECOGNIZED = 14;
    MSGEVENT_RCVDMSG_FOR_OTHER_INSTANCE = 15;
}
constants! { OtrlErrorCode:
    ERRCODE_NONE = 0; ERRCODE_ENCRYPTION_ERROR = 1; ERRCODE_MSG_NOT_IN_PRIVATE = 2; ERRCODE_MSG_UNREADABLE = 3;
    ERRCODE_MSG_MALFORMED = 4;
}
constants! { c_ushort: TLV_SYMKEY = 8; }
constants! { OtrlConvertType: CONVERT_SENDING = 0; CONVERT_RECEIVING = 1; }
constants! { usize:
    /// Bytes of the extra symmetric key.
    EXTRAKEY_BYTES = 32;
}

/// `struct s_OtrlUserState`: the three lists and the pending keys of one user.
#[repr(C)]
pub struct UserState {
    /// Sorted by user, account, protocol and instance; a master comes before its children.
    pub context_root: *mut ConnContext,
    /// Newest first.
    pub privkey_root: *mut OtrlPrivKey,
    /// Newest first.
    pub instag_root: *mut OtrlInsTag,
    /// Keys being generated.
    pub pending_root: *mut OtrlPendingPrivKey,
    /// Not 0 while the client is asked to poll.
    pub timer_running: c_int,
}

/// `OtrlPendingPrivKey`: an account whose key is being generated.
#[repr(C)]
pub struct OtrlPendingPrivKey {
    /// The next of the list.
    pub next: *mut OtrlPendingPrivKey,
    /// The link that points to this node.
    pub tous: *mut *mut OtrlPendingPrivKey,
    /// malloc'ed.
    pub accountname: *mut c_char,
    /// malloc'ed.
    pub protocol: *mut c_char,
}

/// `OtrlInsTag`: the instance tag of one of our accounts.
#[repr(C)]
pub struct OtrlInsTag {
    /// The next of the list.
    pub next: *mut OtrlInsTag,
    /// The link that points to this node.
    pub tous: *mut *mut OtrlInsTag,
    /// malloc'ed.
    pub accountname: *mut c_char,
    /// malloc'ed.
    pub protocol: *mut c_char,
    /// The tag, at least `MIN_VALID_INSTAG`.
    pub instag: OtrlInstag,
}

/// `ConnContext`: one conversation with one instance of a correspondent, or the master of such conversations.
#[repr(C)]
pub struct ConnContext {
    /// The next of the user state's list.
    pub next: *mut ConnContext,
    /// The link that points to this node.
    pub tous: *mut *mut ConnContext,
    /// The state that clients do not access.
    pub context_priv: *mut ConnContextPriv,
    /// The correspondent; malloc'ed.
    pub username: *mut c_char,
    /// Our account; malloc'ed.
    pub accountname: *mut c_char,
    /// malloc'ed.
    pub protocol: *mut c_char,
    /// The master; a master points at itself.
    pub m_context: *mut ConnContext,
    /// In a master: the instance that was last heard from.
    pub recent_rcvd_child: *mut ConnContext,
    /// In a master: the instance that was last written to.
    pub recent_sent_child: *mut ConnContext,
    /// In a master: the later of the two.
    pub recent_child: *mut ConnContext,
    /// Our instance tag, 0 before there is one.
    pub our_instance: OtrlInstag,
    /// Theirs; `INSTAG_MASTER` in a master.
    pub their_instance: OtrlInstag,
    /// Plaintext, encrypted or finished.
    pub msgstate: OtrlMessageState,
    /// The AKE under way.
    pub auth: OtrlAuthInfo,
    /// In a master: its `next` is the first fingerprint.
    pub fingerprint_root: Fingerprint,
    /// The fingerprint of the key that authenticated the session.
    pub active_fingerprint: *mut Fingerprint,
    /// The secure session id.
    pub sessionid: [c_uchar; 20],
    /// Bytes of it, 0 outside a session.
    pub sessionid_len: usize,
    /// Which half to show in bold.
    pub sessionid_half: OtrlSessionIdHalf,
    /// Of the session; 0 outside one.
    pub protocol_version: c_uint,
    /// One of `OFFER_*`; some clients write it.
    pub otr_offer: c_uint,
    /// Data of the client.
    pub app_data: *mut c_void,
    /// Called with `app_data` when the context is forgotten.
    pub app_data_free: AppDataFree,
    /// The socialist millionaires' protocol; malloc'ed, never NULL in a context of the library.
    pub smstate: *mut OtrlSMState,
}

/// `ConnContextPriv`. The four `mark` members are in C's padding (with 64-bit pointers): they distinguish a block that the
/// library made, which has a tail behind this struct, from one that a client made itself.
#[repr(C)]
pub struct ConnContextPriv {
    /// Fragments collected so far; malloc'ed.
    pub fragment: *mut c_char,
    /// Bytes of it.
    pub fragment_len: usize,
    /// How many pieces there will be.
    pub fragment_n: c_ushort,
    /// How many were received.
    pub fragment_k: c_ushort,
    /// Their newest key id.
    pub their_keyid: c_uint,
    /// Their newest DH public value.
    pub their_y: *mut Mpi,
    /// The one before.
    pub their_old_y: *mut Mpi,
    /// Our newest key id.
    pub our_keyid: c_uint,
    /// Padding in C.
    #[cfg(target_pointer_width = "64")]
    pub mark0: u32,
    /// Our newest DH key.
    pub our_dh_key: DhKeypair,
    /// The one before.
    pub our_old_dh_key: DhKeypair,
    /// By our key (newest, old) and their key (newest, old).
    pub sesskeys: [[DhSesskeys; 2]; 2],
    /// MAC keys waiting to be revealed.
    pub numsavedkeys: c_uint,
    /// Padding in C.
    #[cfg(target_pointer_width = "64")]
    pub mark1: u32,
    /// 20 bytes each; malloc'ed.
    pub saved_mac_keys: *mut c_uchar,
    /// How many sessions this context has seen.
    pub generation: c_uint,
    /// Padding in C.
    #[cfg(target_pointer_width = "64")]
    pub mark2: u32,
    /// When a data message was last sent, in seconds of `time(2)`.
    pub lastsent: libc::time_t,
    /// When one was last received.
    pub lastrecv: libc::time_t,
    /// The text that may have to be sent again; malloc'ed.
    pub lastmessage: *mut c_char,
    /// Whether it may.
    pub may_retransmit: c_int,
    /// Padding in C.
    #[cfg(target_pointer_width = "64")]
    pub mark3: u32,
}

/// `OtrlMessageAppOps`: the client's callbacks. Any of them may be NULL. API 4.0 and 4.1 have the same members.
#[repr(C)]
#[derive(Clone, Copy)]
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
    /// The list of contexts or fingerprints changed.
    pub update_context_list: Option<unsafe extern "C-unwind" fn(*mut c_void)>,
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
    /// The maximum message size of the network, 0 for no limit.
    pub max_message_size:
        Option<unsafe extern "C-unwind" fn(*mut c_void, *mut ConnContext) -> c_int>,
    /// How to name this account and protocol to the user.
    pub account_name: Option<
        unsafe extern "C-unwind" fn(*mut c_void, *const c_char, *const c_char) -> *const c_char,
    >,
    /// Frees the result of `account_name`.
    pub account_name_free: Option<unsafe extern "C-unwind" fn(*mut c_void, *const c_char)>,
    /// The other side asked to use the extra key: use, its data, their length, the key.
    pub received_symkey: Option<
        unsafe extern "C-unwind" fn(
            *mut c_void,
            *mut ConnContext,
            c_uint,
            *const c_uchar,
            usize,
            *const c_uchar,
        ),
    >,
    /// The text of an error message to the other side.
    pub otr_error_message: Option<
        unsafe extern "C-unwind" fn(*mut c_void, *mut ConnContext, OtrlErrorCode) -> *const c_char,
    >,
    /// Frees the result of `otr_error_message`.
    pub otr_error_message_free: Option<unsafe extern "C-unwind" fn(*mut c_void, *const c_char)>,
    /// What to put before a text that is sent again.
    pub resent_msg_prefix:
        Option<unsafe extern "C-unwind" fn(*mut c_void, *mut ConnContext) -> *const c_char>,
    /// Frees the result of `resent_msg_prefix`.
    pub resent_msg_prefix_free: Option<unsafe extern "C-unwind" fn(*mut c_void, *const c_char)>,
    /// Something happened in the socialist millionaires' protocol: event, context, percent, question.
    pub handle_smp_event: Option<
        unsafe extern "C-unwind" fn(
            *mut c_void,
            OtrlSmpEvent,
            *mut ConnContext,
            c_ushort,
            *mut c_char,
        ),
    >,
    /// Something happened to a message: event, context, text, error.
    pub handle_msg_event: Option<
        unsafe extern "C-unwind" fn(
            *mut c_void,
            OtrlMessageEvent,
            *mut ConnContext,
            *const c_char,
            GcryError,
        ),
    >,
    /// Make an instance tag for this account and protocol.
    pub create_instag:
        Option<unsafe extern "C-unwind" fn(*mut c_void, *const c_char, *const c_char)>,
    /// Convert between the network's and OTR's form of a text: direction, result, source.
    pub convert_msg: Option<
        unsafe extern "C-unwind" fn(
            *mut c_void,
            *mut ConnContext,
            OtrlConvertType,
            *mut *mut c_char,
            *const c_char,
        ),
    >,
    /// Frees the result of `convert_msg`.
    pub convert_free:
        Option<unsafe extern "C-unwind" fn(*mut c_void, *mut ConnContext, *mut c_char)>,
    /// Call `otrl_message_poll` at this interval in seconds; 0 stops.
    pub timer_control: Option<unsafe extern "C-unwind" fn(*mut c_void, c_uint)>,
}

#[cfg(target_pointer_width = "64")]
mod layouts {
    use super::*;

    layout!(DhSesskeys, 144:
        sendctr = 0, rcvctr = 16, sendenc = 32, rcvenc = 40, sendmac = 48, sendmackey = 56, sendmacused = 76,
        rcvmac = 80, rcvmackey = 88, rcvmacused = 108, extrakey = 112,
    );
    layout!(OtrlAuthInfo, 256:
        authstate = 0, context = 8, our_dh = 16, our_keyid = 40, encgx = 48, encgx_len = 56, r = 64, hashgx = 80,
        their_pub = 112, their_keyid = 120, enc_c = 128, enc_cp = 136, mac_m1 = 144, mac_m1p = 152, mac_m2 = 160,
        mac_m2p = 168, their_fingerprint = 176, initiated = 196, protocol_version = 200, secure_session_id = 204,
        secure_session_id_len = 224, session_id_half = 232, lastauthmsg = 240, commit_sent_time = 248,
    );
    layout!(UserState, 40:
        context_root = 0, privkey_root = 8, instag_root = 16, pending_root = 24, timer_running = 32,
    );
    layout!(OtrlPendingPrivKey, 32: next = 0, tous = 8, accountname = 16, protocol = 24,);
    layout!(OtrlInsTag, 40: next = 0, tous = 8, accountname = 16, protocol = 24, instag = 32,);
    layout!(ConnContext, 472:
        next = 0, tous = 8, context_priv = 16, username = 24, accountname = 32, protocol = 40, m_context = 48,
        recent_rcvd_child = 56, recent_sent_child = 64, recent_child = 72, our_instance = 80, their_instance = 84,
        msgstate = 88, auth = 96, fingerprint_root = 352, active_fingerprint = 392, sessionid = 400,
        sessionid_len = 424, sessionid_half = 432, protocol_version = 436, otr_offer = 440, app_data = 448,
        app_data_free = 456, smstate = 464,
    );
    layout!(ConnContextPriv, 728:
        fragment = 0, fragment_len = 8, fragment_n = 16, fragment_k = 18, their_keyid = 20, their_y = 24,
        their_old_y = 32, our_keyid = 40, our_dh_key = 48, our_old_dh_key = 72, sesskeys = 96, numsavedkeys = 672,
        saved_mac_keys = 680, generation = 688, lastsent = 696, lastrecv = 704, lastmessage = 712,
        may_retransmit = 720,
    );
    layout!(OtrlMessageAppOps, 192:
        policy = 0, create_privkey = 8, is_logged_in = 16, inject_message = 24, update_context_list = 32,
        new_fingerprint = 40, write_fingerprints = 48, gone_secure = 56, gone_insecure = 64, still_secure = 72,
        max_message_size = 80, account_name = 88, account_name_free = 96, received_symkey = 104,
        otr_error_message = 112, otr_error_message_free = 120, resent_msg_prefix = 128, resent_msg_prefix_free = 136,
        handle_smp_event = 144, handle_msg_event = 152, create_instag = 160, convert_msg = 168, convert_free = 176,
        timer_control = 184,
    );
}

crate::abi::linked_list::nodes!(OtrlPendingPrivKey, OtrlInsTag, ConnContext);
names_of_account!(OtrlPendingPrivKey, OtrlInsTag);

crate::abi::borrowed::members! {
    UserState {
        context_root: *mut ConnContext,
        privkey_root: *mut OtrlPrivKey,
        instag_root: *mut OtrlInsTag,
        pending_root: *mut OtrlPendingPrivKey,
        timer_running: c_int,
    }
    OtrlPendingPrivKey {
        next: *mut OtrlPendingPrivKey,
        tous: *mut *mut OtrlPendingPrivKey,
        ; text accountname, protocol
    }
    OtrlInsTag {
        next: *mut OtrlInsTag,
        tous: *mut *mut OtrlInsTag,
        instag: OtrlInstag,
        ; text accountname, protocol
    }
    ConnContext {
        next: *mut ConnContext,
        tous: *mut *mut ConnContext,
        context_priv: *mut ConnContextPriv,
        m_context: *mut ConnContext,
        recent_rcvd_child: *mut ConnContext,
        recent_sent_child: *mut ConnContext,
        recent_child: *mut ConnContext,
        our_instance: OtrlInstag,
        their_instance: OtrlInstag,
        msgstate: OtrlMessageState,
        auth: OtrlAuthInfo,
        fingerprint_root: Fingerprint,
        active_fingerprint: *mut Fingerprint,
        sessionid: [c_uchar; 20],
        sessionid_len: usize,
        sessionid_half: OtrlSessionIdHalf,
        protocol_version: c_uint,
        otr_offer: c_uint,
        smstate: *mut OtrlSMState,
        ; text username, accountname, protocol
    }
    ConnContextPriv {
        fragment_len: usize,
        fragment_n: c_ushort,
        fragment_k: c_ushort,
        their_keyid: c_uint,
        their_y: *mut Mpi,
        their_old_y: *mut Mpi,
        our_keyid: c_uint,
        our_dh_key: DhKeypair,
        our_old_dh_key: DhKeypair,
        sesskeys: [[DhSesskeys; 2]; 2],
        numsavedkeys: c_uint,
        generation: c_uint,
        lastsent: libc::time_t,
        lastrecv: libc::time_t,
        may_retransmit: c_int,
        #[cfg(target_pointer_width = "64")] mark0: u32,
        #[cfg(target_pointer_width = "64")] mark1: u32,
        #[cfg(target_pointer_width = "64")] mark2: u32,
        #[cfg(target_pointer_width = "64")] mark3: u32,
        ; malloced fragment, saved_mac_keys, lastmessage
    }
}
