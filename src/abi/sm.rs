//! `sm.h`: the steps of the SMP run by hand, on the public struct alone.

use std::ffi::c_int;
use std::ptr;

use super::entry::{entry, guard};
use super::error::GcryError;
use super::memory::{c_buffer, put, slice_of};
use super::smp_numbers;
use super::types::*;
use otr_crypto::group::Exponent;
use otr_protocol::error::ProtocolError;
use otr_protocol::smp::state::{Progress, Smp};

entry! {
    /// Step 1: begins with `secret`; message 1 is in `*output`, to be freed with `free`.
    ///
    /// # Safety
    /// `astate` is NULL or was made by `otrl_sm_state_new`; `secret` has `secretlen` bytes; the
    /// out-parameters are NULL or writable.
    on panic GcryError::INTERNAL;
    pub fn otrl_sm_step1(
        astate: *mut OtrlSMState, secret: *const u8, secretlen: c_int,
        output: *mut *mut u8, outputlen: *mut c_int,
    ) -> GcryError {
        // SAFETY: the caller's promise.
        unsafe {
            let secret = input(secret, secretlen);
            with_output(astate, output, outputlen, |smp| smp.initiate(exponent(secret)?))
        }
    }
}

entry! {
    /// Step 2a: takes message 1; step 2b needs our secret.
    ///
    /// # Safety
    /// As for [`otrl_sm_step1`]; `input` has `inputlen` bytes.
    on panic GcryError::INTERNAL;
    pub fn otrl_sm_step2a(
        bstate: *mut OtrlSMState, message1: *const u8, inputlen: c_int, received_question: c_int,
    ) -> GcryError {
        // SAFETY: the caller's promise.
        unsafe { step(bstate, |smp| smp.on_message1(input(message1, inputlen), received_question != 0)) }
            .into()
    }
}

entry! {
    /// Step 2b: answers with `secret`; message 2 is in `*output`.
    ///
    /// # Safety
    /// As for [`otrl_sm_step1`].
    on panic GcryError::INTERNAL;
    pub fn otrl_sm_step2b(
        bstate: *mut OtrlSMState, secret: *const u8, secretlen: c_int,
        output: *mut *mut u8, outputlen: *mut c_int,
    ) -> GcryError {
        // SAFETY: the caller's promise.
        unsafe {
            let secret = input(secret, secretlen);
            with_output(bstate, output, outputlen, |smp| smp.respond(exponent(secret)?))
        }
    }
}

entry! {
    /// Step 3: takes message 2; message 3 is in `*output`.
    ///
    /// # Safety
    /// As for [`otrl_sm_step2a`].
    on panic GcryError::INTERNAL;
    pub fn otrl_sm_step3(
        astate: *mut OtrlSMState, message2: *const u8, inputlen: c_int,
        output: *mut *mut u8, outputlen: *mut c_int,
    ) -> GcryError {
        // SAFETY: the caller's promise.
        unsafe { with_output(astate, output, outputlen, |smp| smp.on_message2(input(message2, inputlen))) }
    }
}

entry! {
    /// Step 4: takes message 3; message 4 is in `*output`. No error: the secrets are the same.
    ///
    /// # Safety
    /// As for [`otrl_sm_step2a`].
    on panic GcryError::INTERNAL;
    pub fn otrl_sm_step4(
        bstate: *mut OtrlSMState, message3: *const u8, inputlen: c_int,
        output: *mut *mut u8, outputlen: *mut c_int,
    ) -> GcryError {
        // SAFETY: the caller's promise.
        unsafe {
            let outcome = with_output(bstate, output, outputlen, |smp| smp.on_message3(input(message3, inputlen)));
            if outcome.is_error() { outcome } else { verdict(bstate) }
        }
    }
}

entry! {
    /// Step 5: takes message 4. No error: the secrets are the same.
    ///
    /// # Safety
    /// As for [`otrl_sm_step2a`].
    on panic GcryError::INTERNAL;
    pub fn otrl_sm_step5(astate: *mut OtrlSMState, message4: *const u8, inputlen: c_int) -> GcryError {
        // SAFETY: the caller's promise.
        unsafe {
            match step(astate, |smp| smp.on_message4(input(message4, inputlen))) {
                Ok(()) => verdict(astate),
                Err(error) => error,
            }
        }
    }
}

/// Runs a step and writes the state back; of a refused one only how it went.
///
/// # Safety
/// `state` is NULL or live; its numbers are NULL or live.
unsafe fn step<T>(
    state: *mut OtrlSMState,
    step: impl FnOnce(&mut Smp) -> Result<T, ProtocolError>,
) -> Result<T, GcryError> {
    // SAFETY: the callers pass what their clients vouch for.
    unsafe {
        if state.is_null() {
            return Err(GcryError::INV_VALUE);
        }
        let mut smp = smp_numbers::load(state);
        let (outcome, smp) = guard(move || (step(&mut smp), smp))?;
        smp_numbers::store(state, &smp);
        // The original knows one answer to whatever is wrong with a message.
        outcome.map_err(|error| match error {
            ProtocolError::Conflict => GcryError::INV_VALUE,
            error => error.into(),
        })
    }
}

/// Runs a step whose message goes to the client.
///
/// # Safety
/// As for [`step`]; the places are NULL or writable.
unsafe fn with_output(
    state: *mut OtrlSMState,
    output: *mut *mut u8,
    outputlen: *mut c_int,
    run: impl FnOnce(&mut Smp) -> Result<Vec<u8>, ProtocolError>,
) -> GcryError {
    // SAFETY: the callers pass what their clients vouch for.
    unsafe {
        put(output, ptr::null_mut());
        put(outputlen, 0);
        if output.is_null() || outputlen.is_null() {
            return GcryError::INV_VALUE;
        }
        let message = match step(state, run) {
            Ok(message) => message,
            Err(error) => return error,
        };
        let Ok(length) = c_int::try_from(message.len()) else {
            return GcryError::INTERNAL;
        };
        *output = c_buffer(&message);
        if (*output).is_null() {
            return GcryError::ENOMEM;
        }
        *outputlen = length;
        GcryError::NO_ERROR
    }
}

/// No error, if the SMP has succeeded.
///
/// # Safety
/// `state` is live; its numbers are NULL or live.
unsafe fn verdict(state: *const OtrlSMState) -> GcryError {
    // SAFETY: the step before has checked the pointer.
    let progress = unsafe { smp_numbers::load(state) }.progress;
    if progress == Progress::Succeeded {
        GcryError::NO_ERROR
    } else {
        GcryError::INV_VALUE
    }
}

/// What the client gives a step.
///
/// # Safety
/// `data` is NULL or has `length` bytes, which stay as long as the answer is in use.
unsafe fn input<'a>(data: *const u8, length: c_int) -> &'a [u8] {
    // SAFETY: the callers pass what their clients vouch for.
    unsafe { slice_of(data, usize::try_from(length).unwrap_or(0)) }
}

fn exponent(secret: &[u8]) -> Result<Exponent, ProtocolError> {
    Exponent::from_bytes(secret).ok_or(ProtocolError::Invalid)
}
