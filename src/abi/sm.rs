//! `sm.h`: the steps of the SMP run directly on the public struct.

use std::ffi::c_int;
use std::ptr;

use super::borrowed::{Borrowed, Out, bytes};
use super::entry::{entry, guard};
use super::error::GcryError;
use super::memory::c_buffer;
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
        astate: *mut OtrlSMState as Option<Borrowed<OtrlSMState>>, secret: *const u8, secretlen: c_int,
        output: *mut *mut u8 as Out<*mut u8>, outputlen: *mut c_int as Out<c_int>,
    ) -> GcryError as Result<(), GcryError>
    where secret = bytes(secret, secretlen) {
        with_output(astate, output, outputlen, |smp| smp.initiate(exponent(secret)?))
    }
}

entry! {
    /// Step 2a: takes message 1; step 2b needs our secret.
    ///
    /// # Safety
    /// As for [`otrl_sm_step1`]; `input` has `inputlen` bytes.
    on panic GcryError::INTERNAL;
    pub fn otrl_sm_step2a(
        bstate: *mut OtrlSMState as Option<Borrowed<OtrlSMState>>, input: *const u8, inputlen: c_int,
        received_question: c_int as bool,
    ) -> GcryError as Result<(), GcryError>
    where message1 = bytes(input, inputlen) {
        step(bstate, |smp| smp.on_message1(message1, received_question))
    }
}

entry! {
    /// Step 2b: answers with `secret`; message 2 is in `*output`.
    ///
    /// # Safety
    /// As for [`otrl_sm_step1`].
    on panic GcryError::INTERNAL;
    pub fn otrl_sm_step2b(
        bstate: *mut OtrlSMState as Option<Borrowed<OtrlSMState>>, secret: *const u8, secretlen: c_int,
        output: *mut *mut u8 as Out<*mut u8>, outputlen: *mut c_int as Out<c_int>,
    ) -> GcryError as Result<(), GcryError>
    where secret = bytes(secret, secretlen) {
        with_output(bstate, output, outputlen, |smp| smp.respond(exponent(secret)?))
    }
}

entry! {
    /// Step 3: takes message 2; message 3 is in `*output`.
    ///
    /// # Safety
    /// As for [`otrl_sm_step2a`].
    on panic GcryError::INTERNAL;
    pub fn otrl_sm_step3(
        astate: *mut OtrlSMState as Option<Borrowed<OtrlSMState>>, input: *const u8, inputlen: c_int,
        output: *mut *mut u8 as Out<*mut u8>, outputlen: *mut c_int as Out<c_int>,
    ) -> GcryError as Result<(), GcryError>
    where message2 = bytes(input, inputlen) {
        with_output(astate, output, outputlen, |smp| smp.on_message2(message2))
    }
}

entry! {
    /// Step 4: takes message 3; message 4 is in `*output`. No error: the secrets are the same.
    ///
    /// # Safety
    /// As for [`otrl_sm_step2a`].
    on panic GcryError::INTERNAL;
    pub fn otrl_sm_step4(
        bstate: *mut OtrlSMState as Option<Borrowed<OtrlSMState>>, input: *const u8, inputlen: c_int,
        output: *mut *mut u8 as Out<*mut u8>, outputlen: *mut c_int as Out<c_int>,
    ) -> GcryError as Result<(), GcryError>
    where message3 = bytes(input, inputlen) {
        with_output(bstate, output, outputlen, |smp| smp.on_message3(message3))?;
        verdict(bstate)
    }
}

entry! {
    /// Step 5: takes message 4. No error: the secrets are the same.
    ///
    /// # Safety
    /// As for [`otrl_sm_step2a`].
    on panic GcryError::INTERNAL;
    pub fn otrl_sm_step5(
        astate: *mut OtrlSMState as Option<Borrowed<OtrlSMState>>, input: *const u8, inputlen: c_int,
    ) -> GcryError as Result<(), GcryError>
    where message4 = bytes(input, inputlen) {
        step(astate, |smp| smp.on_message4(message4))?;
        verdict(astate)
    }
}

/// Runs a step and writes the state back; if it is refused, only its progress.
fn step<T>(
    state: Option<Borrowed<'_, OtrlSMState>>,
    step: impl FnOnce(&mut Smp) -> Result<T, ProtocolError>,
) -> Result<T, GcryError> {
    let state = state.ok_or(GcryError::INV_VALUE)?;
    let mut smp = smp_numbers::load(state);
    let (outcome, smp) = guard(move || (step(&mut smp), smp))?;
    smp_numbers::store(state, &smp);
    // libotr returns the same error for every invalid message.
    outcome.map_err(|error| match error {
        ProtocolError::Conflict => GcryError::INV_VALUE,
        error => error.into(),
    })
}

/// Runs a step that returns a message to the client.
fn with_output(
    state: Option<Borrowed<'_, OtrlSMState>>,
    output: Out<'_, *mut u8>,
    outputlen: Out<'_, c_int>,
    run: impl FnOnce(&mut Smp) -> Result<Vec<u8>, ProtocolError>,
) -> Result<(), GcryError> {
    output.put(ptr::null_mut());
    outputlen.put(0);
    if !output.is_wanted() || !outputlen.is_wanted() {
        return Err(GcryError::INV_VALUE);
    }
    let message = step(state, run)?;
    let length = c_int::try_from(message.len()).map_err(|_| GcryError::INTERNAL)?;
    let copy = c_buffer(&message);
    if copy.is_null() {
        return Err(GcryError::ENOMEM);
    }
    output.put(copy);
    outputlen.put(length);
    Ok(())
}

/// `Ok` if the SMP has succeeded.
fn verdict(state: Option<Borrowed<'_, OtrlSMState>>) -> Result<(), GcryError> {
    let progress = state.map(|state| smp_numbers::load(state).progress);
    let succeeded = progress == Some(Progress::Succeeded);
    succeeded.then_some(()).ok_or(GcryError::INV_VALUE)
}

fn exponent(secret: &[u8]) -> Result<Exponent, ProtocolError> {
    Exponent::from_bytes(secret).ok_or(ProtocolError::Invalid)
}
