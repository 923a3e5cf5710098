//! Runs the arithmetic on secrets under valgrind's memcheck with the secrets marked as undefined: memcheck then complains
//! about every branch and every address that depends on one. constant_time.supp names the few places where a secret becomes
//! public, and why. test_robustness.py runs it; without valgrind it only shows that everything computes.

use std::process::ExitCode;

use otr_crypto::dsa::PrivateKey;
use otr_crypto::group::{self, Exponent};
use otr_crypto::mac;
use otr_protocol::dh::{AuthKeys, DataKeys, DhKeyPair};
use otr_protocol::smp::steps;

mod hex;
#[path = "../../crates/otr-crypto/src/dsa/tests/rfc6979.rs"]
mod rfc6979;

use hex::hex;
use rfc6979::{G, P, Q, X, Y};

const RUNNING_ON_VALGRIND: usize = 0x1001;
const COUNT_ERRORS: usize = 0x1201;
const MAKE_MEM_UNDEFINED: usize = 0x4d43_0001;
const MAKE_MEM_DEFINED: usize = 0x4d43_0002;

/// Asks valgrind for something; 0 without valgrind.
fn request(code: usize, address: usize, length: usize) -> usize {
    let arguments = [code, address, length, 0, 0, 0];
    let mut answer = 0_usize;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the instructions that valgrind knows its requests by turn rdi by 128 bits and swap rbx with itself; nothing
    // else happens without valgrind, and with it only the marks on memory change.
    unsafe {
        std::arch::asm!(
            "rol rdi, 3", "rol rdi, 13", "rol rdi, 61", "rol rdi, 51", "xchg rbx, rbx",
            in("rax") &arguments, inout("rdx") answer, options(nostack),
        );
    }
    let _ = &arguments;
    answer
}

fn hide(secret: &[u8]) {
    request(MAKE_MEM_UNDEFINED, secret.as_ptr().addr(), secret.len());
}

/// What is sent is public from here on.
fn publish(message: &[u8]) {
    request(MAKE_MEM_DEFINED, message.as_ptr().addr(), message.len());
}

/// A public copy of a value that is about to be sent.
fn published(bytes: &[u8]) -> Vec<u8> {
    publish(bytes);
    bytes.to_vec()
}

/// A secret of this many bytes, none of them zero at either end.
fn secret(length: usize, salt: u8) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0_u8..=255)
        .cycle()
        .take(length)
        .map(|i| i.wrapping_mul(37) ^ salt)
        .collect();
    if let Some(first) = bytes.first_mut() {
        *first |= 1;
    }
    hide(&bytes);
    bytes
}

fn exponent(length: usize, salt: u8) -> Exponent {
    Exponent::from_bytes(&secret(length, salt)).unwrap_or_else(|| std::process::exit(2))
}

fn fail<E, T>(_: E) -> T {
    println!("not ok - a step that must succeed failed");
    std::process::exit(2)
}

fn diffie_hellman() {
    let theirs = group::generator_pow(&Exponent::from_bytes(&[9; 40]).unwrap_or_else(|| fail(())));
    let theirs = theirs.to_element().unwrap_or_else(|| fail(()));
    for length in [40, 192] {
        let x = exponent(length, 0x5a);
        let _ = std::hint::black_box(group::generator_pow(&x));
        let _ = std::hint::black_box(group::pow(&theirs, &x));
    }
}

fn pair_of(salt: u8) -> (DhKeyPair, group::Element) {
    let x = exponent(40, salt);
    let public = published(&group::generator_pow(&x).to_bytes());
    let public = group::Residue::from_bytes(&public)
        .and_then(|y| y.to_element())
        .unwrap_or_else(|| fail(()));
    (DhKeyPair::from_parts(x, public.clone()), public)
}

fn session_keys() {
    let (ours, _) = pair_of(0x11);
    let (_, theirs) = pair_of(0x77);
    let _ = std::hint::black_box(AuthKeys::derive(ours.shared_secret(&theirs)));
    let keys = std::hint::black_box(DataKeys::derive(&ours, &theirs));
    let mut text = b"a text of the user's, of two blocks of AES".to_vec();
    otr_crypto::aes_ctr::apply(&keys.sending.encryption, &[0; 16], &mut text);
    let _ = std::hint::black_box(mac::hmac_sha1(&keys.sending.mac, &[&text]));
}

fn signing() {
    let x = hex(X);
    hide(&x);
    let key = PrivateKey::new(&hex(P), &hex(Q), &hex(G), &hex(Y), &x).unwrap_or_else(fail);
    for data in [&b"data to sign, of thirty-two byte"[..], b"short"] {
        let signature = key.sign(data).unwrap_or_else(fail);
        publish(&signature);
        if !key.public().verify(data, &signature) {
            fail::<_, ()>(());
        }
    }
}

fn mac_comparison() {
    let made = secret(20, 3);
    let mut given = made.clone();
    hide(&given);
    let _ = std::hint::black_box(mac::equal(&made, &given));
    if let Some(byte) = given.get_mut(7) {
        *byte ^= 1;
    }
    let _ = std::hint::black_box(mac::equal(&made, &given));
}

fn smp() {
    let (ours, theirs) = (secret(32, 0x21), secret(32, 0x21));
    let read = |bytes: &[u8]| Exponent::from_bytes(bytes).unwrap_or_else(|| fail(()));
    let (initiated, message1) = steps::step1(read(&ours)).unwrap_or_else(fail);
    let asked = steps::step2a(&published(&message1)).unwrap_or_else(fail);
    let (answered, message2) = steps::step2b(&asked, &read(&theirs)).unwrap_or_else(fail);
    let (compared, _, message3) =
        *steps::step3(&initiated, &published(&message2)).unwrap_or_else(fail);
    let verdict = steps::step4(&answered, &published(&message3)).unwrap_or_else(fail);
    let equal = steps::step5(&compared, &published(&verdict.message)).unwrap_or_else(fail);
    std::hint::black_box(equal);
}

/// A branch and an address that depend on a secret: memcheck must complain of both.
fn planted() {
    let key = secret(16, 1);
    let table: Vec<u8> = (0..=255).collect();
    let looked_up = key.first().and_then(|byte| table.get(usize::from(*byte)));
    std::hint::black_box(looked_up.copied());
    if key.get(1).is_some_and(|byte| byte % 2 == 1) {
        std::hint::black_box("a branch");
    }
}

fn main() -> ExitCode {
    let valgrind = request(RUNNING_ON_VALGRIND, 0, 0) != 0;
    let cases: [(&str, fn(), bool); 6] = [
        ("Diffie-Hellman powers", diffie_hellman, false),
        ("session keys, AES and MAC", session_keys, false),
        ("DSA signing", signing, false),
        ("MAC comparison", mac_comparison, false),
        ("the SMP", smp, false),
        ("a planted leak", planted, true),
    ];
    let mut failed = 0;
    for (name, case, leaks) in cases {
        let before = request(COUNT_ERRORS, 0, 0);
        case();
        let found = request(COUNT_ERRORS, 0, 0).wrapping_sub(before);
        let good = !valgrind || (found > 0) == leaks;
        println!(
            "{} - {name}: {found} places depend on a secret",
            if good { "ok" } else { "not ok" }
        );
        failed += u32::from(!good);
    }
    println!("1..6");
    ExitCode::from(u8::from(failed > 0))
}
