"""Clients that leave out callbacks, convert texts and forget contexts."""

from steps import *


def _callbacks(w, policy, numbers):
    for number in numbers:
        alice, bob = w.users or w.pair(policy)
        for user in (alice, bob):
            user.set(null_ops=1 << number)
            w.say(f"> without {CALLBACKS[number]}")
            start(w)
            talk(w)
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
            talk(w)
            bob.context("plaintext")
            alice.send("unreadable")
            w.pump()
            alice.close()
            w.pump()
            alice.recv("?OTR Error: x")
            alice.poll()
            w.pump()
            user.set(null_ops=0)
            fresh(w)


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
        alice, bob = w.users or w.pair(V3 | ERROR_STARTS)
        alice.set(null_results=results, null_ops=ops, policy=ALWAYS)
        alice.send("?OTR?")
        alice.send("text")
        alice.recv("?OTR Error: x")
        w.wires.clear()
        fresh(w)


def converted(w):
    """texts are converted by the client."""
    for mode in (1, 2):
        for ops in (0, 1 << 22):
            alice, bob = w.users or w.pair(ALWAYS)
            alice.set(convert=mode, null_ops=ops if mode == 2 else 0)
            bob.set(convert=mode)
            alice.send("waits")
            w.pump()
            talk(w, "a", "", "b")
            bob.context("plaintext")
            alice.send("lost")
            w.pump()
            w.clock(61)
            talk(w)
            alice.close()
            w.pump()
            fresh(w)


def out_parameters(w):
    """without a place for records, and without data for contexts."""
    alice, bob = w.pair(V3, no_app_data=1)
    start(w)
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
    for instance in (MASTER, BEST, RECENT_RECEIVED, 0x1111):
        alice.send(f"to {instance:x}", instance=instance)
    w.pump()
    for instance in (MASTER, BEST, RECENT, RECENT_RECEIVED, RECENT_SENT, 0x1111, 0x5555):
        alice.send(f"to {instance:x}", instance=instance)
        alice.context("find", 0, instance=instance)
        alice.context("find", 1, instance=instance)
        w.pump()
    for instance in (0x1111, MASTER, 0x5555):
        alice.close(instance=instance)
        w.pump()


def to_no_instance(w):
    """a text to a number that is no instance tag."""
    alice, bob = w.pair()
    alice.send("to nobody", instance=0x50)


def to_the_recent_without_any(w):
    """a text to the most recent instance, when there has been none."""
    alice, bob = w.pair()
    alice.send("hello")
    alice.send("to the recent", instance=RECENT_RECEIVED)


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
    start(w)
    alice.context("forget")
    alice.context("forget", instance=MASTER)
    alice.context("addprint", "ab" * 20, 1)
    alice.context("addprint", "ab" * 20, 0)
    alice.context("addprint", "cd" * 20, 0)
    alice.context("trust", 0, to_hex("verified"))
    alice.context("trust", 0, to_hex(""))
    alice.context("trust", 0, to_hex(None))
    alice.context("forgetprint", 0, 1)
    alice.context("addprint", "ab" * 20, 1)
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
    talk(w)


def active_fingerprint_forgotten(w):
    """the fingerprint of the session is forgotten."""
    alice, bob = w.session(V3)
    alice.context("forgetprint", 0, 1)
    talk(w)


def context_forgotten_midway(w):
    """a context is forgotten while a session is being made."""
    alice, bob = w.pair(V3)
    for kind in AKE:
        for user in (alice, bob):
            for instance in (BEST, MASTER):
                bob.send("?OTR?")
                until(w, kind)
                user.context("forget", instance=instance)
                w.pump()
                talk(w)
                fresh(w)


def instance_tags(w):
    """accounts with and without tags, and callbacks that make them."""
    for tag in (True, False):
        for user in w.users:
            fresh(w)
        alice, bob = w.users or w.pair(V3)
        if not tag:
            alice.call("keys", "forgettag")
            bob.call("keys", "forgettags")
            alice.call("files", "readtags", w.pool.tag("alice", 5))
            bob.call("files", "readtags", w.pool.tag("bob", 6))
        start(w)
        talk(w)


def no_instance_tags(w):
    """accounts whose callback makes no tag."""
    alice = w.user("alice", "bob", V23, tag=False, instag_mode=0)
    w.user("bob", "alice", V23)
    start(w)
    talk(w)


def pure_functions(w):
    """the functions that need no user, over many texts."""
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
            for line in driver.ask(f"pure {to_hex(text)}"):
                w.say(f"pure {text!r}: {line}")
    # Each driver adds its own lines, so that in a mixed pair both are compared.
    half = len(w.trace) // len(dict.fromkeys(w.drivers))
    if len(dict.fromkeys(w.drivers)) == 2 and w.trace[:half] == w.trace[half:]:
        del w.trace[half:]


def with_the_least_of_callbacks(w):
    """only the policy is asked, and only messages go out."""
    for policy in (V2, V3, ALWAYS):
        alice, bob = both(w, policy)
        for user in (alice, bob):
            user.set(null_ops=((1 << 24) - 1) & ~(1 << CALLBACKS.index("policy") | 1 << CALLBACKS.index("inject_message")
                                                  | 1 << CALLBACKS.index("otr_error_message")))
        start(w)
        talk(w)
        alice.smp("secret")
        w.pump()
        bob.respond("secret")
        w.pump()
        w.clock(61)
        talk(w)
        bob.close()
        w.pump()
        alice.send("too late")
        alice.recv("?OTR Error: x")
        alice.poll()
        fresh(w)


def contexts_forgotten_in_session(w):
    """all contexts are forgotten while sessions last, and messages still come."""
    alice, bob = w.pair(V3)
    carol = w.user("carol", "alice", V2)
    for user in (bob, carol):
        user.send("?OTR?")
        w.pump()
    alice.call("keys", "forgetcontexts")
    for user in (bob, carol):
        user.send("still there?")
        w.pump()
    start(w)
    talk(w)


def polled_with_many(w):
    """polling with many correspondents, some of whom never answered."""
    alice = w.user("alice", "bob", V23)
    for instance in range(3):
        w.user("bob", "alice", V3)
    carol = w.user("carol", "alice", V2)
    alice.poll()
    for name in ("bob", "carol", "dave", "zoe"):
        alice.recv("?OTRv23?", sender=name)
        w.clock(20)
        alice.poll()
    w.wires.clear()
    for _ in range(6):
        w.clock(30)
        alice.poll()
        alice.poll(ops=False)
    carol.send("?OTR?")
    w.pump()
    alice.poll()
