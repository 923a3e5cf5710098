//! What holds for every encoded message: its layout, byte for byte, and that bad ones are refused.

use proptest::collection::vec;
use proptest::prelude::*;

use super::data::data_flags;
use super::*;
use crate::wire::armour::{armour, dearmour};
use crate::wire::classify::{MessageKind, instances, message_kind, message_version};
use crate::wire::error::Malformed;
use crate::wire::instance::Instances;
use crate::wire::mpi;
use crate::wire::version::Version;

const TAGS: Instances = Instances {
    from: 0x100,
    to: 0xabcd_ef01,
};
const V3: Header = Header::V3(TAGS);

/// The bytes that hexadecimal digits, with blanks anywhere, stand for.
fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<_> = digits.chars().filter_map(|c| c.to_digit(16)).collect();
    digits
        .chunks(2)
        .map(|pair| (pair[0] << 4 | pair[1]) as u8)
        .collect()
}

fn data(header: Header) -> Data<'static> {
    Data {
        header,
        flags: if header == Header::V1 { 0 } else { 1 },
        sender_keyid: 2,
        recipient_keyid: 0x0103,
        next_dh: &[0x80, 0x00],
        counter: [0, 0, 0, 0, 0, 0, 0, 9],
        encrypted: b"abc",
        mac: [0xee; 20],
        revealed_mac_keys: &[0xdd; 20],
    }
}

const MAC: &str = "eeeeeeeeeeeeeeeeeeee eeeeeeeeeeeeeeeeeeee";

fn key_exchange() -> V1KeyExchange {
    V1KeyExchange {
        reply: 1,
        public_key: hex("00000002 8001 00000001 07 00000001 05 00000000"),
        keyid: 4,
        gy: vec![0x09],
        signature: [0x55; 40],
    }
}

/// Every message with its bytes, worked out by hand from the specification.
fn samples() -> Vec<(&'static str, MessageKind, Version, Vec<u8>)> {
    let data_body = format!(
        "00000002 00000103 00000002 8000 0000000000000009 00000003 616263 {MAC} 00000014 {}",
        "dd".repeat(20)
    );
    let cases = [
        (
            "DhCommit",
            MessageKind::DhCommit,
            Version::V3,
            format!(
                "000302 00000100 abcdef01 00000003 616263 00000020 {}",
                "77".repeat(32)
            ),
        ),
        (
            "DhCommit",
            MessageKind::DhCommit,
            Version::V2,
            format!("000202 00000003 616263 00000020 {}", "77".repeat(32)),
        ),
        (
            "DhKey",
            MessageKind::DhKey,
            Version::V3,
            "00030a00000100abcdef01 00000002 8000".into(),
        ),
        (
            "DhKey",
            MessageKind::DhKey,
            Version::V2,
            "00020a 00000002 8000".into(),
        ),
        (
            "RevealSignature",
            MessageKind::RevealSig,
            Version::V3,
            format!(
                "000311 00000100abcdef01 00000010 {} 00000003 616263 {MAC}",
                "66".repeat(16)
            ),
        ),
        (
            "RevealSignature",
            MessageKind::RevealSig,
            Version::V2,
            format!("000211 00000010 {} 00000003 616263 {MAC}", "66".repeat(16)),
        ),
        (
            "Signature",
            MessageKind::Signature,
            Version::V3,
            format!("000312 00000100abcdef01 00000003 616263 {MAC}"),
        ),
        (
            "Signature",
            MessageKind::Signature,
            Version::V2,
            format!("000212 00000003 616263 {MAC}"),
        ),
        (
            "Data",
            MessageKind::Data,
            Version::V3,
            format!("000303 00000100abcdef01 01 {data_body}"),
        ),
        (
            "Data",
            MessageKind::Data,
            Version::V2,
            format!("000203 01 {data_body}"),
        ),
        (
            "Data",
            MessageKind::Data,
            Version::V1,
            format!("000103 {data_body}"),
        ),
        (
            "V1KeyExchange",
            MessageKind::V1KeyExchange,
            Version::V1,
            format!(
                "00010a 01 00000002 8001 00000001 07 00000001 05 00000000 00000004 00000001 09 {}",
                "55".repeat(40)
            ),
        ),
    ];
    cases
        .map(|(name, kind, version, digits)| (name, kind, version, hex(&digits)))
        .into()
}

/// Reads a message as the named type and writes it again.
fn rewrite(name: &str, bytes: &[u8]) -> Result<Vec<u8>, Malformed> {
    Ok(match name {
        "DhCommit" => DhCommit::parse(bytes)?.serialise(),
        "DhKey" => DhKey::parse(bytes)?.serialise(),
        "RevealSignature" => RevealSignature::parse(bytes)?.serialise(),
        "Signature" => Signature::parse(bytes)?.serialise(),
        "Data" => Data::parse(bytes)?.0.serialise(),
        "V1KeyExchange" => V1KeyExchange::parse(bytes)?.0.serialise(),
        "AuthPlain" => AuthPlain::parse(bytes)?.serialise(),
        _ => panic!("no message type {name}"),
    }
    .unwrap())
}

const NAMES: [&str; 7] = [
    "DhCommit",
    "DhKey",
    "RevealSignature",
    "Signature",
    "Data",
    "V1KeyExchange",
    "AuthPlain",
];

#[test]
fn messages_are_laid_out_as_the_specification_says() {
    for header in [V3, Header::V2] {
        let expected = |name| {
            let found = samples()
                .into_iter()
                .find(|s| s.0 == name && s.2 == header.version());
            Ok(found.unwrap().3)
        };
        let encrypted = b"abc".to_vec();
        let commit = DhCommit {
            header,
            encrypted_gx: encrypted.clone(),
            hashed_gx: [0x77; 32],
        };
        assert_eq!(commit.serialise(), expected("DhCommit"));
        let key = DhKey {
            header,
            gy: vec![0, 0, 0x80, 0x00],
        };
        assert_eq!(key.serialise(), expected("DhKey"));
        let reveal = RevealSignature {
            header,
            revealed_key: [0x66; 16],
            encrypted_signature: encrypted.clone(),
            mac: [0xee; 20],
        };
        assert_eq!(reveal.serialise(), expected("RevealSignature"));
        let signature = Signature {
            header,
            encrypted_signature: encrypted,
            mac: [0xee; 20],
        };
        assert_eq!(signature.serialise(), expected("Signature"));
        assert_eq!(data(header).serialise(), expected("Data"));
    }
    let v1 = |name| {
        samples()
            .into_iter()
            .find(|s| s.0 == name && s.2 == Version::V1)
            .unwrap()
            .3
    };
    assert_eq!(data(Header::V1).serialise(), Ok(v1("Data")));
    assert_eq!(key_exchange().serialise(), Ok(v1("V1KeyExchange")));
}

#[test]
fn what_is_written_is_read() {
    for header in [V3, Header::V2, Header::V1] {
        let bytes = data(header).serialise().unwrap();
        assert_eq!(Data::parse(&bytes).unwrap().0, data(header));
    }
    for (name, .., bytes) in samples() {
        assert_eq!(rewrite(name, &bytes), Ok(bytes), "{name}");
    }
    let bytes = key_exchange().serialise().unwrap();
    assert_eq!(V1KeyExchange::parse(&bytes).unwrap().0, key_exchange());
    let reveal = RevealSignature::parse(&samples()[4].3).unwrap();
    assert_eq!(
        (reveal.header, reveal.revealed_key, reveal.mac),
        (V3, [0x66; 16], [0xee; 20])
    );
    assert_eq!(reveal.encrypted_signature, b"abc");
}

#[test]
fn the_armour_shows_kind_version_and_instances() {
    for (name, kind, version, bytes) in samples() {
        let message = armour(&bytes).unwrap();
        assert_eq!(message_kind(&message), kind, "{name}");
        assert_eq!(message_version(&message), Some(version), "{name}");
        let tags = if version == Version::V3 {
            Ok(TAGS)
        } else {
            Err(Malformed::Version)
        };
        assert_eq!(instances(&message), tags, "{name}");
        assert_eq!(dearmour(&message, true), Ok(bytes), "{name}");
    }
}

#[test]
fn a_header_has_tags_in_version_3_alone() {
    for version in [Version::V1, Version::V2, Version::V3] {
        let header = Header::new(version, TAGS);
        assert_eq!(header.version(), version);
        assert_eq!(header.instances(), (version == Version::V3).then_some(TAGS));
    }
}

#[test]
fn every_truncation_and_every_extra_byte_is_refused() {
    let auth = AuthPlain {
        public_key: key_exchange().public_key,
        keyid: 1,
        signature: [3; 40],
    };
    let auth = ("AuthPlain", auth.serialise().unwrap());
    for (name, bytes) in samples().into_iter().map(|s| (s.0, s.3)).chain([auth]) {
        for length in 0..bytes.len() {
            let read = rewrite(name, &bytes[..length]);
            assert_eq!(read, Err(Malformed::Truncated), "{name}, {length} bytes");
        }
        let longer = [bytes.as_slice(), b"\0"].concat();
        assert_eq!(rewrite(name, &longer), Err(Malformed::Trailing), "{name}");
    }
}

#[test]
fn headers_of_other_messages_are_refused() {
    for (name, _, version, bytes) in samples() {
        for number in 0..=u8::MAX {
            let mut other = bytes.clone();
            other[2] = number;
            if number != bytes[2] {
                assert_eq!(rewrite(name, &other), Err(Malformed::MessageType), "{name}");
            }
            let mut other = bytes.clone();
            other[1] = number;
            if !(1..=3).contains(&number) {
                assert_eq!(rewrite(name, &other), Err(Malformed::Version), "{name}");
            }
        }
        let mut other = bytes.clone();
        other[0] = 1;
        assert_eq!(
            rewrite(name, &other),
            Err(Malformed::Version),
            "{name}, {version:?}"
        );
    }
    let mut other = key_exchange().serialise().unwrap();
    other[1] = 2;
    assert_eq!(V1KeyExchange::parse(&other), Err(Malformed::Version));
    other.splice(..3, hex("00030a 00000100abcdef01"));
    assert_eq!(V1KeyExchange::parse(&other), Err(Malformed::Version));
}

/// CVE-2016-2851: lengths that make a sum overflow.
#[test]
fn cve_2016_2851_absurd_lengths_anywhere() {
    for (name, .., bytes) in samples() {
        for at in 0..bytes.len() - 3 {
            for length in [0xffff_ffff_u32, 0xffff_fffc, 0x8000_0000, 0x7fff_ffff] {
                let mut absurd = bytes.clone();
                absurd[at..at + 4].copy_from_slice(&length.to_be_bytes());
                if let Ok(again) = rewrite(name, &absurd) {
                    // It was no length that was hit.
                    assert_eq!(again.len(), bytes.len(), "{name}, at {at}");
                }
            }
        }
    }
}

#[test]
fn fields_of_one_length_have_no_other() {
    let short_hash = hex("000202 00000000 0000001f")
        .into_iter()
        .chain([0; 31])
        .collect::<Vec<_>>();
    assert_eq!(DhCommit::parse(&short_hash), Err(Malformed::FieldLength));
    let long_key = hex("000211 00000011")
        .into_iter()
        .chain([0; 60])
        .collect::<Vec<_>>();
    assert_eq!(
        RevealSignature::parse(&long_key),
        Err(Malformed::FieldLength)
    );
}

#[test]
fn fields_of_an_exchange_are_bounded() {
    for (length, is_read) in [(header::MAX_FIELD, true), (header::MAX_FIELD + 1, false)] {
        let (header, field, mac) = (V3, vec![1; length], [0; 20]);
        let commit = DhCommit {
            header,
            encrypted_gx: field.clone(),
            hashed_gx: [0; 32],
        };
        let key = DhKey {
            header,
            gy: field.clone(),
        };
        let reveal = RevealSignature {
            header,
            revealed_key: [0; 16],
            encrypted_signature: field.clone(),
            mac,
        };
        let signature = Signature {
            header,
            encrypted_signature: field.clone(),
            mac,
        };
        let v1 = V1KeyExchange {
            gy: field,
            ..key_exchange()
        };
        for (name, bytes) in [
            ("DhCommit", commit.serialise()),
            ("DhKey", key.serialise()),
            ("RevealSignature", reveal.serialise()),
            ("Signature", signature.serialise()),
            ("V1KeyExchange", v1.serialise()),
        ] {
            let bytes = bytes.unwrap();
            let read = rewrite(name, &bytes);
            let expected = if is_read {
                Ok(bytes)
            } else {
                Err(Malformed::FieldLength)
            };
            assert_eq!(read, expected, "{name}");
        }
        // Four numbers with their lengths make a public key.
        let [p, q] = [vec![1; length - 20], vec![1; 4]];
        let numbers = DsaNumbers {
            p: &p,
            q: &q,
            g: &[],
            y: &[],
        };
        let plain = AuthPlain {
            public_key: numbers.encode().unwrap(),
            keyid: 1,
            signature: [3; 40],
        };
        let read = AuthPlain::parse(&plain.serialise().unwrap());
        assert_eq!(read.is_ok(), is_read, "{read:?}");
    }
}

#[test]
fn key_ids_are_not_zero() {
    let zero = V1KeyExchange {
        keyid: 0,
        ..key_exchange()
    };
    assert_eq!(
        V1KeyExchange::parse(&zero.serialise().unwrap()),
        Err(Malformed::KeyId)
    );
    let public_key = key_exchange().public_key;
    let plain = AuthPlain {
        public_key,
        keyid: 0,
        signature: [3; 40],
    };
    assert_eq!(
        AuthPlain::parse(&plain.serialise().unwrap()),
        Err(Malformed::KeyId)
    );
    // A data message's are for the protocol to judge.
    let zero = Data {
        sender_keyid: 0,
        recipient_keyid: 0,
        ..data(V3)
    };
    assert_eq!(Data::parse(&zero.serialise().unwrap()).unwrap().0, zero);
}

#[test]
fn the_mac_covers_the_bytes_as_they_were_sent() {
    let own = data(V3);
    let written = own.serialise().unwrap();
    let covered = &written[..written.len() - 44];
    let mut shown = Vec::new();
    let again = own.serialise_with_mac(|bytes| {
        shown = bytes.to_vec();
        [0x11; 20]
    });
    assert_eq!(shown, covered);
    let with_mac = Data {
        mac: [0x11; 20],
        ..own
    };
    assert_eq!(again, with_mac.serialise());
    assert_eq!(Data::parse(&written).unwrap().1, covered);

    // A leading zero in the next public value stays under the MAC, and goes when we write.
    let padded = format!(
        "000103 00000002 00000103 00000003 008000 0000000000000009 00000003 616263 {MAC} 00000000"
    );
    let padded = hex(&padded);
    let (message, covered) = Data::parse(&padded).unwrap();
    assert_eq!(covered, &padded[..padded.len() - 24]);
    assert_eq!(message.next_dh, [0, 0x80, 0]);
    assert_eq!(message.serialise().unwrap().len(), padded.len() - 1);
}

#[test]
fn the_signed_bytes_of_version_1_are_those_that_were_sent() {
    let bytes = key_exchange().serialise().unwrap();
    let (message, signed) = V1KeyExchange::parse(&bytes).unwrap();
    assert_eq!(signed, &bytes[..bytes.len() - 40]);
    assert_eq!(message.signed_bytes().unwrap(), signed);
    let numbers = message.numbers().unwrap();
    let expected = DsaNumbers {
        p: &[0x80, 1],
        q: &[7],
        g: &[5],
        y: &[],
    };
    assert_eq!(numbers, expected);
    assert_eq!(numbers.encode().unwrap(), message.public_key);

    let padded = hex("00010a 00 00000002 0001 00000000 00000000 00000000 00000001 00000002 0009");
    let padded = [padded, vec![0; 40]].concat();
    let (message, signed) = V1KeyExchange::parse(&padded).unwrap();
    assert_eq!(signed, &padded[..padded.len() - 40]);
    assert_eq!(
        message.public_key,
        hex("00000002 0001 00000000 00000000 00000000")
    );
}

#[test]
fn the_signature_inside_is_laid_out_as_the_specification_says() {
    let public_key = hex("00000002 8001 00000001 07 00000001 05 00000001 06");
    let plain = AuthPlain {
        public_key: public_key.clone(),
        keyid: 0x0102,
        signature: [0x55; 40],
    };
    let expected = format!(
        "0000 00000002 8001 00000001 07 00000001 05 00000001 06 00000102 {}",
        "55".repeat(40)
    );
    assert_eq!(plain.serialise(), Ok(hex(&expected)));
    assert_eq!(AuthPlain::parse(&hex(&expected)), Ok(plain.clone()));
    assert_eq!(plain.numbers().unwrap().y, [6]);
    let mut other_type = hex(&expected);
    other_type[1] = 1;
    assert_eq!(AuthPlain::parse(&other_type), Err(Malformed::PublicKeyType));

    let signed = signature::signed_input(b"\0ab", b"cde", &public_key, 0x0102).unwrap();
    let expected = "00000002 6162 00000003 636465 0000 \
        00000002 8001 00000001 07 00000001 05 00000001 06 00000102";
    assert_eq!(signed, hex(expected));
    assert_eq!(
        signature::mac_input(b"abc").unwrap(),
        hex("00000003 616263")
    );
}

#[test]
fn debug_output_hides_the_revealed_key_and_who_signed() {
    let reveal = RevealSignature::parse(&samples()[5].3).unwrap();
    assert_eq!(format!("{reveal:?}"), "RevealSignature { header: V2, .. }");
    let plain = AuthPlain {
        public_key: key_exchange().public_key,
        keyid: 1,
        signature: [3; 40],
    };
    assert_eq!(format!("{plain:?}"), "AuthPlain { keyid: 1, .. }");
}

#[test]
fn flags_are_read_from_a_message_that_is_otherwise_unreadable() {
    for (header, expected) in [(V3, 1), (Header::V2, 1), (Header::V1, 0)] {
        let bytes = data(header).serialise().unwrap();
        assert_eq!(data_flags(&armour(&bytes).unwrap()), Some(expected));
        let start = if header == V3 { 12 } else { 4 };
        assert_eq!(
            data_flags(&armour(&bytes[..start]).unwrap()),
            Some(expected),
            "{header:?}"
        );
    }
    assert_eq!(data_flags(b"?OTR:AAID/w=="), Some(0xff)); // no "." is needed
    assert_eq!(data_flags(b"?OTR:AAID."), None);
    assert_eq!(data_flags(b"?OTR:AAMDAAAAAAAAAAA=."), None); // cut off before the flags
    assert_eq!(data_flags(b"?OTR:AAIC/w==."), None); // a DH-commit message
    assert_eq!(data_flags(b"hello"), None);
}

#[test]
fn debug_output_hides_secrets() {
    let reveal = RevealSignature::parse(&samples()[4].3).unwrap();
    assert!(!format!("{reveal:?}").contains("102")); // 0x66
    let plain = AuthPlain {
        public_key: vec![201],
        keyid: 1,
        signature: [202; 40],
    };
    let shown = format!("{plain:?}");
    assert!(!shown.contains("201") && !shown.contains("202"), "{shown}");
}

#[test]
fn smp_bodies_are_a_count_and_mpis() {
    let bytes = hex("00000003 00000002 0102 00000000 00000001 ff");
    let numbers = [vec![0, 1, 2], vec![], vec![0xff]];
    assert_eq!(smp::write_mpis(&numbers), Ok(bytes.clone()));
    let read = smp::read_mpis(&bytes, 3).unwrap();
    assert_eq!(read, [&[1, 2][..], &[], &[0xff]]);
    for expected in [0, 2, 4, usize::MAX] {
        assert_eq!(smp::read_mpis(&bytes, expected), Err(Malformed::Count));
    }
    for length in 0..bytes.len() {
        assert_eq!(
            smp::read_mpis(&bytes[..length], 3),
            Err(Malformed::Truncated)
        );
    }
    let longer = [bytes.as_slice(), b"more"].concat();
    assert_eq!(smp::read_mpis(&longer, 3), Ok(read));
    assert_eq!(
        smp::read_mpis(&hex("ffffffff"), 0xffff_ffff),
        Err(Malformed::Truncated)
    );
}

#[test]
fn a_question_ends_at_its_nul() {
    let value = smp::join_question(b"Who?", b"\0\0\0\0").unwrap();
    assert_eq!(value, b"Who?\0\0\0\0\0");
    let cases: [(&[u8], &[u8], &[u8]); 5] = [
        (&value, b"Who?", b"\0\0\0\0"),
        (b"\0abc", b"", b"abc"),
        (b"Who?\0", b"Who?", b""),
        (b"Who?", b"Who?", b""),
        (b"\0", b"", b""),
    ];
    for (value, question, numbers) in cases {
        assert_eq!(smp::split_question(value), Some((question, numbers)));
    }
    assert_eq!(smp::split_question(b""), None);
}

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

    /// Damaged messages are refused or read as something that is written back at the same length
    /// or, where leading zeros went, a smaller one.
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
