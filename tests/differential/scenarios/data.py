"""Data messages: repeated, out of order, changed, with records."""

from steps import *


def data_replayed(w):
    """data messages come again, at once and later."""
    for policy in (V2, V3):
        alice, bob = in_session(w, policy)
        kept = []
        for i in range(4):
            alice.send(f"text {i}")
            kept.append(w.wires[0])
            w.deliver()
            w.wires.append(kept[-1])
            w.deliver()
            bob.send("back")
            w.pump()
            for wire in kept:
                w.wires.append(wire)
            w.pump()
        fresh(w)


def data_out_of_order(w):
    """data messages overtake each other."""
    for policy in (V2, V3):
        alice, bob = in_session(w, policy)
        for order in ((2, 1, 0), (1, 0, 0), (2, 0, 0), (0, 1, 0)):
            for i in range(3):
                alice.send(f"text {i}")
            for index in order:
                w.deliver(index)
            w.pump()
            bob.send("turn")
            w.pump()
        fresh(w)


def data_crossing(w):
    """data messages cross."""
    alice, bob = w.session(V3)
    for i in range(6):
        alice.send(f"from alice {i}")
        bob.send(f"from bob {i}")
        if i % 2:
            w.deliver(1)
        w.pump()


def data_long_silence(w):
    """many messages from one side, then from the other."""
    alice, bob = w.session(V2)
    for i in range(6):
        alice.send(f"alice {i}")
        w.pump()
    for i in range(6):
        bob.send(f"bob {i}")
        w.pump()


def _data_changed(w, policy, changes):
    """A data message with each change in its bytes, and then as it was."""
    alice, bob = w.session(policy)
    talk(w, "a", "b", "c")
    head = 11 if policy == V3 else 3
    for change in changes:
        alice.send("text")
        data = bytearray(decoded(w.take()))
        wire = bytes(data)
        change(data, head)
        bob.recv(encoded(bytes(data)))
        w.pump()
        bob.recv(encoded(wire))
        w.pump()
    talk(w)


def _put(offset, value, size):
    def change(data, head):
        at = head + offset if offset >= 0 else len(data) + offset
        data[at:at + size] = (value if value >= 0 else 0xffffffff + 1 + value).to_bytes(4, "big")[4 - size:]
    return change


def _more(offset, by):
    def change(data, head):
        at = head + offset
        number = (int.from_bytes(data[at:at + 4], "big") + by) % (1 << 32)
        data[at:at + 4] = number.to_bytes(4, "big")
    return change


CHANGES = ([_put(0, flags, 1) for flags in (1, 2, 0x80, 0xff)]
           + [_more(1, by) for by in (-1, 1, 2, -2, -4, 1000)] + [_more(5, by) for by in (-1, 1, 2, -2, -4, 1000)]
           + [_put(9, length, 4) for length in (0, 1, 191, 193, -1, 0x7fffffff, 100000)]
           + [_put(13, 0xff, 1), _put(204, 0, 1), _put(205, 0, 4), _put(209, 0, 4), _put(212, 5, 1), _put(209, -1, 4)]
           + [_put(213, length, 4) for length in (0, 1, 3, 5, 1000, -1, 0x80000000)]
           + [_put(217, 0, 1), _put(-1, 9, 1), _put(-4, 9, 4), _put(-4, -1, 4), _put(-20, 9, 1), _put(-24, 9, 1)])


def data_changed_v2(w):
    """every field of a data message changed, version 2."""
    _data_changed(w, V2, CHANGES)


def data_changed_v3(w):
    """every field of a data message changed, version 3."""
    _data_changed(w, V3, CHANGES)


def data_truncated(w):
    """data messages cut off everywhere."""
    for policy in (V2, V3):
        alice, bob = in_session(w, policy)
        alice.send("text")
        message = w.take()
        data = decoded(message)
        for length in list(range(0, 30)) + list(range(200, len(data), 9)):
            bob.recv(encoded(data[:length]))
            w.pump()
        for length in range(0, 60, 3):
            bob.recv(message[:length])
            w.pump()
        bob.recv(message)
        fresh(w)


def data_unreadable_flag(w):
    """an unreadable message with the flag that says so, in every state."""
    alice, bob = w.session(V3)
    talk(w)
    alice.smp("secret")
    message = w.take()
    data = bytearray(decoded(message))
    data[-30] ^= 1
    bob.recv(encoded(bytes(data)))
    w.pump()
    bob.close()
    w.pump()
    bob.recv(message)
    w.pump()
    alice.recv(message)
    alice.close()
    alice.recv(message)
    w.pump()


def data_in_every_state(w):
    """a data message comes in plaintext and in a finished session."""
    for policy in (V2, V3, V2 | ERROR_STARTS, V3 | ERROR_STARTS):
        alice, bob = in_session(w, policy)
        alice.send("text")
        message = w.take()
        bob.close()
        w.wires.clear()
        bob.recv(message)
        w.pump()
        talk(w)
        bob.close()
        w.pump()
        alice.recv(message)
        w.pump()
        fresh(w)
        bob.recv(message)
        w.pump()
        bob.recv(message)
        w.pump()
        fresh(w)


def odd_plaintext(w):
    """odd texts, in the clear and encrypted."""
    texts = ["", " ", "a", "\n", "\t", "\xff\xfe", b"\xff\xfe\x80", "x" * 5000, "?", "?O", "?OTR", "?OTR:", "?OTR:AAM", "?OTR:AAM.",
             "?OTR:AAMD.", "?OTR:===.", "?OTR:.", "?OTR:AAMDAAAA", "?OTR|", "?OTR,", "?OTR,1", "?OTR!", "?OTRx", "%s%n%x", "a?OTR:AAMD."]
    alice, bob = w.pair(V23)
    for text in texts:
        alice.recv(text)
        alice.send(text)
        w.wires.clear()
    start(w)
    for text in texts:
        alice.send(text)
        w.pump()
        alice.recv(text)
        w.pump()
    alice.set(policy=0)
    for text in texts:
        alice.recv(text)
        alice.send(text)
        w.wires.clear()


def tlvs_of_the_client(w):
    """records that the client sends along."""
    alice, bob = w.session(V3)
    chains = [b"", b"\x01\x00\x00\x03abc", b"\x00\x00\x00\x05hello", b"\x00\x09\x00\x00", b"\x00\x09\x00\x01a\x00\x0a\x00\x02bc",
              b"\xff\xff\x00\x01a", b"\x00\x01\x00\x00", b"\x00\x09\x03\xe8" + b"z" * 1000]
    for chain in chains:
        for text in ("with text", ""):
            alice.send(text, tlvs=chain)
            w.pump()
            if not bob.private():
                start(w)
    alice.close()
    w.pump()
    alice.send("in plaintext", tlvs=chains[1])
    w.pump()


def odd_tlvs_received(w):
    """records of the protocol with odd contents, out of place."""
    for policy in (V2, V3):
        alice, bob = in_session(w, policy)
        for kind in (2, 3, 4, 5, 7, 8):
            for value in (b"", b"\0", b"abc", b"\0\0\0\x06", b"\0\0\0\x06\xff\xff\xff\xff", b"\xff\xff\xff\xff", b"q?\0\0\0\0\x06",
                          b"no end", b"\0\0\0\0", b"\0\0\0\x01\0\0\0\0", b"\0\0\0\x0b" + b"\0\0\0\x01\x02" * 11,
                          b"\0\0\0\x06" + b"\0\0\0\x01\x02" * 6, b"\0\0\0\x08" + b"\0\0\0\x01\x02" * 8,
                          b"\0\0\0\x03" + b"\0\0\0\x01\x02" * 3, b"q\0\0\0\0\x06" + b"\0\0\0\x01\x02" * 6):
                alice.send("t", tlvs=bytes([0, kind]) + len(value).to_bytes(2, "big") + value)
                w.pump()
            bob.smp("secret")
            w.pump()
            for value in (b"", b"\0\0\0\x0b" + b"\0\0\0\x01\x02" * 11, b"\0\0\0\x08" + b"\0\0\0\x01\x02" * 8):
                alice.send("t", tlvs=bytes([0, kind]) + len(value).to_bytes(2, "big") + value)
                w.pump()
            bob.abort()
            w.pump()
        alice.send("t", tlvs=b"\0\x06\0\0")
        alice.send("t", tlvs=b"\0\x06\0\x03abc")
        alice.send("t", tlvs=b"\0\x01\0\0\0\x09\0\x01x")
        w.pump()
        fresh(w)


def extra_symmetric_key(w):
    """the extra symmetric key."""
    for policy in (V2, V3):
        alice, bob = both(w, policy)
        alice.symkey()
        start(w)
        for use, data in ((0, b""), (1, b"x"), (0xffffffff, bytes(100)), (0x100, b"data")):
            alice.symkey(use, data)
            w.pump()
            bob.symkey(use, data)
            w.pump()
        bob.set(null_ops=1 << 13)
        alice.symkey()
        w.pump()
        bob.set(null_ops=0)
        bob.close()
        w.pump()
        alice.symkey()
        fresh(w)


def _held_back(w, policy):
    alice, bob = w.session(policy)
    for turns in range(5):
        alice.send("held back")
        alice.send("and one more")
        held = list(w.wires)
        w.wires.clear()
        for _ in range(turns):
            alice.send("on time")
            w.pump()
            bob.send("an answer")
            w.pump()
        for wire in reversed(held):
            bob.recv(wire.message)
        w.pump()
        talk(w)


def data_held_back_v2(w):
    """messages under older and older keys, version 2."""
    _held_back(w, V2)


def data_held_back_v3(w):
    """messages under older and older keys, version 3."""
    _held_back(w, V3)


def _of_a_twin(w, policy):
    """A second client in the same state makes messages that are valid but for what the first has sent already."""
    alice = w.user("alice", "bob", policy)
    bob = w.user("bob", "alice", policy)
    twin = w.twin(alice)
    alice.send("?OTR?")
    w.pump()
    for count in range(1, 5):
        for i in range(count):
            alice.send(f"text {i}")
            w.pump()
        twin.send("with a counter that was used")
        w.pump()
        twin.send("and the next")
        w.pump()
        bob.send("an answer")
        w.pump()
    for _ in range(5):
        twin.send("with counters beyond")
    w.wires[:-1] = []
    w.pump()
    alice.send("with a counter left behind")
    w.pump()
    bob.send("an answer")
    w.pump()
    twin.smp("secret")
    twin.close()
    for wire in list(w.wires):
        w.pump()
    alice.send("after that")
    w.pump()


def counters_reused_v2(w):
    """valid messages whose counters were used before, or skipped, version 2."""
    _of_a_twin(w, V2)


def counters_reused_v3(w):
    """valid messages whose counters were used before, or skipped, version 3."""
    _of_a_twin(w, V3)


def keys_of_the_future(w):
    """a client that is turns ahead speaks, and then the one who was left behind."""
    for policy in (V2, V3):
        w.users.clear()
        alice = w.user("alice", "bob", policy)
        bob = w.user("bob", "alice", policy)
        twin = w.twin(alice)
        alice.send("?OTR?")
        w.pump()
        talk(w)
        for turns in range(1, 4):
            for _ in range(turns):
                bob.send("seen by the twin alone")
                w.deliver(only=twin)
                twin.send("an answer")
                w.deliver()
            alice.send("from behind")
            w.pump()
            bob.send("to both")
            w.pump()
