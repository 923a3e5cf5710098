"""Scripts for what only libotr 3.2 has: texts for users, in a line or a window, and some functions."""

import os

import files
from steps import *

DISPLAY, NOTIFY = (1 << CALLBACKS.index(name) for name in ("handle_msg_event", "otr_error_message"))


def _texts(w, **settings):
    """Everything that people are told."""
    for policy in (V2, V1 | V2 | REQUIRE, V2 | ERROR_STARTS):
        alice, bob = w.users or w.pair()
        alice.set(policy=policy, **settings)
        bob.set(policy=V1 | V2)
        alice.send("waits or goes")
        w.wires.clear()
        alice.recv("plain")
        alice.recv("tagged" + TAG + TAG_V2)
        alice.recv("?OTR Error: something")
        alice.recv("?OTR:AAIC.")
        alice.recv("?OTR:AAIKAAAA.")
        alice.recv("?OTR:AAIX.")
        alice.recv("?OTR:AAED.")
        alice.recv("?OTR:AAID.")
        w.wires.clear()
        bob.send("?OTR?")
        wire = until(w, 0x11)
        wire.sender.recv(wire.message)
        data = bytearray(decoded(wire.message))
        data[-5] ^= 1
        w.deliver(message=encoded(bytes(data)))
        bob.send("?OTR?")
        w.pump()
        talk(w)
        alice.recv("plain in a session")
        bob.send("text")
        data = bytearray(decoded(w.take()))
        data[-40] ^= 1
        alice.recv(encoded(bytes(data)))
        alice.recv(encoded(bytes(data[:60])))
        alice.recv("?OTR Error: something")
        w.pump()
        alice.send("to be lost")
        w.wires.clear()
        bob.context("plaintext")
        alice.send("lost")
        w.pump()
        bob.send("?OTR?")
        w.pump()
        bob.close()
        w.pump()
        alice.send("too late")
        alice.recv("plain in a finished session")
        alice.recv(encoded(bytes(data)))
        alice.context("msgstate", 1)
        alice.send("without keys")
        alice.recv(encoded(bytes(data)))
        alice.abort()
        alice.close()
        w.anew()


def texts_displayed(w):
    """what people are told, in the conversation."""
    _texts(w)


def texts_in_windows(w):
    """what people are told, by a client that shows no lines in the conversation."""
    _texts(w, null_ops=DISPLAY)


def texts_not_displayed(w):
    """what people are told, by a client that does not show lines in the conversation now."""
    _texts(w, null_results=2)


def texts_inline(w):
    """what people are told, by a client that shows messages only."""
    _texts(w, null_ops=DISPLAY | NOTIFY)


def our_own_exchange(w):
    """the messages of an exchange with ourselves."""
    for policy in (V2, V1):
        for settings in ({}, {"null_ops": DISPLAY}):
            w.users.clear()
            alice = w.user("alice", "alice", policy, **settings)
            alice.send("?OTR?")
            for _ in range(8):
                if w.wires:
                    alice.recv(w.take())
            w.wires.clear()
            w.reset()


def fragments_by_hand(w):
    """otrl_proto_fragment_create and _accumulate by themselves."""
    alice, bob = w.session(V2)
    for size, count, text in ((100, 3, "x" * 100), (60, 5, "y" * 100), (1000, 1, "z" * 10), (50, 10, "abc" * 30), (100, 2, "x" * 200)):
        alice.context("pieces", size, count, to_hex(text))


def shared_secret(w):
    """a secret that is kept until the session ends."""
    alice, bob = w.session(V2)
    for length in (8, 0, 3):
        alice.context("shared", length)
    talk(w)
    alice.close()
    w.pump()
    bob.context("shared", 5)
    bob.context("finish")


def fingerprint_files(w):
    """what is made of a file of fingerprints, and what is written then."""
    alice = w.user("alice", "bob", V2)
    source, target = (w.pool.directory / f"{os.getpid()}.{name}" for name in ("in", "out"))
    for name, content in files.FINGERPRINTS.items():
        w.say(f"> {name}")
        source.write_bytes(content)
        alice.call("files", "readprints", source)
        alice.call("files", "writeprints", target)
        w.say(f"> written: {target.read_bytes()!r}")
        alice.call("files", "readprints", target)
        alice.call("keys", "forgetcontexts")
    for path in (source, target):
        path.unlink()
    alice.call("files", "readprints", source)
    alice.call("files", "writeprints", w.pool.directory / "nowhere" / "file")


def key_files(w):
    """what is made of a file of keys."""
    alice = w.user("alice", "bob", V2)
    source = w.pool.directory / f"{os.getpid()}.in"
    for name, content in files.KEYS.items():
        w.say(f"> {name}")
        source.write_bytes(content)
        alice.call("files", "readkeys", source)
    source.unlink()
    alice.call("files", "readkeys", source)


def text_left_out(w):
    """no text to send."""
    alice, bob = w.session(V2)
    alice.call("send", "bob", "0", 0, "~", "~")
    talk(w)
