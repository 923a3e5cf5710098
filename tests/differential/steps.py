"""Steps that scripts share."""

import base64

from world import *

# The types of the messages of the exchange, in their order.
AKE = (0x02, 0x0a, 0x11, 0x12)
DATA = 0x03

# The whitespace tag: its beginning, and what follows for each version.
TAG, TAG_V1, TAG_V2, TAG_V3 = " \t  \t\t\t\t \t \t \t  ", " \t \t  \t ", "  \t\t  \t ", "  \t\t  \t\t"


def both(w, policy):
    """alice and bob, with this policy."""
    alice, bob = w.users or w.pair()
    alice.set(policy=policy)
    bob.set(policy=policy)
    return alice, bob


def in_session(w, policy):
    """alice and bob with this policy and a session, which alice began."""
    alice, bob = both(w, policy)
    start(w)
    return alice, bob


def start(w):
    """The first user begins a session."""
    w.users[0].send("?OTR?")
    w.pump()


def talk(w, *texts):
    """One text from each user to the one he talks to."""
    for text in texts or ("ping",):
        for user in w.users[:2]:
            user.send(text)
            w.pump()


def fresh(w):
    """Lets go of all sessions and messages, so that another round can begin."""
    w.wires.clear()
    for user in w.users:
        user.close()
        w.wires.clear()
        user.call("keys", "forgetcontexts")
    w.clock(200)


def decoded(message):
    return base64.b64decode(message[5:message.index(b".")])


def encoded(data):
    return b"?OTR:" + base64.b64encode(data) + b"."


def until(w, kind):
    """Delivers until the next message on the wires is of this type."""
    for _ in range(20):
        if w.wires and w.wires[0].message.startswith(b"?OTR:") and decoded(w.wires[0].message)[2] == kind:
            return w.wires[0]
        if not w.wires:
            break
        w.deliver()
    raise Stuck(f"no message of type {kind} came")


def receiver(w, wire):
    """The first login of the account that a message is for."""
    return w.users[[u.account for u in w.users].index(wire.to)]
