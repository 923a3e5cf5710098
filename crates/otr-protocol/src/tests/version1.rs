//! What the key exchange of version 1 does with messages that are not for it.

use super::*;

#[test]
fn an_answer_to_what_another_login_sent_is_ignored() {
    let mut pair = Pair::new();
    pair.alice.receive(b"?OTR?");
    pair.bob.receive(&pair.alice.outbox.remove(0));
    let answer = pair.bob.outbox.remove(0);
    let mut other = Side::new(0, Tags::default());
    other.receive(&answer);
    assert!(!other.is_secure() && other.told.is_empty() && other.outbox.is_empty());
}

#[test]
fn our_own_message_opens_no_session_with_ourselves() {
    let mut pair = Pair::new();
    pair.alice.receive(b"?OTR?");
    let own = pair.alice.outbox.remove(0);
    pair.alice.receive(&own);
    assert!(!pair.alice.is_secure());
    assert_eq!(
        pair.alice.told,
        [Told::Notice(Notice::MessageReflected, None)]
    );
}
