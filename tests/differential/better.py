"""Known defects of libotr: what happens with it, and what must happen here. More are in tests/c, marked BETTER."""

import re

import world
from world import *


def _trace(pool, library, script):
    return world.play(script, pool, pool.pairing(library, library))


def encryption_fails(w):
    """encryption fails, and the client has no otr_error_message"""
    alice, _ = w.pair(V3, null_ops=1 << CALLBACKS.index("otr_error_message"))
    alice.send("hello")
    w.wires.clear()
    alice.context("msgstate", ENCRYPTED)
    alice.send("secret text")
    w.say(f"> {len(w.wires)} on the wires")
    alice.context("msgstate", PLAINTEXT)


def encryption_fails_without_words(w):
    """encryption fails, and otr_error_message gives NULL"""
    alice, _ = w.pair(V3, null_results=2)
    alice.send("hello")
    w.wires.clear()
    alice.context("msgstate", ENCRYPTED)
    alice.send("secret text")
    w.say(f"> {len(w.wires)} on the wires")
    alice.context("msgstate", PLAINTEXT)


def text_for_another_key(w):
    """a lost text is due to be sent again, but another key answers"""
    alice, bob = w.session(V2 | ERROR_STARTS)
    alice.send("for one key alone")
    w.wires.clear()
    bob.context("plaintext")
    bob.call("files", "readkeys", w.pool.key("bob", 1))
    alice.recv("?OTR Error: unreadable")
    w.pump()


def heartbeat_in_fragments(w):
    """a heartbeat is longer than the network takes"""
    alice, bob = w.session(V3)
    alice.set(mms=200)
    w.clock(61)
    bob.send("text")
    w.pump()


def finished_sends_nothing(w):
    """a text in a finished session, when the library sends by itself"""
    alice, bob = w.session(V3)
    bob.close()
    w.pump()
    alice.send("text", fragments=ALL)


def no_instance_tag(w):
    """the client makes no instance tags"""
    alice = w.user("alice", "bob", V3, tag=False, instag_mode=0)
    bob = w.user("bob", "alice", V3)
    alice.send("?OTR?")
    w.pump()
    w.say(f"> {alice.private()} {bob.private()}")


def both_start_in_version_2(w):
    """both start at once, version 2"""
    alice, bob = w.pair(V2)
    alice.recv("?OTRv2?")
    bob.recv("?OTRv2?")
    w.pump()
    w.say(f"> {alice.private()} {bob.private()}")


def held_text_of_who_began(w):
    """a text waits for a session, which its sender begins himself"""
    alice, bob = w.pair(V3 | REQUIRE)
    alice.send("waits")
    w.wires.clear()
    bob.send("?OTR?")
    w.pump()


def reveal_signature_out_of_place(w):
    """a reveal signature message comes while a DH-commit waits"""
    alice, bob = w.pair(V2)
    bob.recv("?OTRv2?")
    w.deliver()
    w.deliver()
    reveal = w.take()
    alice.context("plaintext")
    bob.context("plaintext")
    alice.recv("?OTRv2?")
    alice.recv(reveal)
    w.pump()
    w.say(f"> {alice.private()} {bob.private()}")


def false_first_smp(w):
    """the first message of an SMP has false proofs: nobody has asked, so a client must not answer"""
    alice, bob = w.session(V3)
    alice.send("t", tlvs=b"\0\x02\0\x22" + b"\0\0\0\x06" + b"\0\0\0\x01\x02" * 6)
    w.pump()
    w.say(f"> secret {bob.state('alice/1000', 'secret')}")


def smp_without_a_key(w):
    """an SMP when the own key is gone"""
    alice, bob = w.session(V3)
    alice.call("keys", "forget")
    alice.smp("secret")
    w.say(f"> {len(w.wires)} on the wires")


def older_session_goes_on(w):
    """a session of version 2 lasts while an exchange of version 3 begins"""
    alice, bob = w.session(V2)
    alice.set(policy=V23)
    alice.recv("?OTRv3?")
    w.wires.clear()
    alice.send("still private")
    w.pump()


def tiny_network(w):
    """max_message_size is too small for any fragment"""
    alice, _ = w.session(V3)
    for size in (30, 36, 37):
        alice.set(mms=size)
        alice.send("text", fragments=ALL)


def finish_and_respond(w):
    """an answer to an SMP that nobody began"""
    alice, _ = w.session(V3)
    alice.respond("secret")


def recent_without_any(w):
    """the most recent instance of somebody without one"""
    alice, _ = w.pair()
    alice.send("hello")
    alice.send("text", instance=RECENT_RECEIVED)


def active_fingerprint(w):
    """the fingerprint of a session is forgotten"""
    alice, bob = w.session(V3)
    alice.context("forgetprint", 0, 1)
    bob.send("text")
    w.pump()


def forgotten_instance(w):
    """an instance is forgotten, and then the most recent one is looked for"""
    alice, bob = w.session(V3)
    bob.close()
    w.pump()
    alice.close()
    alice.context("forget", instance=0x1111)


def abort_answers_abort(w):
    """two clients that abort whenever they are told of an abort"""
    alice, bob = w.session(V3, smp_abort=4)
    alice.smp("secret")
    w.pump()
    alice.abort()
    w.pump()


def dh_key_ends_no_session(w):
    """a DH-key comes while a session lasts"""
    alice, bob = w.session(V3)
    bob.recv("?OTRv3?")
    w.deliver()
    w.deliver()
    bob.send("still secret")


def both_start(w):
    """both start at once"""
    alice, bob = w.pair(V3)
    alice.recv("?OTRv3?")
    bob.recv("?OTRv3?")
    w.pump()
    w.say(f"> {alice.private()} {bob.private()}")


def same_fragment_twice(w):
    """the network repeats a fragment"""
    alice, bob = w.session(V3)
    alice.set(mms=200)
    alice.send("in fragments", fragments=ALL)
    for wire in w.wires[:2] + w.wires[1:]:
        bob.recv(wire.message)


# The script, what our trace must contain, and what it must not. libotr's must fail by one or the other.
TABLE = (
    (encryption_fails, r"> 0 on the wires", r"> 1 on the wires"),
    (encryption_fails_without_words, r"> 0 on the wires", r"process ended"),
    (tiny_network, r"ret send err=[1-9a-f]", r"process ended"),
    (finish_and_respond, r"respond", r"process ended"),
    (recent_without_any, r"ret send err=0 context=bob/0", r"process ended"),
    (active_fingerprint, r"shown=74657874", r"process ended|GONE"),
    (forgotten_instance, r"ret forget 0", r"GONE"),
    (abort_answers_abort, r"handle_smp_event \S+ 2 ", r"does not come to an end"),
    (dh_key_ends_no_session, r"bob: message \[v3 .* data ", r"bob: message NULL"),
    (both_start, r"> True True", r"process ended"),
    (both_start_in_version_2, r"> True True", r"process ended"),
    (same_fragment_twice, r"shown=" + b"in fragments".hex(), r"handle_msg_event \S+ [89] "),
    (text_for_another_key, r"handle_msg_event bob/0 2 ", r"handle_msg_event bob/0 6 "),
    (heartbeat_in_fragments, r"inject bob fragment ", r"inject bob \[v3 .*data flags=1"),
    (finished_sends_nothing, r"handle_msg_event \S+ 3 ", r"inject bob ''"),
    (no_instance_tag, r"> True True", r"process ended"),
    (held_text_of_who_began, r"bob: ret recv .*shown=" + b"waits".hex(), r"process ended"),
    (reveal_signature_out_of_place, r"> True True", r"process ended"),
    (false_first_smp, r"> secret 0", r"> secret 1"),
    (smp_without_a_key, r"> 0 on the wires", r"process ended"),
    (older_session_goes_on, r"shown=" + b"still private".hex(), r"alice: message \[v3 "),
)


def _good(trace, wanted, unwanted):
    # What a command itself says is not what happened.
    happened = [line for line in trace if not re.match(r"\w+> send", line)]
    return any(re.search(wanted, line) for line in happened) and not any(re.search(unwanted, line) for line in happened)


def names():
    """The names by which one of these tests is run alone."""
    return [script.__name__.strip("_") for script, _, _ in TABLE]


def run(tally, pool, chosen=()):
    for name, (script, wanted, unwanted) in zip(names(), TABLE):
        if chosen and name not in chosen:
            continue
        trace = _trace(pool, "ours", script)
        tally.ok(_good(trace, wanted, unwanted), f"better: {script.__doc__}", "\n".join(f"      {line[:200]}" for line in trace[-20:]))
        # So that the test is known to see the defect.
        tally.ok(not _good(_trace(pool, "real", script), wanted, unwanted), f"libotr has this defect: {script.__doc__}")
