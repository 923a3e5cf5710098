//! Reading, finding, forgetting and using keys.

use super::super::fingerprint::*;
use super::super::list::*;
use super::super::read::*;
use super::super::sign::*;
use super::*;
use crate::abi::gcry::{release, sexp};

fn read(user: &User, path: &Path) -> u32 {
    unsafe { otrl_privkey_read(user.0, c_path(path).as_ptr()) }.0
}

#[test]
fn keys_are_listed_in_the_reverse_order_of_the_file() {
    let scratch = Scratch::new();
    let user = User::with_keys(&scratch);
    assert_eq!(user.names(), NAMES);
    for node in user.nodes() {
        unsafe {
            assert_eq!((*node).pubkey_type, 0);
            assert!(
                borrow((*node).privkey)
                    .text()
                    .unwrap()
                    .starts_with(b"(private-key")
            );
        }
    }
    // Again, and from a stream: the old ones are replaced.
    assert_eq!(read(&user, &scratch.path("libotr")), 0);
    unsafe {
        let stream = open(&scratch.path("libotr"), c"rb");
        assert_eq!(otrl_privkey_read_FILEp(user.0, stream).0, 0);
        libc::fclose(stream);
    }
    assert_eq!(user.names(), NAMES);
}

#[test]
fn fingerprints_are_those_of_libotr() {
    let scratch = Scratch::new();
    let user = User::with_keys(&scratch);
    let expected = include_str!("../../../../tests/data/store/private_keys.fingerprints");
    for (node, expected) in user.nodes().into_iter().rev().zip(expected.lines()) {
        let mut human: [c_char; 45] = [1; 45];
        let mut hash = [0_u8; 20];
        unsafe {
            let (name, protocol) = ((*node).accountname, (*node).protocol);
            assert_eq!(otrl_privkey_find(user.0, name, protocol), node);
            let raw = otrl_privkey_fingerprint_raw(user.0, hash.as_mut_ptr(), name, protocol);
            assert_eq!(raw, hash.as_mut_ptr());
            let (account, network) = (
                crate::abi::memory::bytes_of(name).unwrap(),
                crate::abi::memory::bytes_of(protocol).unwrap(),
            );
            assert_eq!(
                fingerprint_of(user.borrowed(), account, network),
                Some(hash)
            );
            let start = otrl_privkey_fingerprint(user.0, human.as_mut_ptr(), name, protocol);
            assert_eq!(start, human.as_mut_ptr());
            let human = text(human.as_ptr());
            assert_eq!(human.len(), 44);
            assert_eq!(human.replace(' ', "").to_lowercase(), expected);
            assert_eq!(human.as_bytes()[8], b' ');
        }
    }
}

#[test]
fn a_fingerprint_is_that_of_the_data_in_the_node() {
    let scratch = Scratch::new();
    let user = User::with_keys(&scratch);
    unsafe {
        let node = otrl_privkey_find(user.0, ALICE.as_ptr(), JABBER.as_ptr());
        *(*node).pubkey_data.cast::<[u8; 3]>() = *b"abc";
        (*node).pubkey_datalen = 3;
        let mut human: [c_char; 45] = [1; 45];
        otrl_privkey_fingerprint(user.0, human.as_mut_ptr(), ALICE.as_ptr(), JABBER.as_ptr());
        // FIPS 180, example of SHA-1.
        assert_eq!(
            text(human.as_ptr()),
            "A9993E36 4706816A BA3E2571 7850C26C 9CD0D89D"
        );
    }
}

#[test]
fn a_failed_read_has_libotrs_code_and_leaves_the_keys() {
    let scratch = Scratch::new();
    let user = User::with_keys(&scratch);
    let before = user.nodes();
    let half = LIBOTR_FILE.len() / 2;
    let bad_account = b"(privkeys (account (name a)(protocol b)(private-key (dsa (p #05#)))))";
    for (contents, code) in [
        (&b""[..], ENOENT.0),
        (b"(privkeys", 0x0100_00cb),
        (b"(privkeys \"a\\q\")", 0x0100_00ce),
        (b"(a #0#)", 0x0100_00d4),
        (b"(other)", 0x2000_0036),
        (b" \n", 0x2000_0036),
        (&bad_account[..], 0x2000_0036),
        (LIBOTR_FILE.split_at(half).0, 0x0100_00cb),
    ] {
        scratch.file("bad", contents);
        assert_eq!(
            read(&user, &scratch.path("bad")),
            code,
            "{}",
            contents.escape_ascii()
        );
        unsafe {
            let stream = open(&scratch.path("bad"), c"rb");
            assert_eq!(otrl_privkey_read_FILEp(user.0, stream).0, code);
            libc::fclose(stream);
        }
    }
    assert_eq!(read(&user, &scratch.path("none")), ENOENT.0);
    assert_eq!(read(&user, &scratch.0), 0x0100_8033, "EISDIR");
    assert_eq!(read(&user, Path::new("/dev/null")), ENOENT.0);
    assert_eq!(
        read(&user, Path::new("/dev/zero")),
        GcryError::from_errno(libc::EFBIG).0
    );
    assert_eq!(user.nodes(), before);

    scratch.file("nobody", b"(privkeys)");
    assert_eq!(read(&user, &scratch.path("nobody")), 0);
    assert!(user.nodes().is_empty());
}

#[test]
fn a_pipe_is_read_like_a_file() {
    let scratch = Scratch::new();
    let user = User::new();
    let pipe = scratch.path("pipe");
    assert_eq!(unsafe { libc::mkfifo(c_path(&pipe).as_ptr(), 0o600) }, 0);
    let writer = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::write(pipe, LIBOTR_FILE).unwrap()
    });
    assert_eq!(read(&user, &pipe), 0);
    writer.join().unwrap();
    assert_eq!(user.names(), NAMES);
}

#[test]
fn null_is_accepted_everywhere() {
    let scratch = Scratch::new();
    let user = User::with_keys(&scratch);
    let file = scratch.file("keys", LIBOTR_FILE);
    let (null, name) = (ptr::null_mut::<u8>(), ALICE.as_ptr());
    let mut human: [c_char; 45] = [1; 45];
    unsafe {
        assert_eq!(otrl_privkey_read_FILEp(user.0, null.cast()).0, 0);
        assert_eq!(
            otrl_privkey_read(null.cast(), file.as_ptr()),
            GcryError::INV_VALUE
        );
        assert_eq!(otrl_privkey_read(user.0, ptr::null()), GcryError::INV_VALUE);
        assert!(otrl_privkey_find(null.cast(), name, name).is_null());
        assert!(otrl_privkey_find(user.0, ptr::null(), name).is_null());
        assert!(otrl_privkey_find(user.0, name, ptr::null()).is_null());
        assert!(otrl_privkey_fingerprint(user.0, null.cast(), name, JABBER.as_ptr()).is_null());
        assert!(otrl_privkey_fingerprint(user.0, human.as_mut_ptr(), name, name).is_null());
        assert!(otrl_privkey_fingerprint_raw(user.0, null.cast(), name, JABBER.as_ptr()).is_null());
        otrl_privkey_hash_to_human(null.cast(), [0; 20].as_ptr());
        otrl_privkey_hash_to_human(human.as_mut_ptr(), ptr::null());
        assert_eq!(human, [1; 45]);
        otrl_privkey_forget(null.cast());
        otrl_privkey_forget_all(null.cast());
        assert_eq!(signing_key(None).err(), Some(GcryError::INV_VALUE));
        assert!(signing_key_of(user.borrowed(), b"nobody", b"nobody").is_err());
        let key = otrl_privkey_find(user.0, name, JABBER.as_ptr());
        let (mut signature, mut len) = (ptr::dangling_mut(), 1);
        for error in [
            otrl_privkey_sign(&mut signature, &mut len, null.cast(), ptr::null(), 0),
            otrl_privkey_sign(ptr::null_mut(), &mut len, key, ptr::null(), 0),
            otrl_privkey_sign(&mut signature, ptr::null_mut(), key, ptr::null(), 0),
            otrl_privkey_sign(&mut signature, &mut len, key, ptr::null(), 9),
            otrl_privkey_verify(ptr::null(), 40, 0, (*key).privkey, ptr::null(), 0),
            otrl_privkey_verify([1; 40].as_ptr(), 40, 0, (*key).privkey, ptr::null(), 9),
        ] {
            assert_eq!(error, GcryError::INV_VALUE);
        }
        assert!(signature.is_null() && len == 0);
    }
    assert_eq!(user.names(), NAMES);
}

#[test]
fn keys_are_forgotten_one_by_one_or_all() {
    let scratch = Scratch::new();
    let user = User::with_keys(&scratch);
    let nodes = user.nodes();
    unsafe {
        for index in [0, 7, 3] {
            otrl_privkey_forget(nodes[index]);
        }
        let left = [NAMES[1], NAMES[2], NAMES[4], NAMES[5], NAMES[6]];
        assert_eq!(user.names(), left);
        otrl_privkey_forget_all(user.0);
        assert!((*user.0).privkey_root.is_null());
        otrl_privkey_forget_all(user.0);
    }
}

#[test]
fn signatures_are_made_and_checked() {
    let scratch = Scratch::new();
    let user = User::with_keys(&scratch);
    let nodes = user.nodes();
    let key = nodes[0];
    let verify = |signature: &[u8], key: *mut OtrlPrivKey, data: &[u8]| unsafe {
        let (start, len) = (signature.as_ptr(), signature.len());
        otrl_privkey_verify(start, len, 0, (*key).privkey, data.as_ptr(), data.len()).0
    };
    for data in [&[][..], &[0], &[7; 20], &[0xff; 32], &[3; 100]] {
        let (mut signature, mut len) = (ptr::null_mut(), 0);
        unsafe {
            let error = otrl_privkey_sign(&mut signature, &mut len, key, data.as_ptr(), data.len());
            assert_eq!((error.0, len), (0, 40));
            let made: [u8; 40] = signature.cast::<[u8; 40]>().read();
            libc::free(signature.cast());
            assert_eq!(verify(&made, key, data), 0);
            assert_eq!(verify(&made, nodes[1], data), 0x0100_0008);
            assert_eq!(verify(&made, key, b"other"), 0x0100_0008);
            assert_eq!(verify(&made[..39], key, data), 0x2000_0037);
            let start = made.as_ptr();
            let wrong_type = otrl_privkey_verify(start, 40, 1, (*key).privkey, start, 1);
            assert_eq!(wrong_type, GcryError::INV_VALUE);
        }
    }
    assert_eq!(verify(&[0; 40], key, b"data"), 0x0100_0008);
    unsafe { (*key).pubkey_type = 1 };
    let (mut signature, mut len) = (ptr::null_mut(), 0);
    let error = unsafe { otrl_privkey_sign(&mut signature, &mut len, key, [1].as_ptr(), 1) };
    assert_eq!(error, GcryError::INV_VALUE);
}

/// The codes that libgcrypt 1.10.1 gave for the same keys.
#[test]
fn keys_that_verify_nothing_have_libgcrypts_codes() {
    let verify = |key: &str| unsafe {
        let key = sexp::from_bytes(key.as_bytes()).unwrap().into_raw();
        let error = otrl_privkey_verify([1; 40].as_ptr(), 40, 0, key, [7; 32].as_ptr(), 32).0;
        release(key);
        error
    };
    for (key, code) in [
        ("(foo bar)", 0x0100_0041),
        ("(public-key bar)", 0x0100_0004),
        ("(public-key (dsa))", 0x0100_0044),
        ("(public-key (foo (p #05#)))", 0x0100_0004),
        ("(public-key (rsa (n #0501#)(e #03#)))", 0x0100_0046),
        ("(public-key (dsa (p #05#)(q #03#)(g #02#)))", 0x0100_0044),
        (
            "(private-key (dsa (p #05#)(q #03#)(g #02#)(y #03#)))",
            0x0100_0008,
        ),
    ] {
        assert_eq!(verify(key), code, "{key}");
    }
    let nothing = unsafe {
        otrl_privkey_verify(
            [1; 40].as_ptr(),
            40,
            0,
            ptr::null_mut(),
            [7; 32].as_ptr(),
            32,
        )
    };
    assert_eq!(nothing.0, 0x0100_0041);
}

#[test]
fn a_public_key_alone_is_enough_to_check() {
    let scratch = Scratch::new();
    let user = User::with_keys(&scratch);
    let key = user.nodes()[2];
    unsafe {
        let numbers = numbers_of(borrow(key)).unwrap();
        let hex = |number: &[u8]| {
            number
                .iter()
                .map(|byte| format!("{byte:02X}"))
                .collect::<String>()
        };
        let public = format!(
            "(public-key (dsa (p #00{}#)(q #00{}#)(g #00{}#)(y #00{}#)))",
            hex(&numbers.p),
            hex(&numbers.q),
            hex(&numbers.g),
            hex(&numbers.y)
        );
        let public = sexp::from_bytes(public.as_bytes()).unwrap().into_raw();
        let signing = signing_key(Some(borrow(key))).unwrap();
        let made = signing.key().sign(b"data").unwrap();
        assert_eq!(
            otrl_privkey_verify(made.as_ptr(), 40, 0, public, b"data".as_ptr(), 4).0,
            0
        );
        release(public);

        let key = borrow(key);
        let names = (key.accountname().bytes(), key.protocol().bytes());
        let (Some(name), Some(protocol)) = names else {
            panic!("the key has names");
        };
        let same = signing_key_of(user.borrowed(), name, protocol).unwrap();
        assert_eq!(same.public_block(), signing.public_block());
        assert_eq!(
            Some(same.fingerprint()),
            fingerprint_of(user.borrowed(), name, protocol)
        );
    }
}

#[test]
fn nodes_that_a_client_made_are_keys_as_well() {
    let scratch = Scratch::new();
    let user = User::with_keys(&scratch);
    let text = borrow(unsafe { (*user.nodes()[0]).privkey })
        .text()
        .unwrap();
    let node = foreign_node(c"own", c"p", &text);
    link(&user, node);
    link(&user, foreign_node(c"no key", c"p", b""));
    link(
        &user,
        foreign_node(c"no numbers", c"p", b"(private-key (dsa (p #05#)))"),
    );
    unsafe {
        assert_eq!(
            otrl_privkey_find(user.0, c"own".as_ptr(), c"p".as_ptr()),
            node
        );
        assert!(signing_key(Some(borrow(node))).is_ok());
        let hash = fingerprint_of(user.borrowed(), b"own", b"p");
        assert_eq!(
            hash,
            Some(otr_crypto::hash::sha1(&[])),
            "of the data that the node has"
        );
        for bad in [c"no key", c"no numbers"] {
            let bad = otrl_privkey_find(user.0, bad.as_ptr(), c"p".as_ptr());
            assert_eq!(
                signing_key(Some(borrow(bad))).err(),
                Some(GcryError::UNUSABLE_SECKEY)
            );
            let (mut signature, mut len) = (ptr::null_mut(), 0);
            let error = otrl_privkey_sign(&mut signature, &mut len, bad, [1].as_ptr(), 1);
            assert_eq!(error, GcryError::UNUSABLE_SECKEY);
        }
        otrl_privkey_forget(node);
    }
    assert_eq!(user.names()[..3], ["no numbers", "no key", NAMES[0]]);
}

#[test]
fn a_list_that_the_client_emptied_is_no_error() {
    let scratch = Scratch::new();
    let user = User::with_keys(&scratch);
    unsafe {
        let taken = (*user.0).privkey_root;
        (*user.0).privkey_root = ptr::null_mut();
        assert!(find(user.borrowed(), ALICE.to_bytes(), JABBER.to_bytes()).is_none());
        forget_all(user.borrowed());
        // So that nothing leaks.
        (*user.0).privkey_root = taken;
    }
}
