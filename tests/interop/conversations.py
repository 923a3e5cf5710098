"""The conversations of test_interop.py. Each function gets the counter of checks, the libraries, and the peer at each end."""

import random

from peers import pump

V1, V2, V3 = 0x01, 0x02, 0x04
V23 = V2 | V3
REQUIRE, SEND_TAG, TAG_STARTS, ERROR_STARTS = 0x08, 0x10, 0x20, 0x40
SUCCESS, FAILURE, ABORT, ASK_ANSWER, ASK_SECRET = "7", "8", "2", "4", "5"
DISCONNECTED = "1"

TEXTS = ["hello", "Gr\u00fc\u00dfe \u20ac \U0001f600", "<b>bold</b> & \"quotes\"", " spaces around ", "a\nb\r\nc\td",
         "?OTR looks odd", "x" * 3000, "\u4f60\u597d" * 200]


def each_version(*ends):
    """A policy for each of the versions worth a full round: the newest two that all ends speak."""
    return (V1, V2) if "abi2" in ends else (V2, V3)


class Pair:
    """alice on one library, bob on another."""

    def __init__(self, libraries, first, second, policy=V23, second_policy=None):
        self.alice = libraries.peer(first, "alice", policy)
        self.bob = libraries.peer(second, "bob", policy if second_policy is None else second_policy)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        for peer in (self.alice, self.bob):
            if kind is None:
                peer.quit()
            else:
                peer.kill()

    def pump(self):
        return pump(self.alice, self.bob)

    def start(self, who=None):
        (who or self.alice).send("bob" if who in (None, self.alice) else "alice", "?OTR?")
        return self.pump()

    def private(self):
        return self.alice.private("bob") and self.bob.private("alice")

    def talks(self, texts=("ping", "pong")):
        """Both are private, and each text from each side arrives as it was."""
        if not self.private():
            return False
        for text in texts:
            for sender, receiver in ((self.alice, self.bob), (self.bob, self.alice)):
                receiver.forget()
                sender.send(receiver.name, text)
                self.pump()
                if receiver.shown != [text.encode()]:
                    return False
        return True


def versions(tally, libraries, first, second):
    """version 2, version 3, and policies that only partly meet."""
    # An end of libotr 3.2 takes no notice of version 3.
    spoken = V1 | V2 if "abi2" in (first, second) else V1 | V23
    for ours, theirs in ((V2, V2), (V3, V3), (V23, V23), (V23, V2), (V2, V23), (V3, V23), (V2, V3), (V1, V1),
                         (V1 | V2, V1), (V1, V1 | V2), (V1 | V2, V1 | V2), (V1, V2), (V1 | V23, V1 | V23)):
        version = (ours & theirs & spoken).bit_length()
        for alice_starts in (True, False):
            with Pair(libraries, first, second, ours, theirs) as pair:
                pair.start(pair.alice if alice_starts else pair.bob)
                what = f"policies {ours} and {theirs}, {'alice' if alice_starts else 'bob'} starts"
                if version == 0:
                    tally.ok(not pair.alice.private("bob") and not pair.bob.private("alice"), f"{what}: no session")
                    continue
                a, b = pair.alice.state("bob"), pair.bob.state("alice")
                tally.ok(a["msgstate"] == b["msgstate"] == 1, f"{what}: both are private")
                tally.ok(a["version"] == b["version"] == version, f"{what}: version {version}")
                tally.ok(a["session"] == b["session"] != "-", f"{what}: one session id")
                tally.ok(a["print"] == b["own"] and b["print"] == a["own"], f"{what}: fingerprints")
                tally.ok(pair.alice.saw("secure", str(version)) and pair.bob.saw("secure", str(version)),
                         f"{what}: gone_secure")
                tally.ok(pair.talks(TEXTS), f"{what}: all texts")


def rotation(tally, libraries, first, second):
    """a hundred turns with rotation, and long runs from one side."""
    for policy in each_version(first, second):
        with Pair(libraries, first, second, policy) as pair:
            pair.start()
            tally.ok(pair.talks([f"turn {n}" for n in range(100)]), "a hundred turns")
            choose = random.Random(policy)
            good = True
            for number in range(100):
                sender, receiver = choose.choice(((pair.alice, pair.bob), (pair.bob, pair.alice)))
                receiver.forget()
                sender.send(receiver.name, f"text {number}")
                if choose.random() < 0.6:
                    pair.pump()
                    good = good and receiver.shown[-1:] == [f"text {number}".encode()]
            pair.pump()
            tally.ok(good and pair.private(), "a hundred in no order")
            tally.ok(pair.talks(), "and it goes on")


def refresh(tally, libraries, first, second):
    """a second AKE inside a session, from either side."""
    for policy in each_version(first, second):
        with Pair(libraries, first, second, policy) as pair:
            pair.start()
            for who in (pair.bob, pair.alice, pair.alice):
                pair.talks()
                pair.start(who)
                a, b = pair.alice.state("bob"), pair.bob.state("alice")
                tally.ok(a["msgstate"] == b["msgstate"] == 1 and a["session"] == b["session"], "refreshed")
                tally.ok(pair.talks(TEXTS), "and talking")


def whitespace(tally, libraries, first, second):
    """a whitespace tag starts a session."""
    for policy in (*each_version(first, second), V23):
        with Pair(libraries, first, second, policy | SEND_TAG | TAG_STARTS) as pair:
            pair.alice.send("bob", "hello")
            pair.pump()
            tally.ok(pair.bob.shown == [b"hello"], "the text comes clean")
            tally.ok(pair.private() and pair.talks(), "and a session starts")


def required(tally, libraries, first, second):
    """a text waits until the session is there."""
    for policy in (*each_version(first, second), V23):
        with Pair(libraries, first, second, policy | REQUIRE) as pair:
            pair.alice.send("bob", "waits")
            tally.ok(b"waits" not in pair.alice.outbox[0][1], "not sent in the clear")
            pair.pump()
            tally.ok(pair.private() and pair.bob.shown == [b"waits"], "it arrives encrypted")


def fragmentation(tally, libraries, first, second):
    """fragments in both directions, also of the AKE."""
    for policy in each_version(first, second):
        # A comma in the text of the query must not begin a fragment: none of the libraries reads that.
        for size in (64 if policy == V1 else 60, 140, 400, 1500):
            with Pair(libraries, first, second, policy) as pair:
                pair.alice.command(f"mms {size}")
                pair.bob.command(f"mms {size + 7}")
                pair.alice.send("bob", "?OTR?")
                sizes = []
                while pair.alice.outbox or pair.bob.outbox:
                    for peer in (pair.alice, pair.bob):
                        sizes += [len(wire) for _, wire in peer.outbox if not wire.startswith(b"?OTRv")]
                    sender, receiver = (pair.alice, pair.bob) if pair.alice.outbox else (pair.bob, pair.alice)
                    receiver.recv(sender.name, sender.outbox.pop(0)[1])
                tally.ok(pair.private() and max(sizes) <= size + 7, f"size {size}: private, nothing longer")
                tally.ok(pair.talks(TEXTS), f"size {size}: all texts")
                pair.alice.smp("bob", "secret", "a question that is not short " * 5)
                pair.pump()
                pair.bob.respond("alice", "secret")
                pair.pump()
                tally.ok(pair.alice.saw("smp", SUCCESS), f"size {size}: SMP")


def smp(tally, libraries, first, second):
    """SMP in all forms, from both sides."""
    for policy in each_version(first, second):
        with Pair(libraries, first, second, policy) as pair:
            pair.start()
            for x, y in ((pair.alice, pair.bob), (pair.bob, pair.alice)):
                for question, one, other, end in ((None, "same", "same", SUCCESS), (None, "one", "other", FAILURE),
                                                  ("which \u00fc?", "same", "same", SUCCESS),
                                                  ("which?", "one", "other", FAILURE), (None, "", "", SUCCESS)):
                    what = f"{x.name} asks {question}, {one!r} and {other!r}"
                    x.forget()
                    y.forget()
                    x.smp(y.name, one, question)
                    pair.pump()
                    if question is None:
                        tally.ok(y.saw("smp", ASK_SECRET, "25"), f"{what}: asked for the secret")
                    else:
                        tally.ok(y.saw("smp", ASK_ANSWER, "25", question.encode().hex()), f"{what}: asked the question")
                    y.respond(x.name, other)
                    pair.pump()
                    tally.ok(x.saw("smp", end, "100") and y.saw("smp", end, "100"), f"{what}: event {end} on both")
                    tally.ok(x.state(y.name)["trust"] == ("smp" if end == SUCCESS else "-"), f"{what}: trust")
                x.forget()
                y.forget()
                x.smp(y.name, "secret")
                pair.pump()
                y.abort(x.name)
                pair.pump()
                tally.ok(x.saw("smp", ABORT), "abort by who is asked")
                x.smp(y.name, "secret")
                x.abort(y.name)
                pair.pump()
                tally.ok(y.saw("smp", ABORT), "abort by who asks")
                tally.ok(pair.talks(), "and it goes on")


def extra_key(tally, libraries, first, second):
    """the extra symmetric key."""
    for policy in (V2, V3):
        with Pair(libraries, first, second, policy) as pair:
            pair.start()
            for x, y in ((pair.alice, pair.bob), (pair.bob, pair.alice)):
                x.forget()
                y.forget()
                x.command(f"symkey {y.name} 257 {b'data'.hex()}")
                pair.pump()
                tally.ok(len(x.log) >= 1 and x.log[0][0] == "symkey" and y.saw(*x.log[0]), "equal on both")
                tally.ok(pair.talks(), "and it goes on")


def closing(tally, libraries, first, second):
    """closing, the finished state, and starting again."""
    for policy in each_version(first, second):
        for who in ("alice", "bob"):
            with Pair(libraries, first, second, policy) as pair:
                pair.start()
                x, y = (pair.alice, pair.bob) if who == "alice" else (pair.bob, pair.alice)
                x.close(y.name)
                pair.pump()
                tally.ok(y.saw("tlv", DISCONNECTED, "0") and y.state(x.name)["msgstate"] == 2, "the other is finished")
                tally.ok(x.state(y.name)["msgstate"] == 0, "and this one in plaintext")
                y.send(x.name, "too late")
                tally.ok(y.outbox == [(x.name, b"")], "nothing is sent any more")
                y.outbox.clear()
                y.close(x.name)
                y.send(x.name, "plain again")
                pair.pump()
                tally.ok(x.shown == [b"plain again"], "plaintext after closing here as well")
                pair.start(y)
                tally.ok(pair.private() and pair.talks(), "and a new session")


def restart(tally, libraries, first, second):
    """one side loses its session."""
    with Pair(libraries, first, second, V2 | ERROR_STARTS) as pair:
        pair.start()
        pair.bob.quit()
        pair.bob = libraries.peer(second, "bob", V2 | ERROR_STARTS)
        pair.alice.send("bob", "who are you?")
        pair.pump()
        tally.ok(pair.bob.saw("event", "7") or pair.bob.saw("display"), "the user hears of an unexpected message")
        pair.start(pair.bob)
        tally.ok(pair.private() and pair.talks(), "a new session")


def crossing(tally, libraries, first, second):
    """both start at once."""
    defect = "reference" in (first, second)
    for policy in (V2,) if "abi2" in (first, second) else (V2, V3):
        for _ in range(4):
            with Pair(libraries, first, second, policy) as pair:
                pair.alice.send("bob", "?OTR?")
                pair.bob.send("alice", "?OTR?")
                tally.ok(pair.pump(), "it comes to an end")
                # Two C libotrs of this version never agree on who yields.
                tally.ok(pair.private(), "both are private", known_defect=defect)
                pair.start()
                tally.ok(pair.private() and pair.talks(TEXTS), "at the latest after one more query")


def instances(tally, libraries, first, second):
    """three instances of one account."""
    alice = libraries.peer(first, "alice", V3)
    bobs = [libraries.peer(second, "bob", V3) for _ in range(3)]
    try:
        alice.send("bob", "?OTR?")
        tally.ok(pump(alice, *bobs), "it comes to an end")
        tally.ok(alice.state("bob")["instances"] == 3, "three private instances")
        tally.ok(all(bob.private("alice") for bob in bobs), "each of them knows")
        for number, bob in enumerate(bobs):
            alice.forget()
            bob.send("alice", f"from {number}")
            pump(alice, *bobs)
            tally.ok(alice.shown == [f"from {number}".encode()], "each is understood")
        for bob in bobs:
            bob.forget()
        alice.send("bob", "to one")
        pump(alice, *bobs)
        tally.ok(sum(bob.shown == [b"to one"] for bob in bobs) == 1
                 and sum(bob.saw("event", "15") for bob in bobs) == 2, "one reads it, two are told it is not for them")
        alice.close("bob")
        pump(alice, *bobs)
        tally.ok(all(bob.state("alice")["msgstate"] == 2 for bob in bobs), "all are finished")
    finally:
        for peer in (alice, *bobs):
            peer.quit()


def noise(tally, libraries, first, second):
    """damaged, repeated and reordered messages do no lasting harm."""
    for policy in each_version(first, second):
        choose = random.Random(7)
        with Pair(libraries, first, second, policy) as pair:
            pair.start()
            good = True
            for number in range(60):
                sender, receiver = choose.choice(((pair.alice, pair.bob), (pair.bob, pair.alice)))
                sender.outbox.clear()
                receiver.outbox.clear()
                sender.send(receiver.name, f"number {number}")
                wire = sender.outbox.pop(0)[1]
                at = choose.randrange(20, len(wire) - 1)
                bad = wire[:at] + bytes([choose.choice(b"ABCDxyz089+/=")]) + wire[at + 1:]
                receiver.forget()
                if bad != wire:
                    receiver.recv(sender.name, bad)
                # A change in the revealed MAC keys is allowed to pass.
                seen = receiver.shown == [f"number {number}".encode()]
                receiver.forget()
                receiver.recv(sender.name, wire)
                good = good and (seen or receiver.shown == [f"number {number}".encode()])
                receiver.forget()
                receiver.recv(sender.name, wire)
                good = good and not receiver.shown
            pair.alice.outbox.clear()
            pair.bob.outbox.clear()
            tally.ok(good, "sixty messages, each damaged, whole and repeated")
            tally.ok(pair.talks(TEXTS), "and it goes on")


def shared_keys(tally, libraries, first, second):
    """a key file made by one library is used by the other."""
    policy = each_version(first, second)[-1]
    alice = libraries.peer(first, "alice", policy, keys=second)
    original = libraries.peer(second, "alice", policy)
    bob = libraries.peer(second, "bob", policy)
    try:
        tally.ok(alice.state("bob")["own"] == original.state("bob")["own"], "the same fingerprint")
        alice.send("bob", "?OTR?")
        pump(alice, bob)
        tally.ok(alice.private("bob") and bob.state("alice")["print"] == original.state("bob")["own"], "and an AKE with it")
    finally:
        for peer in (alice, original, bob):
            peer.quit()


BETWEEN_LIBOTRS = [versions, rotation, refresh, whitespace, required, fragmentation, smp, extra_key, closing, restart,
                   crossing, instances, noise, shared_keys]


# ---- the interface of libotr 3.2 -------------------------------------------------------------------------------------


def inline(tally, libraries, first, second):
    """what a client does not display comes in place of the message."""
    with Pair(libraries, first, second, V2) as pair:
        pair.alice.command("inline")
        pair.start()
        pair.bob.close("alice")
        pair.alice.outbox.clear()
        pair.start(pair.bob)
        pair.alice.forget()
        pair.alice.recv("bob", "in the clear")
        tally.ok(len(pair.alice.shown) == 1 and b"in the clear" in pair.alice.shown[0]
                 and b"<i>not</i> encrypted" in pair.alice.shown[0], "plaintext with its warning")
        pair.alice.forget()
        pair.alice.recv("bob", "?OTR Error: words")
        tally.ok(pair.alice.shown == [b"?OTR Error: words"], "an error message as it came")
        pair.alice.close("bob")
        pair.bob.outbox.clear()
        pair.alice.outbox.clear()
        pair.bob.send("alice", "unreadable now")
        pair.alice.forget()
        pair.alice.recv("bob", pair.bob.outbox.pop(0)[1])
        tally.ok(len(pair.alice.shown) == 1 and b"bob" in pair.alice.shown[0], "a word about what can't be read")
        tally.ok(len(pair.alice.outbox) == 1 and b"You sent encrypted data to alice (prpl-interop), who wasn't expecting it"
                 in pair.alice.outbox[0][1], "and the sender hears of it")
    with Pair(libraries, first, second, V2 | REQUIRE) as pair:
        pair.alice.command("inline")
        pair.alice.send("bob", "waits")
        tally.ok(pair.alice.saw("notify", "1"), "a warning in a window")
        pair.pump()
        tally.ok(pair.private() and pair.bob.shown == [b"waits"], "it arrives encrypted")
        pair.bob.close("alice")
        pair.pump()
        pair.alice.send("bob", "too late")
        tally.ok(any(line[:2] == ["notify", "0"] and b"Private connection closed".hex() in line for line in pair.alice.log)
                 and pair.alice.outbox == [("bob", b"")], "an error in a window, and nothing is sent")


def resent(tally, libraries, first, second):
    """a text that was lost with a session is sent again in the next."""
    for shows in (True, False):
        with Pair(libraries, first, second, V2 | ERROR_STARTS) as pair:
            if not shows:
                pair.alice.command("inline")
            pair.start()
            pair.bob.quit()
            pair.bob = libraries.peer(second, "bob", V2 | ERROR_STARTS)
            pair.alice.send("bob", "lost?")
            pair.alice.forget()
            pair.pump()
            tally.ok(pair.private() and pair.bob.shown[-1:] == [b"[resent] lost?"], "it arrives, marked")
            told = b"".join(bytes.fromhex(line[1]) for line in pair.alice.log if line[0] == "display")
            tally.ok(b"sent again" in (told if shows else b"".join(pair.alice.shown)), "and its sender is told")


def out_of_turn(tally, libraries, first, second):
    """SMP messages that nobody waits for, as the client counts."""
    with Pair(libraries, first, second, V2) as pair:
        pair.start()
        pair.alice.smp("bob", "one")
        pair.bob.smp("alice", "two")
        pair.pump()
        tally.ok(pair.alice.saw("smp", "1") or pair.bob.saw("smp", "1"), "two at once are an error")
        for peer in (pair.alice, pair.bob):
            peer.forget()
        pair.alice.smp("bob", "three")
        pair.pump()
        pair.bob.respond("alice", "three")
        pair.pump()
        tally.ok(pair.alice.saw("smp", SUCCESS) and pair.bob.saw("smp", SUCCESS), "the next one comes to its end")


def version3(tally, libraries, first, second):
    """messages of version 3 are not for libotr 3.2."""
    with Pair(libraries, first, second, V2) as pair:
        pair.start()
        for text in (b"?OTR:AAMCAAABAAAAAAAAAAAA.", b"?OTR|00000100|00000000,1,2,?OTR:,", b"?OTRv3?"):
            pair.alice.forget()
            pair.alice.recv("bob", text)
            tally.ok(not pair.alice.shown and not pair.alice.outbox, f"{text!r}: nothing is shown or sent")
        tally.ok(pair.private() and pair.talks(), "and the session goes on")


BETWEEN_ABI2 = [versions, rotation, refresh, whitespace, required, fragmentation, smp, closing, restart, crossing, noise,
                shared_keys]
ONLY_ABI2 = [inline, out_of_turn, version3]
# libotr 4 says nothing of a message that it can't read, so nobody knows that it was lost.
BOTH_ABI2 = [resent]
