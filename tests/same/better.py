"""Known defects of libotr: what happens with it, and what must happen here. Others are in tests/c, marked BETTER there."""

import re

import world
from world import *


def _trace(pool, library, script):
    return world.play(script, pool, pool.pairing(library, library))


def no_error_message_callback(w):
    """encryption fails, and the client has no otr_error_message"""
    alice, _ = w.session(V3, null_ops=1 << 14)
    # A text with a record that is longer than any can be sent is the simplest that cannot be encrypted: none is, so the
    # session is taken away under it instead.
    alice.context("finish")
    alice.send("secret text")


def tiny_network(w):
    """max_message_size is too small for any fragment"""
    alice, _ = w.session(V3)
    alice.set(mms=30)
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
    for wire in [w.wires[0]] + w.wires:
        bob.recv(wire.message)


# The script, what our trace must contain, and what it must not.
TABLE = (
    (no_error_message_callback, r"message ''", r"secret text'$|message NULL"),
    (tiny_network, r"ret send err=[1-9a-f]", r"process ended"),
    (finish_and_respond, r"respond", r"process ended"),
    (recent_without_any, r"ret send err=0 context=bob/0", r"process ended"),
    (active_fingerprint, r"shown=74657874", r"process ended|GONE"),
    (forgotten_instance, r"ret forget 0", r"GONE"),
    (abort_answers_abort, r"handle_smp_event \S+ 2 ", r"does not come to an end"),
    (dh_key_ends_no_session, r"bob: message \[v3 .* data ", r"bob: message NULL"),
    (both_start, r"> True True", r"process ended"),
    (same_fragment_twice, r"shown=" + b"in fragments".hex(), r"handle_msg_event \S+ [89] "),
)


def run(tally, pool):
    for script, wanted, unwanted in TABLE:
        trace = _trace(pool, "ours", script)
        # What a command itself says is not what happened.
        happened = [line for line in trace if not re.match(r"\w+> send", line)]
        good = any(re.search(wanted, line) for line in happened) and not any(re.search(unwanted, line) for line in happened)
        tally.ok(good, f"better: {script.__doc__}", "\n".join(f"      {line[:200]}" for line in trace[-20:]))
