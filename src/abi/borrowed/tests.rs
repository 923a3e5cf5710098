//! Each kind of member, read and written.

use super::*;
use std::ffi::CString;
use std::ptr;

#[repr(C)]
struct Sample {
    number: u32,
    next: *mut Sample,
    data: *mut u8,
    name: *mut c_char,
    kept: *mut c_char,
}

super::members! {
    Sample {
        number: u32,
        next: *mut Sample,
        data: *mut u8,
        ; text name
        ; malloced kept
    }
}

fn sample() -> Sample {
    Sample {
        number: 5,
        next: ptr::null_mut(),
        data: ptr::null_mut(),
        name: ptr::null_mut(),
        kept: ptr::null_mut(),
    }
}

#[test]
fn numbers_are_read_and_written() {
    let place = Cell::new(*b"abcdef");
    // SAFETY: the test's own.
    let bytes = unsafe { Borrowed::of_cell(&place) };
    assert_eq!(bytes.get(), *b"abcdef");
    bytes.set_start(b"xy");
    assert_eq!(place.get(), *b"xycdef");
    bytes.set_start(b"more than there is space for");
    assert_eq!(place.get(), *b"more t");
    bytes.wipe();
    assert_eq!(place.get(), [0; 6]);
}

#[test]
fn pointers_are_followed_and_changed() {
    let (one, other) = (Cell::new(sample()), Cell::new(sample()));
    // SAFETY: the test's own.
    let (first, second) = unsafe { (Borrowed::of_cell(&one), Borrowed::of_cell(&other)) };
    assert!(first == first && first != second);
    assert_eq!(format!("{first:?}"), format!("{:?}", one.as_ptr()));
    assert_eq!(first.as_ptr(), one.as_ptr());
    assert!(first.next().is_null() && first.next().follow().is_none());
    first.next().point_at(Some(second));
    assert!(!first.next().is_null());
    assert_eq!(first.next().follow(), Some(second));
    first.next().point_at(None);
    assert_eq!(first.next().follow(), None);
    first.next().point_at(Some(second));
    first.next().forget();
    assert_eq!(first.next().follow(), None);

    first.next().point_at(Some(second));
    second.number().set(7);
    first.blank();
    assert_eq!((first.number().get(), first.next().follow()), (0, None));
    assert_eq!(second.number().get(), 7);
}

#[test]
fn an_array_is_its_elements() {
    let mut array = [1, 2, 3, 4].map(|number| Sample { number, ..sample() });
    let square: *mut [[Sample; 2]; 2] = array.as_mut_ptr().cast();
    let elements = borrow(square).each();
    assert_eq!(elements.map(|one| one.number().get()), [1, 2, 3, 4]);
    assert_eq!(elements.map(Borrowed::as_ptr)[0], array.as_mut_ptr());
}

#[test]
fn a_new_object_is_zeros() {
    let object = new_zeroed::<Sample>().unwrap();
    assert_eq!(object.number().get(), 0);
    assert!(object.next().is_null() && object.kept().is_null());
    // SAFETY: from malloc.
    unsafe { object.free() };
}

#[test]
fn strings_are_read() {
    let text = CString::new("abc").unwrap();
    let mut owner = sample();
    let owner = borrow(&raw mut owner);
    assert_eq!(owner.name().bytes(), None);
    assert!(owner.name().text().is_none() && !owner.name().is(b""));

    // SAFETY: a copy of the string, from malloc.
    unsafe { (*owner.as_ptr()).name = libc::strdup(text.as_ptr()) };
    assert_eq!(owner.name().bytes(), Some(&b"abc"[..]));
    assert!(owner.name().is(b"abc") && !owner.name().is(b"ab"));
    let read = owner.name().text().unwrap();
    assert_eq!((read.bytes(), read.c_str()), (&b"abc"[..], &*text));
    assert_eq!(Borrowed::of_str(&text).as_c_char(), text.as_ptr());
    // SAFETY: from malloc, and not in use.
    unsafe { owner.name().free_text() };
    assert_eq!(owner.name().bytes(), None);
}

#[test]
fn bytes_are_copied_into_a_member() {
    let mut owner = sample();
    let owner = borrow(&raw mut owner);
    // SAFETY: so many bytes.
    unsafe {
        assert_eq!(owner.data().of_len(0), b"");
        assert!(owner.data().store_copy(b"abc"));
        assert_eq!(owner.data().of_len(3), b"abc");
        owner.data().free_bytes(3);
        assert!((*owner.as_ptr()).data.is_null());
        assert!(owner.data().store_zeros(4));
        assert_eq!(owner.data().of_len(4), [0; 4]);
        owner.data().free_bytes(4);
    }
    // As without memory.
    assert!(!owner.data().store(ptr::null_mut()));
}

#[test]
fn what_is_only_copied_can_be_replaced_at_any_time() {
    let mut owner = sample();
    let owner = borrow(&raw mut owner);
    let kept = owner.kept();
    // SAFETY: C strings, and as many bytes as are said.
    unsafe {
        assert!(kept.is_null());
        assert_eq!(kept.copy_text(), None);
        assert_eq!(kept.copy_bytes(0).as_deref(), Some(&b""[..]));
        assert!(kept.store_copy(b"a string\0"));
        assert!(!kept.is_null());
        assert_eq!(kept.copy_text().as_deref(), Some(&b"a string"[..]));
        assert!(kept.store_copy(b"another\0"));
        assert_eq!(kept.copy_bytes(4).as_deref(), Some(&b"anot"[..]));
        kept.wipe_text();
        assert!(kept.is_null());
        assert!(kept.store_copy(b"bytes"));
        kept.wipe(5);
        assert!(kept.is_null());
        assert!(kept.store_copy(b"bytes"));
        kept.free();
    }
    assert!(kept.is_null() && !kept.store(ptr::null_mut()));
}
