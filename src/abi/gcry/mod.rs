//! The objects of libgcrypt that stand in the public structs, without depending on libgcrypt.
//!
//! Clients hand such objects to libgcrypt's own functions when they have it. So when the process has libgcrypt loaded,
//! objects are made, read and released through it; otherwise they are opaque objects of ours that begin with a magic word.
//! Which of the two makes objects is decided at the first use and stays: see [`Maker`].
//!
//! A process that loads libgcrypt only after that goes on with objects of ours, which its libgcrypt must not be given.
//! Objects that such a client made with libgcrypt itself are still told apart by the magic word, and read through it.
//!
//! libgcrypt's secure memory is never asked for: a client may have set its pool to a few kilobytes, and a full pool would
//! make an ordinary step fail. libgcrypt wipes an MPI, a cipher and a digest when it releases them; ours are wiped as well.

pub mod cipher;
pub mod digest;
pub mod loaded;
pub mod mpi;
pub mod sexp;

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use loaded::Loaded;

/// What a `gcry_mpi_t` points at.
#[repr(C)]
pub struct Mpi {
    opaque: [u8; 0],
}

/// What a `gcry_sexp_t` points at.
#[repr(C)]
pub struct Sexp {
    opaque: [u8; 0],
}

/// What a `gcry_cipher_hd_t` points at.
#[repr(C)]
pub struct Cipher {
    opaque: [u8; 0],
}

/// What a `gcry_md_hd_t` points at.
#[repr(C)]
pub struct Digest {
    opaque: [u8; 0],
}

/// Who makes new objects.
#[derive(Clone, Copy)]
enum Maker {
    /// The process had libgcrypt at the first use.
    Gcrypt(&'static Loaded),
    /// It had not.
    Ours,
}

/// NULL until the first use, then [`OURS`]'s address or that of libgcrypt's functions. An atomic and not a lock: a fork may
/// happen at any time, and then nobody would open the lock in the child.
static MAKER: AtomicPtr<Loaded> = AtomicPtr::new(ptr::null_mut());
/// Only its address is used.
static OURS: Loaded = Loaded::NONE;

fn maker() -> Maker {
    let mut chosen = MAKER.load(Ordering::Acquire);
    if chosen.is_null() {
        let found = loaded::find()
            .map_or(ptr::from_ref(&OURS), ptr::from_ref)
            .cast_mut();
        chosen = match MAKER.compare_exchange(
            ptr::null_mut(),
            found,
            Ordering::AcqRel,
            Ordering::Acquire,
        ) {
            Ok(_) => found,
            Err(earlier) => earlier,
        };
    }
    if ptr::eq(chosen, &OURS) {
        Maker::Ours
    } else {
        // SAFETY: not NULL and not OURS, so it came from `loaded::find`, which gives references for ever.
        Maker::Gcrypt(unsafe { &*chosen })
    }
}

/// libgcrypt's functions for an object that is not ours: those of the maker, or of a libgcrypt that came later.
fn foreign() -> Option<&'static Loaded> {
    match maker() {
        Maker::Gcrypt(gcrypt) => Some(gcrypt),
        Maker::Ours => loaded::find(),
    }
}

/// What libotr did at its start: lets a libgcrypt of this process get ready, once. No other knob of it is touched.
pub fn get_ready() {
    if let Maker::Gcrypt(gcrypt) = maker() {
        gcrypt.check_version();
    }
}

/// Whether new objects come from libgcrypt.
pub fn uses_libgcrypt() -> bool {
    matches!(maker(), Maker::Gcrypt(_))
}

/// An object of ours: the magic word tells it from one of libgcrypt's.
#[repr(C)]
struct Owned<T> {
    magic: [u64; 2],
    content: T,
}

impl<T> Owned<T> {
    /// `kind` keeps the four kinds apart.
    fn into_raw(kind: u64, content: T) -> *mut Self {
        Box::into_raw(Box::new(Self {
            magic: magic(kind),
            content,
        }))
    }

    /// `None` for what is not ours; nothing is, when libgcrypt makes the objects.
    ///
    /// # Safety
    /// `object` is NULL, or made by `into_raw` with this `T` for this kind, or an object of libgcrypt of at least 16 bytes.
    unsafe fn from_raw(kind: u64, object: *mut Self) -> Option<*mut Self> {
        if object.is_null() || uses_libgcrypt() {
            return None;
        }
        // SAFETY: either kind of object has 16 readable bytes; libgcrypt's may be aligned differently.
        let found: [u64; 2] = unsafe { object.cast::<[u64; 2]>().read_unaligned() };
        (found == magic(kind)).then_some(object)
    }

    /// # Safety
    /// As for `from_raw`; an object of ours is gone afterwards. True if it was one.
    unsafe fn release(kind: u64, object: *mut Self) -> bool {
        // SAFETY: the caller's promise.
        let Some(object) = (unsafe { Self::from_raw(kind, object) }) else {
            return false;
        };
        // SAFETY: it came from a Box of this type. The word is cleared so that a second release finds no object.
        unsafe {
            (&raw mut (*object).magic).write_volatile([0; 2]);
            drop(Box::from_raw(object));
        }
        true
    }
}

/// Two words that no object of libgcrypt begins with: the second is not an address and not a small number.
const fn magic(kind: u64) -> [u64; 2] {
    [0x6f74_722d_6f62_6a00 | kind, 0xf1a5_9c3e_d7b2_4680 ^ kind]
}
