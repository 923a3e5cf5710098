"""Random scripts: two to four users, and a stream of actions that depends on a seed alone."""

import base64
import random

from world import *

TEXTS = ("hello", "", "a longer text " * 20, "?OTR?", "?OTRv3?", "Gr\u00fc\u00dfe", "?OTRv2?", "hi", "hi again", "x")
HOSTILE = ("plain", "?OTR?", "?OTRv2?", "?OTRv3?", "?OTR Error: x", "?OTR:AAMD", "?OTR:AAMC.", "?OTR:AAIKAAAA.", "?OTR,1,2,ab,",
           "?OTR,2,2,cd,", "?OTR|1111|1000,1,2,ab,", "?OTR", "hi \t  \t\t\t\t \t \t \t    \t\t  \t ",
           "hi \t  \t\t\t\t \t \t \t    \t\t  \t\t", "")
POLICIES = (V23, V23, V2, V3, V3, OPPORTUNISTIC, ALWAYS, V2 | ERROR_STARTS, V1 | V2, 0, V3 | REQUIRE)
LOGINS = (("alice", "bob"),) * 6 + (("alice", "bob", "bob"), ("alice", "bob", "carol"), ("alice", "alice", "bob", "bob"),
                                    ("alice", "bob", "carol", "dave"), ("alice", "bob", "bob", "bob"))

ACTIONS = (("send", 30), ("query", 6), ("deliver", 22), ("pump", 22), ("drop", 3), ("again", 3), ("corrupt", 3), ("cut", 1),
           ("hostile", 3), ("smp", 2), ("respond", 2), ("abort", 1), ("close", 2), ("policy", 2), ("key", 1), ("clock", 5), ("poll", 2),
           ("symkey", 1), ("trust", 1), ("plaintext", 1), ("finish", 1), ("restart", 1), ("mms", 1))


def generate(seed):
    """The actions of a seed: (logins, policies, actions)."""
    choose = random.Random(seed)
    logins = choose.choice(LOGINS)
    policies = [choose.choice(POLICIES) for _ in logins]
    if choose.random() < 0.6:
        policies = [policies[0]] * len(logins)
    names, weights = zip(*ACTIONS)
    actions = []
    if choose.random() < 0.7:
        actions += [["query", 0, 0], ["pump"]]
    for _ in range(choose.randrange(10, 60)):
        kind = choose.choices(names, weights)[0]
        who, other, number = choose.randrange(len(logins)), choose.randrange(3), choose.randrange(1000)
        # In half of the schedules a session is begun only when nothing is under way: in the others many come to a crossing,
        # where libotr and this library go different ways.
        if seed % 2 and kind in ("query", "hostile", "restart"):
            actions.append(["pump"])
        actions.append([kind, who, other, number])
    return [list(logins), policies, actions]


def script(plan):
    """The script of a plan, as scenarios are."""
    logins, policies, actions = plan

    def run(w):
        for account, policy in zip(logins, policies):
            w.user(account, policy=policy)
        for action in actions:
            act(w, *(action + [0, 0, 0])[:4])
    return run


def act(w, kind, who, other, number):
    user = w.users[who % len(w.users)]
    others = [u.account for u in w.users if u.account != user.account]
    user.to = to = others[other % len(others)]
    at = number % len(w.wires) if w.wires else 0
    if kind == "send":
        # Without a session libotr has no recent instance, and crashes.
        instance = (BEST, BEST, BEST, MASTER, RECENT_RECEIVED if user.private() else BEST)[number % 5]
        user.send(TEXTS[number // 10 % len(TEXTS)] if number % 3 == 0 else "text", instance=instance,
                  fragments=(SKIP, ALL, ALL_BUT_LAST, SKIP)[number // 7 % 4])
    elif kind == "query":
        user.send("?OTR?")
    elif kind == "pump":
        w.pump(60)
    elif kind == "deliver" and w.wires:
        w.deliver(at if number % 3 == 0 else 0)
    elif kind == "drop" and w.wires:
        w.wires.pop(at)
    elif kind == "again" and w.wires:
        w.wires.insert(at, w.wires[at])
    elif kind in ("corrupt", "cut") and w.wires:
        w.deliver(at, message=damaged(w.wires[at].message, kind, number))
    elif kind == "hostile":
        user.recv(HOSTILE[number % len(HOSTILE)])
    elif kind == "smp":
        user.smp("secret", "question" if number % 2 else None)
    elif kind == "respond":
        # Only who was asked may answer: libotr crashes otherwise.
        for name, fields in user.fields.items():
            if name != "us" and fields["secret"] == "1" and fields["next"] == "0" and fields["prog"] == "0":
                peer, _, instance = name.partition("/")
                user.respond("secret" if number % 3 else "other", to=peer, instance=int(instance, 16))
                break
    elif kind == "abort":
        user.abort()
    elif kind == "close":
        user.close(instance=None if number % 2 else BEST)
    elif kind == "policy":
        user.set(policy=POLICIES[number % len(POLICIES)])
    elif kind == "key":
        user.call("files", "readkeys", w.pool.key(user.account, number % 2))
    elif kind == "clock":
        w.clock((1, 5, 30, 59, 61, 61, 200)[number % 7])
    elif kind == "poll":
        user.poll()
    elif kind == "symkey":
        user.symkey()
    elif kind == "trust":
        user.context("trust", 0, to_hex("verified" if number % 2 else ""), instance=MASTER)
    elif kind in ("plaintext", "finish"):
        user.context(kind)
    elif kind == "mms":
        user.set(mms=(0, 0, 250, 400)[number % 4])
    elif kind == "restart":
        restart(w, user)


def restart(w, user):
    """The client of this user is started anew, with the keys and tags that it had."""
    w.say(f"{user.name}> starts anew")
    w.begin(user, more=50)
    user.set(policy=user.policy)


def damaged(message, kind, number):
    """A message with a changed byte, or cut off."""
    if not message:
        return b"?OTR:"
    if message.startswith(b"?OTR:") and b"." in message and number % 5:
        try:
            data = bytearray(base64.b64decode(message[5:message.index(b".")], validate=True))
        except ValueError:
            return message[:-1]
        place = number * len(data) // 1000
        if kind == "cut":
            del data[place:]
        else:
            data[place] ^= 1 << number % 8
        return b"?OTR:" + base64.b64encode(bytes(data)) + b"."
    place = number * len(message) // 1000
    return message[:place] if kind == "cut" else message[:place] + b"#" + message[place + 1:]


def shrink(plan, fails):
    """A shorter plan that still fails."""
    logins, policies, actions = plan
    size = max(1, len(actions) // 2)
    while size:
        start = 0
        while start < len(actions):
            shorter = actions[:start] + actions[start + size:]
            if fails([logins, policies, shorter]):
                actions = shorter
            else:
                start += size
        size //= 2
    return [logins, policies, actions]
