//! The objects of libgcrypt that stand in the public structs, without depending on libgcrypt.
//!
//! Clients hand such objects to libgcrypt's own functions when they have it. So when the process has libgcrypt loaded,
//! objects are made, read and released through it; otherwise they are opaque objects of ours that begin with a magic word.
//! Which of the two makes objects is decided at the first use and stays: see `Maker`.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::error::GcryError;
    use std::process::Command;

    const RERUN: &str = "OTR_TEST_WITH_LIBGCRYPT";

    /// Runs every test of the C interface a second time, in a process that has libgcrypt.
    #[test]
    fn the_same_with_libgcrypt() {
        if std::env::var_os(RERUN).is_some() {
            return;
        }
        // SAFETY: a constant name; only asked for, to know whether this machine has one.
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

    /// Clients call `OTRL_INIT` before they start threads: libgcrypt refuses what a second thread asks of it while the first
    /// makes it ready. Here that has to be before the first test.
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
            for number in [
                mpi::new_from_bytes(bytes).unwrap(),
                mpi::new_secret(bytes).unwrap(),
            ] {
                unsafe {
                    assert_eq!(mpi::bytes(number).unwrap().as_slice(), expected);
                    let copy = mpi::copy(number);
                    assert_ne!(copy, number);
                    mpi::release(number);
                    assert_eq!(mpi::bytes(copy).unwrap().as_slice(), expected);
                    mpi::release(copy);
                }
            }
        }
        unsafe {
            assert!(mpi::bytes(ptr::null()).is_none() && mpi::copy(ptr::null()).is_null());
            mpi::release(ptr::null_mut());
        }
    }

    #[test]
    fn numbers_compare_by_value() {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let [zero, small, large] =
            [&[][..], &[0, 9], &[1, 0]].map(|bytes| mpi::new_from_bytes(bytes).unwrap());
        unsafe {
            assert_eq!(mpi::compare(small, large), Less);
            assert_eq!(mpi::compare(large, small), Greater);
            assert_eq!(mpi::compare(zero, ptr::null()), Equal);
            for mut number in [zero, small, large] {
                mpi::release_and_clear(&mut number);
                assert!(number.is_null());
            }
        }
    }

    #[test]
    fn expressions_come_back_as_text() {
        for text in [&b"(a (b #00ff#) \"c d\")"[..], b"(1:a(1:b2:\x00\xff)3:c d)"] {
            let sexp = sexp::from_bytes(text).unwrap();
            unsafe {
                assert_eq!(
                    sexp::bytes(sexp).unwrap().as_slice(),
                    b"(a \n (b #00FF#)\n \"c d\")\n"
                );
                sexp::release(sexp);
            }
        }
        unsafe {
            assert!(sexp::bytes(ptr::null()).is_none());
            sexp::release(ptr::null_mut());
        }
    }

    #[test]
    fn broken_expressions_are_refused_with_libgcrypts_codes() {
        assert_eq!(sexp::from_bytes(b"(a (b)"), Err(GcryError(0x0100_00cb)));
        assert_eq!(sexp::from_bytes(b"(a #0#)"), Err(GcryError(0x0100_00d4)));
    }

    #[test]
    fn ciphers_and_macs_open_and_close() {
        for counter in [None, Some(&[1; 16])] {
            let mut cipher = cipher::aes128_ctr(&[7; 16], counter).unwrap();
            assert!(!cipher.is_null());
            unsafe { cipher::close_and_clear(&mut cipher) };
            assert!(cipher.is_null());
        }
        for digest in [digest::hmac_sha1(&[1; 20]), digest::hmac_sha256(&[1; 32])] {
            let mut digest = digest.unwrap();
            assert!(!digest.is_null());
            unsafe { digest::close_and_clear(&mut digest) };
        }
        unsafe {
            cipher::close(ptr::null_mut());
            digest::close(ptr::null_mut());
        }
    }

    #[test]
    fn kinds_of_ours_are_told_apart() {
        if uses_libgcrypt() {
            return;
        }
        let number = mpi::new_from_bytes(&[1]).unwrap();
        unsafe {
            assert!(sexp::bytes(number.cast()).is_none());
            sexp::release(number.cast());
            assert_eq!(mpi::bytes(number).unwrap().as_slice(), [1]);
            mpi::release(number);
        }
    }
}
