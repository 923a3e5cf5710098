//! The libgcrypt objects in the public structs, without depending on libgcrypt.
//!
//! Clients pass such objects to libgcrypt's own functions. So if the process has libgcrypt loaded, objects are made, read
//! and released through it; otherwise they are opaque objects of ours that begin with a magic word. Which of the two makes
//! objects is decided at the first use and does not change: see `Maker`.
//!
//! If a process loads libgcrypt later, it keeps our objects, which must not be passed to libgcrypt. Objects that such a
//! client made with libgcrypt itself are still recognised by the missing magic word, and read through it.
//!
//! libgcrypt's secure memory is never used: a client may have limited its pool to a few kilobytes, and a full pool would
//! make an ordinary step fail. libgcrypt wipes an MPI, a cipher and a digest when it releases them; ours are wiped as well.

pub mod cipher;
pub mod digest;
pub mod loaded;
pub mod mpi;
pub mod sexp;

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use zeroize::Zeroizing;

use super::borrowed::{Borrowed, Target};
use super::undumped::Undumped;
use loaded::Loaded;

/// The target of a `gcry_mpi_t` points at.
#[repr(C)]
pub struct Mpi {
    opaque: [u8; 0],
}

/// The target of a `gcry_sexp_t` points at.
#[repr(C)]
pub struct Sexp {
    opaque: [u8; 0],
}

/// The target of a `gcry_cipher_hd_t` points at.
#[repr(C)]
pub struct Cipher {
    opaque: [u8; 0],
}

/// The target of a `gcry_md_hd_t` points at.
#[repr(C)]
pub struct Digest {
    opaque: [u8; 0],
}

/// Where new objects come from.
#[derive(Clone, Copy)]
enum Maker {
    /// The process had libgcrypt at the first use.
    Gcrypt(&'static Loaded),
    /// It had none.
    Ours,
}

/// NULL until the first use, then [`OURS`]'s address or that of libgcrypt's functions. An atomic and not a lock: a fork may
/// happen at any time, and then nobody would release the lock in the child.
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
        // SAFETY: not NULL and not OURS, so it came from `loaded::find`, which gives references forever.
        Maker::Gcrypt(unsafe { &*chosen })
    }
}

/// libgcrypt's functions for an object that is not ours: those of the maker, or of a libgcrypt that was loaded later.
fn foreign() -> Option<&'static Loaded> {
    match maker() {
        Maker::Gcrypt(gcrypt) => Some(gcrypt),
        Maker::Ours => loaded::find(),
    }
}

/// Initialises the libgcrypt of this process, if there is one, as libotr did at its start. No other setting of it is changed.
pub fn get_ready() {
    if let Maker::Gcrypt(gcrypt) = maker() {
        gcrypt.check_version();
    }
}

/// Whether new objects come from libgcrypt.
pub fn uses_libgcrypt() -> bool {
    matches!(maker(), Maker::Gcrypt(_))
}

/// One of the four kinds of objects.
pub trait Kind: Sized {
    /// Keeps the kinds apart.
    const NUMBER: u64;
    /// The content of an object of ours.
    type Content;
    /// libgcrypt's function that releases one.
    fn release_of(gcrypt: &Loaded) -> Option<unsafe extern "C" fn(*mut Self)>;
}

macro_rules! kinds {
    ($($kind:ident: $number:literal, $content:ty, $release:ident;)+) => {$(
        impl Kind for $kind {
            const NUMBER: u64 = $number;
            type Content = $content;

            fn release_of(gcrypt: &Loaded) -> Option<unsafe extern "C" fn(*mut Self)> {
                gcrypt.$release
            }
        }

        // SAFETY: a member that points to one is NULL or points to a live one, like every pointer in libotr's structs.
        unsafe impl Target for $kind {}
    )+};
}
kinds! {
    Mpi: 1, Zeroizing<Vec<u8>>, mpi_release;
    Sexp: 2, Undumped, sexp_release;
    // Without libgcrypt nobody can use the handles, so ours contain only the keys.
    Cipher: 3, Zeroizing<[u8; 16]>, cipher_close;
    Digest: 4, Zeroizing<Vec<u8>>, md_close;
}

/// An object of ours: the magic word distinguishes it from libgcrypt's objects.
#[repr(C)]
struct Owned<T> {
    magic: [u64; 2],
    content: T,
}

/// A new object, or NULL, for a caller who takes ownership.
#[must_use = "nobody else releases it"]
#[derive(Debug)]
pub struct Made<T>(*mut T);

impl<T: Kind> Made<T> {
    /// One of ours.
    fn ours(content: T::Content) -> Self {
        let object = Owned {
            magic: magic(T::NUMBER),
            content,
        };
        Self(Box::into_raw(Box::new(object)).cast())
    }

    /// For C.
    pub fn into_raw(self) -> *mut T {
        self.0
    }
}

impl<'a, T: Kind> Borrowed<'a, T> {
    /// The content of an object of ours. `None` for other objects, and always when libgcrypt makes the objects.
    fn content(self) -> Option<&'a T::Content> {
        if uses_libgcrypt() {
            return None;
        }
        // SAFETY: an object of ours, or one of libgcrypt's, which has at least 16 bytes and may be aligned differently.
        let found: [u64; 2] = unsafe { self.as_ptr().cast::<[u64; 2]>().read_unaligned() };
        let object: *const Owned<T::Content> = self.as_ptr().cast_const().cast();
        // SAFETY: ours, as the magic word says, and never changed.
        (found == magic(T::NUMBER)).then(|| unsafe { &(*object).content })
    }
}

impl<T: Kind> Borrowed<'_, *mut T> {
    /// Stores the object in a member that points to nothing.
    pub fn store(self, made: Made<T>) {
        // SAFETY: a live member, as the type guarantees, and an object that nobody else owns.
        unsafe { self.as_ptr().write(made.into_raw()) };
    }

    /// Releases the object that a member points to, and sets the member to NULL. Contents of objects are never borrowed, only
    /// copied.
    pub fn clear(self) {
        // SAFETY: a live member, as the type guarantees, and the only pointer to the object.
        unsafe { release(self.as_ptr().replace(ptr::null_mut())) };
    }
}

/// Wipes and releases an object. NULL is accepted.
///
/// # Safety
/// `object` is NULL or a live one made here or by libgcrypt, and is not used afterwards.
pub unsafe fn release<T: Kind>(object: *mut T) {
    // SAFETY: NULL or a live object, as the caller guarantees.
    let Some(borrowed) = (unsafe { Borrowed::new(object) }) else {
        return;
    };
    if borrowed.content().is_some() {
        let ours: *mut Owned<T::Content> = object.cast();
        // SAFETY: it came from a Box of this type. The word is cleared so that a second release finds no object.
        unsafe {
            (&raw mut (*ours).magic).write_volatile([0; 2]);
            drop(Box::from_raw(ours));
        }
    } else if let Some(release) = foreign().and_then(T::release_of) {
        // SAFETY: not ours, so libgcrypt's, which wipes numbers, ciphers and digests before it frees them.
        unsafe { release(object) };
    }
}

/// Two words that no object of libgcrypt begins with: the second is neither an address nor a small number.
const fn magic(kind: u64) -> [u64; 2] {
    [0x6f74_722d_6f62_6a00 | kind, 0xf1a5_9c3e_d7b2_4680 ^ kind]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::borrowed::borrow;
    use crate::abi::error::GcryError;
    use std::process::Command;

    const RERUN: &str = "OTR_TEST_WITH_LIBGCRYPT";

    /// Runs every test of the C interface a second time, in a process that has libgcrypt.
    #[test]
    fn the_same_with_libgcrypt() {
        if std::env::var_os(RERUN).is_some() {
            return;
        }
        // SAFETY: a constant name; RTLD_NOLOAD loads nothing, this only checks that libgcrypt is not loaded.
        let here = unsafe {
            libc::dlopen(
                c"libgcrypt.so.20".as_ptr(),
                libc::RTLD_NOLOAD | libc::RTLD_LAZY,
            )
        };
        assert!(here.is_null(), "this run is the one without libgcrypt");
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["abi::", "--skip", "the_same_with_libgcrypt"])
            .env(RERUN, "1")
            .env("LC_ALL", "C")
            .env("LD_PRELOAD", "libgcrypt.so.20")
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        if errors.contains("cannot be preloaded") {
            eprintln!("no libgcrypt on this machine: its half of the tests is left out");
            return;
        }
        assert!(
            output.status.success(),
            "{}{errors}",
            String::from_utf8_lossy(&output.stdout)
        );
    }

    /// Clients call `OTRL_INIT` before they start threads: libgcrypt refuses calls from a second thread while the first
    /// initialises it. Here that has to happen before the first test.
    #[used]
    #[unsafe(link_section = ".init_array")]
    static READY: extern "C" fn() = {
        extern "C" fn ready() {
            if std::env::var_os(RERUN).is_some() {
                get_ready();
            }
        }
        ready
    };

    fn without_libgcrypt() -> bool {
        std::env::var_os(RERUN).is_none()
    }

    #[test]
    fn the_maker_is_libgcrypt_exactly_when_it_is_loaded() {
        if without_libgcrypt() {
            assert!(!uses_libgcrypt());
        } else if loaded::find().is_some() {
            assert!(uses_libgcrypt());
        }
        get_ready();
        get_ready();
    }

    #[test]
    fn numbers_come_back_without_leading_zeros() {
        for (bytes, expected) in [
            (&[][..], &[][..]),
            (&[0], &[]),
            (&[0, 0, 1, 0], &[1, 0]),
            (&[0xff; 192], &[0xff; 192]),
        ] {
            let (mut number, mut copy): (*mut Mpi, *mut Mpi) = (ptr::null_mut(), ptr::null_mut());
            let (number, copy) = (borrow(&raw mut number), borrow(&raw mut copy));
            number.put(bytes);
            assert_eq!(number.number().unwrap().as_slice(), expected);
            copy.copy(number);
            assert_ne!(copy.follow(), number.follow());
            number.clear();
            assert!(number.is_null() && number.number().is_none());
            assert_eq!(copy.number().unwrap().as_slice(), expected);
            copy.copy(number);
            assert!(copy.is_null());
        }
    }

    #[test]
    fn expressions_come_back_as_text() {
        for text in [&b"(a (b #00ff#) \"c d\")"[..], b"(1:a(1:b2:\x00\xff)3:c d)"] {
            let mut place: *mut Sexp = ptr::null_mut();
            let place = borrow(&raw mut place);
            place.store(sexp::from_bytes(text).unwrap());
            assert_eq!(
                place.text().unwrap().as_slice(),
                b"(a \n (b #00FF#)\n \"c d\")\n"
            );
            place.clear();
            assert!(place.text().is_none());
        }
    }

    #[test]
    fn broken_expressions_are_refused_with_libgcrypts_codes() {
        let refused = |text| sexp::from_bytes(text).map(Made::into_raw).err();
        assert_eq!(refused(b"(a (b)"), Some(GcryError(0x0100_00cb)));
        assert_eq!(refused(b"(a #0#)"), Some(GcryError(0x0100_00d4)));
    }

    #[test]
    fn ciphers_and_macs_open_and_close() {
        for counter in [None, Some(&[1; 16])] {
            let mut place: *mut Cipher = ptr::null_mut();
            let place = borrow(&raw mut place);
            place.store(cipher::aes128_ctr(&[7; 16], counter).unwrap());
            assert!(!place.is_null());
            place.clear();
            assert!(place.is_null());
        }
        for digest in [digest::hmac_sha1(&[1; 20]), digest::hmac_sha256(&[1; 32])] {
            let mut place: *mut Digest = ptr::null_mut();
            let place = borrow(&raw mut place);
            place.store(digest.unwrap());
            assert!(!place.is_null());
            place.clear();
        }
        unsafe { release::<Cipher>(ptr::null_mut()) };
    }

    #[test]
    fn kinds_of_ours_are_told_apart() {
        if uses_libgcrypt() {
            return;
        }
        let number = mpi::new_from_bytes(&[1]).unwrap().into_raw();
        let as_another = borrow(number.cast::<Sexp>());
        assert!(as_another.text().is_none());
        unsafe {
            release(number.cast::<Sexp>());
            assert_eq!(borrow(number).number().unwrap().as_slice(), [1]);
            release(number);
        }
    }
}
