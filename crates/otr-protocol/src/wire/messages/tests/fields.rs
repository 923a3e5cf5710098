//! Rules for single fields, what MACs and signatures cover, and what debug output shows.

use super::*;

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
        // A public key is four numbers with their lengths.
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
    // Those of a data message are checked by the protocol.
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

    // A leading zero in the next public value is covered by the MAC, and is dropped when we write.
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
