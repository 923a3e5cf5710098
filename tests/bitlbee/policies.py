"""The four policies of `set otr_policy`, every one on Alice's side against every one on Bob's."""

import time
from dataclasses import dataclass

from relay import SENT
from scenario import WHITESPACE_TAG, marker, on_the_wire, require, say_in_the_clear, scenario, talk

# How Alice's first message travels.
CLEAR = "in the clear, without a mark"
TAGGED = "in the clear, with the whitespace tag"
REPLACED = "not at all: a query goes instead"

# What Bob reads of it.
THE_TEXT = "the text"
A_WARNING = "a warning that it was not encrypted"
THE_QUERY = "the query, as if it were a message"
ENCRYPTED = "the text, once the session is there"


@dataclass
class Outcome:
    """What follows from Alice's first message, and whether `otr connect`, typed when it started no session, does."""
    travels: str
    bob_reads: str
    session: bool
    connects: bool = False


OUTCOMES = {
    ("never", "never"): Outcome(CLEAR, THE_TEXT, session=False),
    ("never", "manual"): Outcome(CLEAR, THE_TEXT, session=False),
    ("never", "opportunistic"): Outcome(CLEAR, THE_TEXT, session=False),
    ("never", "always"): Outcome(CLEAR, A_WARNING, session=False),
    ("manual", "never"): Outcome(CLEAR, THE_TEXT, session=False, connects=False),
    ("manual", "manual"): Outcome(CLEAR, THE_TEXT, session=False, connects=True),
    ("manual", "opportunistic"): Outcome(CLEAR, THE_TEXT, session=False, connects=True),
    ("manual", "always"): Outcome(CLEAR, A_WARNING, session=False, connects=True),
    ("opportunistic", "never"): Outcome(TAGGED, THE_TEXT, session=False, connects=False),
    ("opportunistic", "manual"): Outcome(TAGGED, THE_TEXT, session=False, connects=True),
    ("opportunistic", "opportunistic"): Outcome(TAGGED, THE_TEXT, session=True),
    ("opportunistic", "always"): Outcome(TAGGED, A_WARNING, session=True),
    ("always", "never"): Outcome(REPLACED, THE_QUERY, session=False, connects=False),
    ("always", "manual"): Outcome(REPLACED, ENCRYPTED, session=True),
    ("always", "opportunistic"): Outcome(REPLACED, ENCRYPTED, session=True),
    ("always", "always"): Outcome(REPLACED, ENCRYPTED, session=True),
}


def play(stage, alice_policy, bob_policy, outcome):
    with stage.couple(policies=(alice_policy, bob_policy)) as couple:
        text = first_message(couple, outcome)
        if outcome.session:
            couple.expect_secure()
        if outcome.bob_reads == ENCRYPTED:
            couple.bob.person.expect_text(text, "alice")
        if not outcome.session:
            require_no_session(couple, alice_policy, bob_policy)
            if alice_policy != "never":
                type_otr_connect(couple, outcome.connects)
        if outcome.session or outcome.connects:
            talk(couple)
        if outcome.travels == REPLACED:
            require(not on_the_wire(couple, text), f"policy always let {text} onto the wire")
        for side, policy in zip(couple.sides, (alice_policy, bob_policy)):
            if policy == "never":
                require_silent(side)


def first_message(couple, outcome):
    """Alice says something; it travels and is read as the outcome tells. Returns the text."""
    text = marker("first")
    alice, bob = couple.alice, couple.bob
    alice.person.say("bob", text)
    if outcome.travels == REPLACED:
        alice.person.expect_text("<<OTR>> policy requires encryption - message not sent", "bob")
        alice.relay.wait_for_body(SENT, r"^\?OTRv23\?")
    else:
        body = alice.relay.wait_for_body(SENT, text)
        if outcome.travels == CLEAR:
            require(body == text, f"the message went out as {body!r}, not as it was typed")
        else:
            require(body.encode().startswith(text.encode() + WHITESPACE_TAG), f"{body!r} has no whitespace tag after the text")
    if outcome.bob_reads == THE_TEXT:
        bob.person.expect(f"^{text}\\s*$", "alice")
    elif outcome.bob_reads == A_WARNING:
        bob.person.expect(f"^<<OTR>> unencrypted message received: {text}\\s*$", "alice")
    elif outcome.bob_reads == THE_QUERY:
        bob.person.expect(r"^\?OTRv23\?", "alice")
    return text


def require_no_session(couple, alice_policy, bob_policy):
    """Nothing of a key exchange was sent. What can be said in the clear now, is; policy always says nothing that way."""
    if bob_policy == "always":
        time.sleep(0.5)
    elif alice_policy == "always":
        # Bob's cleartext reaches Alice only as a warning.
        text = marker("answer")
        couple.bob.person.say("alice", text)
        couple.alice.person.expect(f"^<<OTR>> unencrypted message received: {text}", "bob")
    else:
        # An answer of Bob's is behind everything that his OTR may have sent, so it also shows that there was nothing.
        say_in_the_clear(couple.bob, couple.alice)
    for side in couple.sides:
        require(b"?OTR:" not in side.relay.everything(), "a key exchange began although one policy forbids it")
        require(not side.person.seen("off the record \\("), f"{side.user} was told of a session that cannot be")


def type_otr_connect(couple, connects):
    couple.alice.person.command("otr connect bob")
    if connects:
        couple.expect_secure()
    else:
        couple.bob.person.expect(r"^\?OTRv23\?", "alice")
        time.sleep(0.5)
        for side in couple.sides:
            require(not side.person.seen("off the record \\("), f"{side.user} was told of a session that Bob's policy forbids")


def require_silent(side):
    """Policy never: nothing of OTR was sent from this side, not even a whitespace tag."""
    sent = side.relay.stream(SENT)
    require(b"?OTR" not in sent, f"{side.user} has policy never and sent an OTR message")
    require(WHITESPACE_TAG not in sent, f"{side.user} has policy never and sent a whitespace tag")


def _register():
    for (alice_policy, bob_policy), outcome in OUTCOMES.items():
        name = (f"policy: Alice {alice_policy}, Bob {bob_policy}: her message goes {outcome.travels}; Bob reads {outcome.bob_reads}"
                + ("; a session begins" if outcome.session else "; otr connect begins a session" if outcome.connects else "; no session"))
        scenario(name)(lambda stage, a=alice_policy, b=bob_policy, o=outcome: play(stage, a, b, o))


_register()
