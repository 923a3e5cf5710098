"""The Socialist Millionaires' Protocol."""

from steps import *


def smp_all_ways(w):
    """SMP from either side, with and without a question, equal and unequal, in both versions."""
    for policy in (V2, V3):
        alice, bob = in_session(w, policy)
        for x, y in ((alice, bob), (bob, alice)):
            for question, one, other in ((None, "same", "same"), ("which?", "one", "other"), ("", "", ""),
                                         ("odd \u00fc \t\n \x01", b"\0a", b"\0b"), ("q" * 3000, "x" * 300, "x" * 300)):
                x.smp(one, question)
                w.pump()
                y.respond(other)
                w.pump()
                talk(w)
        fresh(w)


def smp_aborted(w):
    """SMP aborted by either side after each step."""
    alice, bob = w.session(V3)
    for who in (alice, bob):
        for steps in range(5):
            alice.smp("secret")
            for step in range(steps):
                if w.wires:
                    w.deliver()
                if step == 0 and steps > 1:
                    bob.respond("secret")
            who.abort()
            w.pump()
    alice.abort()
    w.pump()


def smp_out_of_state(w):
    """SMP messages come in every other state."""
    for abort in (0, 1):
        alice, bob = w.users or w.pair(V3)
        alice.set(smp_abort=abort)
        bob.set(smp_abort=abort)
        start(w)
        alice.smp("secret")
        alice.smp("secret again")
        w.pump()
        alice.smp("a third time", "and a question")
        w.pump()
        bob.smp("and bob at the same time")
        w.pump()
        bob.abort()
        w.pump()
        alice.smp("one")
        bob.smp("two")
        w.pump()
        alice.abort()
        w.pump()
        alice.smp("secret")
        w.pump()
        bob.respond("secret")
        w.pump()
        alice.smp("secret")
        w.pump()
        bob.respond("other")
        w.deliver()
        alice.smp("in the middle")
        w.pump()
        alice.abort()
        bob.abort()
        w.pump()
        fresh(w)


def smp_lost_messages(w):
    """each message of SMP is lost, and SMP is started again."""
    alice, bob = w.session(V3)
    for lost in range(4):
        alice.smp("secret")
        count = 0
        for _ in range(8):
            if not w.wires:
                if count == 1 and bob.state("alice/1000", "secret") == "1":
                    bob.respond("secret")
                else:
                    break
            if count == lost:
                w.wires.pop(0)
            else:
                w.deliver()
            count += 1
        w.pump()
        alice.smp("secret")
        w.pump()
        if bob.state("alice/1000", "secret") == "1":
            bob.respond("secret")
        w.pump()
        alice.abort()
        w.pump()


def smp_without_session(w):
    """SMP without a session."""
    alice, bob = w.pair(V3)
    alice.send("hello")
    alice.smp("secret", instance=MASTER)
    alice.abort(instance=MASTER)
    w.pump()
    alice.send("?OTR?")
    until(w, 0x11)
    alice.smp("secret", instance=MASTER)
    alice.smp("secret")
    w.pump()


def smp_and_the_end(w):
    """the session ends, or starts anew, during SMP."""
    for end in ("close", "refresh", "lost", "forget"):
        for steps in (1, 2, 3):
            alice, bob = w.users or w.pair(V3)
            start(w)
            alice.smp("secret")
            w.deliver()
            bob.respond("secret")
            for _ in range(steps - 1):
                w.deliver()
            if end == "close":
                bob.close()
            elif end == "refresh":
                bob.send("?OTR?")
            elif end == "lost":
                bob.context("plaintext")
            else:
                bob.context("smfree")
            w.pump()
            alice.smp("secret")
            w.pump()
            if bob.private():
                bob.abort()
            w.pump()
            fresh(w)


def smp_state_freed_inside(w):
    """the client frees the state of SMP in the callback."""
    for policy in (V2, V3):
        alice, bob = w.users or w.pair(smp_abort=3)
        in_session(w, policy)
        for one, other in (("same", "same"), ("one", "other"), ("same", "same")):
            alice.smp(one)
            w.pump()
            bob.respond(other)
            w.pump()
        alice.smp("x")
        w.pump()
        bob.abort()
        w.pump()
        fresh(w)


def smp_with_callbacks_that_do_things(w):
    """clients look things up and poll inside their callbacks."""
    alice, bob = w.pair(V3, inside=1)
    start(w)
    alice.smp("secret", "question")
    w.pump()
    bob.respond("secret")
    w.pump()
    talk(w)
    alice.close()
    w.pump()


def smp_in_fragments(w):
    """SMP through a narrow network."""
    for policy in (V2, V3):
        alice, bob = in_session(w, policy)
        alice.set(mms=300)
        bob.set(mms=250)
        alice.smp("secret", "question")
        w.pump()
        bob.respond("secret")
        w.pump()
        alice.set(mms=0)
        bob.set(mms=0)
        fresh(w)


def respond_unasked(w):
    """an answer to an SMP that nobody began."""
    alice, bob = w.session(V3)
    alice.respond("secret")
    w.pump()
    talk(w)


# The records of SMP, each with as many numbers as it must have.
_FORGED = {2: 6, 7: 6, 3: 11, 4: 8, 5: 3}


def _forged(kind, number):
    """A record of SMP made of one number, which proves nothing."""
    count = _FORGED[kind]
    value = (b"q\0" if kind == 7 else b"") + count.to_bytes(4, "big") + (len(number).to_bytes(4, "big") + number) * count
    return bytes([0, kind]) + len(value).to_bytes(2, "big") + value


def _cheated(w, policy, abort, numbers):
    """Every record, forged from each number, in every state of SMP."""
    alice, bob = w.pair(policy, smp_abort=abort)
    start(w)
    for kind in _FORGED:
        for number in numbers:
            for state in range(4):
                # bob waits for the first, the second, the third and the fourth message in turn.
                if state == 1:
                    bob.smp("secret")
                elif state == 2:
                    alice.smp("secret")
                    w.pump()
                    bob.respond("secret")
                elif state == 3:
                    bob.smp("secret")
                    w.pump()
                    alice.respond("secret")
                    w.deliver()
                w.wires.clear()
                w.say(f"> forged {kind} in state {state}")
                alice.send("", tlvs=_forged(kind, number))
                w.pump()
                bob.abort()
                alice.abort()
                w.pump()


def smp_cheated_v2(w):
    """every message of SMP with false proofs in every state, version 2."""
    _cheated(w, V2, 0, (b"\x02", b""))


def smp_cheated_v3(w):
    """every message of SMP with false proofs in every state, version 3, to clients that abort."""
    _cheated(w, V3, 1, (b"\x05",))


def smp_of_a_twin(w):
    """messages of two runs of SMP are mixed."""
    alice = w.user("alice", "bob", V3)
    bob = w.user("bob", "alice", V3)
    twin = w.twin(alice)
    alice.send("?OTR?")
    w.pump()
    alice.smp("secret")
    w.deliver()
    twin.silent = False
    bob.respond("secret")
    # Both have the answer; the twin did not ask.
    w.pump()
    twin.send("to get ahead")
    twin.smp("secret", "another question")
    w.pump()
    bob.respond("other")
    w.pump()
    bob.smp("secret")
    w.pump()
    twin.respond("secret")
    w.pump()
    alice.respond("secret")
    w.pump()


def smp_odd_questions(w):
    """questions and secrets of odd bytes and lengths."""
    for policy in (V2, V3):
        alice, bob = in_session(w, policy)
        for question, secret in ((b"\xff\xfe", b"\xff"), (b"\n\r\t\x01\x7f", bytes(range(1, 256))), ("?OTRv2?", "?OTR?"),
                                 ("%s%n<b>", "s" * 5000), ("q" * 60000, "x"), (" ", " ")):
            alice.smp(secret, question)
            w.pump()
            bob.respond(secret)
            w.pump()
        fresh(w)


def smp_and_trust(w):
    """what SMP says of trust, and with keys that were exchanged meanwhile."""
    for trusted in ("", "verified"):
        alice, bob = in_session(w, V3)
        alice.context("trust", 0, to_hex(trusted), instance=MASTER)
        bob.context("trust", 0, to_hex(trusted), instance=MASTER)
        for one, other in (("same", "same"), ("one", "other")):
            alice.smp(one)
            w.pump()
            bob.respond(other)
            w.pump()
        alice.smp("secret")
        w.pump()
        bob.call("files", "readkeys", w.pool.key("bob", 1))
        start(w)
        bob.respond("secret")
        w.pump()
        bob.call("files", "readkeys", w.pool.key("bob", 0))
        fresh(w)


def smp_without_a_key(w):
    """SMP when the own key has been forgotten."""
    for forgetful in (0, 1):
        alice, bob = in_session(w, V3)
        if forgetful:
            alice.smp("secret")
            w.pump()
            bob.call("keys", "forget")
            bob.respond("secret")
        else:
            alice.call("keys", "forget")
            alice.smp("secret")
        w.pump()
        w.anew()
