//! The contexts of libotr 4: masters and instances, fingerprints, the client's data, and how they end.

use std::ffi::{CStr, c_int, c_void};
use std::ptr;

use super::family::*;
use super::find::*;
use super::*;
use crate::abi::borrowed::borrow;
use crate::abi::context::fingerprint::*;
use crate::abi::context::forget::*;
use crate::abi::context::handle::*;
use crate::abi::context::state::*;
use crate::abi::gcry::{cipher, mpi};
use crate::abi::memory::{c_string, c_zeroed};
use crate::abi::types::*;
use crate::abi::userstate::{otrl_userstate_create, otrl_userstate_free};
use crate::abi::{context_priv, instag};

unsafe fn find_as(us: *mut UserState, user: &CStr, tag: OtrlInstag, add: bool) -> *mut ConnContext {
    unsafe {
        otrl_context_find(
            us,
            user.as_ptr(),
            c"me".as_ptr(),
            c"p".as_ptr(),
            tag,
            c_int::from(add),
            ptr::null_mut(),
            None,
            ptr::null_mut(),
        )
    }
}

unsafe fn order(us: *mut UserState) -> Vec<(Vec<u8>, u32)> {
    let mut list = Vec::new();
    unsafe {
        let mut place = &raw mut (*us).context_root;
        while !(*place).is_null() {
            let context = *place;
            assert_eq!((*context).tous, place, "every node knows what points at it");
            list.push((
                CStr::from_ptr((*context).username).to_bytes().to_vec(),
                (*context).their_instance,
            ));
            place = &raw mut (*context).next;
        }
    }
    list
}

#[test]
fn the_list_is_sorted_and_a_master_comes_first() {
    unsafe {
        let us = otrl_userstate_create();
        for (user, tag) in [
            (c"b", 0x300),
            (c"b", 0x200),
            (c"a", 0),
            (c"c", 0x100),
            (c"B", 0),
            (c"b", 0xffff_ffff),
        ] {
            let context = find_as(us, user, tag, true);
            assert_eq!((*context).their_instance, tag);
            assert_eq!(find_as(us, user, tag, false), context);
            assert_eq!(find_as(us, user, tag, true), context);
            let master = find_as(us, user, 0, false);
            assert_eq!((*context).m_context, master);
            assert_eq!((*master).m_context, master);
        }
        let expected: [(&[u8], u32); 8] = [
            (b"B", 0),
            (b"a", 0),
            (b"b", 0),
            (b"b", 0x200),
            (b"b", 0x300),
            (b"b", 0xffff_ffff),
            (b"c", 0),
            (b"c", 0x100),
        ];
        assert_eq!(order(us), expected.map(|(user, tag)| (user.to_vec(), tag)));
        otrl_userstate_free(us);
    }
}

#[test]
fn nothing_is_found_for_null_or_without_add() {
    unsafe {
        let us = otrl_userstate_create();
        assert!(find_as(us, c"a", 0, false).is_null());
        assert!(find_as(ptr::null_mut(), c"a", 0, true).is_null());
        assert!(find_as(us, c"a", 77, true).is_null());
        let mut added = 5;
        let none = ptr::null();
        let null = ptr::null_mut();
        assert!(otrl_context_find(us, none, none, none, 0, 1, &mut added, None, null).is_null());
        assert_eq!(added, 0);
        assert!((*us).context_root.is_null());
        otrl_userstate_free(us);
    }
}

#[test]
fn recent_instances_fall_back_to_the_master() {
    unsafe {
        let us = otrl_userstate_create();
        let master = find_as(us, c"a", INSTAG_RECENT, true);
        for tag in [
            INSTAG_MASTER,
            INSTAG_BEST,
            INSTAG_RECENT,
            INSTAG_RECENT_RECEIVED,
            INSTAG_RECENT_SENT,
        ] {
            assert_eq!(find_as(us, c"a", tag, false), master, "{tag}");
        }
        let child = find_as(us, c"a", 0x100, true);
        otrl_context_update_recent_child(child, 0);
        assert_eq!(find_as(us, c"a", INSTAG_RECENT, false), child);
        assert_eq!(find_as(us, c"a", INSTAG_RECENT_RECEIVED, false), child);
        assert_eq!(find_as(us, c"a", INSTAG_RECENT_SENT, false), master);
        otrl_context_update_recent_child(child, 1);
        assert_eq!(find_as(us, c"a", INSTAG_RECENT_SENT, false), child);
        assert_eq!(
            otrl_context_find_recent_instance(child, INSTAG_RECENT),
            child
        );
        assert!(otrl_context_find_recent_instance(child, 0x7fff_ffff).is_null());

        // A forgotten instance is no longer the recent one.
        assert_eq!(otrl_context_forget(child), 0);
        assert_eq!(find_as(us, c"a", INSTAG_RECENT, false), master);
        assert_eq!(find_as(us, c"a", INSTAG_RECENT_SENT, false), master);

        (*master).recent_child = ptr::null_mut();
        assert_eq!(find_as(us, c"a", INSTAG_RECENT, false), master);
        otrl_context_update_recent_child(ptr::null_mut(), 1);
        assert!(otrl_context_find_recent_instance(ptr::null_mut(), INSTAG_RECENT).is_null());
        otrl_userstate_free(us);
    }
}

#[test]
fn the_best_instance_is_the_safest_then_the_latest() {
    unsafe {
        let us = otrl_userstate_create();
        let first = find_as(us, c"a", 0x100, true);
        let second = find_as(us, c"a", 0x200, true);
        let best = || find_as(us, c"a", INSTAG_BEST, false);
        assert_eq!(best(), second, "among equals the last");
        (*(*first).context_priv).lastrecv = 10;
        assert_eq!(best(), first, "the one heard last");
        (*second).msgstate = MSGSTATE_FINISHED;
        assert_eq!(best(), second, "finished is better than plaintext");
        (*first).msgstate = MSGSTATE_ENCRYPTED;
        assert_eq!(best(), first, "encrypted is better than finished");
        (*second).msgstate = MSGSTATE_ENCRYPTED;
        (*second).active_fingerprint =
            otrl_context_find_fingerprint(first, [7; 20].as_mut_ptr(), 1, ptr::null_mut());
        assert_eq!(best(), first);
        otrl_context_set_trust((*second).active_fingerprint, c"yes".as_ptr());
        assert_eq!(best(), second, "trust comes before time");
        assert!(otrl_context_find_recent_secure_instance(ptr::null_mut()).is_null());
        otrl_userstate_free(us);
    }
}

#[repr(C)]
struct Calls {
    us: *mut UserState,
    contexts: Vec<(*mut ConnContext, u32, bool)>,
    freed: usize,
}

unsafe extern "C-unwind" fn note(data: *mut c_void, context: *mut ConnContext) {
    unsafe {
        let calls: *mut Calls = data.cast();
        (*calls).contexts.push((
            context,
            (*context).their_instance,
            (*context).m_context == context,
        ));
        (*context).app_data = data;
        (*context).app_data_free = Some(note_free);
        // Asking for the same one again, as clients do in callbacks, must not make another.
        let again = find_as(
            (*calls).us,
            CStr::from_ptr((*context).username),
            (*context).their_instance,
            true,
        );
        assert_eq!(again, context);
    }
}

unsafe extern "C-unwind" fn note_free(data: *mut c_void) {
    unsafe { (*data.cast::<Calls>()).freed += 1 };
}

#[test]
fn app_data_is_added_once_per_context_when_its_master_is_known() {
    unsafe {
        let us = otrl_userstate_create();
        let calls = &mut Calls {
            us,
            contexts: Vec::new(),
            freed: 0,
        } as *mut Calls;
        let mut added = 0;
        let child = otrl_context_find(
            us,
            c"a".as_ptr(),
            c"me".as_ptr(),
            c"p".as_ptr(),
            0x100,
            1,
            &mut added,
            Some(note),
            calls.cast(),
        );
        assert_eq!(added, 1);
        let master = (*child).m_context;
        assert_ne!(master, child);
        assert_eq!(
            (*calls).contexts,
            [(master, 0, true), (child, 0x100, false)]
        );
        otrl_userstate_free(us);
        assert_eq!((*calls).freed, 2);
    }
}

unsafe extern "C-unwind" fn forget_at_once(_: *mut c_void, context: *mut ConnContext) {
    assert_eq!(unsafe { otrl_context_forget(context) }, 0);
}

#[test]
fn a_context_that_the_callback_forgets_is_not_returned() {
    unsafe {
        let us = otrl_userstate_create();
        for tag in [0, 0x100] {
            let none = otrl_context_find(
                us,
                c"a".as_ptr(),
                c"me".as_ptr(),
                c"p".as_ptr(),
                tag,
                1,
                ptr::null_mut(),
                Some(forget_at_once),
                ptr::null_mut(),
            );
            assert!(none.is_null());
        }
        assert!((*us).context_root.is_null());
        otrl_userstate_free(us);
    }
}

#[test]
fn a_context_knows_our_tag() {
    unsafe {
        let us = otrl_userstate_create();
        instag::add(borrow(us), b"me", b"p", 0x4711);
        assert_eq!((*find_as(us, c"a", 0x100, true)).our_instance, 0x4711);
        assert_eq!((*find_as(us, c"a", 0, true)).our_instance, 0x4711);
        // The account gets another tag: correspondents who have seen the first one keep seeing it.
        instag::forget_all(borrow(us));
        instag::add(borrow(us), b"me", b"p", 0x4712);
        assert_eq!((*find_as(us, c"a", 0x101, true)).our_instance, 0x4711);
        assert_eq!((*find_as(us, c"b", 0x101, true)).our_instance, 0x4712);
        otrl_userstate_free(us);
    }
}

#[test]
fn fingerprints_belong_to_the_master_newest_first() {
    unsafe {
        let us = otrl_userstate_create();
        let child = find_as(us, c"a", 0x100, true);
        let master = (*child).m_context;
        let mut added = 0;
        let one = otrl_context_find_fingerprint(child, [1; 20].as_mut_ptr(), 1, &mut added);
        assert_eq!((added, (*one).context), (1, master));
        let two = otrl_context_find_fingerprint(master, [2; 20].as_mut_ptr(), 1, &mut added);
        assert_eq!(
            ((*master).fingerprint_root.next, (*two).next, (*one).next),
            (two, one, ptr::null_mut())
        );
        assert_eq!(
            ((*two).tous, (*one).tous),
            (
                &raw mut (*master).fingerprint_root.next,
                &raw mut (*two).next
            )
        );
        assert!((*child).fingerprint_root.next.is_null());
        assert_eq!(
            otrl_context_find_fingerprint(child, [1; 20].as_mut_ptr(), 1, &mut added),
            one
        );
        assert_eq!(added, 0);
        assert!(
            otrl_context_find_fingerprint(child, [3; 20].as_mut_ptr(), 0, ptr::null_mut())
                .is_null()
        );
        assert!(
            otrl_context_find_fingerprint(
                ptr::null_mut(),
                [3; 20].as_mut_ptr(),
                1,
                ptr::null_mut()
            )
            .is_null()
        );
        assert!(
            otrl_context_find_fingerprint(child, ptr::null_mut(), 1, ptr::null_mut()).is_null()
        );
        otrl_userstate_free(us);
    }
}

#[test]
fn trust_is_the_clients_own_string() {
    unsafe {
        let us = otrl_userstate_create();
        let context = find_as(us, c"a", 0, true);
        let fingerprint =
            otrl_context_find_fingerprint(context, [1; 20].as_mut_ptr(), 1, ptr::null_mut());
        assert_eq!(otrl_context_is_fingerprint_trusted(fingerprint), 0);
        otrl_context_set_trust(fingerprint, c"smp".as_ptr());
        assert_eq!(otrl_context_is_fingerprint_trusted(fingerprint), 1);
        otrl_context_set_trust(fingerprint, (*fingerprint).trust);
        assert_eq!(CStr::from_ptr((*fingerprint).trust), c"smp");
        libc::free((*fingerprint).trust.cast());
        (*fingerprint).trust = libc::strdup(c"".as_ptr());
        assert_eq!(otrl_context_is_fingerprint_trusted(fingerprint), 0);
        otrl_context_set_trust(fingerprint, ptr::null());
        assert!((*fingerprint).trust.is_null());
        otrl_context_set_trust(ptr::null_mut(), c"x".as_ptr());
        assert_eq!(otrl_context_is_fingerprint_trusted(ptr::null_mut()), 0);
        otrl_userstate_free(us);
    }
}

#[test]
fn forgetting_a_fingerprint_spares_the_active_one_and_may_take_the_context() {
    unsafe {
        let us = otrl_userstate_create();
        let child = find_as(us, c"a", 0x100, true);
        let master = (*child).m_context;
        let one =
            || otrl_context_find_fingerprint(master, [1; 20].as_mut_ptr(), 1, ptr::null_mut());
        let active = one();
        (*child).msgstate = MSGSTATE_ENCRYPTED;
        (*child).active_fingerprint = active;
        otrl_context_forget_fingerprint(active, 1);
        assert_eq!((*master).fingerprint_root.next, active);

        otrl_context_force_finished(child);
        otrl_context_forget_fingerprint(active, 1);
        assert!((*master).fingerprint_root.next.is_null());
        assert_eq!(
            find_as(us, c"a", 0, false),
            master,
            "an instance in finished state keeps the context"
        );

        otrl_context_force_plaintext(child);
        otrl_context_forget_fingerprint(one(), 0);
        assert_eq!(find_as(us, c"a", 0, false), master);
        otrl_context_forget_fingerprint(&raw mut (*master).fingerprint_root, 0);
        assert_eq!(find_as(us, c"a", 0, false), master);
        otrl_context_forget_fingerprint(&raw mut (*master).fingerprint_root, 1);
        assert!((*us).context_root.is_null());
        otrl_context_forget_fingerprint(ptr::null_mut(), 1);
        otrl_userstate_free(us);
    }
}

#[test]
fn a_context_with_a_session_is_not_forgotten() {
    unsafe {
        let us = otrl_userstate_create();
        let child = find_as(us, c"a", 0x100, true);
        let master = (*child).m_context;
        find_as(us, c"b", 0, true);
        (*child).msgstate = MSGSTATE_FINISHED;
        assert_eq!(otrl_context_forget(child), 1);
        assert_eq!(otrl_context_forget(master), 1);
        assert_eq!(order(us).len(), 3);
        (*child).msgstate = MSGSTATE_PLAINTEXT;
        assert_eq!(otrl_context_forget(master), 0);
        assert_eq!(order(us), [(b"b".to_vec(), 0)]);
        assert_eq!(otrl_context_forget(ptr::null_mut()), 1);
        (*(*us).context_root).msgstate = MSGSTATE_ENCRYPTED;
        otrl_context_forget_all(us);
        assert!((*us).context_root.is_null());
        otrl_userstate_free(us);
        otrl_userstate_free(ptr::null_mut());
    }
}

#[test]
fn ending_a_session_by_force_forgets_it() {
    unsafe {
        let us = otrl_userstate_create();
        let context = find_as(us, c"a", 0, true);
        let auth = &raw mut (*context).auth;
        (*context).msgstate = MSGSTATE_ENCRYPTED;
        (*context).protocol_version = 3;
        (*context).sessionid = [1; 20];
        (*context).sessionid_len = 8;
        (*context).otr_offer = OFFER_ACCEPTED;
        (*context).active_fingerprint =
            otrl_context_find_fingerprint(context, [1; 20].as_mut_ptr(), 1, ptr::null_mut());
        (*auth).authstate = AUTHSTATE_AWAITING_SIG;
        (*auth).lastauthmsg = c_string(b"?OTR:AAMC.");
        (*auth).their_pub = mpi::new_from_bytes(&[9]).unwrap().into_raw();
        (*auth).enc_c = cipher::aes128_ctr(&[1; 16], None).unwrap().into_raw();
        (*auth).commit_sent_time = 5;
        (*(*context).smstate).secret = mpi::new_from_bytes(&[9]).unwrap().into_raw();
        (*(*context).context_priv).lastmessage = c_string(b"text");
        (*(*context).context_priv).lastrecv = 99;
        otrl_context_force_finished(context);
        assert_eq!((*context).msgstate, MSGSTATE_FINISHED);
        assert_eq!(
            (
                (*context).protocol_version,
                (*context).sessionid,
                (*context).sessionid_len
            ),
            (0, [0; 20], 0)
        );
        assert!((*context).active_fingerprint.is_null() && (*auth).lastauthmsg.is_null());
        assert_eq!(
            ((*auth).authstate, (*auth).commit_sent_time, (*auth).context),
            (AUTHSTATE_NONE, 0, context)
        );
        assert!((*auth).their_pub.is_null() && (*auth).enc_c.is_null());
        assert!(
            (*(*context).smstate).secret.is_null()
                && (*(*context).context_priv).lastmessage.is_null()
        );
        assert_eq!(
            ((*context).otr_offer, (*(*context).context_priv).lastrecv),
            (OFFER_ACCEPTED, 99)
        );
        otrl_context_force_plaintext(context);
        assert_eq!((*context).msgstate, MSGSTATE_PLAINTEXT);
        otrl_context_force_finished(ptr::null_mut());
        otrl_userstate_free(us);
    }
}

#[test]
fn a_handle_outlives_its_context_without_harm() {
    unsafe {
        let us = otrl_userstate_create();
        let context = find_as(us, c"a", 0, true);
        let other = find_as(us, c"b", 0, true);
        let (handle, others) = (Handle::of(borrow(context)), Handle::of(borrow(other)));
        let borrowed = Some(borrow(us));
        assert_eq!(handle.get(borrowed), Some(borrow(context)));
        assert_eq!(handle.get(None), Some(borrow(context)));
        assert_eq!(at_address(borrow(us), context), Some(borrow(context)));
        assert_eq!(otrl_context_forget(context), 0);
        assert_eq!(at_address(borrow(us), context), None);
        assert_eq!((handle.get(borrowed), handle.get(None)), (None, None));
        assert_eq!(others.get(borrowed), Some(borrow(other)));
        // A new context is a different one, even at the same address.
        find_as(us, c"a", 0, true);
        assert_eq!(handle.get(borrowed), None);
        otrl_userstate_free(us);
    }
}

#[test]
fn private_state_hangs_behind_our_contexts_only() {
    unsafe {
        let us = otrl_userstate_create();
        let (a, b) = (find_as(us, c"a", 0, true), find_as(us, c"b", 0, true));
        let (a, b) = (borrow(a), borrow(b));
        let address = |context| context_priv::private_of(context).map(ptr::from_ref);
        assert!(address(a).is_some());
        assert_ne!(address(a), address(b));
        let theirs: *mut ConnContext = c_zeroed();
        assert!(context_priv::private_of(borrow(theirs)).is_none());
        (*theirs).context_priv = c_zeroed();
        assert!(context_priv::private_of(borrow(theirs)).is_none());
        libc::free((*theirs).context_priv.cast());
        libc::free(theirs.cast());
        otrl_userstate_free(us);
    }
}
