"""How a session starts: queries, whitespace tags, policies, and two who start at once."""

import itertools

from steps import *


POLICIES = (0, V1, V2, V3, V23, V1 | V23, OPPORTUNISTIC, ALWAYS, V2 | REQUIRE, V3 | SEND_TAG, V2 | TAG_STARTS,
            V23 | ERROR_STARTS, V23 | SEND_TAG | REQUIRE)


def every_policy_pair_query(w):
    """a query under every pair of policies."""
    for mine, theirs in itertools.product(POLICIES, POLICIES):
        alice, bob = w.users or w.pair()
        alice.set(policy=mine)
        bob.set(policy=theirs)
        start(w)
        talk(w)
        fresh(w)


def every_policy_pair_text(w):
    """a text under every pair of policies."""
    alice, bob = w.pair()
    for mine, theirs in itertools.product(POLICIES, POLICIES):
        alice.set(policy=mine)
        bob.set(policy=theirs)
        alice.send("hello")
        w.pump()
        talk(w)
        fresh(w)


def session_v2(w):
    """a session of version 2, with SMP and an end."""
    alice, bob = w.session(V2)
    talk(w, "a", "b", "c", "d")
    alice.smp("secret")
    w.pump()
    bob.respond("secret")
    w.pump()
    alice.close()
    w.pump()
    bob.send("too late")
    bob.close()
    talk(w)


def session_v3(w):
    """a session of version 3, with SMP and an end."""
    alice, bob = w.session(V3)
    talk(w, "a", "b", "c", "d")
    alice.smp("secret")
    w.pump()
    bob.respond("secret")
    w.pump()
    bob.close()
    w.pump()
    alice.send("too late")
    alice.close()
    talk(w)


def session_v1(w):
    """a session of version 1."""
    alice, bob = w.pair(V1)
    start(w)
    talk(w, "a", "b", "c")
    alice.smp("secret")
    w.pump()
    bob.respond("secret")
    w.pump()
    bob.close()
    w.pump()
    talk(w)


def query_forms(w):
    """every form of a query, as it arrives."""
    alice, bob = w.pair()
    for policy in (V2, V3, V23, V1 | V23, V1, 0):
        alice.set(policy=policy)
        for query in ("?OTR?", "?OTRv?", "?OTRv2?", "?OTRv3?", "?OTRv23?", "?OTRv32?", "?OTR?v2?", "?OTR?v3?", "?OTR?v23?",
                      "?OTRv4?", "?OTRv24x?", "?OTR?v?", "?OTRv2", "?OTR", "?OTR ", "hi ?OTRv2? there", "hi ?OTR?v3? there",
                      "?OTRv2?\n<b>x</b> wants", "?OTRv 2?", "?OTRv22222?", "?OTR?v1?", "?otrv2?", "x?OTRv3?", "?OTRv2?OTRv3?"):
            alice.recv(query)
            fresh(w)


def query_sent_forms(w):
    """every form of a query, as the user types it."""
    alice, bob = w.pair()
    for policy in (V2, V3, V23, V1 | V23, 0, V23 | REQUIRE):
        alice.set(policy=policy)
        for query in ("?OTR?", "?OTRv2?", "?OTRv3?", "?OTR?v2?", "?OTRv23?", "hi ?OTRv2? there", "?OTRv?", "?OTRv9?", "?OTR"):
            for fragments in (SKIP, ALL, ALL_BUT_LAST):
                alice.send(query, fragments=fragments)
                w.wires.clear()
        fresh(w)


def whitespace_forms(w):
    """every form of a whitespace tag, as it arrives."""
    alice, bob = w.pair()
    for policy in (OPPORTUNISTIC, V2 | TAG_STARTS, V3 | TAG_STARTS, V1 | V23 | TAG_STARTS, V23, 0, V23 | REQUIRE | TAG_STARTS):
        alice.set(policy=policy)
        for text in (TAG, TAG + TAG_V2, TAG + TAG_V3, TAG + TAG_V2 + TAG_V3, TAG + TAG_V3 + TAG_V2, TAG + TAG_V1 + TAG_V2 + TAG_V3,
                     "a" + TAG + TAG_V2, "a" + TAG + TAG_V3 + "b", TAG + TAG_V2 + " ", TAG + TAG_V2[:-1], TAG[:-1],
                     TAG + TAG + TAG_V2, "a" + TAG + TAG_V2 + "b" + TAG + TAG_V3, "x" + TAG + "        " + TAG_V2,
                     TAG + TAG_V2 + TAG_V2, "a" + TAG + TAG_V1, "?OTRv2?" + TAG + TAG_V3):
            alice.recv(text)
            fresh(w)


def whitespace_session(w):
    """a tag starts a session, one reply without it stops the offer."""
    for policy in (OPPORTUNISTIC, V2 | SEND_TAG | TAG_STARTS, V3 | SEND_TAG | TAG_STARTS):
        alice, bob = w.users or w.pair(policy)
        both(w, policy)
        alice.send("first")
        alice.send("second")
        w.pump()
        talk(w)
        fresh(w)
        bob.set(policy=0)
        alice.send("to one who has none")
        bob.send("plain")
        w.pump()
        alice.send("no more tags")
        w.pump()
        fresh(w)


def whitespace_and_fragments(w):
    """a tagged text is longer than the network takes."""
    alice, bob = w.pair(OPPORTUNISTIC, mms=60)
    for fragments in (SKIP, ALL, ALL_BUT_FIRST, ALL_BUT_LAST):
        alice.set(mms=60)
        bob.set(mms=60)
        alice.send("a text that is long enough, and a little more", fragments=fragments)
        w.pump()
        alice.set(mms=0)
        bob.set(mms=0)
        fresh(w)


def required(w):
    """texts wait for the session that the policy demands."""
    for policy in (ALWAYS, V2 | REQUIRE, V3 | REQUIRE, REQUIRE, V1 | REQUIRE):
        alice, bob = w.users or w.pair()
        alice.set(policy=policy)
        bob.set(policy=V1 | V23)
        alice.send("waits")
        alice.send("waits too")
        w.pump()
        talk(w)
        bob.send("in the clear")
        fresh(w)


def required_incoming(w):
    """plaintext comes where encryption is demanded, in every state."""
    alice, bob = w.pair(ALWAYS, 0)
    bob.send("plain")
    w.pump()
    bob.set(policy=V23)
    start(w)
    alice.recv("plain in a session")
    alice.recv("tagged" + TAG + TAG_V2 + "in a session")
    bob.close()
    w.pump()
    alice.recv("plain in a finished session")
    alice.recv("tagged" + TAG + TAG_V2 + "in a finished session")


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
    talk(w)


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
        alice, bob = w.users or w.pair()
        alice.set(policy=mine)
        bob.set(policy=theirs)
        bob.send("?OTR?")
        w.pump()
        talk(w)
        bob.send("?OTR?")
        w.pump()
        talk(w)
        fresh(w)


def policy_changes_midway(w):
    """policies change while a session is made and while it lasts."""
    alice, bob = w.pair(V23)
    for kind in AKE:
        bob.send("?OTR?")
        until(w, kind)
        alice.set(policy=V2)
        bob.set(policy=0)
        w.pump()
        talk(w)
        alice.set(policy=V23)
        bob.set(policy=V23)
        fresh(w)
    bob.send("?OTR?")
    w.pump()
    alice.set(policy=0)
    talk(w)
    alice.set(policy=ALWAYS)
    talk(w)
    alice.recv("?OTRv23?")
    w.pump()


def refresh(w):
    """exchanges inside a session, from either side."""
    for policy in (V2, V3):
        alice, bob = both(w, policy)
        for who in (alice, bob, bob, alice):
            who.send("?OTR?")
            w.pump()
            talk(w)
        fresh(w)


def refresh_with_another_key(w):
    """a second session with another signing key."""
    alice, bob = w.session(V3)
    talk(w)
    alice.context("trust", 0, to_hex("verified"))
    bob.call("files", "readkeys", w.pool.key("bob", 1))
    bob.send("?OTR?")
    w.pump()
    talk(w)
    bob.call("files", "readkeys", w.pool.key("bob", 0))
    start(w)
    talk(w)


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


def default_queries(w):
    """the default query text."""
    alice, bob = w.pair()
    for name in ("alice", "", "a b", "<b>", None):
        for policy in (V2, V3, V23, V1, V1 | V23, 0, OPPORTUNISTIC, ALWAYS):
            if name is not None:
                for driver in dict.fromkeys(w.drivers):
                    lines = driver.ask(f"query {to_hex(name)} {policy}")
                w.say(f"query {name} {policy}: {lines}")


# The policies that clients have, by default or by a setting.
CLIENTS = (V1 | V2, V2 | TAG_STARTS, V2 | SEND_TAG | TAG_STARTS, V3 | TAG_STARTS, V23 | TAG_STARTS,
           V23 | TAG_STARTS | ERROR_STARTS, OPPORTUNISTIC, ALWAYS)


def every_pair_of_client_policies(w):
    """a session, its loss and its end under every pair of the policies that clients have."""
    alice, bob = w.pair()
    for mine, theirs in itertools.product(CLIENTS, CLIENTS):
        w.say(f"> {mine:x} and {theirs:x}")
        alice.set(policy=mine)
        bob.set(policy=theirs)
        alice.send("hello")
        w.pump()
        bob.send("?OTR?")
        w.pump()
        talk(w)
        bob.context("plaintext")
        alice.send("lost")
        w.pump()
        talk(w)
        alice.close()
        w.pump()
        talk(w)
        fresh(w)


def _in_every_state(w, policy, texts):
    """Each text comes to either side in every state of the exchange, in a session and after it."""
    w.pair(policy)
    for text in texts:
        for state in (*AKE, DATA, None):
            for number in (0, 1):
                alice, bob = both(w, policy)
                bob.send("?OTR?")
                if state in AKE:
                    until(w, state)
                else:
                    w.pump()
                    talk(w)
                if state is None:
                    w.users[1 - number].close()
                    w.pump()
                w.say(f"> in state {state}")
                w.users[number].recv(text)
                w.pump()
                talk(w)
                w.anew()


def queries_in_every_state_v2(w):
    """a query comes at every moment, version 2."""
    _in_every_state(w, V2, ("?OTRv2?", "?OTRv3?"))


def queries_in_every_state_v3(w):
    """a query comes at every moment, version 3."""
    _in_every_state(w, V3, ("?OTRv23?", "?OTRv2?"))


def tags_in_every_state_v2(w):
    """a whitespace tag comes at every moment, version 2."""
    _in_every_state(w, V2 | TAG_STARTS, ("hi" + TAG + TAG_V2,))


def tags_in_every_state_v3(w):
    """a whitespace tag comes at every moment, version 3."""
    _in_every_state(w, V3 | TAG_STARTS | REQUIRE, ("hi" + TAG + TAG_V2 + TAG_V3,))


def errors_in_every_state(w):
    """an error message comes at every moment, and starts a session."""
    _in_every_state(w, V3 | ERROR_STARTS, ("?OTR Error: unreadable",))


def commits_of_an_instance_and_its_master(w):
    """a query comes to an instance and another to its master, in either order, and both commits go out."""
    w.pair(V3)
    parts = ("?OTR|1000|1111,1,2,?OTR,", "?OTR|1000|1111,2,2,v3?,")
    for queries in (("?OTRv3?", *parts), (*parts, "?OTRv3?"), ("?OTRv3?", *parts, *parts), parts):
        alice, bob = w.users
        start(w)
        talk(w)
        bob.close()
        w.pump()
        for query in queries:
            bob.recv(query)
        w.pump()
        talk(w)
        w.anew()
