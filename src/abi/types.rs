//! The public C structs, member for member, and the constants that stand in them.
//!
//! Clients read these at any time and write some of them, so a field is read afresh whenever it is needed and no Rust
//! reference to a whole struct is kept. A C enumeration is a plain integer here, since a client may store any number in it.
//! The parts that both interfaces share are here; the others are in `types/abi5.rs` and `types/abi2.rs`. The offsets at the
//! ends are those of the reference; scripts/cross reads the names there as well.

use std::ffi::{c_char, c_int, c_uchar, c_uint, c_ushort, c_void};

use super::borrowed::{Borrowed, Char};
use super::error::GcryError;
use super::gcry::{Cipher, Digest, Mpi, Sexp};
use super::linked_list::{self, Node};

/// One named integer of the interface per line.
macro_rules! constants {
    ($type:ty: $($(#[$meta:meta])* $name:ident = $value:expr;)+) => {
        $(
            $(#[$meta])*
            #[doc = concat!("`", stringify!($value), "` in C.")]
            pub const $name: $type = $value;
        )+
    };
}

/// Fails to compile if a struct does not have the layout of the reference. The reference is for 64-bit pointers; for other
/// machines, scripts/cross asks their C compiler.
#[cfg(any(target_pointer_width = "64", otr_layouts))]
macro_rules! layout {
    ($type:ty, $size:literal: $($field:ident = $offset:literal,)+) => {
        const _: () = {
            assert!(std::mem::size_of::<$type>() == $size);
            $(assert!(std::mem::offset_of!($type, $field) == $offset);)+
        };
    };
}

/// Makes structs nodes of an account: see [`OfAccount`].
macro_rules! names_of_account {
    ($($type:ty),+) => {$(
        impl $crate::abi::types::OfAccount for $type {
            fn account(node: Borrowed<'_, Self>) -> Borrowed<'_, *mut Char> {
                node.accountname()
            }

            fn network(node: Borrowed<'_, Self>) -> Borrowed<'_, *mut Char> {
                node.protocol()
            }
        }
    )+};
}
#[cfg(feature = "abi2")]
mod abi2;
#[cfg(feature = "abi5")]
mod abi5;

#[cfg(feature = "abi2")]
pub use abi2::*;
#[cfg(feature = "abi5")]
pub use abi5::*;

/// `OtrlPolicy`: a set of `POLICY_*` bits.
pub type OtrlPolicy = c_uint;
/// `OtrlMessageState`: one of `MSGSTATE_*`.
pub type OtrlMessageState = c_uint;
/// `OtrlAuthState`: one of `AUTHSTATE_*`.
pub type OtrlAuthState = c_uint;
/// `OtrlSessionIdHalf`: one of `SESSIONID_*`.
pub type OtrlSessionIdHalf = c_uint;
/// `OtrlFragmentPolicy`: one of `FRAGMENT_SEND_*`.
pub type OtrlFragmentPolicy = c_uint;
/// `OtrlFragmentResult`: one of `FRAGMENT_UNFRAGMENTED`, `FRAGMENT_INCOMPLETE`, `FRAGMENT_COMPLETE`.
pub type OtrlFragmentResult = c_uint;
/// `OtrlMessageType`: one of `MSGTYPE_*`.
pub type OtrlMessageType = c_uint;
/// `NextExpectedSMP`: one of `SMP_EXPECT*`.
pub type NextExpectedSmp = c_uint;
/// `OtrlSMProgState`: one of `SMP_PROG_*`; signed, because two of them are negative.
pub type OtrlSmProgState = c_int;
/// `OtrlUserState`, which C sees as a pointer.
pub type OtrlUserState = *mut UserState;

constants! { c_uint: DH1536_GROUP_ID = 5; }
constants! { OtrlMessageState: MSGSTATE_PLAINTEXT = 0; MSGSTATE_ENCRYPTED = 1; MSGSTATE_FINISHED = 2; }
constants! { OtrlAuthState:
    AUTHSTATE_NONE = 0; AUTHSTATE_AWAITING_DHKEY = 1; AUTHSTATE_AWAITING_REVEALSIG = 2; AUTHSTATE_AWAITING_SIG = 3;
    AUTHSTATE_V1_SETUP = 4;
}
constants! { OtrlSessionIdHalf: SESSIONID_FIRST_HALF_BOLD = 0; SESSIONID_SECOND_HALF_BOLD = 1; }
constants! { c_uint: OFFER_NOT = 0; OFFER_SENT = 1; OFFER_REJECTED = 2; OFFER_ACCEPTED = 3; }
constants! { OtrlFragmentResult: FRAGMENT_UNFRAGMENTED = 0; FRAGMENT_INCOMPLETE = 1; FRAGMENT_COMPLETE = 2; }
constants! { OtrlMessageType:
    MSGTYPE_NOTOTR = 0; MSGTYPE_TAGGEDPLAINTEXT = 1; MSGTYPE_QUERY = 2; MSGTYPE_DH_COMMIT = 3; MSGTYPE_DH_KEY = 4;
    MSGTYPE_REVEALSIG = 5; MSGTYPE_SIGNATURE = 6; MSGTYPE_V1_KEYEXCH = 7; MSGTYPE_DATA = 8; MSGTYPE_ERROR = 9;
    MSGTYPE_UNKNOWN = 10;
}
constants! { NextExpectedSmp:
    SMP_EXPECT1 = 0; SMP_EXPECT2 = 1; SMP_EXPECT3 = 2; SMP_EXPECT4 = 3; SMP_EXPECT5 = 4;
}
constants! { OtrlSmProgState: SMP_PROG_CHEATED = -2; SMP_PROG_FAILED = -1; SMP_PROG_OK = 0; SMP_PROG_SUCCEEDED = 1; }
constants! { c_ushort:
    TLV_PADDING = 0; TLV_DISCONNECTED = 1; TLV_SMP1 = 2; TLV_SMP2 = 3; TLV_SMP3 = 4; TLV_SMP4 = 5; TLV_SMP_ABORT = 6;
    TLV_SMP1Q = 7;
}
constants! { c_ushort: PUBKEY_TYPE_DSA = 0; }
constants! { c_uchar: MSGFLAGS_IGNORE_UNREADABLE = 1; }

/// The client's function that frees its own data.
pub type AppDataFree = Option<unsafe extern "C-unwind" fn(data: *mut c_void)>;
/// A client's function that stores its own data in a new context.
pub type AddAppData =
    Option<unsafe extern "C-unwind" fn(data: *mut c_void, context: *mut ConnContext)>;
/// The client's function that is called with the outcome of an AKE that it runs itself through `auth.h`.
pub type AuthSucceeded =
    Option<unsafe extern "C-unwind" fn(auth: *const OtrlAuthInfo, data: *mut c_void) -> GcryError>;

/// `OtrlTLV`: one typed value in a chain.
#[repr(C)]
pub struct OtrlTLV {
    /// One of `TLV_*`, or any other number.
    pub tlv_type: c_ushort,
    /// Bytes in `data`.
    pub len: c_ushort,
    /// malloc'ed, with a NUL behind the value.
    pub data: *mut c_uchar,
    /// The next of the chain.
    pub next: *mut OtrlTLV,
}

/// `OtrlPrivKey`: one of our long-lived keys.
#[repr(C)]
pub struct OtrlPrivKey {
    /// The next of the list.
    pub next: *mut OtrlPrivKey,
    /// The link that points to this node.
    pub tous: *mut *mut OtrlPrivKey,
    /// malloc'ed.
    pub accountname: *mut c_char,
    /// malloc'ed.
    pub protocol: *mut c_char,
    /// `PUBKEY_TYPE_DSA`.
    pub pubkey_type: c_ushort,
    /// The private key.
    pub privkey: *mut Sexp,
    /// The public half as it goes into messages, without its type; malloc'ed.
    pub pubkey_data: *mut c_uchar,
    /// Bytes in `pubkey_data`.
    pub pubkey_datalen: usize,
}

/// `Fingerprint`: the hash of a correspondent's public key.
#[repr(C)]
pub struct Fingerprint {
    /// The next of the master context's list.
    pub next: *mut Fingerprint,
    /// The link that points to this node.
    pub tous: *mut *mut Fingerprint,
    /// 20 bytes, malloc'ed; NULL in the root.
    pub fingerprint: *mut c_uchar,
    /// The master context.
    pub context: *mut ConnContext,
    /// malloc'ed text; NULL and "" mean not trusted.
    pub trust: *mut c_char,
}

/// `DH_keypair`.
#[repr(C)]
pub struct DhKeypair {
    /// `DH1536_GROUP_ID`, or 0 when empty.
    pub groupid: c_uint,
    /// The secret exponent.
    pub private: *mut Mpi,
    /// The public value.
    pub public: *mut Mpi,
}

/// `DH_sesskeys`: the keys of one pair of DH keys.
#[repr(C)]
pub struct DhSesskeys {
    /// Counter block of the last message sent.
    pub sendctr: [c_uchar; 16],
    /// Counter block of the last message received.
    pub rcvctr: [c_uchar; 16],
    /// Sending cipher.
    pub sendenc: *mut Cipher,
    /// Receiving cipher.
    pub rcvenc: *mut Cipher,
    /// Sending MAC.
    pub sendmac: *mut Digest,
    /// Sending MAC key.
    pub sendmackey: [c_uchar; 20],
    /// Not 0 once `sendmackey` was used.
    pub sendmacused: c_int,
    /// Receiving MAC.
    pub rcvmac: *mut Digest,
    /// Receiving MAC key.
    pub rcvmackey: [c_uchar; 20],
    /// Not 0 once `rcvmackey` was used.
    pub rcvmacused: c_int,
    /// The extra symmetric key.
    #[cfg(feature = "abi5")]
    pub extrakey: [c_uchar; EXTRAKEY_BYTES],
}

/// `OtrlSMState`: the socialist millionaires' protocol as the client sees it.
#[repr(C)]
pub struct OtrlSMState {
    /// Not NULL from the start of a run to its end: clients check this to distinguish an answer from a start.
    pub secret: *mut Mpi,
    /// The specification's `a2` or `b2`.
    pub x2: *mut Mpi,
    /// The specification's `a3` or `b3`.
    pub x3: *mut Mpi,
    /// The generator.
    pub g1: *mut Mpi,
    /// The shared second generator.
    pub g2: *mut Mpi,
    /// The shared third generator.
    pub g3: *mut Mpi,
    /// The other side's share of `g3`.
    pub g3o: *mut Mpi,
    /// `Pa` or `Pb`.
    pub p: *mut Mpi,
    /// `Qa` or `Qb`.
    pub q: *mut Mpi,
    /// `Pa / Pb`.
    pub pab: *mut Mpi,
    /// `Qa / Qb`.
    pub qab: *mut Mpi,
    /// The step that may come next.
    pub next_expected: NextExpectedSmp,
    /// Not 0 when the other side's first message came with a question.
    pub received_question: c_int,
    /// How the last run went.
    pub sm_prog_state: OtrlSmProgState,
}

/// `OtrlAuthInfo`: an AKE under way.
#[repr(C)]
pub struct OtrlAuthInfo {
    /// The state of the exchange.
    pub authstate: OtrlAuthState,
    /// The context it belongs to.
    #[cfg(feature = "abi5")]
    pub context: *mut ConnContext,
    /// Our DH key.
    pub our_dh: DhKeypair,
    /// Its key id.
    pub our_keyid: c_uint,
    /// Encrypted g^x; malloc'ed.
    pub encgx: *mut c_uchar,
    /// Bytes in `encgx`.
    pub encgx_len: usize,
    /// The key that `encgx` is encrypted with.
    pub r: [c_uchar; 16],
    /// SHA-256 of g^x.
    pub hashgx: [c_uchar; 32],
    /// Their DH public value.
    pub their_pub: *mut Mpi,
    /// Its key id.
    pub their_keyid: c_uint,
    /// Key c.
    pub enc_c: *mut Cipher,
    /// Key c'.
    pub enc_cp: *mut Cipher,
    /// Key m1.
    pub mac_m1: *mut Digest,
    /// Key m1'.
    pub mac_m1p: *mut Digest,
    /// Key m2.
    pub mac_m2: *mut Digest,
    /// Key m2'.
    pub mac_m2p: *mut Digest,
    /// SHA-1 of their public key.
    pub their_fingerprint: [c_uchar; 20],
    /// Not 0 when we began.
    pub initiated: c_int,
    /// 1, 2 or 3; 0 before the first message.
    pub protocol_version: c_uint,
    /// The secure session id.
    pub secure_session_id: [c_uchar; 20],
    /// Bytes of it.
    pub secure_session_id_len: usize,
    /// Which half to show in bold.
    pub session_id_half: OtrlSessionIdHalf,
    /// The last message that was sent; malloc'ed.
    pub lastauthmsg: *mut c_char,
    /// When our DH-commit was sent, in seconds of `time(2)`.
    #[cfg(feature = "abi5")]
    pub commit_sent_time: libc::time_t,
}

#[cfg(otr_layouts)]
mod layouts_of_the_compiler {
    use super::*;

    include!(env!("OTR_LAYOUTS"));
}

#[cfg(target_pointer_width = "64")]
mod layouts {
    use super::*;

    layout!(OtrlTLV, 24: tlv_type = 0, len = 2, data = 8, next = 16,);
    layout!(OtrlPrivKey, 64:
        next = 0, tous = 8, accountname = 16, protocol = 24, pubkey_type = 32, privkey = 40, pubkey_data = 48,
        pubkey_datalen = 56,
    );
    layout!(Fingerprint, 40: next = 0, tous = 8, fingerprint = 16, context = 24, trust = 32,);
    layout!(DhKeypair, 24: groupid = 0, private = 8, public = 16,);
    layout!(OtrlSMState, 104:
        secret = 0, x2 = 8, x3 = 16, g1 = 24, g2 = 32, g3 = 40, g3o = 48, p = 56, q = 64, pab = 72, qab = 80,
        next_expected = 88, received_question = 92, sm_prog_state = 96,
    );
}

super::linked_list::nodes!(OtrlPrivKey, Fingerprint);

super::borrowed::members! {
    OtrlTLV {
        tlv_type: c_ushort,
        len: c_ushort,
        data: *mut c_uchar,
        next: *mut OtrlTLV,
    }
    OtrlPrivKey {
        next: *mut OtrlPrivKey,
        tous: *mut *mut OtrlPrivKey,
        pubkey_type: c_ushort,
        privkey: *mut Sexp,
        pubkey_data: *mut c_uchar,
        pubkey_datalen: usize,
        ; text accountname, protocol
    }
    Fingerprint {
        next: *mut Fingerprint,
        tous: *mut *mut Fingerprint,
        fingerprint: *mut c_uchar,
        context: *mut ConnContext,
        ; text trust
    }
    DhKeypair {
        groupid: c_uint,
        private: *mut Mpi,
        public: *mut Mpi,
    }
    DhSesskeys {
        sendenc: *mut Cipher,
        rcvenc: *mut Cipher,
        sendmac: *mut Digest,
        rcvmac: *mut Digest,
        sendmackey: [c_uchar; 20],
        rcvmackey: [c_uchar; 20],
        #[cfg(feature = "abi5")] extrakey: [c_uchar; EXTRAKEY_BYTES],
    }
    OtrlSMState {
        secret: *mut Mpi,
        x2: *mut Mpi,
        x3: *mut Mpi,
        g1: *mut Mpi,
        g2: *mut Mpi,
        g3: *mut Mpi,
        g3o: *mut Mpi,
        p: *mut Mpi,
        q: *mut Mpi,
        pab: *mut Mpi,
        qab: *mut Mpi,
        next_expected: NextExpectedSmp,
        received_question: c_int,
        sm_prog_state: OtrlSmProgState,
    }
    OtrlAuthInfo {
        authstate: OtrlAuthState,
        #[cfg(feature = "abi5")] context: *mut ConnContext,
        our_dh: DhKeypair,
        our_keyid: c_uint,
        encgx_len: usize,
        r: [c_uchar; 16],
        hashgx: [c_uchar; 32],
        their_pub: *mut Mpi,
        their_keyid: c_uint,
        enc_c: *mut Cipher,
        enc_cp: *mut Cipher,
        mac_m1: *mut Digest,
        mac_m1p: *mut Digest,
        mac_m2: *mut Digest,
        mac_m2p: *mut Digest,
        their_fingerprint: [c_uchar; 20],
        initiated: c_int,
        protocol_version: c_uint,
        secure_session_id: [c_uchar; 20],
        secure_session_id_len: usize,
        session_id_half: OtrlSessionIdHalf,
        #[cfg(feature = "abi5")] commit_sent_time: libc::time_t,
        ; malloced encgx, lastauthmsg
    }
}

/// A node for one of our accounts.
pub(crate) trait OfAccount: Node {
    /// The account.
    fn account(node: Borrowed<'_, Self>) -> Borrowed<'_, *mut Char>;
    /// Its protocol.
    fn network(node: Borrowed<'_, Self>) -> Borrowed<'_, *mut Char>;
}

/// Frees a node and its names.
///
/// # Safety
/// It is in no list and is not used afterwards, and came from malloc like its names.
pub(crate) unsafe fn free_of_account<T: OfAccount>(node: Borrowed<'_, T>) {
    // SAFETY: in no list, and from malloc like its names, as the caller guarantees.
    unsafe {
        T::account(node).free_text();
        T::network(node).free_text();
        node.free();
    }
}

/// The first node of a list that is for this account.
pub(crate) fn of_account<'a, T: OfAccount + 'a>(
    root: Borrowed<'a, *mut T>,
    account: &[u8],
    protocol: &[u8],
) -> Option<Borrowed<'a, T>> {
    linked_list::iter(root.follow())
        .find(|node| T::account(*node).is(account) && T::network(*node).is(protocol))
}

names_of_account!(OtrlPrivKey);

impl<'a> Borrowed<'a, OtrlTLV> {
    /// The value.
    pub fn value(self) -> &'a [u8] {
        // SAFETY: the length is the struct's own.
        unsafe { self.data().of_len(self.len().get().into()) }
    }
}

impl<'a> Borrowed<'a, OtrlPrivKey> {
    /// The public half as it goes into messages.
    pub fn public_key(self) -> &'a [u8] {
        // SAFETY: the length is the struct's own.
        unsafe { self.pubkey_data().of_len(self.pubkey_datalen().get()) }
    }
}

impl<'a> Borrowed<'a, Fingerprint> {
    /// The hash. `None` if a client made the node without one.
    pub fn hash(self) -> Option<&'a [u8; 20]> {
        // SAFETY: the member is NULL or points to 20 bytes.
        unsafe { (*self.as_ptr()).fingerprint.cast::<[u8; 20]>().as_ref() }
    }
}

impl<'a> Borrowed<'a, OtrlSMState> {
    /// The numbers that the struct has.
    pub fn numbers(self) -> [Borrowed<'a, *mut Mpi>; 11] {
        [
            self.secret(),
            self.x2(),
            self.x3(),
            self.g1(),
            self.g2(),
            self.g3(),
            self.g3o(),
            self.p(),
            self.q(),
            self.pab(),
            self.qab(),
        ]
    }
}

impl Borrowed<'_, ConnContext> {
    /// Takes the client's data out, and calls the client's function that frees it, if there is one.
    ///
    /// # Safety
    /// The function has the type that `context.h` declares. It may call back into the library: no other context that was
    /// borrowed before is used afterwards.
    pub(crate) unsafe fn free_app_data(self) {
        // SAFETY: a live context, as the type guarantees; the client's function and data, and nothing borrowed is used
        // afterwards, as the caller guarantees.
        unsafe {
            let (app_data, app_data_free) =
                ((*self.as_ptr()).app_data, (*self.as_ptr()).app_data_free);
            if let (false, Some(app_data_free)) = (app_data.is_null(), app_data_free) {
                (*self.as_ptr()).app_data = std::ptr::null_mut();
                app_data_free(app_data);
            }
        }
    }
}

impl Borrowed<'_, OtrlAuthInfo> {
    /// A copy of the encrypted g^x; empty if there is none. `None` if out of memory.
    pub(crate) fn encrypted_gx(self) -> Option<Vec<u8>> {
        // SAFETY: the length is the struct's own.
        unsafe { self.encgx().copy_bytes(self.encgx_len().get()) }
    }

    /// Stores a copy of these bytes; NULL if there are none, or if out of memory.
    pub(crate) fn store_encrypted_gx(self, data: &[u8]) {
        if data.is_empty() {
            self.encgx().free();
        } else {
            self.encgx().store_copy(data);
        }
        let is_there = !self.encgx().is_null();
        self.encgx_len().set(if is_there { data.len() } else { 0 });
    }
}
