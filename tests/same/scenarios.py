"""The scripts of two users. Each function whose name does not begin with an underscore is one; its first line says what
it is about."""

import base64
import itertools

from world import *

POLICIES = (0, V1, V2, V3, V23, V1 | V23, OPPORTUNISTIC, ALWAYS, V2 | REQUIRE, V3 | SEND_TAG, V2 | TAG_STARTS,
            V23 | ERROR_STARTS, V23 | SEND_TAG | REQUIRE)


def _talk(w, *texts):
    """One text from each user to the one he talks to."""
    for text in texts or ("ping",):
        for user in w.users[:2]:
            user.send(text)
            w.pump()


def _fresh(w):
    """Lets go of all sessions and messages, so that another round can begin."""
    w.wires.clear()
    for user in w.users:
        user.close()
        w.wires.clear()
        user.call("keys", "forgetcontexts")
    w.clock(200)


def _decoded(message):
    return base64.b64decode(message[5:message.index(b".")])


def _encoded(data):
    return b"?OTR:" + base64.b64encode(data) + b"."


def _until(w, kind):
    """Delivers until the next message on the wires is of this type."""
    for _ in range(20):
        if w.wires and w.wires[0].message.startswith(b"?OTR:") and _decoded(w.wires[0].message)[2] == kind:
            return w.wires[0]
        if not w.wires:
            break
        w.deliver()
    raise Stuck(f"no message of type {kind} came")


AKE = (0x02, 0x0a, 0x11, 0x12)


# ---- starting ----------------------------------------------------------------------------------


def every_policy_pair_query(w):
    """a query under every pair of policies."""
    for mine, theirs in itertools.product(POLICIES, POLICIES):
        if not w.users:
            w.pair()
        alice, bob = w.users
        alice.set(policy=mine)
        bob.set(policy=theirs)
        alice.send("?OTR?")
        w.pump()
        _talk(w)
        _fresh(w)


def every_policy_pair_text(w):
    """a text under every pair of policies."""
    alice, bob = w.pair()
    for mine, theirs in itertools.product(POLICIES, POLICIES):
        alice.set(policy=mine)
        bob.set(policy=theirs)
        alice.send("hello")
        w.pump()
        _talk(w)
        _fresh(w)


def session_v2(w):
    """a session of version 2, with SMP and an end."""
    alice, bob = w.session(V2)
    _talk(w, "a", "b", "c", "d")
    alice.smp("secret")
    w.pump()
    bob.respond("secret")
    w.pump()
    alice.close()
    w.pump()
    bob.send("too late")
    bob.close()
    _talk(w)


def session_v3(w):
    """a session of version 3, with SMP and an end."""
    alice, bob = w.session(V3)
    _talk(w, "a", "b", "c", "d")
    alice.smp("secret")
    w.pump()
    bob.respond("secret")
    w.pump()
    bob.close()
    w.pump()
    alice.send("too late")
    alice.close()
    _talk(w)


def session_v1(w):
    """a session of version 1."""
    alice, bob = w.pair(V1)
    alice.send("?OTR?")
    w.pump()
    _talk(w, "a", "b", "c")
    alice.smp("secret")
    w.pump()
    bob.respond("secret")
    w.pump()
    bob.close()
    w.pump()
    _talk(w)


def query_forms(w):
    """every form of a query, as it arrives."""
    alice, bob = w.pair()
    for policy in (V2, V3, V23, V1 | V23, V1, 0):
        alice.set(policy=policy)
        for query in ("?OTR?", "?OTRv?", "?OTRv2?", "?OTRv3?", "?OTRv23?", "?OTRv32?", "?OTR?v2?", "?OTR?v3?", "?OTR?v23?",
                      "?OTRv4?", "?OTRv24x?", "?OTR?v?", "?OTRv2", "?OTR", "?OTR ", "hi ?OTRv2? there", "hi ?OTR?v3? there",
                      "?OTRv2?\n<b>x</b> wants", "?OTRv 2?", "?OTRv22222?", "?OTR?v1?", "?otrv2?", "x?OTRv3?", "?OTRv2?OTRv3?"):
            alice.recv(query)
            _fresh(w)


def query_sent_forms(w):
    """every form of a query, as the user types it."""
    alice, bob = w.pair()
    for policy in (V2, V3, V23, V1 | V23, 0, V23 | REQUIRE):
        alice.set(policy=policy)
        for query in ("?OTR?", "?OTRv2?", "?OTRv3?", "?OTR?v2?", "?OTRv23?", "hi ?OTRv2? there", "?OTRv?", "?OTRv9?", "?OTR"):
            for fragments in (SKIP, ALL, ALL_BUT_LAST):
                alice.send(query, fragments=fragments)
                w.wires.clear()
        _fresh(w)


def whitespace_forms(w):
    """every form of a whitespace tag, as it arrives."""
    base, v1, v2, v3 = " \t  \t\t\t\t \t \t \t  ", " \t \t  \t ", "  \t\t  \t ", "  \t\t  \t\t"
    alice, bob = w.pair()
    for policy in (OPPORTUNISTIC, V2 | TAG_STARTS, V3 | TAG_STARTS, V1 | V23 | TAG_STARTS, V23, 0, V23 | REQUIRE | TAG_STARTS):
        alice.set(policy=policy)
        for text in (base, base + v2, base + v3, base + v2 + v3, base + v3 + v2, base + v1 + v2 + v3, "a" + base + v2,
                     "a" + base + v3 + "b", base + v2 + " ", base + v2[:-1], base[:-1], base + base + v2, "a" + base + v2 +
                     "b" + base + v3, "x" + base + "        " + v2, base + v2 + v2, "a" + base + v1, "?OTRv2?" + base + v3):
            alice.recv(text)
            _fresh(w)


def whitespace_session(w):
    """a tag starts a session, one reply without it stops the offer."""
    for policy in (OPPORTUNISTIC, V2 | SEND_TAG | TAG_STARTS, V3 | SEND_TAG | TAG_STARTS):
        w2 = w
        if not w.users:
            w.pair(policy)
        alice, bob = w.users
        alice.set(policy=policy)
        bob.set(policy=policy)
        alice.send("first")
        alice.send("second")
        w.pump()
        _talk(w)
        _fresh(w2)
        bob.set(policy=0)
        alice.send("to one who has none")
        bob.send("plain")
        w.pump()
        alice.send("no more tags")
        w.pump()
        _fresh(w)


def whitespace_and_fragments(w):
    """a tagged text is longer than the network takes."""
    alice, bob = w.pair(OPPORTUNISTIC, mms=60)
    for fragments in (SKIP, ALL, ALL_BUT_FIRST, ALL_BUT_LAST):
        alice.send("a text that is long enough, and a little more", fragments=fragments)
        w.pump()
        _fresh(w)


def required(w):
    """texts wait for the session that the policy demands."""
    for policy in (ALWAYS, V2 | REQUIRE, V3 | REQUIRE, REQUIRE, V1 | REQUIRE):
        if not w.users:
            w.pair()
        alice, bob = w.users
        alice.set(policy=policy)
        bob.set(policy=V1 | V23)
        alice.send("waits")
        alice.send("waits too")
        w.pump()
        _talk(w)
        bob.send("in the clear")
        _fresh(w)


def required_incoming(w):
    """plaintext comes where encryption is demanded, in every state."""
    alice, bob = w.pair(ALWAYS, 0)
    bob.send("plain")
    w.pump()
    bob.set(policy=V23)
    alice.send("?OTR?")
    w.pump()
    alice.recv("plain in a session")
    alice.recv("tagged \t  \t\t\t\t \t \t \t    \t\t  \t in a session")
    bob.close()
    w.pump()
    alice.recv("plain in a finished session")
    alice.recv("tagged \t  \t\t\t\t \t \t \t    \t\t  \t in a finished session")


def _crossing(w, policy, order):
    alice, bob = w.pair(policy)
    alice.recv("?OTRv23?")
    bob.recv("?OTRv23?")
    for who in order:
        for index, wire in enumerate(w.wires):
            if wire.sender.name == who:
                w.deliver(index)
                break
    w.pump()
    _talk(w)


def crossing_v3(w):
    """both start at once, version 3."""
    _crossing(w, V3, ("alice", "bob"))


def crossing_v2(w):
    """both start at once, version 2."""
    _crossing(w, V2, ("alice", "bob"))


def crossing_v3_other_order(w):
    """both start at once, version 3, the other order."""
    _crossing(w, V3, ("bob", "alice"))


def crossing_v2_other_order(w):
    """both start at once, version 2, the other order."""
    _crossing(w, V2, ("bob", "alice"))


def crossing_queries(w):
    """both ask for a session, and then one more does."""
    alice, bob = w.pair(V3)
    alice.send("?OTR?")
    bob.send("?OTR?")
    w.deliver()
    w.pump()


def mixed_versions(w):
    """one user of version 2 and one of both."""
    for mine, theirs in ((V2, V23), (V23, V2), (V3, V2), (V1 | V2, V1 | V3), (V1, V1 | V23)):
        if not w.users:
            w.pair()
        alice, bob = w.users
        alice.set(policy=mine)
        bob.set(policy=theirs)
        bob.send("?OTR?")
        w.pump()
        _talk(w)
        bob.send("?OTR?")
        w.pump()
        _talk(w)
        _fresh(w)


def policy_changes_midway(w):
    """policies change while a session is made and while it lasts."""
    alice, bob = w.pair(V23)
    for kind in AKE:
        bob.send("?OTR?")
        _until(w, kind)
        alice.set(policy=V2)
        bob.set(policy=0)
        w.pump()
        _talk(w)
        alice.set(policy=V23)
        bob.set(policy=V23)
        _fresh(w)
    bob.send("?OTR?")
    w.pump()
    alice.set(policy=0)
    _talk(w)
    alice.set(policy=ALWAYS)
    _talk(w)
    alice.recv("?OTRv23?")
    w.pump()


def refresh(w):
    """exchanges inside a session, from either side."""
    for policy in (V2, V3):
        if not w.users:
            w.pair()
        alice, bob = w.users
        alice.set(policy=policy)
        bob.set(policy=policy)
        for who in (alice, bob, bob, alice):
            who.send("?OTR?")
            w.pump()
            _talk(w)
        _fresh(w)


def refresh_with_another_key(w):
    """a second session with another signing key."""
    alice, bob = w.session(V3)
    _talk(w)
    alice.context("trust", 0, to_hex("verified"))
    bob.call("files", "readkeys", w.pool.key("bob", 1))
    bob.send("?OTR?")
    w.pump()
    _talk(w)
    bob.call("files", "readkeys", w.pool.key("bob", 0))
    alice.send("?OTR?")
    w.pump()
    _talk(w)


# ---- the exchange, disturbed -------------------------------------------------------------------


def _exchange(w, policy, disturb, between=False):
    """An exchange in which one message is disturbed, for each of the four messages."""
    w.pair(policy)
    alice, bob = w.users
    for kind in AKE:
        w.say(f"> disturbed: {kind:x}")
        if between:
            alice.send("?OTR?")
            w.pump()
        bob.send("?OTR?")
        _until(w, kind)
        disturb(w, w.wires[0])
        w.pump()
        _talk(w)
        _fresh(w)


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
    data = _decoded(wire.message)
    for length in sorted({0, 1, 2, 3, 4, 7, 10, 11, 12, 15, 16, 30, 31, len(data) // 2, len(data) - 21, len(data) - 1}):
        if 0 <= length < len(data):
            w.users[[u.account for u in w.users].index(wire.to)].recv(_encoded(data[:length]))
    w.wires[1:] = []


def ake_truncated_v2(w):
    """each message of the exchange cut off at many places, version 2."""
    _exchange(w, V2, _truncated)


def ake_truncated_v3(w):
    """each message of the exchange cut off at many places, version 3."""
    _exchange(w, V3, _truncated)


def _flipped_at(positions):
    def disturb(w, wire):
        data = _decoded(wire.message)
        target = w.users[[u.account for u in w.users].index(wire.to)]
        for position in positions:
            at = position if position >= 0 else len(data) + position
            if 0 <= at < len(data):
                bad = bytearray(data)
                bad[at] ^= 0x04
                target.recv(_encoded(bytes(bad)))
        w.wires[1:] = []
    return disturb


def ake_flipped_v2(w):
    """each message of the exchange with a flipped bit, version 2."""
    _exchange(w, V2, _flipped_at((0, 1, 2, 3, 4, 5, 6, 7, 8, 20, 100, -60, -33, -20, -1)))


def ake_flipped_v3(w):
    """each message of the exchange with a flipped bit, version 3."""
    _exchange(w, V3, _flipped_at((0, 1, 3, 4, 6, 7, 9, 10, 11, 13, 14, 15, 16, 30, 110, -60, -33, -20, -1)))


def _longer(w, wire):
    data = _decoded(wire.message)
    target = w.users[[u.account for u in w.users].index(wire.to)]
    for message in (_encoded(data + b"x"), _encoded(data + bytes(40)), wire.message + b" and more", wire.message[:-1],
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
    data = _decoded(wire.message)
    target = w.users[[u.account for u in w.users].index(wire.to)]
    for sender, recipient in ((0, 0), (0, 0x1000), (0x50, 0x1000), (0xff, 0), (0x5000, 0x6000), (0x5000, 0x50), (0x1111, 1),
                              (0x1000, 0x1000), (0x5000, 0), (0x5000, 0x1000), (0x5000, 0x1111), (0xffffffff, 0)):
        bad = data[:3] + sender.to_bytes(4, "big") + recipient.to_bytes(4, "big") + data[11:]
        target.recv(_encoded(bad))
        w.wires[1:] = []


def ake_instances(w):
    """each message of the exchange from and for other instances."""
    _exchange(w, V3, _instances)


def ake_reordered(w):
    """every message of one exchange comes in every state of another."""
    for policy in (V2, V3):
        if not w.users:
            w.pair()
        alice, bob = w.users
        alice.set(policy=policy)
        bob.set(policy=policy)
        bob.send("?OTR?")
        kept = []
        while w.wires:
            if w.wires[0].message.startswith(b"?OTR:"):
                kept.append(w.wires[0])
            w.deliver()
        _fresh(w)
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
                _talk(w)
                _fresh(w)


def ake_numbers(w):
    """public values at the edges of the group."""
    p = (1 << 1536) - (1 << 1472) - 1 + (1 << 64) * 0
    prime = int("FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B"
                "302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE6"
                "49286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D"
                "670C354E4ABC9804F1746C08CA237327FFFFFFFFFFFFFFFF", 16)
    del p
    for policy, head in ((V2, 3), (V3, 11)):
        if not w.users:
            w.pair()
        alice, bob = w.users
        alice.set(policy=policy)
        bob.set(policy=policy)
        for number in (0, 1, 2, prime - 2, prime - 1, prime, prime + 1, 1 << 1600):
            bob.send("?OTR?")
            _until(w, 0x0a)
            data = _decoded(w.take())
            body = number.to_bytes((number.bit_length() + 7) // 8, "big")
            bob_or_alice = alice if w.random.random() < 2 else bob
            bob_or_alice.recv(_encoded(data[:head] + len(body).to_bytes(4, "big") + body))
            w.pump()
            _fresh(w)


def dh_commit_wrong_hash(w):
    """the revealed g^x is not the committed one."""
    for policy, head in ((V2, 3), (V3, 11)):
        if not w.users:
            w.pair()
        alice, bob = w.users
        alice.set(policy=policy)
        bob.set(policy=policy)
        bob.send("?OTR?")
        _until(w, 0x02)
        data = bytearray(_decoded(w.wires[0].message))
        data[-5] ^= 1
        w.deliver(message=_encoded(bytes(data)))
        w.pump()
        _talk(w)
        _fresh(w)


def no_private_key(w):
    """an account without a key, and a callback that brings one."""
    alice = w.user("alice", "bob", V23, keyed=False)
    bob = w.user("bob", "alice", V23)
    for mode in (0, 1):
        alice.set(key_mode=mode)
        for who in (alice, bob):
            who.send("?OTR?")
            w.pump()
            _talk(w)
            _fresh(w)
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
            _until(w, kind)
            user.call("keys", "forget")
            w.pump()
            _talk(w)
            user.call("files", "readkeys", w.pool.key(user.account, 0))
            _fresh(w)


# ---- data messages -----------------------------------------------------------------------------


def data_replayed(w):
    """data messages come again, at once and later."""
    for policy in (V2, V3):
        if not w.users:
            w.pair()
        alice, bob = w.users
        alice.set(policy=policy)
        bob.set(policy=policy)
        alice.send("?OTR?")
        w.pump()
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
        _fresh(w)


def data_out_of_order(w):
    """data messages overtake each other."""
    for policy in (V2, V3):
        if not w.users:
            w.pair()
        alice, bob = w.users
        alice.set(policy=policy)
        bob.set(policy=policy)
        alice.send("?OTR?")
        w.pump()
        for order in ((2, 1, 0), (1, 0, 0), (2, 0, 0), (0, 1, 0)):
            for i in range(3):
                alice.send(f"text {i}")
            for index in order:
                w.deliver(index)
            w.pump()
            bob.send("turn")
            w.pump()
        _fresh(w)


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
    _talk(w, "a", "b", "c")
    head = 11 if policy == V3 else 3
    for change in changes:
        alice.send("text")
        data = bytearray(_decoded(w.take()))
        wire = bytes(data)
        change(data, head)
        bob.recv(_encoded(bytes(data)))
        w.pump()
        bob.recv(_encoded(wire))
        w.pump()
    _talk(w)


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
        if not w.users:
            w.pair()
        alice, bob = w.users
        alice.set(policy=policy)
        bob.set(policy=policy)
        alice.send("?OTR?")
        w.pump()
        alice.send("text")
        message = w.take()
        data = _decoded(message)
        for length in list(range(0, 30)) + list(range(200, len(data), 9)):
            bob.recv(_encoded(data[:length]))
            w.pump()
        for length in range(0, 60, 3):
            bob.recv(message[:length])
            w.pump()
        bob.recv(message)
        _fresh(w)


def data_unreadable_flag(w):
    """an unreadable message with the flag that says so, in every state."""
    alice, bob = w.session(V3)
    _talk(w)
    alice.smp("secret")
    message = w.take()
    data = bytearray(_decoded(message))
    data[-30] ^= 1
    bob.recv(_encoded(bytes(data)))
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
        if not w.users:
            w.pair()
        alice, bob = w.users
        alice.set(policy=policy)
        bob.set(policy=policy)
        alice.send("?OTR?")
        w.pump()
        alice.send("text")
        message = w.take()
        bob.close()
        w.wires.clear()
        bob.recv(message)
        w.pump()
        _talk(w)
        bob.close()
        w.pump()
        alice.recv(message)
        w.pump()
        _fresh(w)
        bob.recv(message)
        w.pump()
        bob.recv(message)
        w.pump()
        _fresh(w)


def session_lost(w):
    """one side forgets the session and the other goes on, with and without starting again by itself."""
    for policy in (V2, V3, V2 | ERROR_STARTS, V3 | ERROR_STARTS, ALWAYS, OPPORTUNISTIC):
        if not w.users:
            w.pair()
        alice, bob = w.users
        alice.set(policy=policy)
        bob.set(policy=policy)
        alice.send("?OTR?")
        w.pump()
        _talk(w)
        bob.context("plaintext")
        w.clock(10)
        alice.send("lost")
        w.pump()
        _talk(w)
        w.clock(100)
        _talk(w)
        bob.context("plaintext")
        bob.send("plain")
        w.pump()
        _talk(w)
        _fresh(w)


def heartbeats(w):
    """heartbeats after a minute, and not before."""
    for policy in (V2, V3):
        if not w.users:
            w.pair()
        alice, bob = w.users
        alice.set(policy=policy)
        bob.set(policy=policy)
        alice.send("?OTR?")
        w.pump()
        _talk(w)
        for seconds in (10, 40, 9, 1, 1, 60, 61, 3600):
            w.clock(seconds)
            alice.send(f"after {seconds}")
            w.pump()
        bob.send("back")
        w.pump()
        for seconds in (59, 1, 1, 61):
            w.clock(seconds)
            bob.send("again")
            w.pump()
        bob.set(policy=0)
        w.clock(100)
        alice.send("to one with another policy")
        w.pump()
        _fresh(w)


def heartbeats_and_logged_in(w):
    """whether the other side is there, and what that changes."""
    for logged_in in (1, 0, -1):
        if not w.users:
            w.pair(OPPORTUNISTIC)
        alice, bob = w.users
        alice.set(logged_in=logged_in)
        bob.set(logged_in=logged_in)
        alice.send("hello")
        w.pump()
        _talk(w)
        w.clock(61)
        _talk(w)
        bob.close()
        w.pump()
        alice.send("?OTR?")
        w.pump()
        _fresh(w)


def resend(w):
    """the last text is sent again, when the exchange is young."""
    for seconds in (1, 59, 60, 61, 1000):
        for policy in (V2 | ERROR_STARTS, V3 | ERROR_STARTS, V23):
            if not w.users:
                w.pair()
            alice, bob = w.users
            alice.set(policy=policy)
            bob.set(policy=policy)
            alice.send("?OTR?")
            w.pump()
            alice.send("lost text")
            w.wires.clear()
            w.clock(seconds)
            bob.context("plaintext")
            alice.recv("?OTR Error: you sent something that I cannot read")
            w.pump()
            _talk(w)
            _fresh(w)


def resend_required(w):
    """a text that waited is sent again, once."""
    for seconds in (1, 59, 61, 1000):
        if not w.users:
            w.pair(ALWAYS)
        alice, bob = w.users
        alice.send("waits")
        alice.send("waits, too")
        w.clock(seconds)
        w.pump()
        _talk(w)
        alice.send("?OTR?")
        w.pump()
        _fresh(w)


def resend_prefix(w):
    """the words before a text that is sent again."""
    for results, ops in ((0, 0), (4, 0), (0, 1 << 16), (0, 1 << 17)):
        if not w.users:
            w.pair(V3 | ERROR_STARTS)
        alice, bob = w.users
        alice.set(null_results=results, null_ops=ops)
        alice.send("?OTR?")
        w.pump()
        alice.send("lost text")
        w.wires.clear()
        bob.context("plaintext")
        alice.recv("?OTR Error: unreadable")
        w.pump()
        _fresh(w)


def finished(w):
    """everything in a finished session."""
    for fragments in (SKIP, ALL_BUT_FIRST, ALL_BUT_LAST):
        if not w.users:
            w.pair(V3)
        alice, bob = w.users
        alice.send("?OTR?")
        w.pump()
        bob.close()
        w.pump()
        alice.send("one", fragments=fragments)
        alice.send("two", fragments=fragments)
        alice.send("?OTR?", fragments=fragments)
        w.wires.clear()
        alice.smp("secret")
        alice.respond("secret") if False else None
        alice.abort()
        alice.symkey()
        alice.recv("plain")
        alice.recv("?OTR Error: hm")
        alice.poll()
        alice.close()
        alice.send("plain")
        w.pump()
        _fresh(w)


def both_close(w):
    """both close at once, and once more."""
    for policy in (V2, V3):
        if not w.users:
            w.pair()
        alice, bob = w.users
        alice.set(policy=policy)
        bob.set(policy=policy)
        alice.send("?OTR?")
        w.pump()
        alice.close()
        bob.close()
        w.pump()
        alice.close()
        bob.close(instance=MASTER)
        w.pump()
        _talk(w)


def forced_states(w):
    """the client forces states."""
    alice, bob = w.session(V3)
    _talk(w)
    for what in ("finish", "plaintext", "plaintext", "finish"):
        alice.context(what)
        alice.send(f"after {what}")
        w.pump()
        bob.send("from bob")
        w.pump()
    alice.context("plaintext")
    alice.send("?OTR?")
    w.pump()
    _talk(w)
    alice.context("finish", instance=MASTER)
    _talk(w)


def errors(w):
    """error messages, with and without restarting."""
    for policy in (V23, V23 | ERROR_STARTS, V2 | ERROR_STARTS, V3 | ERROR_STARTS, 0, ERROR_STARTS, ALWAYS):
        if not w.users:
            w.pair()
        alice, bob = w.users
        alice.set(policy=policy)
        for text in ("?OTR Error: something", "?OTR Error:", "?OTR Error", "?OTR Error:x", "?OTR Error: ?OTR Error: y",
                     "?OTR Error: ?OTRv2?", "?OTR error: x", " ?OTR Error: z", "?OTR Error: \t  \t\t\t\t \t \t \t    \t\t  \t "):
            alice.recv(text)
            w.wires.clear()
        bob.set(policy=V23)
        alice.set(policy=policy | V23)
        bob.send("?OTR?")
        w.pump()
        alice.set(policy=policy)
        for text in ("?OTR Error: something", "?OTR Error:"):
            alice.recv(text)
            w.wires.clear()
        _fresh(w)


def error_texts(w):
    """what goes out when a message cannot be read, by what the client says."""
    for results, ops in ((0, 0), (0, 1 << 14), (0, 1 << 15)):
        if not w.users:
            w.pair(V3)
        alice, bob = w.users
        bob.set(null_results=results, null_ops=ops)
        alice.send("?OTR?")
        w.pump()
        alice.send("text")
        data = bytearray(_decoded(w.take()))
        data[-40] ^= 1
        bob.recv(_encoded(bytes(data)))
        bob.recv(_encoded(bytes(data[:-40])))
        bob.recv(_encoded(bytes(data[:14])))
        w.wires.clear()
        bob.context("plaintext")
        bob.recv(_encoded(bytes(data)))
        w.pump()
        _fresh(w)


def odd_plaintext(w):
    """odd texts, in the clear and encrypted."""
    texts = ["", " ", "a", "\n", "\t", "\xff\xfe", b"\xff\xfe\x80", "x" * 5000, "?", "?O", "?OTR", "?OTR:", "?OTR:AAM", "?OTR:AAM.",
             "?OTR:AAMD.", "?OTR:===.", "?OTR:.", "?OTR:AAMDAAAA", "?OTR|", "?OTR,", "?OTR,1", "?OTR!", "?OTRx", "%s%n%x", "a?OTR:AAMD."]
    alice, bob = w.pair(V23)
    for text in texts:
        alice.recv(text)
        alice.send(text)
        w.wires.clear()
    alice.send("?OTR?")
    w.pump()
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


def reflected(w):
    """our own messages come back."""
    alice, bob = w.pair(V23)
    for kind in AKE:
        bob.send("?OTR?")
        wire = _until(w, kind)
        wire.sender.recv(wire.message)
        w.pump()
        _fresh(w)
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
        wire = _until(w, kind)
        wire.sender.recv(wire.message)
        w.pump()
        _fresh(w)


def tlvs_of_the_client(w):
    """records that the client sends along."""
    alice, bob = w.session(V3)
    chains = [b"", b"\x01\x00\x00\x03abc", b"\x00\x00\x00\x05hello", b"\x00\x09\x00\x00", b"\x00\x09\x00\x01a\x00\x0a\x00\x02bc",
              b"\xff\xff\x00\x01a", b"\x00\x01\x00\x00", b"\x00\x09\x03\xe8" + b"z" * 1000]
    for chain in chains:
        for text in ("with text", ""):
            alice.send(text, tlvs=chain)
            w.pump()
            alice.send("?OTR?") if not bob.private() else None
            w.pump()
    alice.close()
    w.pump()
    alice.send("in plaintext", tlvs=chains[1])
    w.pump()


def odd_tlvs_received(w):
    """records of the protocol with odd contents, out of place."""
    for policy in (V2, V3):
        if not w.users:
            w.pair()
        alice, bob = w.users
        alice.set(policy=policy)
        bob.set(policy=policy)
        alice.send("?OTR?")
        w.pump()
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
        _fresh(w)


def extra_symmetric_key(w):
    """the extra symmetric key."""
    for policy in (V2, V3):
        if not w.users:
            w.pair()
        alice, bob = w.users
        alice.set(policy=policy)
        bob.set(policy=policy)
        alice.symkey()
        alice.send("?OTR?")
        w.pump()
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
        _fresh(w)


# ---- SMP -------------------------------------------------------------------------------------------


def smp_all_ways(w):
    """SMP from either side, with and without a question, equal and unequal, in both versions."""
    for policy in (V2, V3):
        if not w.users:
            w.pair()
        alice, bob = w.users
        alice.set(policy=policy)
        bob.set(policy=policy)
        alice.send("?OTR?")
        w.pump()
        for x, y in ((alice, bob), (bob, alice)):
            for question, one, other in ((None, "same", "same"), ("which?", "one", "other"), ("", "", ""),
                                         ("odd \u00fc \t\n \x01", b"\0a", b"\0b"), ("q" * 3000, "x" * 300, "x" * 300)):
                x.smp(one, question)
                w.pump()
                y.respond(other)
                w.pump()
                _talk(w)
        _fresh(w)


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
        if not w.users:
            w.pair(V3)
        alice, bob = w.users
        alice.set(smp_abort=abort)
        bob.set(smp_abort=abort)
        alice.send("?OTR?")
        w.pump()
        alice.smp("secret")
        alice.smp("secret again")
        w.pump()
        alice.smp("a third time", "and a question")
        w.pump()
        bob.smp("and bob at the same time")
        w.pump()
        alice.respond("secret") if bob.state("alice/1000", "secret") == "1" else None
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
        bob.respond("secret twice")
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
        _fresh(w)


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
    _until(w, 0x11)
    alice.smp("secret", instance=MASTER)
    alice.smp("secret")
    w.pump()


def smp_and_the_end(w):
    """the session ends, or starts anew, during SMP."""
    for end in ("close", "refresh", "lost", "forget"):
        for steps in (1, 2, 3):
            if not w.users:
                w.pair(V3)
            alice, bob = w.users
            alice.send("?OTR?")
            w.pump()
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
            _fresh(w)


def smp_state_freed_inside(w):
    """the client frees the state of SMP in the callback."""
    for policy in (V2, V3):
        if not w.users:
            w.pair(smp_abort=3)
        alice, bob = w.users
        alice.set(policy=policy)
        bob.set(policy=policy)
        alice.send("?OTR?")
        w.pump()
        for one, other in (("same", "same"), ("one", "other"), ("same", "same")):
            alice.smp(one)
            w.pump()
            bob.respond(other)
            w.pump()
        alice.smp("x")
        w.pump()
        bob.abort()
        w.pump()
        _fresh(w)


def smp_with_callbacks_that_do_things(w):
    """clients look things up and poll inside their callbacks."""
    alice, bob = w.pair(V3, inside=1)
    alice.send("?OTR?")
    w.pump()
    alice.smp("secret", "question")
    w.pump()
    bob.respond("secret")
    w.pump()
    _talk(w)
    alice.close()
    w.pump()


def smp_in_fragments(w):
    """SMP through a narrow network."""
    for policy in (V2, V3):
        if not w.users:
            w.pair()
        alice, bob = w.users
        alice.set(policy=policy)
        bob.set(policy=policy)
        alice.send("?OTR?")
        w.pump()
        alice.set(mms=300)
        bob.set(mms=250)
        alice.smp("secret", "question")
        w.pump()
        bob.respond("secret")
        w.pump()
        alice.set(mms=0)
        bob.set(mms=0)
        _fresh(w)


# ---- fragments ------------------------------------------------------------------------------------


def fragment_sizes(w):
    """texts in fragments of many sizes, under every policy of sending."""
    for policy in (V2, V3):
        if not w.users:
            w.pair()
        alice, bob = w.users
        alice.set(policy=policy)
        bob.set(policy=policy)
        alice.send("?OTR?")
        w.pump()
        for size in (0, 40, 60, 100, 141, 299, 350, 1000, 5000):
            alice.set(mms=size)
            for fragments in (SKIP, ALL, ALL_BUT_FIRST, ALL_BUT_LAST):
                alice.send("t" * 200, fragments=fragments)
                if fragments == ALL_BUT_FIRST and len(w.wires) > 1:
                    w.wires.insert(0, w.wires.pop())
                w.pump()
        alice.set(mms=0)
        _fresh(w)


def fragmented_exchange(w):
    """the exchange itself through a narrow network."""
    for policy in (V2, V3, V1):
        for size in (60, 100, 200, 400):
            if not w.users:
                w.pair()
            alice, bob = w.users
            alice.set(policy=policy, mms=size)
            bob.set(policy=policy, mms=size + 13)
            alice.send("?OTR?", fragments=ALL_BUT_LAST)
            w.pump()
            _talk(w)
            _fresh(w)


def long_texts_in_the_clear(w):
    """long plaintext and narrow networks."""
    alice, bob = w.pair(V23, mms=100)
    for policy in (V23, OPPORTUNISTIC, 0, ALWAYS):
        alice.set(policy=policy)
        for fragments in (SKIP, ALL, ALL_BUT_FIRST, ALL_BUT_LAST):
            alice.send("p" * 500, fragments=fragments)
            w.wires.clear()
        _fresh(w)


def _pieces(w, policy, size=120):
    """The fragments of one text in a session."""
    alice, bob = w.users or w.pair()
    alice.set(policy=policy)
    bob.set(policy=policy)
    if not bob.private():
        alice.send("?OTR?")
        w.pump()
    alice.set(mms=size)
    alice.send("a text in fragments", fragments=ALL)
    alice.set(mms=0)
    pieces = [wire.message for wire in w.wires]
    w.wires.clear()
    return bob, pieces


def fragments_malformed(w):
    """fragments with every kind of fault."""
    for policy in (V2, V3):
        for number in range(26):
            w.clock(1)
            bob, pieces = _pieces(w, policy)
            first, second, rest = pieces[0], pieces[1], pieces[2:]
            head = first[:first.index(b",")]
            tail = first.split(b",", 3)[3]
            count = first.split(b",")[2]
            bad = [head + b",0," + count + b"," + tail, head + b",1,0," + tail, head + b",2,1," + tail, head + b",99999," + count +
                   b"," + tail, head + b",1,65536," + tail, head + b",65537," + count + b"," + tail, head + b",-1," + count + b"," + tail,
                   head + b",1," + count + b",", head + b",1," + count + b",,", head + b",1," + count, head + b",1", head + b",",
                   head + b",x,y," + tail, head + b", 1 , " + count + b"," + tail, head + b",1," + count + b"," + tail + b",",
                   head + b",1," + count + b"," + tail[:-1], b" " + first, head + b",+1,+" + count + b"," + tail, head + b",01,0" +
                   count + b"," + tail, head + b",0x1," + count + b"," + tail, b"?OTR|1|2,1,1,hello,", b"?OTR|zz|yy,1,2,x,",
                   b"?OTR||,1,2,x,", b"?OTR,1,1,hello,", b"?OTR|1111|1000|1,1,1,x,", first.replace(b",", b";")][number]
            w.say(f"> fault {number}")
            for position in (0, 1, len(pieces)):
                for piece in pieces[:position] + [bad] + pieces[position:]:
                    bob.recv(piece)
                bob, pieces = _pieces(w, policy)
        _fresh(w)


def fragments_out_of_order(w):
    """fragments overtake each other, are lost, and mix with other messages."""
    for policy in (V2, V3):
        for number in range(9):
            bob, pieces = _pieces(w, policy)
            alice = w.users[0]
            orders = [pieces[::-1], pieces[1:], pieces[:-1], pieces[:1] + pieces[2:], pieces[1:2] + pieces[:1] + pieces[2:],
                      pieces[:2] + ["plain text"] + pieces[2:], pieces[:2] + pieces, pieces[:-1] + pieces[:1] + pieces[-1:],
                      pieces[:2] + ["?OTR Error: x"] + pieces[2:]]
            w.say(f"> order {number}")
            for piece in orders[number]:
                bob.recv(piece)
            alice.send("whole")
            w.pump()
            for piece in pieces:
                bob.recv(piece)
            w.pump()
        _fresh(w)


def fragments_of_two_messages(w):
    """fragments of two messages come mixed."""
    bob, one = _pieces(w, V3)
    bob, two = _pieces(w, V3, 150)
    for piece in [p for pair in itertools.zip_longest(one, two) for p in pair if p]:
        bob.recv(piece)
    for piece in two + one:
        bob.recv(piece)
    w.pump()
    _talk(w)


def fragments_for_other_instances(w):
    """fragments for and from other instances."""
    bob, pieces = _pieces(w, V3)
    for old, new in ((b"1111", b"2222"), (b"1111", b"0000"), (b"1000", b"3333"), (b"1000", b"0000"), (b"1000", b"00f0"),
                     (b"1111", b"00f0")):
        for piece in pieces:
            bob.recv(piece.replace(old, new, 1))
        w.pump()
    for piece in pieces:
        bob.recv(piece)


def fragments_in_plaintext_state(w):
    """fragments of ordinary texts, tags and queries."""
    alice, bob = w.pair(OPPORTUNISTIC)
    for text in ("hello there", "?OTRv23?", "hello \t  \t\t\t\t \t \t \t    \t\t  \t ", "?OTR Error: x", "?OTR,1,1,x,"):
        half = len(text) // 2
        for head in ("?OTR", "?OTR|1111|1000", "?OTR|1111|0"):
            alice.recv(f"{head},1,2,{text[:half]},")
            alice.recv(f"{head},2,2,{text[half:]},")
            alice.recv(f"{head},1,1,{text},")
            w.wires.clear()
    alice.set(policy=0)
    alice.recv("?OTR,1,2,hel,")
    alice.recv("?OTR,2,2,lo,")


def fragment_function(w):
    """otrl_proto_fragment_create by itself."""
    alice, bob = w.session(V3)
    for size, count, text in ((100, 3, "x" * 100), (60, 5, "y" * 100), (1000, 1, "z" * 10), (50, 10, "abc" * 30)):
        alice.context("pieces", size, count, to_hex(text))
    alice.context("pieces", 100, 2, to_hex("x" * 100), instance=MASTER)


# ---- the client --------------------------------------------------------------------------------------


def _callbacks(w, policy, numbers):
    for number in numbers:
        if not w.users:
            w.pair(policy)
        alice, bob = w.users
        for user in (alice, bob):
            user.set(null_ops=1 << number)
            w.say(f"> without {CALLBACKS[number]}")
            alice.send("?OTR?")
            w.pump()
            _talk(w)
            # SMP takes its time, so only what it asks for is left out there.
            if CALLBACKS[number] in ("write_fingerprints", "max_message_size", "handle_smp_event", "handle_msg_event"):
                alice.smp("secret", "question")
                w.pump()
                if any(f["secret"] == "1" for n, f in bob.fields.items() if n != "us"):
                    bob.respond("secret")
                w.pump()
            alice.symkey()
            w.pump()
            w.clock(61)
            _talk(w)
            bob.context("plaintext")
            alice.send("unreadable")
            w.pump()
            alice.close()
            w.pump()
            alice.recv("?OTR Error: x")
            alice.poll()
            w.pump()
            user.set(null_ops=0)
            _fresh(w)


def without_a_callback_v3(w):
    """each callback NULL, version 3."""
    _callbacks(w, V3, [n for n in range(24) if CALLBACKS[n] != "inject_message"])


def without_a_callback_v2(w):
    """each callback NULL, version 2."""
    _callbacks(w, V2, [n for n in range(24) if CALLBACKS[n] != "inject_message"])


def without_a_callback_required(w):
    """each callback NULL, where encryption is demanded."""
    _callbacks(w, ALWAYS, [n for n in range(24) if CALLBACKS[n] != "inject_message"])


def names_of_accounts(w):
    """the name of the account in the query, NULL and not."""
    for results, ops in ((0, 0), (1, 0), (0, 1 << 11), (0, 1 << 12)):
        if not w.users:
            w.pair(V3 | ERROR_STARTS)
        alice, bob = w.users
        alice.set(null_results=results, null_ops=ops, policy=ALWAYS)
        alice.send("?OTR?")
        alice.send("text")
        alice.recv("?OTR Error: x")
        w.wires.clear()
        _fresh(w)


def converted(w):
    """texts are converted by the client."""
    for mode in (1, 2):
        for ops in (0, 1 << 22):
            if not w.users:
                w.pair(ALWAYS)
            alice, bob = w.users
            alice.set(convert=mode, null_ops=ops if mode == 2 else 0)
            bob.set(convert=mode)
            alice.send("waits")
            w.pump()
            _talk(w, "a", "", "b")
            bob.context("plaintext")
            alice.send("lost")
            w.pump()
            w.clock(61)
            _talk(w)
            alice.close()
            w.pump()
            _fresh(w)


def out_parameters(w):
    """without a place for records, and without data for contexts."""
    alice, bob = w.pair(V3, no_app_data=1)
    alice.send("?OTR?")
    w.pump()
    alice.send("text", tlvs=b"\0\x09\0\x01x")
    bob.recv(w.take(), tlvs=False)
    alice.recv("plain", tlvs=False)
    alice.recv("?OTRv3?", tlvs=False)
    w.pump()
    alice.close()
    bob.recv(w.take(), tlvs=False)


def whom_to_send_to(w):
    """every way to name an instance."""
    alice, bob = w.pair(OPPORTUNISTIC)
    for instance in (MASTER, BEST, RECENT_RECEIVED, 0x1111, 0x5555, 0x50):
        alice.send(f"to {instance:x}", instance=instance)
    w.pump()
    for instance in (MASTER, BEST, RECENT, RECENT_RECEIVED, RECENT_SENT, 0x1111, 0x5555, 0x50):
        alice.send(f"to {instance:x}", instance=instance)
        alice.context("find", 0, instance=instance)
        alice.context("find", 1, instance=instance)
        w.pump()
    for instance in (0x1111, MASTER, 0x5555):
        alice.close(instance=instance)
        w.pump()


def contexts_found(w):
    """contexts of many correspondents are found and sorted."""
    alice = w.user("alice", "bob", V23)
    for name in ("zoe", "bob", "Bob", "a", "bobby", "m", "bob"):
        for instance in (MASTER, 0x200, 0x100, 0x300, BEST):
            alice.context("find", 0, to=name, instance=instance)
            alice.context("find", 1, to=name, instance=instance)
        alice.context("instance", to=name)
    for name in ("m", "bob", "nobody"):
        alice.context("forget", to=name, instance=0x200)
        alice.context("forget", to=name, instance=MASTER)
    alice.call("keys", "forgetcontexts")


def fingerprints_and_contexts_forgotten(w):
    """fingerprints and contexts are forgotten at odd moments."""
    alice, bob = w.pair(V3)
    alice.send("?OTR?")
    w.pump()
    alice.context("forgetprint", 0, 0)
    alice.context("forgetprint", 0, 1)
    alice.context("forget")
    alice.context("forget", instance=MASTER)
    alice.context("addprint", "ab" * 20, 1)
    alice.context("addprint", "ab" * 20, 0)
    alice.context("addprint", "cd" * 20, 0)
    alice.context("trust", 0, to_hex("verified"))
    alice.context("trust", 0, to_hex(""))
    alice.context("trust", 0, to_hex(None))
    alice.context("forgetprint", 0, 1)
    bob.close()
    w.pump()
    alice.context("forgetprint", 0, 1)
    alice.context("forget")
    alice.close()
    alice.context("forget")
    alice.context("forgetprint", 0, 1)
    alice.context("forget", instance=MASTER)
    alice.context("addprint", "ef" * 20, 1)
    bob.send("?OTR?")
    w.pump()
    _talk(w)


def context_forgotten_midway(w):
    """a context is forgotten while a session is being made."""
    alice, bob = w.pair(V3)
    for kind in AKE:
        for user in (alice, bob):
            for instance in (BEST, MASTER):
                bob.send("?OTR?")
                _until(w, kind)
                user.context("forget", instance=instance)
                w.pump()
                _talk(w)
                _fresh(w)


def instance_tags(w):
    """accounts with and without tags, and callbacks that make them."""
    for tag in (True, False):
        for user in w.users:
            _fresh(w)
        if not w.users:
            w.pair(V3)
        alice, bob = w.users
        if not tag:
            alice.call("keys", "forgettag")
            bob.call("keys", "forgettags")
            alice.call("files", "readtags", w.pool.tag("alice", 5))
            bob.call("files", "readtags", w.pool.tag("bob", 6))
        alice.send("?OTR?")
        w.pump()
        _talk(w)


def no_instance_tags(w):
    """accounts whose callback makes no tag."""
    alice = w.user("alice", "bob", V23, tag=False, instag_mode=0)
    w.user("bob", "alice", V23)
    alice.send("?OTR?")
    w.pump()
    _talk(w)


def polling(w):
    """unfinished exchanges expire."""
    for policy in (V2, V3):
        if not w.users:
            w.pair()
        alice, bob = w.users
        alice.set(policy=policy)
        bob.set(policy=policy)
        for seconds in (1, 30, 59, 60, 61, 500):
            alice.recv("?OTRv23?")
            w.clock(seconds)
            alice.poll()
            w.clock(10)
            alice.poll()
            alice.poll(ops=False)
            w.pump()
            alice.poll()
            bob.poll()
            _talk(w)
            _fresh(w)


def polling_late_answers(w):
    """answers come after the exchange has expired."""
    alice, bob = w.pair(V3)
    for seconds in (30, 61, 100):
        alice.recv("?OTRv3?")
        w.clock(seconds)
        alice.poll()
        bob.poll()
        w.pump()
        alice.poll()
        _talk(w)
        _fresh(w)


def offers_overwritten(w):
    """the client writes otr_offer."""
    alice, bob = w.pair(OPPORTUNISTIC, 0)
    for value in (0, 1, 2, 3):
        alice.send("hello")
        alice.context("offer", value)
        alice.send("hello")
        bob.send("plain")
        w.pump()
        alice.send("hello")
        w.wires.clear()
    alice.send("?OTR?")
    w.wires.clear()


def pure_functions(w):
    """the functions that need no user, over many texts."""
    import os
    del os
    texts = [b"", b"?OTR", b"?OTR?", b"?OTRv2?", b"?OTRv23?", b"?OTR?v3?", b"?OTR:AAMD", b"?OTR:AAIC.", b"?OTR:AAIKAAAA.", b"?OTR:AAMR.",
             b"?OTR:AAMSAAAAAA.", b"?OTR:AAED.", b"?OTR:AAEKAAA.", b"?OTR:AAEK", b"?OTR:AAMDAAABAAAAAQE=.", b"?OTR,1,2,x,", b"?OTR|1|2,1,2,x,",
             b"?OTR Error: x", b"?OTR:===.", b"?OTR:A.", b"?OTR:A=B=C=.", b"?OTR:\xff\xfe.", b"hello \t  \t\t\t\t \t \t \t  ",
             b"\0\x01\0\0\0\x02\0\x03abc", b"\0\x01\0\x05ab", b"\0\x01", b"\xff\xff\xff\xff" + b"x" * 100]
    base = b" \t  \t\t\t\t \t \t \t  "
    for one in (b" \t \t  \t ", b"  \t\t  \t ", b"  \t\t  \t\t", b"        "):
        texts += [base + one, b"x" + base + one + b"  \t\t  \t\t", base + one[:7], one + base]
    alphabet = [b"?OTR", b"?OTR:", b"AAM", b"AAI", b"D", b"C", b"?", b"v", b"2", b"3", b"=", b".", b",", b"|", b"1", b" ", b"\t", base,
                b"  \t\t  \t ", b"\0", b"\xff", b"x", b"\0\x01\0\x02"]
    for _ in range(600):
        texts.append(b"".join(w.random.choice(alphabet) for _ in range(w.random.randrange(1, 9))))
    for driver in dict.fromkeys(w.drivers):
        for text in texts:
            text = text.replace(b"\0", b"\x02") if w.random is None else text
            for line in driver.ask(f"pure {to_hex(text)}"):
                w.say(f"pure {text!r}: {line}")
    # Each driver adds its own lines, so that in a mixed pair both are compared.
    half = len(w.trace) // len(dict.fromkeys(w.drivers))
    if len(dict.fromkeys(w.drivers)) == 2 and w.trace[:half] == w.trace[half:]:
        del w.trace[half:]


def default_queries(w):
    """the default query text."""
    alice, bob = w.pair()
    for name in ("alice", "", "a b", "<b>", None):
        for policy in (V2, V3, V23, V1, V1 | V23, 0, OPPORTUNISTIC, ALWAYS):
            if name is not None:
                for driver in dict.fromkeys(w.drivers):
                    lines = driver.ask(f"query {to_hex(name)} {policy}")
                w.say(f"query {name} {policy}: {lines}")


# ---- several logins ------------------------------------------------------------------------------------


def _logins(w, policy=V3, count=3):
    alice = w.user("alice", "bob", policy)
    return alice, [w.user("bob", "alice", policy) for _ in range(count)]


def three_logins(w):
    """three logins of one account."""
    alice, bobs = _logins(w)
    alice.send("?OTR?")
    w.pump()
    for bob in bobs:
        bob.send(f"from {bob.name}")
        w.pump()
    for instance in (BEST, RECENT, RECENT_RECEIVED, RECENT_SENT, MASTER, 0x1111, 0x1222, 0x1333):
        alice.context("find", 0, instance=instance)
        alice.context("instance", instance=instance)
        alice.send(f"to {instance:x}", instance=instance)
        w.pump()
        w.clock(1)
    alice.context("trust", 0, to_hex("verified"))
    alice.smp("secret", instance=0x1222)
    w.pump()
    bobs[1].respond("secret")
    w.pump()
    bobs[1].close()
    w.pump()
    for instance in (BEST, RECENT, MASTER):
        alice.send(f"to {instance:x}", instance=instance)
        w.pump()
    alice.close()
    w.pump()


def logins_of_two_versions(w):
    """logins of one account with different policies."""
    alice, bobs = _logins(w, V23)
    bobs[0].set(policy=V2)
    bobs[1].set(policy=0)
    alice.send("?OTR?")
    w.pump()
    for bob in bobs:
        bob.send(f"from {bob.name}")
        w.pump()
    for instance in (BEST, RECENT, MASTER, 0x1111, 0x1333):
        alice.send(f"to {instance:x}", instance=instance)
        w.pump()
    alice.close()
    w.pump()


def logins_with_tags(w):
    """whitespace tags and several logins."""
    alice, bobs = _logins(w, OPPORTUNISTIC)
    alice.send("hello")
    w.pump()
    bobs[2].send("hello")
    w.pump()
    alice.send("and on")
    w.pump()


def logins_for_other_instances(w):
    """what comes for another login is said, and hidden."""
    alice, bobs = _logins(w, V3, 2)
    bobs[1].send("?OTR?")
    w.pump()
    alice.send("for the second", instance=0x1222)
    w.pump()
    alice.smp("secret", instance=0x1222)
    w.pump()
    w.clock(61)
    alice.send("with a heartbeat", instance=0x1222)
    w.pump()
    alice.close(instance=0x1222)
    w.pump()
    alice.send("?OTR?", instance=0x1222)
    w.pump()


def logins_fragments(w):
    """fragments for another login."""
    alice, bobs = _logins(w, V3, 2)
    alice.send("?OTR?")
    w.pump()
    alice.set(mms=200)
    for instance in (0x1111, 0x1222):
        alice.send("in fragments", instance=instance, fragments=ALL)
    w.pump()
    for instance in (0x1111, 0x1222):
        alice.send("in fragments", instance=instance, fragments=ALL)
    w.wires.sort(key=lambda wire: wire.message.split(b",")[1])
    w.pump()


def logins_timers(w):
    """unfinished exchanges with several logins expire."""
    alice, bobs = _logins(w, V3)
    alice.recv("?OTRv3?")
    w.deliver(only=bobs[0])
    w.clock(61)
    alice.poll()
    for bob in bobs:
        bob.poll()
    w.pump()
    bobs[0].send("?OTR?")
    w.pump()
    alice.poll()
    w.clock(100)
    alice.poll()


def logins_more_dh_keys(w):
    """several logins answer one DH-commit."""
    alice, bobs = _logins(w, V3)
    alice.recv("?OTRv3?")
    commit = w.wires[0]
    w.deliver()
    keys = list(w.wires)
    w.pump()
    for wire in keys:
        alice.recv(wire.message)
    w.wires.append(commit)
    w.pump()
    for bob in bobs:
        bob.send("hello")
        w.pump()


def three_people(w):
    """three people talk to each other."""
    alice = w.user("alice", "bob", V23)
    bob = w.user("bob", "carol", V3)
    carol = w.user("carol", "alice", V2)
    for user, to in ((alice, "bob"), (bob, "carol"), (carol, "alice"), (bob, "alice")):
        user.send("?OTR?", to=to)
        w.pump()
    for user in (alice, bob, carol):
        for to in ("alice", "bob", "carol"):
            if to != user.account:
                user.send(f"hello {to}", to=to)
                w.pump()
    alice.close("bob")
    w.pump()
    bob.send("?", to="alice")
    bob.send("still here", to="carol")
    w.pump()
