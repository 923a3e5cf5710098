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
/// While one is in use, its object is live, every pointer in it is NULL or leads to a live object, a member that counts bytes
/// counts those that are there, and no other thread uses them. So functions that free an object, or store any pointer that does
/// not come from a `Borrowed`, are `unsafe`. A callback may free anything except the user state, so no other `Borrowed` is kept
/// across one: see [`Handle`](crate::abi::context::Handle).
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

/// What a test has of its own.
#[cfg(test)]
pub(crate) fn borrow<'a, T>(object: *const T) -> Borrowed<'a, T> {
    // SAFETY: a test owns what it borrows.
    unsafe { Borrowed::new(object) }.unwrap()
}

impl<'a, T> Borrowed<'a, T> {
    /// `None` for NULL.
    ///
    /// # Safety
    /// `object` is NULL or meets the conditions of the type for `'a`.
    pub unsafe fn new(object: *const T) -> Option<Self> {
        NonNull::new(object.cast_mut()).map(|place| Self {
            place,
            borrowed: PhantomData,
        })
    }

    /// A place of ours.
    ///
    /// # Safety
    /// The cell and everything that it leads to meet the conditions of the type for `'a`.
    pub(crate) unsafe fn of_cell(cell: &'a Cell<T>) -> Self {
        Self {
            place: NonNull::from(cell).cast(),
            borrowed: PhantomData,
        }
    }

    /// For a function of C.
    pub fn as_ptr(self) -> *mut T {
        self.place.as_ptr()
    }

    /// A part of it.
    ///
    /// # Safety
    /// `part` gives a place within the object that it gets.
    pub(crate) unsafe fn part<U>(self, part: impl FnOnce(*mut T) -> *mut U) -> Borrowed<'a, U> {
        let place = part(self.place.as_ptr());
        Borrowed {
            // SAFETY: a place within an object is not NULL.
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
    /// The value.
    pub fn get(self) -> T {
        // SAFETY: a live object, by the type.
        unsafe { self.place.read() }
    }

    /// Another value.
    pub fn set(self, value: T) {
        // SAFETY: a live object, by the type, in which any value will do.
        unsafe { self.place.write(value) };
    }
}

impl<const N: usize> Borrowed<'_, [u8; N]> {
    /// Writes the first bytes, and no more than there is space for.
    pub fn set_start(self, bytes: &[u8]) {
        let mut all = self.get();
        for (to, from) in all.iter_mut().zip(bytes) {
            *to = *from;
        }
        self.set(all);
    }

    /// Zeros, which the compiler does not leave out.
    pub fn wipe(self) {
        // SAFETY: N bytes of a live object.
        unsafe { memory::wipe(self.as_ptr().cast(), N) };
    }
}

/// What members of structs point at.
///
/// # Safety
/// A pointer to it is NULL or leads to a live one, wherever a struct has such a member.
pub unsafe trait Target {}

// SAFETY: a pointer within a struct.
unsafe impl<T: Target> Target for *mut T {}

impl<'a, T: Target> Borrowed<'a, *mut T> {
    /// What a pointer leads to.
    pub fn follow(self) -> Option<Borrowed<'a, T>> {
        // SAFETY: NULL or live for as long as what leads to it, by the type.
        unsafe { Borrowed::new(self.place.read()) }
    }

    /// Whether it is NULL.
    pub fn is_null(self) -> bool {
        self.follow().is_none()
    }

    /// Writes NULL over whatever is there, even rubbish.
    pub fn forget(self) {
        // SAFETY: a live object, by the type.
        unsafe { self.place.write(std::ptr::null_mut()) };
    }
}

/// A struct.
///
/// # Safety
/// All zero bytes are a value of it, in which every pointer is NULL.
pub unsafe trait Object: Target {}

// SAFETY: NULL is a value.
unsafe impl<T: Object> Object for *mut T {}

/// A malloc'ed object of zeros. `None` without memory.
pub fn new_zeroed<T: Object>() -> Option<Borrowed<'static, T>> {
    // SAFETY: NULL or new memory, of which zeros are a value, and which lives until somebody frees it.
    unsafe { Borrowed::new(memory::c_zeroed()) }
}

impl<T: Object> Borrowed<'_, T> {
    /// Makes it all zeros, which the compiler does not leave out. What its members led to is let go.
    pub fn blank(self) {
        // SAFETY: a live object, of which zeros are a value.
        unsafe { memory::wipe(self.as_ptr().cast(), size_of::<T>()) };
    }

    /// Gives it back, but not what its members lead to.
    ///
    /// # Safety
    /// It came from malloc, and is used no more.
    pub unsafe fn free(self) {
        // SAFETY: from malloc and used no more, by this function's own `# Safety`.
        unsafe { libc::free(self.as_ptr().cast()) };
    }
}

impl<'a, T: Object> Borrowed<'a, *mut T> {
    /// Lets it lead elsewhere.
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
        // SAFETY: places within the array.
        [0, 1, 2, 3].map(|at| unsafe { self.part(|array| array.cast::<T>().add(at)) })
    }
}

/// The first character of a C string: what is borrowed of this type is NUL-terminated. (C's `char` is Rust's `i8` or `u8`.)
#[repr(transparent)]
pub struct Char(c_char);

impl<'a> Borrowed<'a, Char> {
    /// Its bytes, without the NUL.
    pub fn bytes(self) -> &'a [u8] {
        self.c_str().to_bytes()
    }

    /// For a function of C.
    pub fn as_c_char(self) -> *const c_char {
        self.as_ptr().cast_const().cast()
    }

    /// As Rust knows it.
    pub fn c_str(self) -> &'a CStr {
        // SAFETY: a C string, which stays for `'a`.
        unsafe { CStr::from_ptr(self.as_c_char()) }
    }

    /// One of Rust's.
    pub const fn of_str(text: &'a CStr) -> Self {
        // SAFETY: it is not NULL.
        let place = unsafe { NonNull::new_unchecked(text.as_ptr().cast_mut().cast()) };
        Self {
            place,
            borrowed: PhantomData,
        }
    }
}

/// A member that leads to a C string.
impl<'a> Borrowed<'a, *mut Char> {
    /// The string; `None` for NULL.
    pub fn text(self) -> Option<Borrowed<'a, Char>> {
        // SAFETY: NULL or a C string, which stays for as long as what leads to it.
        unsafe { Borrowed::new(self.place.read()) }
    }

    /// The bytes of the string, without its NUL. `None` for NULL.
    pub fn bytes(self) -> Option<&'a [u8]> {
        self.text().map(|text| text.bytes())
    }

    /// Whether it has these bytes. NULL equals nothing.
    pub fn is(self, bytes: &[u8]) -> bool {
        self.bytes() == Some(bytes)
    }

    /// Gives the string back, and puts NULL in its place.
    ///
    /// # Safety
    /// It is NULL or came from malloc, and none of its bytes are in use.
    pub unsafe fn free_text(self) {
        // SAFETY: from malloc, with none of its bytes in use, by this function's own `# Safety`.
        unsafe { memory::free_and_clear(self.as_ptr()) };
    }
}

/// A member that leads to bytes, of which another member has the number.
impl<'a> Borrowed<'a, *mut u8> {
    /// So many of them; empty for NULL.
    ///
    /// # Safety
    /// There are so many.
    pub unsafe fn of_len(self, len: usize) -> &'a [u8] {
        // SAFETY: a live member, by the type, and so many bytes, by this function's own `# Safety`.
        unsafe { memory::slice_of(self.place.read(), len) }
    }

    /// Lets a member that leads to nothing lead to a copy of these bytes. False without memory.
    pub fn store_copy(self, bytes: &[u8]) -> bool {
        self.store(memory::c_buffer(bytes))
    }

    /// The same with so many zeros.
    pub fn store_zeros(self, len: usize) -> bool {
        self.store(memory::c_zeros(len))
    }

    fn store(self, malloced: *mut u8) -> bool {
        // SAFETY: a live member, by the type.
        unsafe { self.place.write(malloced) };
        !malloced.is_null()
    }

    /// Gives the bytes back, and puts NULL in their place. They are wiped if their number is said.
    ///
    /// # Safety
    /// They came from malloc, there are so many, and none is in use.
    pub unsafe fn free_bytes(self, len: usize) {
        // SAFETY: from malloc, so many bytes, none of them in use, by this function's own `# Safety`.
        unsafe { memory::wipe_and_clear(self.as_ptr(), len) };
    }
}

/// A member whose memory, from malloc, is only ever copied and never borrowed, so that it can be freed at any time.
#[repr(transparent)]
pub struct Malloced(*mut u8);

impl Borrowed<'_, Malloced> {
    fn memory(self) -> *mut u8 {
        // SAFETY: a live member, by the type.
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
        // SAFETY: NULL or a C string, by this function's own `# Safety`.
        let text = unsafe { memory::bytes_of(self.memory().cast()) }?;
        buffer::copy(text).ok()
    }

    /// A copy of so many bytes; empty for NULL. `None` without memory.
    ///
    /// # Safety
    /// There are so many.
    pub unsafe fn copy_bytes(self, len: usize) -> Option<Vec<u8>> {
        // SAFETY: so many bytes, by this function's own `# Safety`.
        buffer::copy(unsafe { memory::slice_of(self.memory(), len) }).ok()
    }

    /// Leads to a copy of these bytes instead. False without memory.
    pub fn store_copy(self, bytes: &[u8]) -> bool {
        self.store(memory::c_buffer(bytes))
    }

    /// Gives it back, and puts NULL in its place.
    pub fn free(self) {
        self.store(std::ptr::null_mut());
    }

    /// Leads to this memory from malloc instead of what is there, which is given back. False for NULL.
    fn store(self, malloced: *mut u8) -> bool {
        let old = self.memory();
        // SAFETY: a live member; what it led to came from malloc, and nobody has anything of it.
        unsafe {
            self.place.write(Malloced(malloced));
            libc::free(old.cast());
        }
        !malloced.is_null()
    }

    /// Gives it back, so many bytes of it wiped, and puts NULL in its place.
    ///
    /// # Safety
    /// There are so many.
    pub unsafe fn wipe(self, len: usize) {
        if !self.is_null() {
            // SAFETY: so many bytes, by this function's own `# Safety`.
            unsafe { memory::wipe(self.memory(), len) };
        }
        self.free();
    }

    /// The same with a C string, wiped as a whole.
    ///
    /// # Safety
    /// It is NULL or a C string.
    pub unsafe fn wipe_text(self) {
        // SAFETY: NULL or a C string, by this function's own `# Safety`.
        unsafe {
            let len = memory::bytes_of(self.memory().cast()).map_or(0, <[u8]>::len);
            self.wipe(len);
        }
    }
}

/// Makes methods of [`Borrowed`] for members of a struct: `name: type;`. The method gives the place of the member, which has the
/// methods for its type in turn. Those after `text` lead to C strings; what those after `malloced` lead to is never borrowed.
macro_rules! members {
    ($($struct:ty { $($(#[$cfg:meta])? $name:ident: $type:ty,)+ $(; text $($text:ident),+)? $(; malloced $($malloced:ident),+)? })+) => {$(
        // SAFETY: a struct of C's, of numbers and pointers.
        unsafe impl $crate::abi::borrowed::Target for $struct {}
        // SAFETY: likewise.
        unsafe impl $crate::abi::borrowed::Object for $struct {}

        impl<'a> $crate::abi::borrowed::Borrowed<'a, $struct> {
            $(
                $(#[$cfg])?
                #[doc = concat!("The member `", stringify!($name), "`.")]
                pub fn $name(self) -> $crate::abi::borrowed::Borrowed<'a, $type> {
                    // SAFETY: the place of a member of a live object.
                    unsafe { self.part(|object| &raw mut (*object).$name) }
                }
            )+
            $($(
                #[doc = concat!("The member `", stringify!($text), "`.")]
                pub fn $text(self) -> $crate::abi::borrowed::Borrowed<'a, *mut $crate::abi::borrowed::Char> {
                    // SAFETY: the place of a member of a live object.
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
                    // SAFETY: the place of a member of a live object, which is a pointer.
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
