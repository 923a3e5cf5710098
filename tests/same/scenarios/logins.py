"""Several logins of one account, and more than two people."""

from steps import *


def _logins(w, policy=V3, count=3):
    alice = w.user("alice", "bob", policy)
    return alice, [w.user("bob", "alice", policy) for _ in range(count)]


def three_logins(w):
    """three logins of one account."""
    alice, bobs = _logins(w)
    start(w)
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
    start(w)
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
    start(w)
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
