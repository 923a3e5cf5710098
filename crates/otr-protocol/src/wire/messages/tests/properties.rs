//! Any message that is written is read again, and no bytes do harm.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn bytes(length: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..length)
}

fn number() -> impl Strategy<Value = Vec<u8>> {
    bytes(200).prop_map(|bytes| mpi::minimal(&bytes).to_vec())
}

fn header() -> impl Strategy<Value = Header> {
    let tags = (any::<u32>(), any::<u32>()).prop_map(|(from, to)| Instances { from, to });
    prop_oneof![
        Just(Header::V1),
        Just(Header::V2),
        tags.prop_map(Header::V3)
    ]
}

fn public_key() -> impl Strategy<Value = Vec<u8>> {
    [number(), number(), number(), number()].prop_map(|[p, q, g, y]| {
        DsaNumbers {
            p: &p,
            q: &q,
            g: &g,
            y: &y,
        }
        .encode()
        .unwrap()
    })
}

proptest! {
    #[test]
    fn dh_messages_survive(header in header(), encrypted_gx in bytes(250), hashed_gx: [u8; 32], gy in number()) {
        let commit = DhCommit { header, encrypted_gx, hashed_gx };
        prop_assert_eq!(DhCommit::parse(&commit.serialise().unwrap()), Ok(commit));
        let key = DhKey { header, gy };
        prop_assert_eq!(DhKey::parse(&key.serialise().unwrap()), Ok(key));
    }

    #[test]
    fn signature_messages_survive(header in header(), revealed_key: [u8; 16], encrypted in bytes(600), mac: [u8; 20]) {
        let signature = Signature { header, encrypted_signature: encrypted.clone(), mac };
        prop_assert_eq!(Signature::parse(&signature.serialise().unwrap()), Ok(signature));
        let reveal = RevealSignature { header, revealed_key, encrypted_signature: encrypted, mac };
        prop_assert_eq!(RevealSignature::parse(&reveal.serialise().unwrap()), Ok(reveal));
    }

    #[test]
    fn signatures_survive(public_key in public_key(), keyid in 1..=u32::MAX, half: [u8; 20], reply: u8, gy in number()) {
        let signature: [u8; 40] = [half, half].concat().try_into().unwrap();
        let plain = AuthPlain { public_key: public_key.clone(), keyid, signature };
        prop_assert_eq!(AuthPlain::parse(&plain.serialise().unwrap()), Ok(plain));
        let exchange = V1KeyExchange { reply, public_key, keyid, gy, signature };
        let bytes = exchange.serialise().unwrap();
        prop_assert_eq!(V1KeyExchange::parse(&bytes), Ok((exchange, &bytes[..bytes.len() - 40])));
    }

    #[test]
    fn data_messages_survive(header in header(), flags: u8, ids: [u32; 2], next_dh in number(), counter: [u8; 8], encrypted in bytes(600), mac: [u8; 20], revealed_mac_keys in bytes(100)) {
        let flags = if header == Header::V1 { 0 } else { flags };
        let [sender_keyid, recipient_keyid] = ids;
        let message = Data { header, flags, sender_keyid, recipient_keyid, next_dh: &next_dh, counter, encrypted: &encrypted, mac, revealed_mac_keys: &revealed_mac_keys };
        let bytes = message.serialise().unwrap();
        prop_assert_eq!(data_flags(&armour(&bytes).unwrap()), Some(flags));
        prop_assert_eq!(Data::parse(&bytes).unwrap().0, message);
    }

    #[test]
    fn smp_bodies_survive(numbers in vec(number(), 0..12)) {
        let bytes = smp::write_mpis(&numbers).unwrap();
        let read = smp::read_mpis(&bytes, numbers.len()).unwrap();
        prop_assert_eq!(read, numbers);
    }

    /// Damaged messages are refused, or read as something that is written back with the same length, or a smaller one if
    /// leading zeros were dropped.
    #[test]
    fn damage_is_survived(sample in 0..12_usize, at: prop::sample::Index, byte: u8, at2: prop::sample::Index, byte2: u8) {
        let (name, .., mut bytes) = samples().swap_remove(sample);
        let length = bytes.len();
        bytes[at.index(length)] = byte;
        bytes[at2.index(length)] = byte2;
        if let Ok(again) = rewrite(name, &bytes) {
            prop_assert!(again.len() <= length);
            prop_assert_eq!(rewrite(name, &again), Ok(again));
        }
    }

    #[test]
    fn any_bytes_are_survived(version in 0..5_u8, message_type in prop::sample::select(&[2_u8, 3, 10, 17, 18][..]), rest in bytes(300)) {
        let bytes = [&[0, version, message_type], rest.as_slice()].concat();
        for name in NAMES {
            for input in [&bytes, &rest] {
                if let Ok(again) = rewrite(name, input) {
                    prop_assert_eq!(rewrite(name, &again), Ok(again));
                }
            }
        }
        for expected in [0, 1, 3, 11] {
            let _ = smp::read_mpis(&rest, expected);
        }
        let _ = smp::split_question(&rest);
    }
}
