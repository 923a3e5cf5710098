//! A libgcrypt that the process has already loaded, and its functions. We never load it.

#[cfg(unix)]
use std::ffi::{CStr, c_void};
use std::ffi::{c_char, c_int, c_uint};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::{Cipher, Digest, Mpi, Sexp};
use crate::abi::error::GcryError;

/// `gcry_strerror`.
pub type Strerror = unsafe extern "C" fn(GcryError) -> *const c_char;
/// `gcry_error_from_errno`.
pub type ErrorFromErrno = unsafe extern "C" fn(c_int) -> GcryError;

/// Defines the struct of functions, what it is filled with, and its empty form.
macro_rules! functions {
    ($($field:ident, $symbol:literal: fn($($argument:ty),*) $(-> $result:ty)?;)+) => {
        /// The functions that we use, and the handle that keeps libgcrypt from being unloaded.
        pub struct Loaded {
            $(pub(super) $field: Option<unsafe extern "C" fn($($argument),*) $(-> $result)?>,)+
        }

        impl Loaded {
            pub(super) const NONE: Self = Self { $($field: None,)+ };

            /// `None` if one of the functions is missing: then it is an unknown libgcrypt.
            ///
            /// # Safety
            /// `handle` is that of libgcrypt.
            #[cfg(unix)]
            unsafe fn resolve(handle: *mut c_void) -> Option<Self> {
                Some(Self {
                    $($field: {
                        // SAFETY: the handle is that of libgcrypt.
                        let address = unsafe { symbol(handle, $symbol) }?;
                        // SAFETY: a function of libgcrypt's stable interface, of this type in every version of
                        // libgcrypt.so.20.
                        Some(unsafe {
                            std::mem::transmute::<
                                ptr::NonNull<c_void>,
                                unsafe extern "C" fn($($argument),*) $(-> $result)?,
                            >(address)
                        })
                    },)+
                })
            }
        }
    };
}

functions! {
    check_version, c"gcry_check_version": fn(*const c_char) -> *const c_char;
    strerror, c"gcry_strerror": fn(GcryError) -> *const c_char;
    error_from_errno, c"gcry_error_from_errno": fn(c_int) -> GcryError;
    mpi_scan, c"gcry_mpi_scan": fn(*mut *mut Mpi, c_int, *const u8, usize, *mut usize) -> GcryError;
    mpi_print, c"gcry_mpi_print": fn(c_int, *mut u8, usize, *mut usize, *const Mpi) -> GcryError;
    mpi_release, c"gcry_mpi_release": fn(*mut Mpi);
    sexp_new, c"gcry_sexp_new": fn(*mut *mut Sexp, *const u8, usize, c_int) -> GcryError;
    sexp_sprint, c"gcry_sexp_sprint": fn(*const Sexp, c_int, *mut u8, usize) -> usize;
    sexp_release, c"gcry_sexp_release": fn(*mut Sexp);
    cipher_open, c"gcry_cipher_open": fn(*mut *mut Cipher, c_int, c_int, c_uint) -> GcryError;
    cipher_setkey, c"gcry_cipher_setkey": fn(*mut Cipher, *const u8, usize) -> GcryError;
    cipher_setctr, c"gcry_cipher_setctr": fn(*mut Cipher, *const u8, usize) -> GcryError;
    cipher_close, c"gcry_cipher_close": fn(*mut Cipher);
    md_open, c"gcry_md_open": fn(*mut *mut Digest, c_int, c_uint) -> GcryError;
    md_setkey, c"gcry_md_setkey": fn(*mut Digest, *const u8, usize) -> GcryError;
    md_close, c"gcry_md_close": fn(*mut Digest);
}

/// Found once, kept forever.
static FOUND: AtomicPtr<Loaded> = AtomicPtr::new(ptr::null_mut());

/// libgcrypt's functions, if the process has it. Plugins load it with local symbols, so it is looked up by its file name.
pub fn find() -> Option<&'static Loaded> {
    let known = FOUND.load(Ordering::Acquire);
    // SAFETY: NULL, or a leaked box.
    if let Some(known) = unsafe { known.as_ref() } {
        return Some(known);
    }
    // Two threads that do this at the same time make two. One of them is leaked.
    let found: &'static mut Loaded = Box::leak(Box::new(open()?));
    FOUND.store(found, Ordering::Release);
    // SAFETY: NULL, or a leaked box.
    unsafe { FOUND.load(Ordering::Acquire).as_ref() }
}

/// The functions of a libgcrypt that is loaded. It is never unloaded afterwards.
#[cfg(unix)]
fn open() -> Option<Loaded> {
    if !may_be_loaded() {
        return None;
    }
    let flags = libc::RTLD_NOLOAD | libc::RTLD_LAZY;
    // SAFETY: a constant name; RTLD_NOLOAD loads nothing, so it runs no code of a library. The handle is that of libgcrypt, and
    // is closed if it cannot be used.
    unsafe {
        let handle = ptr::NonNull::new(libc::dlopen(c"libgcrypt.so.20".as_ptr(), flags))?.as_ptr();
        let functions = Loaded::resolve(handle);
        if functions.is_none() {
            libc::dlclose(handle);
        }
        functions
    }
}

/// Whether the process has a library of this name, or one whose functions are visible to all. `dlopen` would read the file of a library
/// that is not loaded before it says so, which takes most of the time of `otrl_init`.
#[cfg(target_os = "linux")]
fn may_be_loaded() -> bool {
    // SAFETY: the function does not keep what it gets, and neither calls anything nor panics; the name is a C string.
    unsafe {
        libc::dl_iterate_phdr(Some(is_libgcrypt), ptr::null_mut()) != 0
            || symbol(libc::RTLD_DEFAULT, c"gcry_check_version").is_some()
    }
}

/// For `dl_iterate_phdr`: not 0 for a library whose file is named like libgcrypt.
///
/// # Safety
/// `info` is the description of a library, whose name is NULL or a C string.
#[cfg(target_os = "linux")]
unsafe extern "C" fn is_libgcrypt(
    info: *mut libc::dl_phdr_info,
    _size: usize,
    _data: *mut c_void,
) -> c_int {
    // SAFETY: as above.
    let name = unsafe { crate::abi::memory::bytes_of((*info).dlpi_name) };
    let file = name.and_then(|path| path.rsplit(|byte| *byte == b'/').next());
    file.is_some_and(|file| file.starts_with(b"libgcrypt"))
        .into()
}

/// Whether the process may have the library: `dlopen` says.
#[cfg(all(unix, not(target_os = "linux")))]
fn may_be_loaded() -> bool {
    true
}

/// Not on other systems: what libgcrypt's file is called there is not known.
#[cfg(not(unix))]
fn open() -> Option<Loaded> {
    None
}

/// libgcrypt's `gcry_strerror`, unless it turns out to be `ours`.
pub fn strerror(ours: *const ()) -> Option<Strerror> {
    find()?
        .strerror
        .filter(|theirs| !ptr::eq(*theirs as *const (), ours))
}

/// libgcrypt's `gcry_error_from_errno`, unless it turns out to be `ours`.
pub fn error_from_errno(ours: *const ()) -> Option<ErrorFromErrno> {
    find()?
        .error_from_errno
        .filter(|theirs| !ptr::eq(*theirs as *const (), ours))
}

impl Loaded {
    /// `gcry_check_version(NULL)`, which makes libgcrypt ready for use.
    pub(super) fn check_version(&self) {
        if let Some(check_version) = self.check_version {
            // SAFETY: libgcrypt's function takes NULL.
            unsafe { check_version(ptr::null()) };
        }
    }
}

/// # Safety
/// `handle` is that of a library, or one of those that stand for several.
#[cfg(unix)]
unsafe fn symbol(handle: *mut c_void, name: &CStr) -> Option<ptr::NonNull<c_void>> {
    // SAFETY: a handle of `dlopen`, and a NUL-terminated name.
    ptr::NonNull::new(unsafe { libc::dlsym(handle, name.as_ptr()) })
}
