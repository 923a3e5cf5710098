//! Published test vectors, comparison with num-bigint, and invalid keys.

use super::super::bignum::hex;
use super::super::hash;
use super::*;
use num_bigint::BigUint;
use proptest::prelude::*;
use std::sync::LazyLock;

mod rfc6979;
use rfc6979::{G, P, Q, X, Y};

struct Vector {
    message: &'static [u8],
    digest: fn(&[u8]) -> Vec<u8>,
    k: &'static str,
    signature: &'static str,
}

/// The digests as RFC 6979 signs them: not longer than q, so the first 160 bits.
const VECTORS: [Vector; 4] = [
    Vector {
        message: b"sample",
        digest: sha1,
        k: "7BDB6B0FF756E1BB5D53583EF979082F9AD5BD5B",
        signature: "2E1A0C2562B2912CAAF89186FB0F42001585DA55 29EFB6B0AFF2D7A68EB70CA313022253B9A88DF5",
    },
    Vector {
        message: b"test",
        digest: sha1,
        k: "5C842DF4F9E344EE09F056838B42C7A17F4A6433",
        signature: "42AB2052FD43E123F0607F115052A67DCD9C5C77 183916B0230D45B9931491D4C6B0BD2FB4AAF088",
    },
    Vector {
        message: b"sample",
        digest: sha256,
        k: "519BA0546D0C39202A7D34D7DFA5E760B318BCFB",
        signature: "81F2F5850BE5BC123C43F71A3033E9384611C545 4CDD914B65EB6C66A8AAAD27299BEE6B035F5E89",
    },
    Vector {
        message: b"test",
        digest: sha256,
        k: "5A67592E8128E03A417B0484410FB72C0B630E1A",
        signature: "22518C127299B0F6FDC9872B282B9E70D0790812 6837EC18F150D55DE95B5E29BE7AF5D01E4FE160",
    },
];

fn sha1(message: &[u8]) -> Vec<u8> {
    hash::sha1(&[message]).to_vec()
}

fn sha256(message: &[u8]) -> Vec<u8> {
    hash::sha256(&[message])[..20].to_vec()
}

fn rfc_key() -> PrivateKey {
    PrivateKey::new(&hex(P), &hex(Q), &hex(G), &hex(Y), &hex(X)).unwrap()
}

fn signature(text: &str) -> [u8; 40] {
    hex(text).try_into().unwrap()
}

fn big(bytes: &[u8]) -> BigUint {
    BigUint::from_bytes_be(bytes)
}

/// FIPS 186-4, 4.7, in num-bigint.
fn oracle_verifies(key: &PublicKey, data: &[u8], signature: &[u8; 40]) -> bool {
    let [p, q, g, y] = [key.p(), key.q(), key.g(), key.y()].map(big);
    let (r, s) = (big(&signature[..20]), big(&signature[20..]));
    if r == BigUint::ZERO || r >= q || s == BigUint::ZERO || s >= q {
        return false;
    }
    let w = s.modinv(&q).unwrap();
    let power = g.modpow(&(big(data) * &w % &q), &p) * y.modpow(&(&r * &w % &q), &p) % &p;
    power % q == r
}

#[test]
fn rfc_6979_signatures_verify() {
    let key = rfc_key();
    for vector in VECTORS {
        let signature = signature(vector.signature);
        assert!(
            key.public()
                .verify(&(vector.digest)(vector.message), &signature)
        );
        assert!(!key.public().verify(&(vector.digest)(b"other"), &signature));
    }
}

#[test]
fn rfc_6979_signatures_are_made_with_their_nonces() {
    let key = rfc_key();
    let order = Order::of(key.public().q()).unwrap();
    for vector in VECTORS {
        let number = order.reduce(&(vector.digest)(vector.message));
        let k = bignum::read(&hex(vector.k)).unwrap();
        assert_eq!(
            key.sign_with(&order, &number, &k),
            Some(signature(vector.signature))
        );
    }
}

#[test]
fn nonces_are_those_of_rfc_6979_but_for_the_fresh_bytes() {
    let key = rfc_key();
    let order = Order::of(key.public().q()).unwrap();
    // The published nonces that were made with HMAC-SHA-256.
    for vector in &VECTORS[2..] {
        let number = order.reduce(&(vector.digest)(vector.message));
        let mut nonces = Nonces::new(&order, key.x(), &number, b"");
        let k = nonces.next().unwrap();
        assert_eq!(*bignum::write(&k), hex(vector.k));
        assert_ne!(nonces.next().unwrap(), k);
        assert_ne!(Nonces::new(&order, key.x(), &number, &[0]).next(), Some(k));
    }
}

#[test]
fn nonces_are_in_range_for_orders_of_any_length() {
    // Just above a power of two: every second candidate is refused.
    for order in [
        hex("80000000000000000000000000000001"),
        hex(&"ff".repeat(32)),
        hex("01ffffffffffffffffffffffffffffffffff"),
    ] {
        let order = Order::of(&order).unwrap();
        let mut nonces = Nonces::new(&order, &[5], &U256::from(1), b"");
        let drawn: Vec<_> = (0..64).map(|_| nonces.next().unwrap()).collect();
        assert!(drawn.iter().all(|k| order.is_unit_range(k)));
        // Some of them have the top bit or the one below.
        assert!(drawn.iter().any(|k| k.bits() + 2 > order.bits()));
    }
}

#[test]
fn signatures_are_hedged() {
    let key = rfc_key();
    let (first, second) = (key.sign(b"data").unwrap(), key.sign(b"data").unwrap());
    assert_ne!(first, second);
    assert!(key.public().verify(b"data", &first));
    assert!(key.public().verify(b"data", &second));
}

#[test]
fn the_whole_number_is_signed() {
    let key = rfc_key();
    let number = [0xe7; 32];
    let signature = key.sign(&number).unwrap();
    assert!(key.public().verify(&number, &signature));
    assert!(oracle_verifies(key.public(), &number, &signature));
    assert!(!key.public().verify(&number[..20], &signature));
    let reduced = big(&number) % big(key.public().q());
    assert!(key.public().verify(&reduced.to_bytes_be(), &signature));
    let padded = [&[0; 100], &number[..]].concat();
    assert!(key.public().verify(&padded, &signature));
}

#[test]
fn empty_data_is_zero() {
    let key = rfc_key();
    let signature = key.sign(b"").unwrap();
    for zero in [&b""[..], b"\0", &[0; 99], key.public().q()] {
        assert!(key.public().verify(zero, &signature));
    }
    assert!(!key.public().verify(b"\x01", &signature));
}

#[test]
fn signatures_out_of_range_do_not_verify() {
    let key = rfc_key();
    let good = key.sign(b"data").unwrap();
    let q: [u8; 20] = key.public().q().try_into().unwrap();
    for bad in [[0; 20], q, [0xff; 20]] {
        for half in [0..20, 20..40] {
            let mut signature = good;
            signature[half].copy_from_slice(&bad);
            assert!(!key.public().verify(b"data", &signature));
        }
    }
    for bit in 0..320 {
        let mut signature = good;
        signature[bit / 8] ^= 1 << (bit % 8);
        assert!(!key.public().verify(b"data", &signature), "bit {bit}");
    }
}

#[test]
fn a_signature_has_one_form() {
    // s + q is the same number modulo q; it fits into 20 bytes for two out of three signatures.
    let key = rfc_key();
    let mut forms = (0..64).filter_map(|_| {
        let signature = key.sign(b"data").unwrap();
        let other = (big(&signature[20..]) + big(key.public().q())).to_bytes_be();
        (other.len() == 20).then(|| [&signature[..20], &other].concat())
    });
    let other: [u8; 40] = forms.next().unwrap().try_into().unwrap();
    assert!(!key.public().verify(b"data", &other));
}

#[test]
fn numbers_that_are_no_key() {
    let [p, q, g, y, x] = [P, Q, G, Y, X].map(hex);
    let public = |p: &[u8], q: &[u8], g: &[u8], y: &[u8]| PublicKey::new(p, q, g, y).err();
    assert_eq!(public(&p, &q, &g, &y), None);

    let mut even = p.clone();
    even[127] -= 1;
    let zeros = [0; 200];
    let long = [&[1], &[0; 383][..], &[1]].concat();
    for bad in [&[][..], &[0], &[1], &[2], &[7; 63], &zeros, &even, &long] {
        assert_eq!(public(bad, &q, &g, &y), Some(KeyError::Modulus));
    }
    for bad in [&[][..], &[0], &[3], &[0xff; 15], &[0xfe; 20], &[0xff; 33]] {
        assert_eq!(public(&p, bad, &g, &y), Some(KeyError::Order));
    }
    let mut above = p.clone();
    above[127] += 2;
    for bad in [&[][..], &[0], &[1], &[0, 0, 1], &p, &above, &[1; 129]] {
        assert_eq!(public(&p, &q, bad, &y), Some(KeyError::Generator));
        assert_eq!(public(&p, &q, &g, bad), Some(KeyError::PublicValue));
    }
    assert_eq!(public(&p, &q, &[2], &even), None);
    for bad in [&[][..], &[0], &q, &[0xff; 20], &[1; 21], &[1; 100]] {
        let error = PrivateKey::new(&p, &q, &g, &y, bad).err();
        assert_eq!(error, Some(KeyError::SecretValue));
    }
    let smallest = PrivateKey::new(&p, &q, &g, &y, &[0, 1]).unwrap();
    assert_eq!(smallest.x(), [1]);
    assert!(PrivateKey::new(&even, &q, &g, &y, &x).is_err());
}

#[test]
fn numbers_come_back_without_leading_zeros() {
    let [p, q, g, y, x] = [P, Q, G, Y, X].map(|text| [&[0, 0], &hex(text)[..]].concat());
    let key = PrivateKey::new(&p, &q, &g, &y, &x).unwrap();
    assert_eq!(key.public().p(), hex(P));
    assert_eq!(key.public().q(), hex(Q));
    assert_eq!(key.public().g(), hex(G));
    assert_eq!(key.public().y(), hex(Y));
    assert_eq!(key.x(), hex(X));
    assert_eq!(key.public(), rfc_key().public());
}

#[test]
fn keys_with_long_orders_neither_sign_nor_verify() {
    let [p, g, y] = [P, G, Y].map(hex);
    let q = [&[1], &[0xff; 20][..]].concat();
    let key = PrivateKey::new(&p, &q, &g, &y, &[3]).unwrap();
    assert_eq!(key.sign(b"data"), Err(SignError::OrderTooLong));
    assert!(!key.public().verify(b"data", &[1; 40]));
}

#[test]
fn keys_that_only_look_like_keys_end() {
    // p and q are odd but composite, g and y arbitrary: no panic, no endless loop.
    let p = [0xff; 128];
    for (q, g, y) in [
        (vec![0xff; 20], vec![2], vec![3]),
        (vec![0xff; 16], vec![0xff; 127], vec![0xfe; 128]),
        (
            [&[0x81], &[0; 18][..], &[1]].concat(),
            vec![4],
            p[..127].to_vec(),
        ),
    ] {
        let key = PrivateKey::new(&p, &q, &g, &y, &[9]).unwrap();
        let _ = key.sign(b"data");
        let _ = key.public().verify(b"data", &[7; 40]);
    }
    // g a multiple of q with p = q^k would give r = 0 forever.
    let q = hex("ffffffffffffffffffffffffffffffffffffffc9");
    let p = big(&q).pow(7).to_bytes_be();
    let key = PrivateKey::new(&p, &q, &q, &[2], &[9]).unwrap();
    assert_eq!(key.sign(b"data"), Err(SignError::UnusableKey));
}

/// Keys made for this test, p, q, g, y and x: 523 and 131 bits, multiples of neither 8 nor 64; 1536 and 160.
const OTHER_LENGTHS: [[&str; 5]; 2] = [
    [
        "0648ab57f9becf6f2d9c8c2f2e91c197a8bfdea7d5ca747e0624f921a094a75b6db221b56c18a010adb52ad13ec912a5
            01706709f64fd59f81209178310fa1be47c7",
        "05d2332205227bc676e6ffe3fda764276b",
        "013962de835be9011ecda0456002359ffc80099dca3113fff27f916b71acbe3480c87cffa6343ee641a143badbc95e8e
            9ce1b6d903d3f0cae03d2f4c7fcf65c652ac",
        "012bedee5d459f6dbe8869cc34a7f3486dad06de45afede2330f6b32f93cf44fd004bec762327dde59492060d6bdb9f5
            48683371fff4fb1dd0b8f9e41de6523cca0d",
        "cc47b9566ee3fc6d0d40900eb5d2bfab",
    ],
    [
        "df19540af0c746d678584b1505e45e0c65c7e2556b9a5a76819f70d5de1b57597161399a4debc80d20c6a95d2151b394
            11c2174030032c61a0648e1ff56258ef94ea393fd9556ffe09a73fa2ce6177ed8f60e4ca38f82c008abf9e586c28f9ab
            ea53d61f9ef30d5b555e7a857482ba18b38cac75307d5f7573c5065cde7d4873c628c38b78e96c15c14784f0a02e006d
            df13542fa770a004ed49d48f34427d46d25db023b4179d9c7342410082fc49f21d77fb98063ecfd17ad72db166bdfb2d",
        "f5d36a6ffdd4ac5b025ac1adc20a3486fe975fd9",
        "1ab8e6a44db051c47a1b5c4ceca6b0c4dd38a59a9536322303b837990cd6171c6d047368d538c3e45bec7caec208b13c
            aca536d15065e6e40a94f82edadbed2dcb5ed43802caef5a109233b53b5293caa99338dbf037cc62eb18fcf07f133669
            7ccafb281f304c1be35370120e1f608bada0bd376e787a223d8972c7f63ec7b9f448b6ea81a68edb782d864c6dd88ef6
            b2c84a983e0f4761352c0367aedf284084ffe637b92efc8bcf82a1ada9c8925252d869c0d400c4da221cbac9c1840d8e",
        "02c7bfc40216264be6c0c3297025282301e8dc920445aca5e3a367ad9f7675dfb77eb8fa80db82e5a79c50fbdd44fd41
            a7ca1e3e266f5e1edbe8949abb618a56b31010359a631d7e23b4a766e5d8418d7f9d68e71126b8d7a9bef85b11434e99
            c01d4dc59432fd2e24036f7cd4c5f7b4d70e04ac89a814c9c223c735ebea7996647ade18a4c2719f939b079c18bb4330
            878ec54385dec48485d627b0b18cfc37c2f7d20dce7b8b2bc2cbafb62075363eb8a2be926ae78a638de814b7a2fa2398",
        "1d58afbe1c7ca23daf4a47e5a58c2dec5294cd6a",
    ],
];

#[test]
fn keys_of_other_lengths_sign_and_verify() {
    for numbers in OTHER_LENGTHS {
        let [p, q, g, y, x] = numbers.map(hex);
        let key = PrivateKey::new(&p, &q, &g, &y, &x).unwrap();
        for data in [
            &b""[..],
            &[1],
            &[0xff; 31],
            &[0xff; 32],
            &[0xfe; 33],
            &[0x5c; 1000],
        ] {
            let signature = key.sign(data).unwrap();
            assert!(key.public().verify(data, &signature));
            assert!(oracle_verifies(key.public(), data, &signature));
            assert!(!key.public().verify(b"other", &signature));
        }
    }
}

#[test]
fn generated_keys() {
    let key = PrivateKey::generate().unwrap();
    let public = key.public();
    let [p, q, g, y] = [public.p(), public.q(), public.g(), public.y()].map(big);
    assert_eq!((p.bits(), q.bits()), (1024, 160));
    let one = BigUint::from(1_u32);
    assert_eq!((&p - 1_u32) % &q, BigUint::ZERO);
    assert!(g > one && g < p);
    assert_eq!(g.modpow(&q, &p), one);
    assert_eq!(y, g.modpow(&big(key.x()), &p));
    // Fermat test to bases that the generator did not use.
    for base in [3_u32, 5, 7, 65537] {
        assert_eq!(BigUint::from(base).modpow(&(&p - 1_u32), &p), one);
        assert_eq!(BigUint::from(base).modpow(&(&q - 1_u32), &q), one);
    }
    let signature = key.sign(b"data").unwrap();
    assert!(public.verify(b"data", &signature));
    assert!(oracle_verifies(public, b"data", &signature));
    assert!(!rfc_key().public().verify(b"data", &signature));
    assert_ne!(PrivateKey::generate().unwrap().x(), key.x());
}

#[test]
fn debug_hides_x() {
    let shown = format!("{:?}", rfc_key());
    assert_eq!(
        shown,
        "dsa::PrivateKey(dsa::PublicKey(1024 bits, q 160 bits), x secret)"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 24 } else { 400 }))]

    #[test]
    fn what_is_signed_verifies(data in prop::collection::vec(any::<u8>(), 0..80)) {
        static KEY: LazyLock<PrivateKey> = LazyLock::new(rfc_key);
        let signature = KEY.sign(&data).unwrap();
        prop_assert!(KEY.public().verify(&data, &signature));
        prop_assert!(oracle_verifies(KEY.public(), &data, &signature));
        let other = [&data[..], b"x"].concat();
        prop_assert!(!KEY.public().verify(&other, &signature));
    }

    #[test]
    fn reduction_agrees(
        data in prop::collection::vec(any::<u8>(), 0..200),
        mut q in prop::collection::vec(any::<u8>(), 16..=32),
    ) {
        q[0] |= 1;
        *q.last_mut().unwrap() |= 1;
        let ours = Order::of(&q).unwrap().reduce(&data);
        prop_assert_eq!(big(&bignum::write(&ours)), big(&data) % big(&q));
    }
}

#[test]
fn errors_name_the_number_that_is_wrong() {
    for (error, number) in [
        (KeyError::Modulus, " p "),
        (KeyError::Order, " q "),
        (KeyError::Generator, " g "),
        (KeyError::PublicValue, " y "),
        (KeyError::SecretValue, " x "),
    ] {
        assert!(error.to_string().contains(number), "{error}");
    }
    assert!(SignError::OrderTooLong.to_string().contains(" q "));
    let random = SignError::Random(RandomError);
    assert_eq!(random.to_string(), RandomError.to_string());
}
