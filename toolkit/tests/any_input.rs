//! No input makes a program panic, and only odd arguments give an exit status other than 0 or 1.
use std::path::Path;

use otr_protocol::wire::armour::armour;
use otr_toolkit::key_files::{KeyFile, Kind};
use otr_toolkit::program::{Program, Streams};
use otr_toolkit::{
    otr_keys, otr_mackey, otr_modify, otr_parse, otr_readforge, otr_remac, otr_sesskeys,
};
use proptest::prelude::*;

const KEY: &str = "000102030405060708090a0b0c0d0e0f";
const MAC_KEY: &str = "000102030405060708090a0b0c0d0e0f10111213";

fn call(program: &Program, arguments: &[&[u8]], mut input: &[u8]) -> (u8, Vec<u8>, Vec<u8>) {
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let arguments: Vec<Vec<u8>> = std::iter::once(program.name.as_bytes())
        .chain(arguments.iter().copied())
        .map(<[u8]>::to_vec)
        .collect();
    let mut streams = Streams {
        input: &mut input,
        output: &mut output,
        errors: &mut errors,
    };
    let status = program.call(&arguments, &mut streams);
    (status, output, errors)
}

/// Through everything that reads messages.
fn read(input: &[u8]) {
    assert_eq!(call(&otr_parse::PROGRAM, &[], input).0, 0);
    let forged: [&[u8]; 2] = [KEY.as_bytes(), b"text"];
    assert!(call(&otr_readforge::PROGRAM, &forged, input).0 <= 1);
    let changed: [&[u8]; 4] = [MAC_KEY.as_bytes(), b"a", b"b", b"3"];
    assert!(call(&otr_modify::PROGRAM, &changed, input).0 <= 1);
}

fn start() -> impl Strategy<Value = Vec<u8>> {
    const KINDS: &[u8] = &[0x02, 0x03, 0x0a, 0x11, 0x12];
    (0_u8..5, prop::sample::select(KINDS)).prop_map(|(version, kind)| vec![0, version, kind])
}

/// Short lengths, and bytes.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let field = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..30).prop_map(|bytes| [
            &[0, 0, 0, bytes.len() as u8][..],
            &bytes
        ]
        .concat()),
        prop::collection::vec(any::<u8>(), 0..50),
        any::<u32>().prop_map(|number| number.to_be_bytes().to_vec()),
    ];
    prop::collection::vec(field, 0..12).prop_map(|fields| fields.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_stream(input in prop::collection::vec(any::<u8>(), 0..300)) {
        read(&input);
        read(&[b"?OTR:", &input[..]].concat());
    }

    #[test]
    fn any_message(start in start(), body in body()) {
        read(&armour(&[start, body].concat()).unwrap());
    }

    #[test]
    fn any_arguments(arguments in prop::collection::vec(
        prop_oneof![
            "[0-9a-f]{0,45}".prop_map(String::into_bytes),
            Just(KEY.into()),
            Just(MAC_KEY.into()),
            prop::collection::vec(1_u8.., 0..50),
        ],
        0..12,
    )) {
        let arguments: Vec<&[u8]> = arguments.iter().map(Vec::as_slice).collect();
        for program in [
            &otr_parse::PROGRAM, &otr_sesskeys::PROGRAM, &otr_mackey::PROGRAM, &otr_readforge::PROGRAM,
            &otr_modify::PROGRAM, &otr_remac::PROGRAM,
        ] {
            let (status, output, errors) = call(program, &arguments, b"");
            prop_assert!(status <= 1);
            prop_assert!(status == 0 || !errors.is_empty());
            prop_assert!(status == 1 || program.name == "otr_parse" || !output.is_empty());
        }
    }

    #[test]
    fn any_key_file(
        which in 0..6_usize,
        at in any::<prop::sample::Index>(),
        with in prop::collection::vec(any::<u8>(), 0..20),
        cut in any::<bool>(),
    ) {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data");
        let names = ["store/private_keys", "store/fingerprints", "store/instance_tags", "otr.js/packed", "otr.js/key.json", "otr.js/README.md"];
        let mut contents = std::fs::read(data.join(names[which])).unwrap();
        let at = at.index(contents.len());
        let rest = contents.split_off(at);
        contents.extend(&with);
        if !cut {
            contents.extend(rest.iter().skip(with.len()));
        }
        for command in ["list", "fingerprints", "check"] {
            prop_assert!(call(&otr_keys::PROGRAM, &[command.as_bytes(), b"-"], &contents).0 <= 1);
        }
        for kind in [Kind::PrivateKeys, Kind::Fingerprints, Kind::InstanceTags, Kind::PotrKey, Kind::OtrJsKey] {
            KeyFile::read(kind, &contents);
        }
    }
}
