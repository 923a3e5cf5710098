//! Keys derived from a shared secret, compared with values made with Python's `pow` and `hashlib` from the text of the
//! specification ("D-H shared secret and derived values", OTR versions 2 and 3).

use crate::ake::{Auth, Tags};
use crate::conversation::Secrets;
use crate::dh::{AuthKeys, DataKeys, DhKeyPair, v1_session_id};
use crate::session_id::BoldHalf;
use crate::smp::steps::SecretBinding;
use crate::wire::version::Version;
use otr_crypto::group::Exponent;

fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    let pairs = (0..hex.len()).step_by(2);
    let all: Vec<u8> = pairs
        .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
        .collect();
    all.try_into().unwrap()
}

/// SHA-512 of "our exponent" and of "their exponent", 320 bits of each.
fn pairs() -> (DhKeyPair, DhKeyPair) {
    let ours = "403b6ffe463047dfc4a82d6aa0bec8b7c79f0eb90de307d066577a082d23a37b9a5ab4ca2034d27f";
    let theirs = "229dfe066528ca57ce2230e5df2b647c89d06cea3862ca33cb4921a85c5a3436bd864007b393bae1";
    let pair = |hex| {
        let secret = Exponent::from_bytes(&bytes::<40>(hex)).unwrap();
        let public = otr_crypto::group::generator_pow(&secret)
            .to_element()
            .unwrap();
        DhKeyPair::from_parts(secret, public)
    };
    (pair(ours), pair(theirs))
}

#[test]
fn the_keys_of_the_exchange() {
    let (ours, theirs) = pairs();
    for keys in [
        AuthKeys::derive(ours.shared_secret(theirs.public())),
        AuthKeys::derive(theirs.shared_secret(ours.public())),
    ] {
        assert_eq!(keys.session_id, bytes("dc25eb0124b46005"));
        assert_eq!(keys.c, bytes("dd4f7dba1b25e157782fb70d122b8228"));
        assert_eq!(keys.c_prime, bytes("73a14c4c7634ecd269773df803ad2f44"));
        assert_eq!(
            keys.m1,
            bytes("238100e134f205f74a3e9673c0823d3c0077d5b9ec8f2e26916a851e541f383d")
        );
        assert_eq!(
            keys.m2,
            bytes("0b6a504669db0c61e13d09a0d46e1065c8b93927984907662ac3d0ef281eb6c3")
        );
        assert_eq!(
            keys.m1_prime,
            bytes("7aafc9f7cabe8d14e55bcdf36b8855f9a2a9d866d03c69fe626d601f8312a1f9")
        );
        assert_eq!(
            keys.m2_prime,
            bytes("48c588e27dc6a548150a68dd27f33b76ae8e67f615f00a1e8a035c7cb1efb8cf")
        );
    }
}

#[test]
fn the_keys_of_a_session() {
    let (ours, theirs) = pairs();
    // Ours is the numerically lower public value.
    let here = DataKeys::derive(&ours, theirs.public());
    let there = DataKeys::derive(&theirs, ours.public());
    for (sending, receiving) in [
        (&here.sending, &there.receiving),
        (&there.receiving, &here.sending),
    ] {
        assert_eq!(
            sending.encryption,
            bytes("33b038caf22457e8d352d1797741fbb7")
        );
        assert_eq!(
            receiving.mac,
            bytes("ec7266d8e2595cce551b40fcf1ad921a60a70975")
        );
    }
    for keys in [&here.receiving, &there.sending] {
        assert_eq!(keys.encryption, bytes("eb9534243ca7ee3b9aedee4172f8a128"));
        assert_eq!(keys.mac, bytes("aad4abdc807c2e3b7888ca9a48425a0e7e499179"));
    }
    for keys in [here, there] {
        assert_eq!(
            keys.extra,
            bytes("dc0e969c57ca03fcb267b6170c61d26023170aa8a6ead74ce3605dfd33c9f927")
        );
    }
}

#[test]
fn the_session_id_of_version_1() {
    let (ours, theirs) = pairs();
    let (here, there) = (
        v1_session_id(&ours, theirs.public()),
        v1_session_id(&theirs, ours.public()),
    );
    assert_eq!(
        here.as_bytes(),
        bytes::<20>("32f9ea38ffa0d0367b87e77b533c496ffd059b28")
    );
    assert_eq!(there.as_bytes(), here.as_bytes());
    assert_eq!(
        (here.half(), there.half()),
        (BoldHalf::First, BoldHalf::Second)
    );
}

/// libotr checks whether ours is greater: a key is not greater than itself.
#[test]
fn a_key_is_not_the_higher_of_itself_and_itself() {
    let (ours, _) = pairs();
    let id = v1_session_id(&ours, ours.public());
    assert_eq!(id.half(), BoldHalf::First);
}

#[test]
fn the_secret_that_the_smp_compares() {
    let binding = SecretBinding {
        initiator: &[b'A'; 20],
        responder: &[b'B'; 20],
        session_id: &bytes::<8>("dc25eb0124b46005"),
    };
    let secret = binding.bind(b"the secret").unwrap();
    assert_eq!(
        secret.to_bytes().as_slice(),
        bytes::<32>("a932021e93f4c5ab64896602a9304dc256945d0ff4d67c8170d1f04b5c9f97bb")
    );
}

#[test]
fn secrets_are_not_printed() {
    let (ours, theirs) = pairs();
    let shared = ours.shared_secret(theirs.public());
    let keys = AuthKeys::derive(shared.clone());
    let data = DataKeys::derive(&ours, theirs.public());
    let printed = format!("{ours:?} {shared:?} {keys:?} {data:?} {:?}", data.sending);
    assert_eq!(
        printed,
        "DhKeyPair(..) SharedSecret(..) AuthKeys(..) DataKeys(..) DirectionKeys(..)"
    );
    let exchange = Auth::start(Version::V3, Tags::default()).unwrap();
    assert_eq!(
        format!("{:?} {:?}", exchange.state, Secrets::default()),
        "AwaitingDhKey(Commitment(..)) Secrets { session: false, .. }"
    );
}
