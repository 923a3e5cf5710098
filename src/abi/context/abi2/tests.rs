//! The contexts of libotr 3.2: their order, the client's data, and how they end.

use std::ffi::CStr;

use super::*;
use std::ptr;

use crate::abi::borrowed::borrow;
use crate::abi::context::fingerprint::*;
use crate::abi::context::handle::*;
use crate::abi::context::state::*;
use crate::abi::memory::{c_string, slice_of};
use crate::abi::types::*;
use crate::abi::userstate::{otrl_userstate_create, otrl_userstate_free};

unsafe fn find_as(us: *mut UserState, names: [&CStr; 3], add: bool) -> (*mut ConnContext, c_int) {
    let mut added = 7;
    let context = unsafe {
        otrl_context_find(
            us,
            names[0].as_ptr(),
            names[1].as_ptr(),
            names[2].as_ptr(),
            c_int::from(add),
            &raw mut added,
            None,
            ptr::null_mut(),
        )
    };
    (context, added)
}

#[test]
fn the_list_is_sorted_by_user_account_and_protocol() {
    unsafe {
        let us = otrl_userstate_create();
        for names in [
            [c"b", c"me", c"q"],
            [c"b", c"me", c"p"],
            [c"a", c"you", c"p"],
            [c"a", c"me", c"p"],
            [c"B", c"me", c"p"],
        ] {
            assert_eq!(find_as(us, names, false), (ptr::null_mut(), 0));
            let (made, added) = find_as(us, names, true);
            assert!(!made.is_null() && added == 1);
            assert_eq!(find_as(us, names, true), (made, 0));
            assert_eq!((*made).fingerprint_root.context, made);
            assert!(!(*made).smstate.is_null());
        }
        let mut order = Vec::new();
        let mut place = &raw mut (*us).context_root;
        while !(*place).is_null() {
            let context = *place;
            assert_eq!((*context).tous, place, "every node knows what points at it");
            order.push(
                [
                    (*context).username,
                    (*context).accountname,
                    (*context).protocol,
                ]
                .map(|text| CStr::from_ptr(text).to_str().unwrap().to_owned())
                .join(" "),
            );
            place = &raw mut (*context).next;
        }
        assert_eq!(
            order,
            ["B me p", "a me p", "a you p", "b me p", "b me q"],
            "as strcmp sorts"
        );
        otrl_userstate_free(us);
    }
}

#[test]
fn names_that_are_missing_find_nothing() {
    unsafe {
        let us = otrl_userstate_create();
        let none = ptr::null();
        let text = c"a".as_ptr();
        for names in [[none, text, text], [text, none, text], [text, text, none]] {
            let found = otrl_context_find(
                us,
                names[0],
                names[1],
                names[2],
                1,
                ptr::null_mut(),
                None,
                ptr::null_mut(),
            );
            assert!(found.is_null());
        }
        assert!(find_as(ptr::null_mut(), [c"a"; 3], true).0.is_null());
        otrl_userstate_free(us);
    }
}

/// Records its arguments, and looks up the same context from within the callback.
unsafe extern "C-unwind" fn notes(data: *mut c_void, context: *mut ConnContext) {
    unsafe { *data.cast::<*mut ConnContext>() = context };
}

unsafe extern "C-unwind" fn counts(data: *mut c_void) {
    unsafe { *data.cast::<u32>() += 1 };
}

#[test]
fn the_client_puts_its_data_into_a_new_context_and_frees_them_with_it() {
    unsafe {
        let us = otrl_userstate_create();
        let mut shown: *mut ConnContext = ptr::null_mut();
        let mut freed = 0_u32;
        let text = c"a".as_ptr();
        let made = otrl_context_find(
            us,
            text,
            text,
            text,
            1,
            ptr::null_mut(),
            Some(notes),
            (&raw mut shown).cast(),
        );
        assert_eq!(shown, made);
        (*made).app_data = (&raw mut freed).cast();
        (*made).app_data_free = Some(counts);
        let (handle, borrowed) = (Handle::of(borrow(made)), Some(borrow(us)));

        (*made).msgstate = MSGSTATE_ENCRYPTED;
        otrl_context_forget(made);
        assert_eq!(
            handle.get(borrowed),
            Some(borrow(made)),
            "a session is not forgotten"
        );
        otrl_context_force_plaintext(made);
        otrl_context_forget(made);
        assert_eq!((handle.get(borrowed), freed), (None, 1));
        otrl_context_forget(ptr::null_mut());
        otrl_userstate_free(us);
        assert_eq!(freed, 1);
    }
}

#[test]
fn the_last_fingerprint_may_take_its_context_along() {
    unsafe {
        let us = otrl_userstate_create();
        let (context, _) = find_as(us, [c"a"; 3], true);
        let mut bytes = [1; 20];
        let first = otrl_context_find_fingerprint(context, bytes.as_mut_ptr(), 1, ptr::null_mut());
        bytes[0] = 2;
        let second = otrl_context_find_fingerprint(context, bytes.as_mut_ptr(), 1, ptr::null_mut());
        assert_eq!((*context).fingerprint_root.next, second, "newest first");
        assert_eq!(((*first).context, (*second).next), (context, first));
        otrl_context_set_trust(first, c"manual".as_ptr());

        (*context).active_fingerprint = second;
        otrl_context_forget_fingerprint(second, 1);
        assert_eq!((*context).fingerprint_root.next, second, "one in use stays");
        (*context).active_fingerprint = ptr::null_mut();
        otrl_context_forget_fingerprint(second, 1);
        assert_eq!((*context).fingerprint_root.next, first);
        otrl_context_forget_fingerprint(first, 1);
        assert!((*us).context_root.is_null());
        otrl_userstate_free(us);
    }
}

#[test]
fn ending_a_session_by_force_keeps_the_context() {
    unsafe {
        let us = otrl_userstate_create();
        let (context, _) = find_as(us, [c"a"; 3], true);
        (*context).sessionid = [3; 20];
        (*context).sessionid_len = 8;
        (*context).protocol_version = 2;
        (*context).generation = 4;
        (*context).otr_offer = OFFER_ACCEPTED;
        (*context).lastmessage = c_string(b"text");
        (*context).auth.authstate = AUTHSTATE_AWAITING_DHKEY;
        otrl_context_force_finished(context);
        assert_eq!((*context).msgstate, MSGSTATE_FINISHED);
        assert_eq!(
            ((*context).sessionid, (*context).sessionid_len),
            ([0; 20], 0)
        );
        assert_eq!(((*context).protocol_version, (*context).generation), (0, 4));
        assert_eq!((*context).auth.authstate, AUTHSTATE_NONE);
        assert_eq!((*context).otr_offer, OFFER_ACCEPTED);
        assert!((*context).lastmessage.is_null());
        otrl_context_force_plaintext(context);
        assert_eq!((*context).msgstate, MSGSTATE_PLAINTEXT);
        otrl_userstate_free(us);
    }
}

#[test]
fn a_preshared_secret_is_copied_and_ends_with_the_session() {
    unsafe {
        let us = otrl_userstate_create();
        let (context, _) = find_as(us, [c"a"; 3], true);
        otrl_context_set_preshared_secret(context, b"secret".as_ptr(), 6);
        let kept = slice_of((*context).preshared_secret, (*context).preshared_secret_len);
        assert_eq!(kept, b"secret");
        otrl_context_set_preshared_secret(context, ptr::null(), 0);
        assert!((*context).preshared_secret.is_null() && (*context).preshared_secret_len == 0);
        otrl_context_set_preshared_secret(context, b"other".as_ptr(), 5);
        otrl_context_force_plaintext(context);
        assert!((*context).preshared_secret.is_null() && (*context).preshared_secret_len == 0);
        otrl_context_set_preshared_secret(ptr::null_mut(), b"x".as_ptr(), 1);
        otrl_userstate_free(us);
    }
}
