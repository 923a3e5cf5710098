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
    alice.recv("?OTRv23?")
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


def best_of_many(w):
    """which login is the best, by state, trust and time."""
    alice = w.user("alice", "bob", V3)
    bobs = [w.user("bob", "alice", V3, key=number % 2) for number in range(3)]
    alice.send("?OTR?")
    w.pump()

    def look():
        for instance in (BEST, RECENT, RECENT_RECEIVED, RECENT_SENT):
            alice.context("find", 0, instance=instance)
            alice.context("instance", instance=instance)
    look()
    for number in (0, 1):
        alice.context("trust", number, to_hex("verified"), instance=MASTER)
        look()
        alice.context("trust", number, to_hex(""), instance=MASTER)
    alice.context("trust", 1, to_hex("verified"), instance=MASTER)
    for bob in bobs:
        w.clock(1)
        bob.send("text")
        w.pump()
        look()
    for bob in bobs:
        bob.close()
        w.pump()
        look()
        w.clock(1)
        alice.send("to the best")
        w.pump()
    alice.close()
    w.pump()
    look()
    bobs[0].send("?OTR?")
    w.pump()
    look()


def meta_tags_everywhere(w):
    """every call with every meta tag, with three logins."""
    alice, bobs = _logins(w)
    alice.send("?OTR?")
    w.pump()
    bobs[1].send("the last to speak")
    w.pump()
    for instance in (MASTER, BEST, RECENT, RECENT_RECEIVED, RECENT_SENT):
        alice.symkey(instance=instance)
        w.pump()
        alice.smp("secret", instance=instance)
        w.pump()
        alice.abort(instance=instance)
        w.pump()
        alice.context("offer", 1, instance=instance)
        alice.context("recent", 1, instance=instance)
        alice.context("recent", 0, instance=instance)
        alice.context("addprint", "ab" * 20, 1, instance=instance)
        alice.context("forgetprint", 0, 1, instance=instance)
        alice.close(instance=instance)
        w.pump()
        alice.send("?OTR?", instance=instance)
        w.pump()


def logins_lost_and_new(w):
    """a login ends and another comes in its place, with another tag."""
    alice, bobs = _logins(w, V3 | ERROR_STARTS, 2)
    alice.send("?OTR?")
    w.pump()
    w.say("> the first bob starts anew, as another instance")
    bobs[0].ask("user", "bob", 555)
    bobs[0].set(policy=V3 | ERROR_STARTS)
    bobs[0].call("files", "readkeys", w.pool.key("bob", 0))
    bobs[0].call("files", "readtags", w.pool.tag("bob", 7))
    for instance in (0x1111, BEST, RECENT):
        alice.send(f"to {instance:x}", instance=instance)
        w.pump()
    for bob in bobs:
        bob.send("hello")
        w.pump()
    alice.close()
    w.pump()


def commits_of_two_versions(w):
    """logins with different versions are asked for a session, and one of them asks as well."""
    for first, second in ((V2, V3), (V3, V2), (V2, V23), (V3, V23)):
        if not w.users:
            _logins(w, V23, 2)
        alice, one, other = w.users
        one.set(policy=first)
        other.set(policy=second)
        alice.recv("?OTRv2?" if first == V2 else "?OTRv3?")
        other.recv("?OTRv23?")
        w.deliver(1)
        w.pump()
        for user in (one, other):
            user.send("hello")
            w.pump()
        w.anew()
