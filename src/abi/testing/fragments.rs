//! How much memory one stranger can make us use.

use super::party::{ALICE, BOB, Party};
use super::wait;
use crate::abi::borrowed::borrow;
use crate::abi::context::Ctx;
use crate::abi::linked_list;
use crate::abi::types::*;
use otr_protocol::conversation::FRAGMENT_LIFETIME;
use otr_protocol::instances::{FRAGMENTS_OF_ALL, FRAGMENTS_OF_ONE};

const PIECE: usize = 240_000;

/// The first of two pieces, from an instance with this tag.
fn piece(from: u32, to: u32) -> Vec<u8> {
    let head = format!("?OTR|{from:x}|{to:x},1,2,?OTR:");
    [head.into_bytes(), vec![b'A'; PIECE], b",".to_vec()].concat()
}

/// The bytes of unfinished fragments in all contexts.
fn waiting(party: &Party) -> usize {
    let mut total = 0;
    for ctx in linked_list::iter(borrow(party.us()).context_root().follow()) {
        let bytes = Ctx::from(ctx).look_at_secrets(|secrets| secrets.reassembly.data().len());
        total += bytes.unwrap_or(0);
    }
    total
}

#[test]
fn what_one_correspondent_has_waiting_is_bounded() {
    let mut alice = Party::new(ALICE, BOB, POLICY_ALWAYS);
    let ours = alice.our_tag();
    for tag in 0..400 {
        alice.receive(&piece(0x1000 + tag, ours));
        assert!(waiting(&alice) <= FRAGMENTS_OF_ONE);
    }
    assert!(
        waiting(&alice) > FRAGMENTS_OF_ONE - 2 * PIECE,
        "the newest are kept"
    );
    wait(FRAGMENT_LIFETIME + 1);
    alice.receive(b"hello");
    assert_eq!(waiting(&alice), 0, "they do not wait forever");
}

#[test]
fn what_all_correspondents_have_waiting_is_bounded() {
    let mut alice = Party::new(ALICE, BOB, POLICY_ALWAYS);
    let ours = alice.our_tag();
    for stranger in 0..20 {
        alice.write_to(&format!("stranger {stranger}"));
        for tag in 0..4 {
            alice.receive(&piece(0x1000 + tag, ours));
        }
        assert!(waiting(&alice) <= FRAGMENTS_OF_ALL);
    }
    assert!(waiting(&alice) > FRAGMENTS_OF_ALL - 2 * PIECE);
}
