//! C objects that a caller passes to a function, borrowed for the duration of the call.
//!
//! The caller's promises, listed under `# Safety` at each exported function, are relied on in one place, where an argument
//! is converted ([`FromC`]; `entry!` does it). After that, using a [`Borrowed`] needs no `unsafe`.

mod arguments;
#[cfg(test)]
mod tests;

pub use arguments::{Byte, FromC, IntoC, Out, Output, bytes};

use std::cell::Cell;
use std::ffi::{CStr, c_char};
use std::marker::PhantomData;
use std::ptr::NonNull;

use super::memory;
use otr_protocol::buffer;

/// An object of C, borrowed for `'a`.
///
/// There is never a Rust reference to the whole of it, since the client has pointers to it as well: members are read and
/// written one by one, by the methods that `members!` makes.
///
/// While one is in use, its object is live, every pointer in it is NULL or points to a live object, a member with a length has
/// the right one, and no other thread uses them. So functions that free an object, or store any pointer that does not come from
/// a `Borrowed`, are `unsafe`. A callback may free anything except the user state, so no other `Borrowed` is kept across one:
/// see [`Handle`](crate::abi::context::Handle).
pub struct Borrowed<'a, T> {
    place: NonNull<T>,
    borrowed: PhantomData<&'a T>,
}

impl<T> Clone for Borrowed<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Borrowed<'_, T> {}

impl<T> PartialEq for Borrowed<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl<T> Eq for Borrowed<'_, T> {}

impl<T> std::fmt::Debug for Borrowed<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.place.fmt(f)
    }
}

/// Borrows an object that a test owns.
#[cfg(test)]
pub(crate) fn borrow<'a, T>(object: *const T) -> Borrowed<'a, T> {
    // SAFETY: a test owns what it borrows.
    unsafe { Borrowed::new(object) }.unwrap()
}

impl<'a, T> Borrowed<'a, T> {
    /// `None` for NULL.
    ///
    /// # Safety
    /// `object` is NULL or meets the conditions of [`Borrowed`] for `'a`.
    pub unsafe fn new(object: *const T) -> Option<Self> {
        NonNull::new(object.cast_mut()).map(|place| Self {
            place,
            borrowed: PhantomData,
        })
    }

    /// Borrows a cell of our own.
    ///
    /// # Safety
    /// The cell and everything that it points to meet the conditions of [`Borrowed`] for `'a`.
    pub(crate) unsafe fn of_cell(cell: &'a Cell<T>) -> Self {
        Self {
            place: NonNull::from(cell).cast(),
            borrowed: PhantomData,
        }
    }

    /// The pointer, for a C function.
    pub fn as_ptr(self) -> *mut T {
        self.place.as_ptr()
    }

    /// A member of it.
    ///
    /// # Safety
    /// `part` returns a pointer into the object that it gets.
    pub(crate) unsafe fn part<U>(self, part: impl FnOnce(*mut T) -> *mut U) -> Borrowed<'a, U> {
        let place = part(self.place.as_ptr());
        Borrowed {
            // SAFETY: a pointer into an object is not NULL.
            place: unsafe { NonNull::new_unchecked(place) },
            borrowed: PhantomData,
        }
    }
}

/// A type for which every bit pattern is valid.
///
/// # Safety
/// It has no pointers, no references and no padding.
pub unsafe trait Plain: Copy {}

macro_rules! plain {
    ($($type:ty),+) => {$(
        // SAFETY: a number.
        unsafe impl Plain for $type {}
    )+};
}
plain!(u8, u16, u32, i32, i64, usize);

// SAFETY: as its elements.
unsafe impl<T: Plain, const N: usize> Plain for [T; N] {}

impl<T: Plain> Borrowed<'_, T> {
    /// Reads the value.
    pub fn get(self) -> T {
        // SAFETY: a live object, as the type guarantees.
        unsafe { self.place.read() }
    }

    /// Writes a value.
    pub fn set(self, value: T) {
        // SAFETY: a live object, as the type guarantees, and any value is valid in it.
        unsafe { self.place.write(value) };
    }
}

impl<const N: usize> Borrowed<'_, [u8; N]> {
    /// Writes the first bytes, but not more than fit.
    pub fn set_start(self, bytes: &[u8]) {
        let mut all = self.get();
        for (to, from) in all.iter_mut().zip(bytes) {
            *to = *from;
        }
        self.set(all);
    }

    /// Overwrites it with zeros. The compiler does not optimise this away.
    pub fn wipe(self) {
        // SAFETY: N bytes of a live object.
        unsafe { memory::wipe(self.as_ptr().cast(), N) };
    }
}

/// A type that members of structs point to.
///
/// # Safety
/// In every struct, a member that is a pointer to it is NULL or points to a live one.
pub unsafe trait Target {}

// SAFETY: a pointer within a struct.
unsafe impl<T: Target> Target for *mut T {}

impl<'a, T: Target> Borrowed<'a, *mut T> {
    /// Follows the pointer. `None` if it is NULL.
    pub fn follow(self) -> Option<Borrowed<'a, T>> {
        // SAFETY: NULL or live for as long as the pointer's own object, as the type guarantees.
        unsafe { Borrowed::new(self.place.read()) }
    }

    /// Whether it is NULL.
    pub fn is_null(self) -> bool {
        self.follow().is_none()
    }

    /// Overwrites the pointer, which may be uninitialised, with NULL.
    pub fn forget(self) {
        // SAFETY: a live object, as the type guarantees.
        unsafe { self.place.write(std::ptr::null_mut()) };
    }
}

/// A struct.
///
/// # Safety
/// All zero bytes are a valid value of it, with every pointer NULL.
pub unsafe trait Object: Target {}

// SAFETY: NULL is a valid value.
unsafe impl<T: Object> Object for *mut T {}

/// A malloc'ed object of zeros. `None` if out of memory.
pub fn new_zeroed<T: Object>() -> Option<Borrowed<'static, T>> {
    // SAFETY: NULL or new memory, for which zeros are a valid value, and which lives until somebody frees it.
    unsafe { Borrowed::new(memory::c_zeroed()) }
}

impl<T: Object> Borrowed<'_, T> {
    /// Overwrites it with zeros. The compiler does not optimise this away. Objects that its members point to are not freed.
    pub fn blank(self) {
        // SAFETY: a live object, for which zeros are a valid value.
        unsafe { memory::wipe(self.as_ptr().cast(), size_of::<T>()) };
    }

    /// Frees it, but not the objects that its members point to.
    ///
    /// # Safety
    /// It came from malloc, and is not used afterwards.
    pub unsafe fn free(self) {
        // SAFETY: from malloc and not used afterwards, as the caller guarantees.
        unsafe { libc::free(self.as_ptr().cast()) };
    }
}

impl<'a, T: Object> Borrowed<'a, *mut T> {
    /// Makes it point to another object.
    pub fn point_at(self, other: Option<Borrowed<'a, T>>) {
        // SAFETY: a live object, and one that is borrowed as well.
        unsafe {
            self.place
                .write(other.map_or(std::ptr::null_mut(), Borrowed::as_ptr))
        };
    }
}

impl<'a, T: Object> Borrowed<'a, [[T; 2]; 2]> {
    /// Its elements.
    pub fn each(self) -> [Borrowed<'a, T>; 4] {
        // SAFETY: elements of the array.
        [0, 1, 2, 3].map(|at| unsafe { self.part(|array| array.cast::<T>().add(at)) })
    }
}

/// The first character of a C string: a borrowed one is NUL-terminated. (C's `char` is Rust's `i8` or `u8`.)
#[repr(transparent)]
pub struct Char(c_char);

impl<'a> Borrowed<'a, Char> {
    /// Its bytes, without the NUL.
    pub fn bytes(self) -> &'a [u8] {
        self.c_str().to_bytes()
    }

    /// The pointer, for a C function.
    pub fn as_c_char(self) -> *const c_char {
        self.as_ptr().cast_const().cast()
    }

    /// As Rust's `CStr`.
    pub fn c_str(self) -> &'a CStr {
        // SAFETY: a C string, which lives for `'a`.
        unsafe { CStr::from_ptr(self.as_c_char()) }
    }

    /// Borrows a `CStr`.
    pub const fn of_str(text: &'a CStr) -> Self {
        // SAFETY: it is not NULL.
        let place = unsafe { NonNull::new_unchecked(text.as_ptr().cast_mut().cast()) };
        Self {
            place,
            borrowed: PhantomData,
        }
    }
}

/// A member that points to a C string.
impl<'a> Borrowed<'a, *mut Char> {
    /// The string; `None` for NULL.
    pub fn text(self) -> Option<Borrowed<'a, Char>> {
        // SAFETY: NULL or a C string, which lives as long as the struct with the pointer.
        unsafe { Borrowed::new(self.place.read()) }
    }

    /// The bytes of the string, without its NUL. `None` for NULL.
    pub fn bytes(self) -> Option<&'a [u8]> {
        self.text().map(|text| text.bytes())
    }

    /// Whether the string has these bytes. False for NULL.
    pub fn is(self, bytes: &[u8]) -> bool {
        self.bytes() == Some(bytes)
    }

    /// Frees the string, and sets the member to NULL.
    ///
    /// # Safety
    /// It is NULL or came from malloc, and none of its bytes are in use.
    pub unsafe fn free_text(self) {
        // SAFETY: from malloc, with none of its bytes in use, as the caller guarantees.
        unsafe { memory::free_and_clear(self.as_ptr()) };
    }
}

/// A member that points to bytes, whose number is in another member.
impl<'a> Borrowed<'a, *mut u8> {
    /// The bytes; empty for NULL.
    ///
    /// # Safety
    /// It has `len` bytes.
    pub unsafe fn of_len(self, len: usize) -> &'a [u8] {
        // SAFETY: a live member, as the type guarantees, and `len` bytes, as the caller guarantees.
        unsafe { memory::slice_of(self.place.read(), len) }
    }

    /// Makes a member that points to nothing point to a copy of these bytes. False if out of memory.
    pub fn store_copy(self, bytes: &[u8]) -> bool {
        self.store(memory::c_buffer(bytes))
    }

    /// The same with `len` zeros.
    pub fn store_zeros(self, len: usize) -> bool {
        self.store(memory::c_zeros(len))
    }

    fn store(self, malloced: *mut u8) -> bool {
        // SAFETY: a live member, as the type guarantees.
        unsafe { self.place.write(malloced) };
        !malloced.is_null()
    }

    /// Frees the bytes, and sets the member to NULL. The first `len` bytes are wiped.
    ///
    /// # Safety
    /// They came from malloc, there are at least `len` of them, and none is in use.
    pub unsafe fn free_bytes(self, len: usize) {
        // SAFETY: from malloc, `len` bytes, none of them in use, as the caller guarantees.
        unsafe { memory::wipe_and_clear(self.as_ptr(), len) };
    }
}

/// A member whose memory, from malloc, is only ever copied and never borrowed, so that it can be freed at any time.
#[repr(transparent)]
pub struct Malloced(*mut u8);

impl Borrowed<'_, Malloced> {
    fn memory(self) -> *mut u8 {
        // SAFETY: a live member, as the type guarantees.
        unsafe { self.place.read() }.0
    }

    /// Whether it is NULL.
    pub fn is_null(self) -> bool {
        self.memory().is_null()
    }

    /// A copy of a C string. `None` for NULL, and without memory.
    ///
    /// # Safety
    /// It is NULL or a C string.
    pub unsafe fn copy_text(self) -> Option<Vec<u8>> {
        // SAFETY: NULL or a C string, as the caller guarantees.
        let text = unsafe { memory::bytes_of(self.memory().cast()) }?;
        buffer::copy(text).ok()
    }

    /// A copy of the bytes; empty for NULL. `None` if out of memory.
    ///
    /// # Safety
    /// It has `len` bytes.
    pub unsafe fn copy_bytes(self, len: usize) -> Option<Vec<u8>> {
        // SAFETY: `len` bytes, as the caller guarantees.
        buffer::copy(unsafe { memory::slice_of(self.memory(), len) }).ok()
    }

    /// Makes it point to a copy of these bytes instead. False if out of memory.
    pub fn store_copy(self, bytes: &[u8]) -> bool {
        self.store(memory::c_buffer(bytes))
    }

    /// Frees the memory, and sets the member to NULL.
    pub fn free(self) {
        self.store(std::ptr::null_mut());
    }

    /// Makes it point to this memory, which came from malloc, and frees the old one. False for NULL.
    fn store(self, malloced: *mut u8) -> bool {
        let old = self.memory();
        // SAFETY: a live member; the old memory came from malloc, and nothing of it is borrowed.
        unsafe {
            self.place.write(Malloced(malloced));
            libc::free(old.cast());
        }
        !malloced.is_null()
    }

    /// Wipes `len` bytes, frees the memory, and sets the member to NULL.
    ///
    /// # Safety
    /// It has `len` bytes.
    pub unsafe fn wipe(self, len: usize) {
        if !self.is_null() {
            // SAFETY: `len` bytes, as the caller guarantees.
            unsafe { memory::wipe(self.memory(), len) };
        }
        self.free();
    }

    /// The same with a C string, wiped as a whole.
    ///
    /// # Safety
    /// It is NULL or a C string.
    pub unsafe fn wipe_text(self) {
        // SAFETY: NULL or a C string, as the caller guarantees.
        unsafe {
            let len = memory::bytes_of(self.memory().cast()).map_or(0, <[u8]>::len);
            self.wipe(len);
        }
    }
}

/// Makes methods of [`Borrowed`] for members of a struct: `name: type;`. The method returns the member, borrowed. Members after
/// `text` point to C strings; memory that those after `malloced` point to is never borrowed.
macro_rules! members {
    ($($struct:ty { $($(#[$cfg:meta])? $name:ident: $type:ty,)+ $(; text $($text:ident),+)? $(; malloced $($malloced:ident),+)? })+) => {$(
        // SAFETY: a C struct of numbers and pointers.
        unsafe impl $crate::abi::borrowed::Target for $struct {}
        // SAFETY: as above.
        unsafe impl $crate::abi::borrowed::Object for $struct {}

        impl<'a> $crate::abi::borrowed::Borrowed<'a, $struct> {
            $(
                $(#[$cfg])?
                #[doc = concat!("The member `", stringify!($name), "`.")]
                pub fn $name(self) -> $crate::abi::borrowed::Borrowed<'a, $type> {
                    // SAFETY: a member of a live object.
                    unsafe { self.part(|object| &raw mut (*object).$name) }
                }
            )+
            $($(
                #[doc = concat!("The member `", stringify!($text), "`.")]
                pub fn $text(self) -> $crate::abi::borrowed::Borrowed<'a, *mut $crate::abi::borrowed::Char> {
                    // SAFETY: a member of a live object.
                    unsafe {
                        self.part(|object| {
                            let place: *mut *mut std::ffi::c_char = &raw mut (*object).$text;
                            place.cast()
                        })
                    }
                }
            )+)?
            $($(
                #[doc = concat!("The member `", stringify!($malloced), "`.")]
                pub fn $malloced(self) -> $crate::abi::borrowed::Borrowed<'a, $crate::abi::borrowed::Malloced> {
                    // SAFETY: a member of a live object, which is a pointer.
                    unsafe {
                        self.part(|object| {
                            let place: *mut *mut _ = &raw mut (*object).$malloced;
                            place.cast()
                        })
                    }
                }
            )+)?
        }
    )+};
}
pub(crate) use members;
