//! `OtrlSMState` to and from the typed SMP.

use super::borrowed::Borrowed;
use super::context::Ctx;
use super::gcry::Mpi;
use super::types::*;
use otr_crypto::group::{Element, Exponent, Residue, generator};
use otr_protocol::smp::state::{Bases, Expected, Numbers, Progress, Smp};

/// Reads the SMP. A number that is missing, 0 or out of range is read as not known.
#[inline(never)]
pub(crate) fn load(state: Borrowed<'_, OtrlSMState>) -> Smp {
    Smp {
        expected: match state.next_expected().get() {
            SMP_EXPECT2 => Expected::Message2,
            SMP_EXPECT3 => Expected::Message3,
            SMP_EXPECT4 => Expected::Message4,
            SMP_EXPECT5 => Expected::Message5,
            _ => Expected::Message1,
        },
        progress: match state.sm_prog_state().get() {
            SMP_PROG_CHEATED => Progress::Cheated,
            SMP_PROG_FAILED => Progress::Failed,
            SMP_PROG_SUCCEEDED => Progress::Succeeded,
            _ => Progress::Good,
        },
        received_question: state.received_question().get() != 0,
        numbers: Numbers {
            secret: exponent(state.secret()),
            x2: exponent(state.x2()),
            x3: exponent(state.x3()),
            g2: residue(state.g2()),
            g3: residue(state.g3()),
            g3o: state
                .g3o()
                .number()
                .and_then(|bytes| Element::from_bytes(&bytes)),
            p: residue(state.p()),
            q: residue(state.q()),
            pab: residue(state.pab()),
            qab: residue(state.qab()),
        },
        bases: Bases::default(),
    }
}

/// Writes the SMP back. Once an exchange has begun every number but x2 and x3 is there, 0 until it is known.
#[inline(never)]
pub(crate) fn store(state: Borrowed<'_, OtrlSMState>, smp: &Smp) {
    state.next_expected().set(expected_number(smp.expected));
    state.sm_prog_state().set(progress_number(smp.progress));
    state.received_question().set(smp.received_question.into());
    let n = &smp.numbers;
    if n.x2.is_none() && n.secret.is_none() && state.g1().is_null() {
        return;
    }
    put_secret(state.x2(), n.x2.as_ref(), false);
    put_secret(state.x3(), n.x3.as_ref(), false);
    put_secret(state.secret(), n.secret.as_ref(), true);
    put_number(state.g1(), Some(&generator()));
    put_number(state.g2(), n.g2.as_ref());
    put_number(state.g3(), n.g3.as_ref());
    put_number(state.g3o(), n.g3o.as_deref());
    put_number(state.p(), n.p.as_ref());
    put_number(state.q(), n.q.as_ref());
    put_number(state.pab(), n.pab.as_ref());
    put_number(state.qab(), n.qab.as_ref());
}

/// The SMP of a context. `None` if a client's own context has no place for it.
pub(crate) fn load_of(ctx: Ctx<'_>) -> Option<Smp> {
    ctx.borrowed().smstate().follow().map(load)
}

/// Writes the SMP of a context back.
pub(crate) fn store_of(ctx: Ctx<'_>, smp: &Smp) {
    if let Some(state) = ctx.borrowed().smstate().follow() {
        store(state, smp);
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
fn exponent(number: Borrowed<'_, *mut Mpi>) -> Option<Exponent> {
    Exponent::from_bytes(&number.number()?)
}

/// A number of the struct that is not 0.
fn residue(number: Borrowed<'_, *mut Mpi>) -> Option<Residue> {
    let bytes = number.number().filter(|bytes| !bytes.is_empty())?;
    Residue::from_bytes(&bytes)
}

/// Puts a secret number into this place; NULL, or 0 if `zero` asks for it, while it is not known.
fn put_secret(place: Borrowed<'_, *mut Mpi>, number: Option<&Exponent>, zero: bool) {
    match number {
        Some(number) => place.put(&number.to_bytes()),
        None if zero => place.put(&[]),
        None => place.clear(),
    }
}

/// Puts a number into this place; 0 while it is not known.
fn put_number(place: Borrowed<'_, *mut Mpi>, number: Option<&Residue>) {
    match number {
        Some(number) => place.put(&number.to_bytes()),
        None => place.put(&[]),
    }
}
