//! The part of `sm.h` that only copies and frees objects.

use std::ffi::c_int;

use super::borrowed::{Borrowed, Out};
use super::entry::entry;
use super::gcry::{self, Mpi};
use super::memory::c_zeroed;
use super::types::{OtrlSMState, SMP_EXPECT1, SMP_PROG_OK};

/// The generator g1.
const GENERATOR: u8 = 2;

/// Initialises a state. What was there before is overwritten.
pub(crate) fn state_new(state: Borrowed<'_, OtrlSMState>) {
    state.blank();
    state.next_expected().set(SMP_EXPECT1);
    state.sm_prog_state().set(SMP_PROG_OK);
}

/// Starts a run: every number is allocated and 0, except `x2`, `x3` and the generator.
fn state_init(state: Borrowed<'_, OtrlSMState>) {
    state_free(state);
    for place in state.numbers() {
        if place != state.x2() && place != state.x3() {
            place.put(if place == state.g1() {
                &[GENERATOR]
            } else {
                &[]
            });
        }
    }
}

/// Releases the numbers and leaves an empty state; the struct itself stays.
pub(crate) fn state_free(state: Borrowed<'_, OtrlSMState>) {
    for number in state.numbers() {
        number.clear();
    }
    state_new(state);
}

/// The numbers of a message: a malloc'ed array of `count` numbers.
///
/// # Safety
/// `array` is such an array.
unsafe fn numbers<'a>(
    array: Borrowed<'a, *mut Mpi>,
    count: usize,
) -> impl Iterator<Item = Borrowed<'a, *mut Mpi>> {
    // SAFETY: within the array.
    (0..count).map(move |index| unsafe { array.part(|first| first.add(index)) })
}

/// Stores a malloc'ed array of `N` numbers: 0 where a message has a group element or an exponent, NULL where it has a hash
/// value.
fn put_message<const N: usize>(place: Out<'_, *mut *mut Mpi>, hash_values: &[usize]) {
    if !place.is_wanted() {
        return;
    }
    let array: *mut [*mut Mpi; N] = c_zeroed();
    // SAFETY: NULL, or a new array of `N` NULLs.
    unsafe {
        for (index, number) in Borrowed::new(array.cast())
            .into_iter()
            .flat_map(|array| numbers(array, N))
            .enumerate()
        {
            if !hash_values.contains(&index) {
                number.put(&[]);
            }
        }
    }
    place.put(array.cast());
}

entry! {
    /// Initialises the module: only libgcrypt is initialised, if the process has one.
    ///
    /// # Safety
    /// None beyond C's calling convention.
    on panic ();
    pub fn otrl_sm_init() {
        gcry::get_ready();
    }
}

entry! {
    /// Initialises a state. What was there before is overwritten.
    ///
    /// # Safety
    /// `state` is NULL or writable.
    on panic ();
    pub fn otrl_sm_state_new(state: *mut OtrlSMState as Option<Borrowed<OtrlSMState>>) {
        if let Some(state) = state {
            state_new(state);
        }
    }
}

entry! {
    /// Starts a run.
    ///
    /// # Safety
    /// `state` is NULL or a state.
    on panic ();
    pub fn otrl_sm_state_init(state: *mut OtrlSMState as Option<Borrowed<OtrlSMState>>) {
        if let Some(state) = state {
            state_init(state);
        }
    }
}

entry! {
    /// Releases the numbers and leaves an empty state. Clients call it inside callbacks, and twice.
    ///
    /// # Safety
    /// `state` is NULL or a state.
    on panic ();
    pub fn otrl_sm_state_free(state: *mut OtrlSMState as Option<Borrowed<OtrlSMState>>) {
        if let Some(state) = state {
            state_free(state);
        }
    }
}

entry! {
    /// Allocates the numbers of the first message: g2a, c2, D2, g3a, c3, D3.
    ///
    /// # Safety
    /// `place` is NULL or writable.
    on panic ();
    pub fn otrl_sm_msg1_init(place: *mut *mut *mut Mpi as Out<*mut *mut Mpi>) {
        put_message::<6>(place, &[1, 4]);
    }
}

entry! {
    /// Allocates the numbers of the second message: g2b, c2, D2, g3b, c3, D3, Pb, Qb, cP, D5, D6.
    ///
    /// # Safety
    /// `place` is NULL or writable.
    on panic ();
    pub fn otrl_sm_msg2_init(place: *mut *mut *mut Mpi as Out<*mut *mut Mpi>) {
        put_message::<11>(place, &[1, 4, 8]);
    }
}

entry! {
    /// Allocates the numbers of the third message: Pa, Qa, cP, D5, D6, Ra, cR, D7.
    ///
    /// # Safety
    /// `place` is NULL or writable.
    on panic ();
    pub fn otrl_sm_msg3_init(place: *mut *mut *mut Mpi as Out<*mut *mut Mpi>) {
        put_message::<8>(place, &[2, 6]);
    }
}

entry! {
    /// Allocates the numbers of the fourth message: Rb, cR, D7.
    ///
    /// # Safety
    /// `place` is NULL or writable.
    on panic ();
    pub fn otrl_sm_msg4_init(place: *mut *mut *mut Mpi as Out<*mut *mut Mpi>) {
        put_message::<3>(place, &[1]);
    }
}

entry! {
    /// Releases a message, and sets the pointer to NULL.
    ///
    /// # Safety
    /// `message` is NULL, or points at NULL or at a malloc'ed array of `len` numbers.
    on panic ();
    pub fn otrl_sm_msg_free(message: *mut *mut *mut Mpi as Option<Borrowed<*mut *mut Mpi>>, len: c_int) {
        let Some(message) = message else { return };
        let Some(array) = message.follow() else { return };
        message.forget();
        // SAFETY: an array of `len` numbers from malloc, as `# Safety` requires, to which nothing points any more.
        unsafe {
            numbers(array, usize::try_from(len).unwrap_or(0)).for_each(Borrowed::clear);
            libc::free(array.as_ptr().cast());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::borrowed::borrow;
    use std::ptr;

    #[test]
    fn a_state_has_a_secret_only_while_it_runs() {
        let state: *mut OtrlSMState = c_zeroed();
        unsafe {
            otrl_sm_init();
            otrl_sm_state_new(state);
            assert!((*state).secret.is_null());
            otrl_sm_state_init(state);
            assert!(!(*state).secret.is_null() && (*state).x2.is_null() && !(*state).qab.is_null());
            assert_eq!(borrow((*state).g1).number().unwrap().as_slice(), [2]);
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
