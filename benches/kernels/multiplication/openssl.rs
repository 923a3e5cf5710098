//! OpenSSL beside the kernels, from the libcrypto of the system, if there is one.
//!
//! It is told that the processor has no AVX-512, so that it is compared as on a machine where the kernel for ADX is the fastest.

use crate::Numbers;
use crate::table::Row;
use crate::uint::U1536;
use libloading::{Library, Symbol};
use std::ffi::{c_int, c_void};
use std::ptr;

/// BIGNUM, BN_CTX and BN_MONT_CTX.
type Object = *mut c_void;

/// AVX512F, DQ, IFMA, CD, BW and VL in ebx of leaf 7.
const WITHOUT_AVX512: &str = ":~0xd0230000";

/// What OpenSSL does in as many columns as it has something for, and y^long as it calculates it.
pub(crate) fn row(p: &U1536, numbers: &Numbers) -> Option<(Row, U1536)> {
    // SAFETY: there is one thread.
    unsafe { std::env::set_var("OPENSSL_ia32cap", WITHOUT_AVX512) }
    // SAFETY: nothing in it minds being loaded.
    let library: &Library = Box::leak(Box::new(unsafe { Library::new("libcrypto.so.3") }.ok()?));
    // SAFETY: bn.h declares them so.
    let (make, make_context, make_form, set_form, read, write, power, multiply) = unsafe {
        let make: Symbol<'_, unsafe extern "C" fn() -> Object> = library.get(b"BN_new").ok()?;
        let make_context: Symbol<'_, unsafe extern "C" fn() -> Object> =
            library.get(b"BN_CTX_new").ok()?;
        let make_form: Symbol<'_, unsafe extern "C" fn() -> Object> =
            library.get(b"BN_MONT_CTX_new").ok()?;
        let set_form: Symbol<'_, unsafe extern "C" fn(Object, Object, Object) -> c_int> =
            library.get(b"BN_MONT_CTX_set").ok()?;
        let read: Symbol<'_, unsafe extern "C" fn(*const u8, c_int, Object) -> Object> =
            library.get(b"BN_bin2bn").ok()?;
        let write: Symbol<'_, unsafe extern "C" fn(Object, *mut u8, c_int) -> c_int> =
            library.get(b"BN_bn2binpad").ok()?;
        let power: Symbol<
            '_,
            unsafe extern "C" fn(Object, Object, Object, Object, Object, Object) -> c_int,
        > = library.get(b"BN_mod_exp_mont_consttime").ok()?;
        let multiply: Symbol<
            '_,
            unsafe extern "C" fn(Object, Object, Object, Object, Object) -> c_int,
        > = library.get(b"BN_mod_mul_montgomery").ok()?;
        (
            make,
            make_context,
            make_form,
            set_form,
            read,
            write,
            power,
            multiply,
        )
    };
    let number = |value: &U1536| {
        let words = value.as_words().iter().rev();
        let bytes: Vec<u8> = words.flat_map(|word| word.to_be_bytes()).collect();
        // SAFETY: reads 192 bytes.
        unsafe { read(bytes.as_ptr(), 192, ptr::null_mut()) }
    };
    let [p, y, long, short] = [p, &numbers.y, &numbers.long, &numbers.short].map(number);
    let [product, square] = [&numbers.y; 2].map(number);
    // SAFETY: all of these are objects of its own.
    let (context, form, result) = unsafe { (make_context(), make_form(), make()) };
    // SAFETY: the same.
    assert_eq!(unsafe { set_form(form, p, context) }, 1);
    let raise = move |x: Object| {
        // SAFETY: the same.
        assert_eq!(unsafe { power(result, y, x, p, context, form) }, 1);
    };
    raise(long);
    let mut bytes = [0; 192];
    // SAFETY: writes 192 bytes.
    assert_eq!(unsafe { write(result, bytes.as_mut_ptr(), 192) }, 192);
    let by = move |a: Object, b: Object| {
        // SAFETY: the same.
        assert_eq!(unsafe { multiply(a, a, b, form, context) }, 1);
    };
    let (raise_again, by_again) = (raise.clone(), by.clone());
    let mut power = U1536::ZERO;
    for (word, encoded) in power.as_mut_words().iter_mut().rev().zip(bytes.chunks(8)) {
        *word = u64::from_be_bytes(encoded.try_into().ok()?);
    }
    let work: Vec<Box<dyn FnMut()>> = vec![
        Box::new(move || by(product, y)),
        Box::new(move || by_again(square, square)),
        Box::new(move || raise(short)),
        Box::new(move || raise_again(long)),
    ];
    Some((Row::new("openssl", work), power))
}
