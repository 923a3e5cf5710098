//! Arguments and results of exported functions: conversion from and to C types.

use std::ffi::{CStr, c_char, c_int};
use std::marker::PhantomData;

use super::{Borrowed, Char};
use crate::abi::memory;

/// An out-parameter: NULL, or a place that the function may write to.
#[derive(Debug)]
pub struct Out<'a, T> {
    place: *mut T,
    borrowed: PhantomData<&'a mut T>,
}

impl<T> Clone for Out<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Out<'_, T> {}

impl<T> Out<'_, T> {
    /// NULL: the value is not needed.
    pub const NONE: Self = Self {
        place: std::ptr::null_mut(),
        borrowed: PhantomData,
    };

    /// Whether it is not NULL.
    pub fn is_wanted(self) -> bool {
        !self.place.is_null()
    }

    /// Writes the value, unless it is NULL.
    pub fn put(self, value: T) {
        // SAFETY: NULL or writable, as the type guarantees.
        unsafe { memory::put(self.place, value) };
    }
}

/// A buffer that is written sequentially.
#[derive(Debug)]
pub struct Output<'a> {
    end: *mut u8,
    length: usize,
    borrowed: PhantomData<&'a mut u8>,
}

impl Output<'_> {
    /// Nothing is written to NULL.
    ///
    /// # Safety
    /// The buffer is NULL, or is large enough for everything that will be written.
    pub unsafe fn new<T: Byte>(buffer: *mut T) -> Self {
        Self {
            end: buffer.cast(),
            length: 0,
            borrowed: PhantomData,
        }
    }

    /// Appends these bytes. They may be in the same buffer.
    pub fn write(&mut self, bytes: &[u8]) {
        if self.end.is_null() {
            return;
        }
        // SAFETY: there is space for them, as `new` requires.
        unsafe {
            std::ptr::copy(bytes.as_ptr(), self.end, bytes.len());
            self.end = self.end.add(bytes.len());
        }
        self.length += bytes.len();
    }

    /// How many bytes were written.
    pub fn length(&self) -> usize {
        self.length
    }
}

/// Converts an argument of a C function.
pub trait FromC<C> {
    /// Converts it.
    ///
    /// # Safety
    /// `value` meets the conditions of the result's type: NULL only for an `Option`, otherwise live for as long as the result.
    unsafe fn from_c(value: C) -> Self;
}

impl<T> FromC<*mut T> for Option<Borrowed<'_, T>> {
    unsafe fn from_c(value: *mut T) -> Self {
        // SAFETY: as the trait requires.
        unsafe { Borrowed::new(value) }
    }
}

impl<T> FromC<*const T> for Option<Borrowed<'_, T>> {
    unsafe fn from_c(value: *const T) -> Self {
        // SAFETY: as the trait requires.
        unsafe { Borrowed::new(value) }
    }
}

impl<T: Byte, const N: usize> FromC<*mut T> for Option<Borrowed<'_, [u8; N]>> {
    unsafe fn from_c(value: *mut T) -> Self {
        // SAFETY: as the trait requires.
        unsafe { Borrowed::new(value.cast()) }
    }
}

impl<T: Byte, const N: usize> FromC<*const T> for Option<Borrowed<'_, [u8; N]>> {
    unsafe fn from_c(value: *const T) -> Self {
        // SAFETY: as the trait requires.
        unsafe { Borrowed::new(value.cast()) }
    }
}

impl<T> FromC<*mut T> for Out<'_, T> {
    unsafe fn from_c(place: *mut T) -> Self {
        Self {
            place,
            borrowed: PhantomData,
        }
    }
}

impl FromC<*const c_char> for Option<Borrowed<'_, Char>> {
    unsafe fn from_c(value: *const c_char) -> Self {
        // SAFETY: as the trait requires: NULL or a C string.
        unsafe { Borrowed::new(value.cast()) }
    }
}

impl FromC<*const c_char> for Option<&CStr> {
    unsafe fn from_c(value: *const c_char) -> Self {
        // SAFETY: as the trait requires: NULL or a C string.
        unsafe { Borrowed::new(value.cast()) }.map(Borrowed::<Char>::c_str)
    }
}

impl FromC<*const c_char> for Option<&[u8]> {
    unsafe fn from_c(value: *const c_char) -> Self {
        // SAFETY: NULL or a C string, as the trait requires.
        unsafe { Borrowed::new(value.cast()) }.map(Borrowed::<Char>::bytes)
    }
}

impl FromC<c_int> for bool {
    unsafe fn from_c(value: c_int) -> Self {
        value != 0
    }
}

/// C's `char` and `unsigned char`.
pub trait Byte {}

impl Byte for u8 {}

impl Byte for i8 {}

/// A buffer and its length. Empty for NULL, and for an impossible length.
///
/// # Safety
/// `data` is NULL or has `len` bytes, which do not change for `'a`.
pub unsafe fn bytes<'a, T: Byte>(data: *const T, len: impl TryInto<usize>) -> &'a [u8] {
    // SAFETY: `len` bytes, as the caller guarantees.
    unsafe { memory::slice_of(data.cast(), len.try_into().unwrap_or(0)) }
}

/// Converts the result of a Rust function for C.
pub trait IntoC<C> {
    /// Converts it.
    fn into_c(self) -> C;
}

impl<T> IntoC<*mut T> for Option<Borrowed<'_, T>> {
    fn into_c(self) -> *mut T {
        self.map_or(std::ptr::null_mut(), Borrowed::as_ptr)
    }
}

impl<T: Byte, const N: usize> IntoC<*mut T> for Option<Borrowed<'_, [u8; N]>> {
    fn into_c(self) -> *mut T {
        self.map_or(std::ptr::null_mut(), |bytes| bytes.as_ptr().cast())
    }
}

impl IntoC<c_int> for bool {
    fn into_c(self) -> c_int {
        self.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ptr;

    #[test]
    fn null_is_nothing_and_takes_nothing() {
        unsafe {
            assert_eq!(
                <Option<&[u8]>>::from_c(ptr::null::<c_char>()),
                None::<&[u8]>
            );
            assert_eq!(<Option<Borrowed<u32>>>::from_c(ptr::null::<u32>()), None);
            let out = Out::<u32>::from_c(ptr::null_mut());
            assert!(!out.is_wanted());
            out.put(5);
            let mut output = Output::new(ptr::null_mut::<u8>());
            output.write(b"abc");
            assert_eq!(output.length(), 0);
            assert_eq!(bytes(ptr::null::<u8>(), 3_usize), b"");
            assert_eq!(bytes(b"abc".as_ptr(), -1_i32), b"");
        }
        let nothing: *mut u32 = None::<Borrowed<u32>>.into_c();
        assert!(nothing.is_null());
    }

    #[test]
    fn what_is_given_is_seen_and_written_in_order() {
        unsafe {
            assert_eq!(<Option<&[u8]>>::from_c(c"abc".as_ptr()), Some(&b"abc"[..]));
            let mut place = 1;
            Out::from_c(&raw mut place).put(7);
            assert_eq!(place, 7);
            let mut buffer = [0_u8; 6];
            let mut output = Output::new(buffer.as_mut_ptr());
            output.write(b"ab");
            output.write(b"cd");
            assert_eq!((output.length(), &buffer), (4, b"abcd\0\0"));
            assert!(bool::from_c(3) && !bool::from_c(0));
        }
    }
}
