//! Types that contain a secret do not print it.

use super::*;
use crate::ake::AuthState;
use crate::dh::{AuthKeys, DataKeys, DhKeyPair};
use crate::session::{KeyIds, Received};
use crate::smp::steps;
use crate::wire::tlv::Tlv;
use otr_crypto::group::Exponent;
use otr_crypto::secret::SecretKey;

/// Asserts that none of the secrets is printed, in any of the usual forms of bytes.
fn assert_hidden(printed: &str, secrets: &[&[u8]]) {
    for secret in secrets {
        let piece = &secret[secret.len() - 4..];
        let list = piece
            .iter()
            .map(u8::to_string)
            .collect::<Vec<_>>()
            .join(", ");
        let hex: String = piece.iter().map(|byte| format!("{byte:02x}")).collect();
        let lines = list.replace(", ", ",\n");
        let text = String::from_utf8_lossy(piece);
        for form in [&list, &hex, &hex.to_uppercase(), &lines, &*text] {
            assert!(!printed.contains(form), "{form} in {printed}");
        }
    }
}

const TEXT: &[u8] = b"nobody should see THIS";
const KEY: [u8; 32] = [0xa5; 32];

#[test]
fn messages_and_effects() {
    let received = Received {
        text: Some(TEXT.to_vec()),
        tlvs: vec![Tlv {
            kind: 8,
            value: TEXT.to_vec(),
        }],
        keys: KeyIds::default(),
        mac: [0; 20],
        extra_key: Some(SecretKey::new(&KEY)),
    };
    let tlv = || Tlv {
        kind: 8,
        value: TEXT.to_vec(),
    };
    let effects = vec![
        Effect::Notify(Notice::ReceivedUnreadable, Some(TEXT.to_vec())),
        Effect::ExtraKey(1, TEXT.to_vec(), SecretKey::new(&KEY)),
        Effect::Smp(
            crate::effects::SmpEvent::InProgress,
            60,
            Some(TEXT.to_vec()),
        ),
        Effect::Then(Task::SmpMessages(vec![tlv()])),
        Effect::Then(Task::SendTlv(tlv())),
    ];
    let printed = format!("{:?}", (received, effects));
    assert!(printed.contains("ExtraKey(..)"));
    assert_hidden(&printed, &[TEXT, &KEY]);
}

#[test]
fn sessions_and_exchanges() {
    let mut pair = Pair::in_session(Version::V3);
    let wire = pair.alice.say(TEXT);
    pair.bob.receive(&wire);
    for side in [&pair.alice, &pair.bob] {
        let session = side.conversation.secrets.session.as_ref().unwrap();
        let printed = format!(
            "{session:?}{:?}{:?}{:?}",
            side.conversation, side.auth, side.key
        );
        assert!(printed.contains("DataKeys(..)") && printed.contains("DhKeyPair(..)"));
        assert_hidden(&printed, &[TEXT, side.key.key().x()]);
    }
}

#[test]
fn commitments_and_keys() {
    let auth = Auth::start(Version::V3, Tags::default()).unwrap();
    let AuthState::AwaitingDhKey(commitment) = &auth.state else {
        panic!("it has begun");
    };
    let secret = commitment.our_dh.secret().to_bytes();
    assert_hidden(
        &format!("{auth:?}{commitment:?}"),
        &[&commitment.r[..], &secret],
    );

    let theirs = DhKeyPair::generate().unwrap();
    let keys = AuthKeys::derive(theirs.shared_secret(commitment.our_dh.public()));
    let data = DataKeys::derive(&theirs, commitment.our_dh.public());
    let secrets = [&keys.c[..], &keys.m1, &keys.m2_prime, &data.extra];
    let direction = [&data.sending.encryption[..], &data.sending.mac];
    let printed = format!("{keys:?}{data:?}{:?}", data.sending);
    assert_hidden(&printed, &[&secrets[..], &direction].concat());
}

#[test]
fn the_smp() {
    let typed = Exponent::from_bytes(&KEY).unwrap();
    let (initiated, message1) = steps::step1(typed.clone()).unwrap();
    let asked = steps::step2a(&message1).unwrap();
    let (answered, message2) = steps::step2b(&asked, &typed).unwrap();
    let (compared, shown, message3) = *steps::step3(&initiated, &message2).unwrap();
    let verdict = steps::step4(&answered, &message3).unwrap();
    let mut smp = Smp::default();
    smp.initiate(typed).unwrap();
    let printed = format!("{initiated:?}{asked:?}{answered:?}{compared:?}{shown:?}{smp:?}");
    assert!(!format!("{verdict:?}").contains("Residue(0x"));
    let exponents = [
        &initiated.x2,
        &initiated.x3,
        &asked.x2,
        &asked.x3,
        &answered.x3,
        &compared.x3,
    ]
    .map(|x| x.to_bytes());
    let residues = [
        asked.g2.value(),
        asked.g3.value(),
        &answered.p,
        &answered.q,
        &compared.pab,
        &shown.g2,
    ]
    .map(|residue| residue.to_bytes());
    let mut secrets: Vec<&[u8]> = exponents.iter().chain(&residues).map(|s| &s[..]).collect();
    secrets.push(&KEY);
    assert_hidden(&printed, &secrets);
}
