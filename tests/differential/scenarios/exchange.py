"""The authenticated key exchange, disturbed."""

from steps import *


def _exchange(w, policy, disturb, between=False):
    """An exchange in which one message is disturbed, for each of the four messages."""
    w.pair(policy)
    alice, bob = w.users
    for kind in AKE:
        w.say(f"> disturbed: {kind:x}")
        if between:
            start(w)
        bob.send("?OTR?")
        until(w, kind)
        disturb(w, w.wires[0])
        w.pump()
        talk(w)
        fresh(w)


def _twice(w, wire):
    w.deliver()
    w.wires.insert(0, wire)
    w.deliver()


def _dropped(w, wire):
    w.wires.pop(0)


def _dropped_and_again(w, wire):
    w.wires.pop(0)
    wire.sender.send("?OTR?")


def _late(w, wire):
    """It comes once more after the session is there."""
    w.pump()
    w.wires.append(wire)
    w.pump()


def ake_repeated_v2(w):
    """each message of the exchange comes twice, version 2."""
    _exchange(w, V2, _twice)


def ake_repeated_v3(w):
    """each message of the exchange comes twice, version 3."""
    _exchange(w, V3, _twice)


def ake_dropped_v2(w):
    """each message of the exchange is lost, version 2."""
    _exchange(w, V2, _dropped)


def ake_dropped_v3(w):
    """each message of the exchange is lost, version 3."""
    _exchange(w, V3, _dropped)


def ake_dropped_and_again_v2(w):
    """each message is lost, and the session is asked for again, version 2."""
    _exchange(w, V2, _dropped_and_again)


def ake_dropped_and_again_v3(w):
    """each message is lost, and the session is asked for again, version 3."""
    _exchange(w, V3, _dropped_and_again)


def ake_dropped_in_session_v2(w):
    """each message of a second exchange is lost, version 2."""
    _exchange(w, V2, _dropped, between=True)


def ake_dropped_in_session_v3(w):
    """each message of a second exchange is lost, version 3."""
    _exchange(w, V3, _dropped, between=True)


def ake_late_v2(w):
    """each message of the exchange comes again afterwards, version 2."""
    _exchange(w, V2, _late)


def ake_late_v3(w):
    """each message of the exchange comes again afterwards, version 3."""
    _exchange(w, V3, _late)


def _truncated(w, wire):
    data = decoded(wire.message)
    for length in sorted({0, 1, 2, 3, 4, 7, 10, 11, 12, 15, 16, 30, 31, len(data) // 2, len(data) - 21, len(data) - 1}):
        if 0 <= length < len(data):
            receiver(w, wire).recv(encoded(data[:length]))
    w.wires[1:] = []


def ake_truncated_v2(w):
    """each message of the exchange cut off at many places, version 2."""
    _exchange(w, V2, _truncated)


def ake_truncated_v3(w):
    """each message of the exchange cut off at many places, version 3."""
    _exchange(w, V3, _truncated)


def _flipped_at(positions):
    def disturb(w, wire):
        data = decoded(wire.message)
        target = receiver(w, wire)
        for position in positions:
            at = position if position >= 0 else len(data) + position
            if 0 <= at < len(data):
                bad = bytearray(data)
                bad[at] ^= 0x04
                target.recv(encoded(bytes(bad)))
        w.wires[1:] = []
    return disturb


def ake_flipped_v2(w):
    """each message of the exchange with a flipped bit, version 2."""
    _exchange(w, V2, _flipped_at((0, 1, 2, 3, 4, 5, 6, 7, 8, 20, 100, -60, -33, -20, -1)))


def ake_flipped_v3(w):
    """each message of the exchange with a flipped bit, version 3."""
    _exchange(w, V3, _flipped_at((0, 1, 3, 4, 6, 7, 9, 10, 11, 13, 14, 15, 16, 30, 110, -60, -33, -20, -1)))


def _longer(w, wire):
    data = decoded(wire.message)
    target = receiver(w, wire)
    for message in (encoded(data + b"x"), encoded(data + bytes(40)), wire.message + b" and more", wire.message[:-1],
                    b"x" + wire.message, wire.message.replace(b".", b"=."), wire.message[:20] + b"\n" + wire.message[20:]):
        target.recv(message)
        w.wires[1:] = []


def ake_longer_v2(w):
    """each message of the exchange with something around it, version 2."""
    _exchange(w, V2, _longer)


def ake_longer_v3(w):
    """each message of the exchange with something around it, version 3."""
    _exchange(w, V3, _longer)


def _instances(w, wire):
    data = decoded(wire.message)
    target = receiver(w, wire)
    for sender, recipient in ((0, 0), (0, 0x1000), (0x50, 0x1000), (0xff, 0), (0x5000, 0x6000), (0x5000, 0x50), (0x1111, 1),
                              (0x1000, 0x1000), (0x5000, 0), (0x5000, 0x1000), (0x5000, 0x1111), (0xffffffff, 0)):
        bad = data[:3] + sender.to_bytes(4, "big") + recipient.to_bytes(4, "big") + data[11:]
        target.recv(encoded(bad))
        w.wires[1:] = []


def ake_instances(w):
    """each message of the exchange from and for other instances."""
    _exchange(w, V3, _instances)


def ake_reordered(w):
    """every message of one exchange comes in every state of another."""
    for policy in (V2, V3):
        alice, bob = both(w, policy)
        bob.send("?OTR?")
        kept = []
        while w.wires:
            if w.wires[0].message.startswith(b"?OTR:"):
                kept.append(w.wires[0])
            w.deliver()
        fresh(w)
        for before in range(5):
            for wire in kept:
                w.say(f"> after {before}")
                bob.send("?OTR?")
                for _ in range(before + 1):
                    if w.wires:
                        w.deliver()
                w.wires.insert(0, wire)
                w.deliver()
                w.pump()
                talk(w)
                fresh(w)


def ake_numbers(w):
    """public values at the edges of the group."""
    prime = int("FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B"
                "302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE6"
                "49286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D"
                "670C354E4ABC9804F1746C08CA237327FFFFFFFFFFFFFFFF", 16)
    for policy, head in ((V2, 3), (V3, 11)):
        alice, bob = both(w, policy)
        for number in (0, 1, 2, prime - 2, prime - 1, prime, prime + 1, 1 << 1600):
            bob.send("?OTR?")
            until(w, 0x0a)
            data = decoded(w.take())
            body = number.to_bytes((number.bit_length() + 7) // 8, "big")
            bob.recv(encoded(data[:head] + len(body).to_bytes(4, "big") + body))
            w.pump()
            fresh(w)


def dh_commit_wrong_hash(w):
    """the revealed g^x is not the committed one."""
    for policy, head in ((V2, 3), (V3, 11)):
        alice, bob = both(w, policy)
        bob.send("?OTR?")
        until(w, 0x02)
        data = bytearray(decoded(w.wires[0].message))
        data[-5] ^= 1
        w.deliver(message=encoded(bytes(data)))
        w.pump()
        talk(w)
        fresh(w)


def no_private_key(w):
    """an account without a key, and a callback that brings one."""
    alice = w.user("alice", "bob", V23, keyed=False)
    bob = w.user("bob", "alice", V23)
    for mode in (0, 1):
        alice.set(key_mode=mode)
        for who in (alice, bob):
            who.send("?OTR?")
            w.pump()
            talk(w)
            fresh(w)
        alice.call("keys", "forget")
    bob.call("keys", "forgetall")
    bob.call("keys", "print")
    alice.call("keys", "print")


def key_lost_midway(w):
    """a key is forgotten while it is needed."""
    alice, bob = w.pair(V3)
    for kind in AKE:
        for user in (alice, bob):
            bob.send("?OTR?")
            until(w, kind)
            user.call("keys", "forget")
            w.pump()
            talk(w)
            user.call("files", "readkeys", w.pool.key(user.account, 0))
            fresh(w)


def reflected(w):
    """our own messages come back."""
    alice, bob = w.pair(V23)
    for kind in AKE:
        bob.send("?OTR?")
        wire = until(w, kind)
        wire.sender.recv(wire.message)
        w.pump()
        fresh(w)
    alice.send("?OTR?")
    wire = w.wires[0]
    alice.recv(wire.message)
    w.pump()
    alice.send("text")
    alice.recv(w.wires[0].message)
    w.pump()
    alice.set(policy=V2)
    bob.set(policy=V2)
    for kind in AKE:
        bob.send("?OTR?")
        wire = until(w, kind)
        wire.sender.recv(wire.message)
        w.pump()
        fresh(w)


def _flipped_everywhere(w, wire):
    """One bit of each byte, from the last to the first: a damaged DH-commit is taken for a new one."""
    data = decoded(wire.message)
    target = receiver(w, wire)
    for at in reversed(range(len(data))):
        bad = bytearray(data)
        bad[at] ^= 1 << at % 8
        target.recv(encoded(bytes(bad)))
    w.wires[1:] = []


def ake_flipped_everywhere_v2(w):
    """each byte of each message of the exchange with a flipped bit, version 2."""
    _exchange(w, V2, _flipped_everywhere)


def ake_flipped_everywhere_v3(w):
    """each byte of each message of the exchange with a flipped bit, version 3."""
    _exchange(w, V3, _flipped_everywhere)


def ake_cut_everywhere(w):
    """each message of the exchange cut off at every place."""
    def disturb(w, wire):
        data = decoded(wire.message)
        for length in range(len(data)):
            receiver(w, wire).recv(encoded(data[:length]))
        w.wires[1:] = []
    _exchange(w, V2, disturb)


def ake_of_version_1_disturbed(w):
    """the two messages of the exchange of version 1, lost, repeated, late and cut off."""
    def cut(w, wire):
        data = decoded(wire.message)
        for length in sorted({0, 1, 2, 3, 4, 8, 30, len(data) // 2, len(data) - 41, len(data) - 40, len(data) - 1}):
            receiver(w, wire).recv(encoded(data[:length]))
        w.wires[1:] = []
    for disturb in (_twice, _dropped, _dropped_and_again, _late, cut):
        for place in (0, 1):
            alice, bob = both(w, V1)
            bob.send("?OTR?")
            w.deliver()
            for _ in range(place):
                w.deliver()
            if w.wires:
                disturb(w, w.wires[0])
            w.pump()
            talk(w)
            fresh(w)


def ake_of_somebody_else(w):
    """messages of the exchange with one correspondent come from another, in every state."""
    alice, bob = w.pair(V3)
    carol = w.user("carol", "alice", V3)
    carol.send("?OTR?")
    kept = []
    while w.wires:
        if w.wires[0].message.startswith(b"?OTR:"):
            kept.append(w.wires[0])
        w.deliver()
    for kind in AKE:
        for wire in kept:
            bob.send("?OTR?")
            until(w, kind)
            # To alice as from bob, or to bob as from alice.
            (alice if wire.sender is carol else bob).recv(wire.message)
            w.pump()
            talk(w)
            w.anew()


def keys_lost_in_session(w):
    """keys and tags are forgotten while a session lasts."""
    for what in ("forget", "forgettag", "forgetall", "forgettags"):
        alice, bob = in_session(w, V3)
        talk(w)
        for user in (alice, bob):
            user.call("keys", what)
        talk(w)
        alice.symkey()
        w.pump()
        bob.close()
        w.pump()
        for user in (alice, bob):
            user.call("files", "readkeys", w.pool.key(user.account, 0))
            user.call("files", "readtags", w.pool.tag(user.account, user.number))
        fresh(w)


def tags_lost_midway(w):
    """instance tags are forgotten while a session is made, and others are made."""
    alice, bob = w.pair(V3)
    for kind in AKE:
        for user in (alice, bob):
            bob.send("?OTR?")
            until(w, kind)
            user.call("keys", "forgettag")
            w.pump()
            talk(w)
            w.anew()


def key_generation_under_way(w):
    """a key is being made, and the making of it given up."""
    alice, bob = w.pair(V3)
    alice.call("keys", "forget")
    for _ in range(2):
        alice.call("files", "start", "-")
        alice.call("files", "start", "-")
        start(w)
        talk(w)
        fresh(w)
        alice.call("files", "cancel", "-")
    alice.call("files", "readkeys", w.pool.key("alice", 0))
    alice.call("files", "start", "-")
    start(w)
    talk(w)
    alice.call("files", "cancel", "-")
