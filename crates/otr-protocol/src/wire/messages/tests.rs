//! Tests of every encoded message: its layout, byte for byte, and that malformed ones are refused.

mod fields;
mod properties;

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

/// The bytes of hexadecimal digits, with blanks anywhere.
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
                    // The changed bytes were not a length.
                    assert_eq!(again.len(), bytes.len(), "{name}, at {at}");
                }
            }
        }
    }
}
