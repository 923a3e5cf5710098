//! Texts that come unencrypted where they should not.

use super::party::{ALICE, BOB, Party, Told, settle};
use crate::abi::types::*;

#[test]
fn plaintext_inside_a_session_comes_with_a_warning() {
    let mut alice = Party::new(ALICE, BOB, POLICY_ALLOW_V2);
    let mut bob = Party::new(BOB, ALICE, POLICY_ALLOW_V2);
    alice.receive(b"?OTRv2?");
    assert!(settle(&mut alice, &mut bob) && alice.is_secure());
    alice.take_told();
    alice.receive(b"not from bob?");
    let told = alice.take_told();
    #[cfg(feature = "abi5")]
    assert_eq!(
        told,
        [Told::Message(
            MSGEVENT_RCVDMSG_UNENCRYPTED,
            b"not from bob?".to_vec(),
            0
        )]
    );
    #[cfg(feature = "abi2")]
    {
        let [Told::Line(line)] = &told[..] else {
            panic!("{told:?}");
        };
        let line = String::from_utf8_lossy(line);
        assert!(line.contains("was <i>not</i> encrypted: [</b>not from bob?<b>]"));
    }
}
