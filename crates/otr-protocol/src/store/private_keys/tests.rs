//! The private key file of libotr, byte for byte, and invalid files.

use super::*;
use proptest::prelude::*;

/// Written by libotr 4.1.1 with keys made for this test: see tests/data/store/README.md.
const LIBOTR_FILE: &[u8] = include_bytes!("../../../../../tests/data/store/private_keys");

fn rewrite(accounts: &[Account]) -> Zeroizing<Vec<u8>> {
    write(accounts.iter().map(|account| Entry {
        name: &account.name,
        protocol: &account.protocol,
        key: &account.key,
    }))
    .unwrap()
}

#[test]
fn writes_the_bytes_of_libotr() {
    let accounts = parse(LIBOTR_FILE).unwrap();
    let names: Vec<&[u8]> = accounts.iter().map(|account| &account.name[..]).collect();
    let expected: [&[u8]; 8] = [
        b"tab\there\nnewline",
        "m\u{fc}ller".as_bytes(),
        b"",
        b"alice@example.org/home",
        b"with space \"quote\" 'apostrophe' \\",
        "\u{e4}\u{f6}\u{fc}@example.org".as_bytes(),
        b"1digit",
        b"last",
    ];
    assert_eq!(names, expected);
    let file = rewrite(&accounts);
    assert_eq!(*file, LIBOTR_FILE);
    let in_one_piece = (
        file.capacity(),
        accounts[0].key.to_advanced().unwrap().capacity(),
    );
    let lengths = (file.len(), accounts[0].key.to_advanced().unwrap().len());
    assert_eq!(in_one_piece, lengths, "a buffer grew and left keys behind");
}

#[test]
fn keys_made_from_numbers_print_as_those_of_libgcrypt() {
    for account in parse(LIBOTR_FILE).unwrap() {
        let made = account.numbers.to_sexp().unwrap();
        assert_eq!(made.to_advanced(), account.key.to_advanced());
        assert_eq!(
            DsaNumbers::from_sexp(made.whole()).unwrap(),
            account.numbers
        );
    }
}

/// The fingerprints that libotr 4.1.1 computed for the same file.
#[test]
fn public_key_blocks_hash_to_the_fingerprints_of_libotr() {
    let expected = include_str!("../../../../../tests/data/store/private_keys.fingerprints");
    let accounts = parse(LIBOTR_FILE).unwrap();
    assert_eq!(expected.lines().count(), accounts.len());
    for (account, fingerprint) in accounts.iter().zip(expected.lines()) {
        let digest = <sha1::Sha1 as sha1::Digest>::digest(account.numbers.pubkey_data().unwrap());
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, fingerprint);
    }
}

const KEY: &str = "(private-key (dsa (p #00FF#) (q #07#) (g 1:a) (y |Yg==|) (x \"c\")))";

fn code(file: &str) -> u32 {
    parse(file.as_bytes())
        .map(|_| ())
        .map_err(PrivateKeysError::code)
        .unwrap_err()
}

#[test]
fn every_form_and_unknown_fields_are_read() {
    let file = format!(
        "(privkeys (account (note (name 3:a\0b)) (age 7:7654321) (protocol[hint ]) {KEY} (name c)) (account (x (y (protocol prpl-irc) {KEY})) (name \"\\x41\"))) trailing"
    );
    let accounts = parse(file.as_bytes()).unwrap();
    assert_eq!(accounts.len(), 2);
    assert_eq!(accounts[0].name, b"a", "the first one, up to its NUL");
    assert_eq!(accounts[0].protocol, b"hint");
    assert_eq!(
        (&accounts[1].name[..], &accounts[1].protocol[..]),
        (&b"A"[..], &b"prpl-irc"[..])
    );
    let numbers = &accounts[1].numbers;
    assert_eq!(
        [&numbers.p, &numbers.q, &numbers.g, &numbers.y, &numbers.x].map(|number| &number[..]),
        [&b"\xff"[..], b"\x07", b"a", b"b", b"c"]
    );
    assert_eq!(
        numbers.pubkey_data().unwrap(),
        b"\0\0\0\x01\xff\0\0\0\x01\x07\0\0\0\x01a\0\0\0\x01b"
    );
}

#[test]
fn no_accounts_are_fine() {
    for file in [
        "(privkeys)",
        "(privkeys\n)\n",
        "privkeys ",
        "privkeys (a)",
        "(privkeys)()",
    ] {
        assert_eq!(parse(file.as_bytes()).unwrap().len(), 0, "{file}");
    }
}

#[test]
fn an_account_without_x_is_listed() {
    let file = format!(
        "(privkeys (account (name a) (protocol b) {}))",
        KEY.replace("(x \"c\")", "")
    );
    let accounts = parse(file.as_bytes()).unwrap();
    assert!(accounts[0].numbers.x.is_empty());
}

#[test]
fn errors_have_the_numbers_of_libotr() {
    for file in [
        " ",
        "()",
        "(privkey)",
        "((privkeys))",
        "(privkeys account)",
        "(privkeys ())",
        "(privkeys)(x)",
        "privkeys (a b)",
        "(privkeys (accounts))",
    ] {
        assert_eq!(code(file), 54, "{file}");
    }
    let account = format!("(account (name a) (protocol b) {KEY})");
    assert!(parse(format!("(privkeys {account})").as_bytes()).is_ok());
    assert_eq!(code(&format!("(privkeys {account})(a b)")), 54);
    for (part, instead) in [
        ("(name a)", ""),
        ("(name a)", "(name)"),
        ("(name a)", "(name (a))"),
        ("(protocol b)", ""),
        ("(protocol b)", "(protocol)"),
        ("private-key", "key"),
        ("(dsa", "(rsa"),
        ("(p #00FF#)", ""),
        ("(q #07#)", "(q)"),
        ("(g 1:a)", "(g (1:a))"),
        ("(y |Yg==|)", ""),
    ] {
        let file = format!("(privkeys {account} {})", account.replace(part, instead));
        assert_eq!(code(&file), 54, "{instead} for {part}");
    }
    assert_eq!(code("(privkeys"), 203);
    assert_eq!(code(""), 45);
    assert_eq!(code("(privkeys #0#)"), 212);
    for (file, sentence) in [
        ("(privkey)", "no usable private keys"),
        ("(privkeys", "unmatched parenthesis"),
    ] {
        assert_eq!(parse(file.as_bytes()).unwrap_err().to_string(), sentence);
    }
}

#[test]
fn a_name_too_long_writes_nothing() {
    let key = Sexp::parse(KEY.as_bytes()).unwrap();
    let name = vec![b'a'; MAX_ATOM + 1];
    let entry = |name| Entry {
        name,
        protocol: b"p",
        key: &key,
    };
    let too_long = Unwritten::NameTooLong;
    assert_eq!(write([entry(&name)]), Err(too_long));
    assert_eq!(too_long.code(), 202);
    assert!(too_long.to_string().contains("too long"));
    let file = write([entry(&name[1..])]).unwrap();
    assert_eq!(parse(&file).unwrap()[0].name, name[1..]);
}

#[test]
fn debug_shows_no_number() {
    let accounts =
        parse(format!("(privkeys (account (name n) (protocol p) {KEY}))").as_bytes()).unwrap();
    assert_eq!(
        format!("{:?}", accounts[0]),
        "Account { name: \"n\", protocol: \"p\", .. }"
    );
    assert_eq!(format!("{:?}", accounts[0].numbers), "DsaNumbers { .. }");
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        names in prop::collection::vec(prop::array::uniform2("[^\\x00]{0,40}"), 0..4),
        numbers in prop::array::uniform5(prop::collection::vec(any::<u8>(), 0..40)),
    ) {
        let [p, q, g, y, x] = numbers.map(|number| {
            number.into_iter().skip_while(|&byte| byte == 0).collect()
        });
        let numbers = DsaNumbers { p, q, g, y, x };
        let key = numbers.to_sexp().unwrap();
        let file = write(names.iter().map(|[name, protocol]| Entry {
            name: name.as_bytes(),
            protocol: protocol.as_bytes(),
            key: &key,
        })).unwrap();
        let accounts = parse(&file).unwrap();
        prop_assert_eq!(accounts.len(), names.len());
        for (account, [name, protocol]) in accounts.iter().zip(&names) {
            prop_assert_eq!(&account.name, name.as_bytes());
            prop_assert_eq!(&account.protocol, protocol.as_bytes());
            prop_assert_eq!(&account.key, &key);
            prop_assert_eq!(&account.numbers, &numbers);
        }
    }

    #[test]
    fn any_bytes_give_keys_or_an_error(file in any::<Vec<u8>>()) {
        let _ = parse(&file);
    }
}
