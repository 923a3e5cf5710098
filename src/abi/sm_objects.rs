//! The part of `sm.h` that only moves objects about.

use std::ffi::c_int;
use std::ptr;

use super::entry::entry;
use super::gcry::{self, Mpi, mpi};
use super::memory::c_zeroed;
use super::types::{OtrlSMState, SMP_EXPECT1, SMP_PROG_OK};

/// The generator g1.
const GENERATOR: u8 = 2;

/// Makes an empty state of whatever was there.
///
/// # Safety
/// `state` is writable.
pub unsafe fn state_new(state: *mut OtrlSMState) {
    let none = ptr::null_mut;
    // SAFETY: the caller's promise.
    unsafe {
        state.write(OtrlSMState {
            secret: none(),
            x2: none(),
            x3: none(),
            g1: none(),
            g2: none(),
            g3: none(),
            g3o: none(),
            p: none(),
            q: none(),
            pab: none(),
            qab: none(),
            next_expected: SMP_EXPECT1,
            received_question: 0,
            sm_prog_state: SMP_PROG_OK,
        });
    }
}

/// Starts a run: every number is there and 0, but for `x2`, `x3` and the generator.
///
/// # Safety
/// `state` is a state.
pub unsafe fn state_init(state: *mut OtrlSMState) {
    // SAFETY: the caller's promise; the fields are empty when they are written.
    unsafe {
        state_free(state);
        (*state).secret = number(&[]);
        (*state).g1 = number(&[GENERATOR]);
        (*state).g2 = number(&[]);
        (*state).g3 = number(&[]);
        (*state).g3o = number(&[]);
        (*state).p = number(&[]);
        (*state).q = number(&[]);
        (*state).pab = number(&[]);
        (*state).qab = number(&[]);
    }
}

/// Releases the numbers and leaves an empty state; the struct itself stays.
///
/// # Safety
/// `state` is a state.
pub unsafe fn state_free(state: *mut OtrlSMState) {
    // SAFETY: the caller's promise.
    unsafe {
        for place in [
            &raw mut (*state).secret,
            &raw mut (*state).x2,
            &raw mut (*state).x3,
            &raw mut (*state).g1,
            &raw mut (*state).g2,
            &raw mut (*state).g3,
            &raw mut (*state).g3o,
            &raw mut (*state).p,
            &raw mut (*state).q,
            &raw mut (*state).pab,
            &raw mut (*state).qab,
        ] {
            mpi::release_and_clear(place);
        }
        state_new(state);
    }
}

/// Releases an array of numbers and leaves NULL.
///
/// # Safety
/// `message` points at NULL or at a malloc'ed array of `len` numbers.
pub unsafe fn msg_free(message: *mut *mut *mut Mpi, len: c_int) {
    // SAFETY: the caller's promise.
    unsafe {
        let array = message.replace(ptr::null_mut());
        if !array.is_null() {
            for index in 0..usize::try_from(len).unwrap_or(0) {
                mpi::release_and_clear(array.add(index));
            }
            libc::free(array.cast());
        }
    }
}

fn number(big_endian: &[u8]) -> *mut Mpi {
    mpi::new_from_bytes(big_endian).unwrap_or(ptr::null_mut())
}

/// A malloc'ed array of `N` numbers, 0 where a message has a group element or an exponent, NULL where it has a hash value.
fn message<const N: usize>(hash_values: &[usize]) -> *mut *mut Mpi {
    let array: *mut [*mut Mpi; N] = c_zeroed();
    if !array.is_null() {
        for index in (0..N).filter(|index| !hash_values.contains(index)) {
            // SAFETY: within the new array.
            unsafe { array.cast::<*mut Mpi>().add(index).write(number(&[])) };
        }
    }
    array.cast()
}

entry! {
    /// Gets the module ready, which takes nothing but a libgcrypt that is awake, if the process has one.
    ///
    /// # Safety
    /// None beyond C's calling convention.
    on panic ();
    pub fn otrl_sm_init() {
        gcry::get_ready();
    }
}

entry! {
    /// Makes an empty state of whatever was there.
    ///
    /// # Safety
    /// `state` is NULL or writable.
    on panic ();
    pub fn otrl_sm_state_new(state: *mut OtrlSMState) {
        if !state.is_null() {
            // SAFETY: not NULL.
            unsafe { state_new(state) }
        }
    }
}

entry! {
    /// Starts a run.
    ///
    /// # Safety
    /// `state` is NULL or a state.
    on panic ();
    pub fn otrl_sm_state_init(state: *mut OtrlSMState) {
        if !state.is_null() {
            // SAFETY: not NULL.
            unsafe { state_init(state) }
        }
    }
}

entry! {
    /// Releases the numbers and leaves an empty state. Clients call it inside callbacks, and twice.
    ///
    /// # Safety
    /// `state` is NULL or a state.
    on panic ();
    pub fn otrl_sm_state_free(state: *mut OtrlSMState) {
        if !state.is_null() {
            // SAFETY: not NULL.
            unsafe { state_free(state) }
        }
    }
}

entry! {
    /// Allocates the numbers of the first message: g2a, c2, D2, g3a, c3, D3.
    ///
    /// # Safety
    /// `place` is NULL or writable.
    on panic ();
    pub fn otrl_sm_msg1_init(place: *mut *mut *mut Mpi) {
        if !place.is_null() {
            // SAFETY: not NULL.
            unsafe { place.write(message::<6>(&[1, 4])) }
        }
    }
}

entry! {
    /// Allocates the numbers of the second message: g2b, c2, D2, g3b, c3, D3, Pb, Qb, cP, D5, D6.
    ///
    /// # Safety
    /// `place` is NULL or writable.
    on panic ();
    pub fn otrl_sm_msg2_init(place: *mut *mut *mut Mpi) {
        if !place.is_null() {
            // SAFETY: not NULL.
            unsafe { place.write(message::<11>(&[1, 4, 8])) }
        }
    }
}

entry! {
    /// Allocates the numbers of the third message: Pa, Qa, cP, D5, D6, Ra, cR, D7.
    ///
    /// # Safety
    /// `place` is NULL or writable.
    on panic ();
    pub fn otrl_sm_msg3_init(place: *mut *mut *mut Mpi) {
        if !place.is_null() {
            // SAFETY: not NULL.
            unsafe { place.write(message::<8>(&[2, 6])) }
        }
    }
}

entry! {
    /// Allocates the numbers of the fourth message: Rb, cR, D7.
    ///
    /// # Safety
    /// `place` is NULL or writable.
    on panic ();
    pub fn otrl_sm_msg4_init(place: *mut *mut *mut Mpi) {
        if !place.is_null() {
            // SAFETY: not NULL.
            unsafe { place.write(message::<3>(&[1])) }
        }
    }
}

entry! {
    /// Releases a message.
    ///
    /// # Safety
    /// `message` is NULL or as [`msg_free`] says.
    on panic ();
    pub fn otrl_sm_msg_free(message: *mut *mut *mut Mpi, len: c_int) {
        if !message.is_null() {
            // SAFETY: not NULL.
            unsafe { msg_free(message, len) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_has_a_secret_only_while_it_runs() {
        let state: *mut OtrlSMState = c_zeroed();
        unsafe {
            otrl_sm_init();
            otrl_sm_state_new(state);
            assert!((*state).secret.is_null());
            otrl_sm_state_init(state);
            assert!(!(*state).secret.is_null() && (*state).x2.is_null() && !(*state).qab.is_null());
            assert_eq!(mpi::bytes((*state).g1).unwrap().as_slice(), [2]);
            (*state).next_expected = 3;
            (*state).sm_prog_state = -2;
            otrl_sm_state_free(state);
            otrl_sm_state_free(state);
            otrl_sm_state_free(ptr::null_mut());
            assert!((*state).secret.is_null() && (*state).g1.is_null());
            assert_eq!(
                ((*state).next_expected, (*state).sm_prog_state),
                (SMP_EXPECT1, SMP_PROG_OK)
            );
            libc::free(state.cast());
        }
    }

    #[test]
    fn messages_have_room_where_they_have_numbers() {
        type Init = unsafe extern "C-unwind" fn(*mut *mut *mut Mpi);
        let inits: [(Init, usize, &[usize]); 4] = [
            (otrl_sm_msg1_init, 6, &[1, 4]),
            (otrl_sm_msg2_init, 11, &[1, 4, 8]),
            (otrl_sm_msg3_init, 8, &[2, 6]),
            (otrl_sm_msg4_init, 3, &[1]),
        ];
        for (init, len, empty) in inits {
            let mut message = ptr::null_mut();
            unsafe {
                init(&mut message);
                for index in 0..len {
                    assert_eq!(
                        (*message.add(index)).is_null(),
                        empty.contains(&index),
                        "{index} of {len}"
                    );
                }
                otrl_sm_msg_free(&mut message, c_int::try_from(len).unwrap());
                assert!(message.is_null());
                otrl_sm_msg_free(&mut message, 3);
            }
        }
    }
}
