"""Conversations between a libotr and an independent implementation. Each of `meetings` gets the counter of checks, the libraries,
the library of alice, and the class of bob's peer."""

import random
import time

from conversations import (ABORT, ASK_ANSWER, ASK_SECRET, DISCONNECTED, FAILURE, REQUIRE, SEND_TAG, SUCCESS, TAG_STARTS, TEXTS,
                           V1, V2, V3, V23, Pair)
from peers import to_hex

POLICY = {2: V2, 3: V3}


class Fault(Exception):
    """The stranger has met a fault of its own and says so; nothing can be found out with this exchange."""


class Meeting(Pair):
    """alice on a libotr, bob the stranger."""

    def __init__(self, libraries, library, stranger, policy, theirs=None):
        self.alice = libraries.peer(library, "alice", policy)
        self.bob = stranger("bob", policy if theirs is None else theirs)

    def pump(self):
        ended = super().pump()
        if self.bob.saw("fault"):
            raise Fault
        return ended

    def turn(self):
        """bob says something before alice does, where he must."""
        if self.bob.only_in_turn:
            self.bob.send("alice", "go on")
            self.pump()
            self.alice.forget()

    def talks(self, texts=("ping", "pong")):
        if self.private():
            self.turn()
        return super().talks(texts)

    def side(self, which):
        """alice and bob, or bob and alice."""
        return (self.alice, self.bob) if which == "alice" else (self.bob, self.alice)


class Notes:
    """What a case has found, until it is known that the case counts."""

    def __init__(self):
        self.found = []

    def ok(self, condition, what):
        self.found.append((bool(condition), what))

    def give(self, tally, failures_only=False):
        for condition, what in self.found:
            if not (failures_only and condition):
                tally.ok(condition, what)


def case(tally, stranger, function, *arguments):
    """A case with some exchanges in it. It is done again, with new peers, when one of them met the stranger's own fault,
    and for no other reason."""
    for stranger.attempt in range(10):
        stranger.cases += 1
        notes = Notes()
        try:
            function(notes, stranger, *arguments)
        except Fault:
            stranger.faults += 1
            notes.give(tally, failures_only=True)
            continue
        except BaseException:
            notes.give(tally)
            raise
        notes.give(tally)
        return
    tally.ok(False, "ten times in a row a fault that one case in many has")


def versions_of(library, stranger):
    """The versions that both speak."""
    return [version for version in stranger.versions if version == 2 or library != "abi2"]


def policies_of(stranger):
    """One for each version that it speaks, and one for all of them."""
    each = [POLICY[version] for version in stranger.versions]
    return [*each, sum(each)] if len(each) > 1 else each


# ---- the exchange ----------------------------------------------------------------------------------------------------


def check_private(tally, pair, version, what):
    """Both are private in this version, and of one mind about the keys and the session."""
    a, b = pair.alice.state("bob"), pair.bob.state("alice")
    tally.ok(a["msgstate"] == b["msgstate"] == 1, f"{what}: both are private")
    tally.ok(a["version"] == b["version"] == version, f"{what}: version {version}")
    tally.ok(a["session"] == b["session"] != "-", f"{what}: one session id")
    tally.ok(a["print"] == b["own"], f"{what}: the stranger's fingerprint")
    if pair.bob.tells_their_print:
        tally.ok(b["print"] == a["own"], f"{what}: and ours")


def exchange(tally, stranger, libraries, library, ours, theirs, who):
    spoken = V1 | V2 if library == "abi2" else V1 | V23
    version = (ours & theirs & spoken).bit_length()
    what = f"policies {ours} and {theirs}, {who} asks"
    with Meeting(libraries, library, stranger, ours, theirs) as pair:
        x, y = pair.side(who)
        x.send(y.name, "?OTR?")
        tally.ok(pair.pump(), f"{what}: it comes to an end")
        if version == 0:
            tally.ok(not pair.alice.private("bob") and not pair.bob.private("alice"), f"{what}: no session")
            return
        check_private(tally, pair, version, what)
        tally.ok(pair.alice.saw("secure", str(version)), f"{what}: gone_secure")
        tally.ok(pair.talks(TEXTS), f"{what}: all texts")


def exchanges(tally, libraries, library, stranger):
    """the exchange in both roles, for each pair of policies."""
    for theirs in policies_of(stranger):
        for ours in (V2, V3, V23, V1 | V2, V1 | V23):
            for who in ("alice", "bob"):
                case(tally, stranger, exchange, libraries, library, ours, theirs, who)


def refused(tally, stranger, libraries, library, policy):
    with Meeting(libraries, library, stranger, policy) as pair:
        pair.bob.command("shortr")
        pair.alice.send("bob", "?OTR?")
        try:
            pair.pump()
            tally.ok(False, "the fault is told")
        except Fault:
            tally.ok(Pair.pump(pair), "it comes to an end")
        tally.ok(not pair.alice.private("bob") and not pair.bob.private("alice"), "no session comes of it")
        pair.bob.forget()
        pair.start()
        check_private(tally, pair, policy.bit_length(), "the next exchange")
        tally.ok(pair.talks(), "and talking")


def own_fault(tally, libraries, library, stranger):
    """the fault for which a case is done again."""
    for version in versions_of(library, stranger):
        case(tally, stranger, refused, libraries, library, POLICY[version])


def tagged(tally, stranger, libraries, library, ours, theirs, who):
    with Meeting(libraries, library, stranger, ours | SEND_TAG | TAG_STARTS, theirs | SEND_TAG | TAG_STARTS) as pair:
        x, y = pair.side(who)
        what = f"policies {ours} and {theirs}, {who} sends a tag"
        x.send(y.name, "Gr\u00fc\u00dfe")
        tally.ok(b" \t  \t\t\t\t \t \t \t  " in x.outbox[0][1], f"{what}: it is there")
        pair.pump()
        tally.ok(y.shown == ["Gr\u00fc\u00dfe".encode()], f"{what}: the text comes clean")
        check_private(tally, pair, 3 if library != "abi2" and ours & theirs & V3 else 2, what)
        tally.ok(pair.talks(), f"{what}: and talking")


def tags(tally, libraries, library, stranger):
    """a whitespace tag starts a session, in both roles."""
    for version in versions_of(library, stranger):
        both = POLICY[version]
        for ours, theirs in ((both, both), (V23, both), (both, V23))[:3 if len(stranger.versions) > 1 else 2]:
            for who in ("alice", "bob"):
                case(tally, stranger, tagged, libraries, library, ours, theirs, who)


def held_back(tally, stranger, libraries, library, policy, who):
    with Meeting(libraries, library, stranger, policy, policy) as pair:
        x, y = pair.side(who)
        x.command(f"policy {policy | REQUIRE}")
        x.send(y.name, "waits")
        tally.ok(all(b"waits" not in wire for _, wire in x.outbox), f"{who} requires it: not sent in the clear")
        pair.pump()
        tally.ok(pair.private(), f"{who} requires it: a session")
        if x is pair.alice or stranger.sends_held_back:
            tally.ok(y.shown == [b"waits"], f"{who} requires it: it arrives encrypted")


def required(tally, libraries, library, stranger):
    """a text waits until the session is there."""
    for version in versions_of(library, stranger):
        for who in ("alice", "bob"):
            case(tally, stranger, held_back, libraries, library, POLICY[version], who)


def refreshed(tally, stranger, libraries, library, policy, who):
    with Meeting(libraries, library, stranger, policy) as pair:
        pair.start()
        pair.talks([f"turn {n}" for n in range(4)])
        before = pair.alice.state("bob")["session"]
        x, y = pair.side(who)
        x.send(y.name, "?OTR?")
        pair.pump()
        if x is pair.alice and not stranger.answers_soon:
            tally.ok(pair.alice.state("bob")["session"] == before and pair.talks(), f"{who} asks again: no notice is taken")
            return
        check_private(tally, pair, policy.bit_length(), f"{who} asks again")
        tally.ok(pair.alice.state("bob")["session"] != before, f"{who} asks again: a new session")
        tally.ok(pair.talks(TEXTS), f"{who} asks again: all texts")


def refresh(tally, libraries, library, stranger):
    """a second exchange inside a session, from either side."""
    for version in versions_of(library, stranger):
        for who in ("alice", "bob"):
            case(tally, stranger, refreshed, libraries, library, POLICY[version], who)


def crossed(tally, stranger, libraries, library, policy):
    with Meeting(libraries, library, stranger, policy) as pair:
        pair.alice.send("bob", "?OTR?")
        pair.bob.send("alice", "?OTR?")
        tally.ok(pair.pump(), "it comes to an end")
        check_private(tally, pair, policy.bit_length(), "both ask at once")
        tally.ok(pair.talks(), "and talking")


def crossed_in_vain(tally, stranger, libraries, library, policy):
    """Until the stranger has got stuck, which takes a try or two, as it depends on whose DH-commit wins."""
    for _ in range(20):
        with Meeting(libraries, library, stranger, policy) as pair:
            pair.alice.send("bob", "?OTR?")
            pair.bob.send("alice", "?OTR?")
            tally.ok(pair.pump(), "both ask at once: it comes to an end")
            if pair.private():
                check_private(tally, pair, policy.bit_length(), "both ask at once")
                continue
            tally.ok(not pair.alice.private("bob") and not pair.bob.private("alice"), "both ask at once: neither has a session")
            # By then we no longer wait for an answer to the DH-key.
            time.sleep(10.5)
            pair.start(pair.bob)
            check_private(tally, pair, policy.bit_length(), "ten seconds later")
            tally.ok(pair.talks(), "and talking")
            return
    tally.ok(False, f"twenty times a session: {stranger.label} does yield")


def crossing(tally, libraries, library, stranger):
    """both start at once."""
    for version in versions_of(library, stranger):
        if not stranger.yields:
            case(tally, stranger, crossed_in_vain, libraries, library, POLICY[version])
            continue
        for _ in range(4):
            case(tally, stranger, crossed, libraries, library, POLICY[version])


# ---- messages --------------------------------------------------------------------------------------------------------


def empty(tally, stranger, libraries, library, policy):
    with Meeting(libraries, library, stranger, policy) as pair:
        pair.start()
        for who in ("alice", "bob"):
            x, y = pair.side(who)
            y.forget()
            if x is pair.bob and pair.bob.only_in_turn:
                x.send(y.name, "")
                tally.ok(x.saw("fault") and not x.outbox, f"{who} cannot send nothing")
                x.forget()
            else:
                x.send(y.name, "")
                tally.ok(len(x.outbox) == 1 and x.outbox[0][1].startswith(b"?OTR:"), f"{who} sends nothing, encrypted")
                pair.pump()
                tally.ok(not y.shown or y.shown == [b""], f"{who} sends nothing, and nothing is shown")
            tally.ok(pair.talks([" ", "\n", "0", "\u0338", "\t\t"]), "and next to nothing arrives")


def almost_empty(tally, libraries, library, stranger):
    """empty texts and nearly empty ones."""
    for version in versions_of(library, stranger):
        case(tally, stranger, empty, libraries, library, POLICY[version])


def rotated(tally, stranger, libraries, library, policy):
    with Meeting(libraries, library, stranger, policy) as pair:
        pair.start()
        tally.ok(pair.talks([f"turn {n}" for n in range(100)]), "a hundred round trips")
        if pair.bob.only_in_turn:
            return
        for who in ("alice", "bob"):
            x, y = pair.side(who)
            y.forget()
            for number in range(10):
                x.send(y.name, f"row {number}")
            pair.pump()
            tally.ok(y.shown == [f"row {n}".encode() for n in range(10)], f"ten in a row from {who}")
        choose = random.Random(policy)
        good = True
        for number in range(60):
            x, y = pair.side(choose.choice(("alice", "bob")))
            y.forget()
            x.send(y.name, f"text {number}")
            if choose.random() < 0.6:
                pair.pump()
                good = good and y.shown[-1:] == [f"text {number}".encode()]
        pair.pump()
        tally.ok(good and pair.private(), "sixty that cross each other")
        tally.ok(pair.talks(), "and it goes on")


def rotation(tally, libraries, library, stranger):
    """a hundred round trips, rows and crossing texts."""
    for version in versions_of(library, stranger):
        case(tally, stranger, rotated, libraries, library, POLICY[version])


def in_a_row(tally, stranger, libraries, library, policy):
    with Meeting(libraries, library, stranger, policy) as pair:
        pair.start()
        pair.talks()
        for who, text, arrives in (("alice", "one", True), ("alice", "two", True), ("bob", "three", True),
                                   ("alice", "four", False)):
            x, y = pair.side(who)
            y.forget()
            x.send(y.name, text)
            pair.pump()
            tally.ok(y.shown == ([text.encode()] if arrives else []), f"{text} {'arrives' if arrives else 'is lost'}")
        tally.ok(pair.private(), "the session is still there")
        pair.start()
        check_private(tally, pair, policy.bit_length(), "the next exchange")
        tally.ok(pair.talks(), "and in turn it goes on")


def rows(tally, libraries, library, stranger):
    """the fault for which texts go back and forth in turn only."""
    for version in versions_of(library, stranger):
        case(tally, stranger, in_a_row, libraries, library, POLICY[version])


def fragmented(tally, stranger, libraries, library, policy, size, who):
    with Meeting(libraries, library, stranger, policy) as pair:
        # A query is not to be split.
        x, y = pair.side(who)
        x.send(y.name, "?OTR?")
        for peer in (pair.alice, pair.bob):
            peer.command(f"mms {size}")
        pieces = []
        while pair.alice.outbox or pair.bob.outbox:
            sender, receiver = (pair.alice, pair.bob) if pair.alice.outbox else (pair.bob, pair.alice)
            wire = sender.outbox.pop(0)[1]
            pieces += [(sender, wire)] if wire.startswith((b"?OTR,", b"?OTR|")) else []
            receiver.recv(sender.name, wire)
        pair.pump()
        what = f"size {size}, {who} asks"
        tally.ok(all(len(wire) <= size for sender, wire in pieces if sender is pair.alice), f"{what}: nothing of ours is longer")
        tally.ok({sender for sender, _ in pieces} == {pair.alice, pair.bob}, f"{what}: both sent fragments")
        check_private(tally, pair, policy.bit_length(), what)
        tally.ok(pair.talks(["short", "long " * 200, "\u4f60\u597d" * 200]), f"{what}: talking")
        pair.bob.smp("alice", "secret", "a question that is not short " * 5)
        pair.pump()
        pair.alice.respond("bob", "secret")
        pair.pump()
        tally.ok(pair.bob.saw("smp", SUCCESS), f"{what}: SMP")


def fragments(tally, libraries, library, stranger):
    """fragments in both directions, also of the exchange."""
    for version in versions_of(library, stranger):
        for size in (80, 300):
            for who in ("alice", "bob"):
                case(tally, stranger, fragmented, libraries, library, POLICY[version], size, who)


def followed_by(tally, stranger, libraries, library, policy, chains):
    with Meeting(libraries, library, stranger, policy) as pair:
        pair.start()
        for chain in chains:
            pair.alice.forget()
            pair.bob.send_tlv("alice", b"text", chain)
            pair.pump()
            what = f"the chain {chain.hex()}"
            tally.ok(pair.alice.shown == [b"text"], f"{what}: the text before it is shown")
            tally.ok(pair.alice.private("bob"), f"{what}: the session goes on")
            tally.ok(not pair.alice.saw("smp", SUCCESS), f"{what}: nothing is proved")
        tally.ok(pair.talks(), "and it goes on")


def broken_tlvs(tally, libraries, library, stranger):
    """authentic messages with broken TLV chains."""
    chains = [b"\x00", b"\x00\x01", b"\x00\x01\x00", b"\x00\x09\xff\xff", b"\x00\x09\x00\x05abc",
              b"\x00\x09\x00\x01a\x00\x01\x00\x05", b"\x00\x02\x00\x00", b"\x00\x02\x00\x04\xff\xff\xff\xff",
              b"\x00\x07\x00\x00", b"\x00\x07\x00\x03abc", b"\x00\x08\x00\x02ab", b"\x00\x03\x00\x01\x00",
              b"\x00\x02\x00\x09\x00\x00\x00\x06\xff\xff\xff\xff\x01"]
    for version in versions_of(library, stranger):
        case(tally, stranger, followed_by, libraries, library, POLICY[version], chains)


def extra(tally, stranger, libraries, library, name):
    with Meeting(libraries, library, stranger, V3) as pair:
        pair.start()
        for who in ("alice", "bob"):
            x, y = pair.side(who)
            for peer in (x, y):
                peer.forget()
            x.command(f"symkey {y.name} 1 {to_hex(name)}")
            pair.pump()
            tally.ok(x.log[:1] and x.log[0][0] == "symkey" and y.saw(*x.log[0]), f"{who} uses it: equal on both sides")
            tally.ok(pair.talks(), f"{who} uses it: and talking")


def extra_key(tally, libraries, library, stranger):
    """the extra symmetric key."""
    case(tally, stranger, extra, libraries, library, "f\u00fcr.txt")


# ---- SMP -------------------------------------------------------------------------------------------------------------


def abort_seen_by(pair, who):
    """The event when the other side aborts."""
    return pair.bob.abort_event if who is pair.bob else ABORT


def proved(tally, pair, stranger, who, question, one, other):
    """One run from the question to the verdict."""
    x, y = pair.side(who)
    what = f"{who} asks {question}, {one!r} and {other!r}"
    pair.turn()
    for peer in (x, y):
        peer.forget()
    x.smp(y.name, one, question)
    pair.pump()
    if question is None:
        tally.ok(y.saw("smp", ASK_SECRET, "25", "-"), f"{what}: asked for the secret")
    else:
        tally.ok(y.saw("smp", ASK_ANSWER, "25", question.encode().hex()), f"{what}: asked the question")
    y.respond(x.name, other)
    pair.pump()
    if one == other:
        tally.ok(x.saw("smp", SUCCESS, "100") and y.saw("smp", SUCCESS, "100"), f"{what}: both succeed")
    else:
        tally.ok(not x.saw("smp", SUCCESS) and not y.saw("smp", SUCCESS), f"{what}: nobody succeeds")
        # Whoever answered sees it first. A stranger who does not say it leaves the other with an abort.
        told = y is pair.alice or stranger.tells_unequal
        tally.ok(y.saw("smp", FAILURE, "100"), f"{what}: and {y.name} hears why")
        tally.ok(x.saw("smp", FAILURE if told else abort_seen_by(pair, x)), f"{what}: and so does {x.name}")
    if x is pair.alice and (one == other or stranger.tells_unequal):
        tally.ok(x.state("bob")["trust"] == ("smp" if one == other else "-"), f"{what}: trust")


def aborted(tally, pair, who):
    x, y = pair.side(who)
    for late in (False, True):
        tired, other = (y, x) if late else (x, y)
        if (tired is pair.bob and not pair.bob.can_abort) or (tired is x is pair.alice and pair.bob.only_in_turn):
            continue
        pair.turn()
        for peer in (x, y):
            peer.forget()
        x.smp(y.name, "secret")
        if late:
            pair.pump()
        tired.abort(other.name)
        pair.pump()
        tally.ok(other.saw("smp", abort_seen_by(pair, other)), f"{who} asks, and {tired.name} aborts")


def smp_session(tally, stranger, libraries, library, policy):
    with Meeting(libraries, library, stranger, policy) as pair:
        pair.start()
        for who in ("alice", "bob"):
            for question in (None, "which \u00fc?"):
                proved(tally, pair, stranger, who, question, "s\u00e9cret \u20ac", "s\u00e9cret \u20ac")
                proved(tally, pair, stranger, who, question, "one", "other")
            aborted(tally, pair, who)
            proved(tally, pair, stranger, who, None, "after an abort", "after an abort")
        tally.ok(pair.talks(), "and it goes on")


def smp(tally, libraries, library, stranger):
    """SMP in all forms, from both sides."""
    for version in versions_of(library, stranger):
        case(tally, stranger, smp_session, libraries, library, POLICY[version])


# ---- the end ---------------------------------------------------------------------------------------------------------


def closed(tally, stranger, libraries, library, policy, who, again):
    what = f"{who} closes, {again} begins anew"
    with Meeting(libraries, library, stranger, policy) as pair:
        pair.start()
        pair.talks()
        x, y = pair.side(who)
        x.close(y.name)
        pair.pump()
        tally.ok(y.saw("tlv", DISCONNECTED, "0") and y.state(x.name)["msgstate"] == 2, f"{what}: the other is finished")
        tally.ok(x.state(y.name)["msgstate"] == 0, f"{what}: and this one in plaintext")
        if y is pair.alice:
            y.send(x.name, "too late")
            tally.ok(y.outbox == [(x.name, b"")], f"{what}: nothing is sent any more")
            y.outbox.clear()
        y.close(x.name)
        pair.pump()
        x.forget()
        y.send(x.name, "plain again")
        pair.pump()
        tally.ok(x.shown == [b"plain again"], f"{what}: plaintext after closing here as well")
        a, b = pair.side(again)
        a.send(b.name, "?OTR?")
        pair.pump()
        check_private(tally, pair, policy.bit_length(), what)
        tally.ok(pair.talks(TEXTS), f"{what}: and talking")


def closing(tally, libraries, library, stranger):
    """closing from either side, and starting again."""
    for version in versions_of(library, stranger):
        for who in ("alice", "bob"):
            for again in ("alice", "bob"):
                case(tally, stranger, closed, libraries, library, POLICY[version], who, again)


def lost(tally, stranger, libraries, library, policy):
    # The new bob has the instance tag of the old one. Of two instances that were heard in one second, libotr would choose
    # either.
    with Meeting(libraries, library, stranger, policy) as pair:
        pair.start()
        pair.bob.quit()
        pair.bob = stranger("bob", policy)
        pair.alice.send("bob", "who are you?")
        pair.pump()
        tally.ok(b"who are you?" not in b"".join(pair.bob.shown), "a text for the old session is not shown")
        pair.bob.send("alice", "?OTR?")
        pair.pump()
        check_private(tally, pair, policy.bit_length(), "afterwards")
        tally.ok(pair.talks(), "and talking")


def restart(tally, libraries, library, stranger):
    """the stranger loses its session."""
    for version in versions_of(library, stranger):
        case(tally, stranger, lost, libraries, library, POLICY[version])


MEETINGS = [exchanges, tags, required, refresh, almost_empty, rotation, fragments, smp, closing, restart]


def meetings(library, stranger):
    """What this library and this stranger can do together."""
    out = list(MEETINGS)
    if stranger.sends_raw_tlvs:
        out.append(broken_tlvs)
    if stranger.only_in_turn:
        out.append(rows)
    if stranger.can_provoke_fault:
        out.append(own_fault)
    if stranger.has_extra_key and library != "abi2":
        out.append(extra_key)
    if library != "reference":
        # The C libotr always yields here, and with whoever yields as well it has no session.
        out.append(crossing)
    return out
