//! What the private part of a context keeps of an SMP between two steps: its numbers are in the public struct. (In the
//! interface of libotr 3, it would be for these tests to say which message comes next.)

use super::party::{ALICE, BOB, Party, settle};
use crate::abi::borrowed::borrow;
use crate::abi::context::Ctx;
use crate::abi::reserve;
use crate::abi::types::*;
use std::sync::{MutexGuard, PoisonError};

/// Whether bases are kept depends on the reserve.
fn alone() -> MutexGuard<'static, ()> {
    reserve::TESTED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

fn couple() -> (Party, Party) {
    let policy = POLICY_ALLOW_V2;
    let mut alice = Party::new(ALICE, BOB, policy);
    let mut bob = Party::new(BOB, ALICE, policy);
    alice.receive(b"?OTRv2?");
    assert!(settle(&mut alice, &mut bob));
    assert!(alice.is_secure() && bob.is_secure());
    (alice, bob)
}

/// Whether bases are kept for a later step.
fn keeps(party: &mut Party) -> bool {
    let ctx = Ctx::from(borrow(party.best()));
    ctx.look_at_secrets(|secrets| !secrets.smp_bases.is_empty())
        .unwrap()
}

/// The one message that waits goes to the other side.
fn carry(from: &mut Party, to: &mut Party) {
    let messages = from.take_outbox();
    assert_eq!(messages.len(), 1);
    to.receive(&messages[0]);
}

#[test]
fn bases_are_kept_as_long_as_a_step_needs_them() {
    let _alone = alone();
    let (mut alice, mut bob) = couple();
    for answer in [b"same", b"else"] {
        alice.ask(b"same");
        carry(&mut alice, &mut bob);
        assert!(!keeps(&mut alice) && keeps(&mut bob), "message 1");
        bob.answer(answer);
        assert!(keeps(&mut bob), "the answer");
        carry(&mut bob, &mut alice);
        assert!(keeps(&mut alice), "message 2");
        carry(&mut alice, &mut bob);
        assert!(keeps(&mut alice) && !keeps(&mut bob), "message 3");
        carry(&mut bob, &mut alice);
        assert!(!keeps(&mut alice), "message 4");
    }
}

#[test]
fn an_abort_ends_that() {
    let _alone = alone();
    let (mut alice, mut bob) = couple();
    for aborted_by_alice in [true, false] {
        alice.ask(b"same");
        carry(&mut alice, &mut bob);
        let (from, to) = match aborted_by_alice {
            true => (&mut alice, &mut bob),
            false => (&mut bob, &mut alice),
        };
        from.break_off();
        carry(from, to);
        assert!(!keeps(&mut alice) && !keeps(&mut bob));
    }
}

#[test]
fn so_does_the_end_of_the_session() {
    let _alone = alone();
    let (mut alice, mut bob) = couple();
    for ended_by_alice in [true, false] {
        alice.ask(b"same");
        carry(&mut alice, &mut bob);
        match ended_by_alice {
            true => {
                alice.end();
                carry(&mut alice, &mut bob);
            }
            false => bob.end(),
        }
        assert!(!keeps(&mut bob));
        (alice, bob) = couple();
    }
}

/// The tables might lie in the reserve, and stay there.
#[test]
fn nothing_is_kept_while_memory_is_short() {
    let _alone = alone();
    let (mut alice, mut bob) = couple();
    alice.ask(b"same");
    reserve::while_in_use(|| carry(&mut alice, &mut bob));
    assert!(!keeps(&mut bob));
    bob.answer(b"same");
    assert!(keeps(&mut bob));
    assert!(settle(&mut alice, &mut bob));
    assert_eq!(alice.trust(), "smp");
}
