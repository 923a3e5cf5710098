//! Key exchanges with signatures, keys and key numbers at the edges of their ranges.

use super::*;
use crate::ake::AuthState;
use crate::wire::armour::{armour, dearmour};
use crate::wire::messages::signature::mac_input;
use crate::wire::messages::{AuthPlain, DsaNumbers, RevealSignature, Signature, V1KeyExchange};
use otr_crypto::aes_ctr;
use otr_crypto::mac::hmac_sha256;

/// Almost valid keys, signatures and key numbers, each inside messages that are encrypted and authenticated correctly.
fn not_quite_signatures(true_one: &AuthPlain) -> Vec<AuthPlain> {
    let numbers = true_one.numbers().unwrap();
    let q: [u8; 20] = numbers.q.try_into().unwrap();
    let changed = |change: &dyn Fn(&mut AuthPlain)| {
        let mut other = true_one.clone();
        change(&mut other);
        other
    };
    let with_key = |numbers: DsaNumbers| AuthPlain {
        public_key: numbers.encode().unwrap(),
        ..true_one.clone()
    };
    let mut all = vec![changed(&|plain| plain.keyid = 0)];
    for half in [0..20, 20..40] {
        for value in [[0; 20], q, [0xff; 20]] {
            all.push(changed(&|plain| {
                plain.signature[half.clone()].copy_from_slice(&value);
            }));
        }
    }
    let mut even = numbers.p.to_vec();
    *even.last_mut().unwrap() ^= 1;
    let long = vec![0xff; 20_000];
    for bad in [&[][..], &[1], &[2], &even, &long, &[0xff; 20]] {
        all.push(with_key(DsaNumbers { p: bad, ..numbers }));
        all.push(with_key(DsaNumbers { q: bad, ..numbers }));
        all.push(with_key(DsaNumbers { g: bad, ..numbers }));
        all.push(with_key(DsaNumbers { y: bad, ..numbers }));
    }
    all
}

/// The armoured message with another authenticator: decrypted, changed, and encrypted again with the same keys.
fn sealed_again(
    key: &[u8; 16],
    mac_key: &[u8; 32],
    encrypted: &[u8],
    change: impl FnOnce(AuthPlain) -> AuthPlain,
) -> (Vec<u8>, [u8; 20]) {
    let mut plain = encrypted.to_vec();
    aes_ctr::apply(key, &[0; 16], &mut plain);
    let mut sealed = change(AuthPlain::parse(&plain).unwrap())
        .serialise()
        .unwrap();
    aes_ctr::apply(key, &[0; 16], &mut sealed);
    let mac = hmac_sha256(mac_key, &[&mac_input(&sealed).unwrap()]);
    (sealed, *mac.first_chunk().unwrap())
}

#[test]
fn signatures_and_keys_at_the_edges_open_no_session() {
    for version in [Version::V2, Version::V3] {
        let mut number = 0;
        loop {
            let mut pair = Pair::new();
            let query = query_for(version);
            // Alice reveals, with an invalid authenticator.
            pair.alice.receive(query);
            let commit = pair.alice.outbox.remove(0);
            pair.bob.receive(&commit);
            let dh_key = pair.bob.outbox.remove(0);
            pair.alice.receive(&dh_key);
            let true_one = pair.alice.outbox.remove(0);
            let AuthState::AwaitingSig(revealed) = &pair.alice.auth.state else {
                panic!("alice has revealed");
            };
            let keys = revealed.keys.clone();
            let mut message = RevealSignature::parse(&dearmour(&true_one, true).unwrap()).unwrap();
            let mut count = 0;
            (message.encrypted_signature, message.mac) =
                sealed_again(&keys.c, &keys.m2, &message.encrypted_signature, |plain| {
                    let mut all = not_quite_signatures(&plain);
                    count = all.len();
                    all.swap_remove(number)
                });
            pair.bob
                .receive(&armour(&message.serialise().unwrap()).unwrap());
            assert!(!pair.bob.is_secure(), "{version:?}, reveal {number}");

            // The valid one is still accepted. Then Bob's answer is invalid.
            pair.bob.receive(&true_one);
            assert!(pair.bob.is_secure(), "{version:?}, after reveal {number}");
            let true_one = pair.bob.outbox.remove(0);
            let mut message = Signature::parse(&dearmour(&true_one, true).unwrap()).unwrap();
            (message.encrypted_signature, message.mac) = sealed_again(
                &keys.c_prime,
                &keys.m2_prime,
                &message.encrypted_signature,
                |plain| not_quite_signatures(&plain).swap_remove(number),
            );
            pair.alice
                .receive(&armour(&message.serialise().unwrap()).unwrap());
            assert!(!pair.alice.is_secure(), "{version:?}, signature {number}");
            pair.alice.receive(&true_one);
            assert!(
                pair.alice.is_secure(),
                "{version:?}, after signature {number}"
            );
            number += 1;
            if number == count {
                break;
            }
        }
    }
}

#[test]
fn a_version_1_exchange_at_the_edges_opens_no_session() {
    let mut pair = Pair::new();
    pair.alice.receive(b"?OTR?");
    let true_one = pair.alice.outbox.remove(0);
    let bytes = dearmour(&true_one, true).unwrap();
    let (message, _) = V1KeyExchange::parse(&bytes).unwrap();
    let as_plain = AuthPlain {
        public_key: message.public_key.clone(),
        keyid: message.keyid,
        signature: message.signature,
    };
    for (number, other) in not_quite_signatures(&as_plain).into_iter().enumerate() {
        let forged = V1KeyExchange {
            public_key: other.public_key,
            keyid: other.keyid,
            signature: other.signature,
            ..message.clone()
        };
        pair.bob
            .receive(&armour(&forged.serialise().unwrap()).unwrap());
        assert!(!pair.bob.is_secure(), "{number}");
    }
    pair.bob.receive(&true_one);
    assert!(pair.bob.is_secure());
}

/// The peer chooses the number of a DH key, up to the highest, after which there is none.
#[test]
fn the_highest_key_number_is_survived() {
    for (number, version) in [
        (u32::MAX, Version::V2),
        (u32::MAX - 1, Version::V3),
        (0x8000_0000, Version::V3),
    ] {
        let mut pair = Pair::new();
        let query = query_for(version);
        pair.alice.receive(query);
        let AuthState::AwaitingDhKey(commitment) = &mut pair.alice.auth.state else {
            panic!("alice has committed");
        };
        commitment.our_keyid = number;
        pair.settle();
        assert!(pair.bob.is_secure());
        for _ in 0..4 {
            for side in 0..2 {
                let (from, to) = if side == 0 {
                    (&mut pair.alice, &mut pair.bob)
                } else {
                    (&mut pair.bob, &mut pair.alice)
                };
                if let Ok(message) = from.conversation.encrypt_text(b"text", &[], NOW) {
                    to.receive(&message);
                }
            }
        }
        pair.start(version);
        let text = pair.alice.say(b"after all");
        pair.bob.told.clear();
        pair.bob.receive(&text);
        assert!(
            pair.bob.told.contains(&Told::Text(b"after all".to_vec())),
            "{number}"
        );
    }
}
