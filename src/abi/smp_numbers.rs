//! `OtrlSMState` to and from the typed SMP.

use std::ptr;

use super::context::Ctx;
use super::gcry::{Mpi, mpi};
use super::types::*;
use otr_crypto::group::{Element, Exponent, Residue, generator};
use otr_protocol::smp::state::{Expected, Numbers, Progress, Smp};

/// Reads the SMP. A number that is missing, 0 or out of range is read as not known.
///
/// # Safety
/// `state` is live; its numbers are NULL or live.
#[inline(never)]
pub(crate) unsafe fn load(state: *const OtrlSMState) -> Smp {
    // SAFETY: the caller's promise.
    unsafe {
        Smp {
            expected: match (*state).next_expected {
                SMP_EXPECT2 => Expected::Message2,
                SMP_EXPECT3 => Expected::Message3,
                SMP_EXPECT4 => Expected::Message4,
                SMP_EXPECT5 => Expected::Message5,
                _ => Expected::Message1,
            },
            progress: match (*state).sm_prog_state {
                SMP_PROG_CHEATED => Progress::Cheated,
                SMP_PROG_FAILED => Progress::Failed,
                SMP_PROG_SUCCEEDED => Progress::Succeeded,
                _ => Progress::Good,
            },
            received_question: (*state).received_question != 0,
            numbers: Numbers {
                secret: exponent((*state).secret),
                x2: exponent((*state).x2),
                x3: exponent((*state).x3),
                g2: residue((*state).g2),
                g3: residue((*state).g3),
                g3o: mpi::bytes((*state).g3o).and_then(|bytes| Element::from_bytes(&bytes)),
                p: residue((*state).p),
                q: residue((*state).q),
                pab: residue((*state).pab),
                qab: residue((*state).qab),
            },
        }
    }
}

/// Writes the SMP back. Once an exchange has begun every number but x2 and x3 is there, 0 until it is known.
///
/// # Safety
/// As for [`load`], and `state` is writable.
#[inline(never)]
pub(crate) unsafe fn store(state: *mut OtrlSMState, smp: &Smp) {
    // SAFETY: the caller's promise.
    unsafe {
        (*state).next_expected = expected_number(smp.expected);
        (*state).sm_prog_state = progress_number(smp.progress);
        (*state).received_question = smp.received_question.into();
        let n = &smp.numbers;
        if n.x2.is_none() && n.secret.is_none() && (*state).g1.is_null() {
            return;
        }
        put_secret(&raw mut (*state).x2, n.x2.as_ref(), false);
        put_secret(&raw mut (*state).x3, n.x3.as_ref(), false);
        put_secret(&raw mut (*state).secret, n.secret.as_ref(), true);
        put_number(&raw mut (*state).g1, Some(&generator()));
        put_number(&raw mut (*state).g2, n.g2.as_ref());
        put_number(&raw mut (*state).g3, n.g3.as_ref());
        put_number(&raw mut (*state).g3o, n.g3o.as_deref());
        put_number(&raw mut (*state).p, n.p.as_ref());
        put_number(&raw mut (*state).q, n.q.as_ref());
        put_number(&raw mut (*state).pab, n.pab.as_ref());
        put_number(&raw mut (*state).qab, n.qab.as_ref());
    }
}

/// The SMP of a context. `None` if a client's own context has no place for it.
pub(crate) fn load_of(ctx: Ctx<'_>) -> Option<Smp> {
    // SAFETY: NULL, or the state of a live context.
    unsafe {
        let state = (*ctx.as_ptr()).smstate;
        (!state.is_null()).then(|| load(state))
    }
}

/// Writes the SMP of a context back.
pub(crate) fn store_of(ctx: Ctx<'_>, smp: &Smp) {
    // SAFETY: likewise.
    unsafe {
        let state = (*ctx.as_ptr()).smstate;
        if !state.is_null() {
            store(state, smp);
        }
    }
}

/// The next message as the struct numbers it.
pub(crate) fn expected_number(expected: Expected) -> NextExpectedSmp {
    match expected {
        Expected::Message1 => SMP_EXPECT1,
        Expected::Message2 => SMP_EXPECT2,
        Expected::Message3 => SMP_EXPECT3,
        Expected::Message4 => SMP_EXPECT4,
        Expected::Message5 => SMP_EXPECT5,
    }
}

fn progress_number(progress: Progress) -> OtrlSmProgState {
    match progress {
        Progress::Good => SMP_PROG_OK,
        Progress::Cheated => SMP_PROG_CHEATED,
        Progress::Failed => SMP_PROG_FAILED,
        Progress::Succeeded => SMP_PROG_SUCCEEDED,
    }
}

/// A secret number of the struct.
///
/// # Safety
/// `number` is NULL or live.
unsafe fn exponent(number: *const Mpi) -> Option<Exponent> {
    // SAFETY: the caller vouches for the number.
    unsafe { mpi::bytes(number) }.and_then(|bytes| Exponent::from_bytes(&bytes))
}

/// A number of the struct that is not 0.
///
/// # Safety
/// `number` is NULL or live.
unsafe fn residue(number: *const Mpi) -> Option<Residue> {
    // SAFETY: the caller vouches for the number.
    unsafe { mpi::bytes(number) }
        .filter(|bytes| !bytes.is_empty())
        .and_then(|bytes| Residue::from_bytes(&bytes))
}

/// Puts a secret number into this place; NULL, or 0 if `zero` asks for it, while it is not known.
///
/// # Safety
/// `place` is writable, and NULL or a live number.
unsafe fn put_secret(place: *mut *mut Mpi, number: Option<&Exponent>, zero: bool) {
    let made = match number {
        Some(number) => mpi::new_secret(&number.to_bytes()),
        None if zero => mpi::zero(),
        None => None,
    };
    // SAFETY: the caller vouches for the place.
    unsafe {
        mpi::release_and_clear(place);
        *place = made.unwrap_or(ptr::null_mut());
    }
}

/// Puts a number into this place; 0 while it is not known.
///
/// # Safety
/// `place` is writable, and NULL or a live number.
unsafe fn put_number(place: *mut *mut Mpi, number: Option<&Residue>) {
    let made = match number {
        Some(number) => mpi::new_secret(&number.to_bytes()),
        None => mpi::zero(),
    };
    // SAFETY: the caller vouches for the place.
    unsafe {
        mpi::release_and_clear(place);
        *place = made.unwrap_or(ptr::null_mut());
    }
}
