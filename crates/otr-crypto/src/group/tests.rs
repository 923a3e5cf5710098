//! Comparison of everything with num-bigint, on random values and at the edges of the ranges.

use super::super::bignum::hex;
use super::*;
use num_bigint::{BigInt, BigUint, Sign};
use proptest::prelude::*;
use std::sync::LazyLock;

/// RFC 3526, section 2: 2^1536 - 2^1472 - 1 + 2^64 (floor(2^1406 pi) + 741804), in the digits printed there.
const RFC_3526: &str = "FFFFFFFF FFFFFFFF C90FDAA2 2168C234 C4C6628B 80DC1CD1
    29024E08 8A67CC74 020BBEA6 3B139B22 514A0879 8E3404DD
    EF9519B3 CD3A431B 302B0A6D F25F1437 4FE1356D 6D51C245
    E485B576 625E7EC6 F44C42E9 A637ED6B 0BFF5CB6 F406B7ED
    EE386BFB 5A899FA5 AE9F2411 7C4B1FE6 49286651 ECE45B3D
    C2007CB8 A163BF05 98DA4836 1C55D39A 69163FA8 FD24CF5F
    83655D23 DCA3AD96 1C62F356 208552BB 9ED52907 7096966D
    670C354E 4ABC9804 F1746C08 CA237327 FFFFFFFF FFFFFFFF";

static P: LazyLock<BigUint> = LazyLock::new(|| BigUint::from_bytes_be(&hex(RFC_3526)));
static Q: LazyLock<BigUint> = LazyLock::new(|| (&*P - 1_u32) / 2_u32);

fn minimal(value: &BigUint) -> Vec<u8> {
    if *value == BigUint::ZERO {
        Vec::new()
    } else {
        value.to_bytes_be()
    }
}

fn residue(value: &BigUint) -> Residue {
    Residue::from_bytes(&value.to_bytes_be()).unwrap()
}

fn exponent(value: &BigUint) -> Exponent {
    Exponent::from_bytes(&value.to_bytes_be()).unwrap()
}

fn same(ours: &Residue, oracle: &BigUint) -> bool {
    *ours.to_bytes() == minimal(oracle)
}

/// The values where something could change its mind.
fn edges() -> Vec<BigUint> {
    let mut edges: Vec<_> = [0_u32, 1, 2, 3, 31, 32, 33]
        .map(BigUint::from)
        .into_iter()
        .collect();
    for centre in [&*P, &*Q] {
        for distance in 0_u32..=3 {
            edges.push(centre - distance);
            edges.push(centre + distance);
        }
    }
    for bits in [63, 64, 65, 255, 256, 257, 319, 320, 321, 1472, 1535] {
        edges.push((BigUint::from(1_u32) << bits) - 1_u32);
        edges.push(BigUint::from(1_u32) << bits);
    }
    edges.push((BigUint::from(1_u32) << 1536) - 1_u32);
    edges
}

/// Any number below 2^1536, often an edge or a short one.
fn number() -> impl Strategy<Value = BigUint> {
    prop_oneof![
        1 => prop::sample::select(edges()),
        1 => prop::collection::vec(any::<u8>(), 0..=40).prop_map(|bytes| BigUint::from_bytes_be(&bytes)),
        2 => prop::collection::vec(any::<u8>(), 192).prop_map(|bytes| BigUint::from_bytes_be(&bytes)),
    ]
}

fn below_p() -> impl Strategy<Value = BigUint> {
    number().prop_map(|value| value % &*P)
}

fn below_q() -> impl Strategy<Value = BigUint> {
    number().prop_map(|value| (value % (&*Q - 1_u32)) + 1_u32)
}

/// Unoptimised arithmetic is slow: fewer cases then.
fn cases() -> ProptestConfig {
    ProptestConfig::with_cases(if cfg!(debug_assertions) { 12 } else { 400 })
}

#[test]
fn the_modulus_is_that_of_rfc_3526() {
    assert_eq!(bignum::write(&field::P).to_vec(), minimal(&P));
    assert_eq!(bignum::write(&field::Q).to_vec(), minimal(&Q));
}

#[test]
fn the_generator_has_order_q() {
    let one = BigUint::from(1_u32);
    assert_eq!(generator().to_bytes(), [2]);
    assert!(same(&generator_pow(&exponent(&Q)), &one));
    assert!(same(&generator_pow(&exponent(&(&*P - 1_u32))), &one));
}

#[test]
fn ranges_of_values() {
    for value in edges() {
        let bytes = value.to_bytes_be();
        let two = BigUint::from(2_u32);
        assert_eq!(Residue::from_bytes(&bytes).is_some(), value < *P);
        let in_range = value >= two && value <= &*P - 2_u32;
        assert_eq!(Element::from_bytes(&bytes).is_some(), in_range);
        let element = Residue::from_bytes(&bytes).and_then(|residue| residue.to_element());
        assert_eq!(element.is_some(), in_range);
        let scalar = Scalar::from_bytes(&bytes);
        assert_eq!(scalar.is_some(), value != BigUint::ZERO && value < *Q);
        assert!(Exponent::from_bytes(&bytes).is_some());
        assert_eq!(Challenge::from_bytes(&bytes).is_some(), value.bits() <= 256);
    }
    let too_long = [&[1][..], &[0; 192]].concat();
    assert!(Exponent::from_bytes(&too_long).is_none());
    assert!(Residue::from_bytes(&too_long).is_none());
    assert!(Scalar::from_bytes(&too_long).is_none());
    assert!(Element::from_bytes(&[0xff; 1000]).is_none());
}

#[test]
fn bytes_there_and_back() {
    for value in edges() {
        let bytes = minimal(&value);
        let padded = [&[0; 200], &bytes[..]].concat();
        for input in [&bytes, &padded] {
            assert_eq!(*Exponent::from_bytes(input).unwrap().to_bytes(), bytes);
            if let Some(residue) = Residue::from_bytes(input) {
                assert_eq!(*residue.to_bytes(), bytes);
            }
            if let Some(element) = Element::from_bytes(input) {
                assert_eq!(element.to_bytes(), bytes);
                assert_eq!(*element.to_element().unwrap().deref().to_bytes(), bytes);
            }
            if let Some(scalar) = Scalar::from_bytes(input) {
                assert_eq!(scalar.to_bytes(), bytes);
            }
            if let Some(challenge) = Challenge::from_bytes(input) {
                assert_eq!(challenge.to_bytes(), bytes);
            }
        }
    }
}

#[test]
fn elements_are_ordered_by_value() {
    let mut values: Vec<_> = edges()
        .into_iter()
        .filter(|value| Element::from_bytes(&value.to_bytes_be()).is_some())
        .collect();
    values.sort();
    values.dedup();
    let elements: Vec<_> = values
        .iter()
        .map(|value| Element::from_bytes(&value.to_bytes_be()).unwrap())
        .collect();
    assert!(elements.len() > 20);
    assert!(elements.windows(2).all(|pair| pair[0] < pair[1]));
    // The number, not the bytes: 0x0100 is more than 0xff.
    assert!(Element::from_bytes(&[1, 0]) > Element::from_bytes(&[0xff]));
    assert_eq!(Element::from_bytes(&[0, 7]), Element::from_bytes(&[7]));
}

#[test]
fn quotients() {
    for divisor in edges().into_iter().filter(|value| *value < *P) {
        let dividend = &*P - 2_u32;
        let quotient = divide(&residue(&dividend), &residue(&divisor));
        assert_eq!(quotient.is_none(), divisor == BigUint::ZERO);
        if let Some(quotient) = quotient {
            let inverse = divisor.modpow(&(&*P - 2_u32), &P);
            assert!(same(&quotient, &(dividend * inverse % &*P)));
        }
    }
}

#[test]
fn powers_at_the_edges() {
    for base in [BigUint::ZERO, &*P - 1_u32, &*P - 2_u32] {
        for x in edges() {
            let ours = pow(&residue(&base), &exponent(&x));
            assert!(same(&ours, &base.modpow(&x, &P)), "{base}^{x}");
        }
    }
}

#[test]
fn empty_products_are_one() {
    assert_eq!(*product(&[]).to_bytes(), [1]);
    assert_eq!(*product_public(&[]).to_bytes(), [1]);
}

#[test]
fn random_exponents_have_their_length() {
    let lengths = |draw: fn() -> Result<Exponent, RandomError>| {
        (0..16)
            .map(|_| draw().unwrap().to_bytes().len())
            .max()
            .unwrap()
    };
    assert_eq!(lengths(Exponent::random_320), 40);
    assert_eq!(lengths(Exponent::random_1536), 192);
    assert_ne!(
        *Exponent::random_320().unwrap().to_bytes(),
        *Exponent::random_320().unwrap().to_bytes()
    );
    assert_eq!(Exponent::random_320().unwrap().length, 320);
    assert_eq!(Exponent::random_1536().unwrap().length, 1536);
}

#[test]
fn diffie_hellman_agrees() {
    let (a, b) = (
        Exponent::random_320().unwrap(),
        Exponent::random_320().unwrap(),
    );
    let ours = generator_pow(&a).to_element().unwrap();
    let theirs = generator_pow(&b).to_element().unwrap();
    assert_eq!(pow(&theirs, &a), pow(&ours, &b));
    assert_ne!(pow(&theirs, &a), pow(&ours, &a));
}

#[test]
fn a_response_answers_its_challenge() {
    // g^d (g^x)^c = g^r: the equation of every proof in SMP.
    let (r, x) = (
        Exponent::random_1536().unwrap(),
        Exponent::random_1536().unwrap(),
    );
    let c = Challenge(random::bytes().unwrap());
    let d = response(&r, &x, &c);
    let public = generator_pow(&x);
    assert_eq!(
        product_public(&[(&generator(), &d), (&public, &c)]),
        generator_pow(&r)
    );
    let wrong = Challenge([5; 32]);
    assert_ne!(
        product_public(&[(&generator(), &d), (&public, &wrong)]),
        generator_pow(&r)
    );
}

#[test]
fn a_response_may_be_zero() {
    let x = exponent(&BigUint::from(3_u32));
    let mut c = Challenge([0; 32]);
    c.0[31] = 5;
    for r in [BigUint::from(15_u32), &*Q + 15_u32, (&*Q + &*Q) + 15_u32] {
        let zero = response(&exponent(&r), &x, &c);
        assert_eq!(zero.to_bytes(), b"");
        assert!(same(
            &pow_public(&generator(), &zero),
            &BigUint::from(1_u32)
        ));
    }
    // 14 - 15 is q - 1.
    let last = response(&exponent(&BigUint::from(14_u32)), &x, &c);
    assert_eq!(last.to_bytes(), minimal(&(&*Q - 1_u32)));
}

#[test]
fn debug_hides_secrets() {
    let secret = BigUint::from(0xdead_beef_u32);
    assert_eq!(format!("{:?}", residue(&secret)), "Residue(secret)");
    assert_eq!(format!("{:?}", exponent(&secret)), "Exponent(secret)");
    assert!(format!("{:?}", residue(&secret).to_element().unwrap()).ends_with("deadbeef)"));
    let scalar = Scalar::from_bytes(&secret.to_bytes_be()).unwrap();
    assert!(format!("{scalar:?}").ends_with("deadbeef)"));
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn pow_agrees(base in below_p(), x in number()) {
        prop_assert!(same(&pow(&residue(&base), &exponent(&x)), &base.modpow(&x, &P)));
    }

    #[test]
    fn generator_pow_agrees(x in number()) {
        prop_assert!(same(&generator_pow(&exponent(&x)), &BigUint::from(2_u32).modpow(&x, &P)));
    }

    #[test]
    fn product_agrees(powers in prop::collection::vec((below_p(), number()), 0..4)) {
        let oracle = powers.iter().fold(BigUint::from(1_u32), |product, (base, x)| {
            product * base.modpow(x, &P) % &*P
        });
        let ours: Vec<_> = powers.iter().map(|(base, x)| (residue(base), exponent(x))).collect();
        let ours: Vec<_> = ours.iter().map(|(base, x)| (base, x)).collect();
        prop_assert!(same(&product(&ours), &oracle));
    }

    #[test]
    fn pow_public_agrees(base in below_p(), d in below_q(), c in any::<[u8; 32]>()) {
        let scalar = Scalar::from_bytes(&d.to_bytes_be()).unwrap();
        prop_assert!(same(&pow_public(&residue(&base), &scalar), &base.modpow(&d, &P)));
        let oracle = base.modpow(&BigUint::from_bytes_be(&c), &P);
        prop_assert!(same(&pow_public(&residue(&base), &Challenge(c)), &oracle));
    }

    #[test]
    fn product_public_agrees(
        powers in prop::collection::vec((below_p(), below_q()), 0..4),
        last in below_p(),
        c in any::<[u8; 32]>(),
    ) {
        let oracle = powers.iter().fold(BigUint::from(1_u32), |product, (base, x)| {
            product * base.modpow(x, &P) % &*P
        }) * last.modpow(&BigUint::from_bytes_be(&c), &P) % &*P;
        let scalars: Vec<_> = powers
            .iter()
            .map(|(base, d)| (residue(base), Scalar::from_bytes(&d.to_bytes_be()).unwrap()))
            .collect();
        let mut ours: Vec<(&Residue, &dyn PublicExponent)> = Vec::new();
        for (base, d) in &scalars {
            ours.push((base, d));
        }
        let (last, c) = (residue(&last), Challenge(c));
        ours.push((&last, &c));
        prop_assert!(same(&product_public(&ours), &oracle));
    }

    #[test]
    fn multiply_and_divide_agree(a in below_p(), b in below_p()) {
        prop_assert!(same(&multiply(&residue(&a), &residue(&b)), &(&a * &b % &*P)));
        if let Some(quotient) = divide(&residue(&a), &residue(&b)) {
            prop_assert_eq!(multiply(&quotient, &residue(&b)), residue(&a));
        } else {
            prop_assert_eq!(b, BigUint::ZERO);
        }
    }

    #[test]
    fn response_agrees(r in number(), x in number(), c in any::<[u8; 32]>()) {
        let q = BigInt::from(Q.clone());
        let signed = |value: &BigUint| BigInt::from_biguint(Sign::Plus, value.clone());
        let difference = signed(&r) - signed(&x) * signed(&BigUint::from_bytes_be(&c));
        let oracle = ((difference % &q + &q) % &q).to_biguint().unwrap();
        let ours = response(&exponent(&r), &exponent(&x), &Challenge(c));
        prop_assert_eq!(ours.to_bytes(), minimal(&oracle));
    }
}

#[test]
fn inverses_of_the_edges() {
    for value in edges().into_iter().map(|value| value % &*P) {
        let inverse = Residue(inverse::invert::<{ U1536::LIMBS }, DIGITS_1536>(
            &residue(&value).0,
            &field::P,
        ));
        let inverse = BigUint::from_bytes_be(&inverse.to_bytes());
        let expected = u32::from(value != BigUint::ZERO);
        assert!(inverse < *P, "{value:x}");
        assert_eq!(value * inverse % &*P, expected.into());
    }
}
