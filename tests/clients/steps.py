"""The conversation that every pair of clients has, step by step. Written once for all; steps that a client cannot do are skipped by name."""

import re
import time

from client import MESSAGE, PATIENCE, NoCommand
from pair import marker
from processes import Failure, wait_until

STEPS = []


class NotHere(Exception):
    """The network has nothing of the kind; the text says what."""


def step(name):
    """Registers a function of a Pair. They are run in this order, each in the state in which the last one has left things."""
    def register(function):
        STEPS.append((name, function))
        return function
    return register


def require(condition, otherwise):
    if not condition:
        raise Failure(otherwise)


@step("start, each on the library that is meant, and no other")
def start(pair):
    for client in pair.clients:
        client.start()
        pair.require_mapped(client)


@step("make a key")
def keys(pair):
    for client in pair.clients:
        client.generate_key()
    for client in pair.clients:
        client.without_session()
    try:
        mine = [client.own_fingerprint() for client in pair.clients]
    except NoCommand:
        # The client says that it has made one, and shows it later.
        return
    require(all(mine) and mine[0] != mine[1], f"the fingerprints of their keys are {mine}")


@step("A starts a session; before it, what is said can be read on the wire")
def a_starts(pair):
    if pair.driver.OPPORTUNISTIC:
        word = marker("plain")
        pair.secure(lambda: pair.say(pair.alice, pair.bob, word, word, secret=False))
        pair.talk()
        return
    for speaker, listener in (pair.clients, pair.clients[::-1]):
        word = marker("plain")
        pair.say(speaker, listener, word, word, secret=False)
    pair.secure(pair.alice.start_session)
    pair.talk()


@step("each sees the other's fingerprint, and does not trust it yet")
def fingerprints(pair):
    for one, other in (pair.clients, pair.clients[::-1]):
        seen, own = one.their_fingerprint(), other.own_fingerprint()
        require(seen == own, f"{one.user} sees {other.user}'s fingerprint as {seen}, and it is {own}")
        require(not one.is_trusted(), f"{one.user} trusts a key that nobody has verified")


def both_say(pair, make):
    """make(word): a text with that word in it. Both say one."""
    for speaker, listener in (pair.clients, pair.clients[::-1]):
        word = marker()
        pair.say(speaker, listener, make(word), word)


@step("talk: UTF-8")
def utf8(pair):
    both_say(pair, lambda word: f"{word} Grüße, Ζεύς & Ἥρα, Щука, 日本語, zażółć")


@step("talk: HTML")
def html(pair):
    both_say(pair, lambda word: f"<b>{word}</b> a &amp; b &lt; c <a href=\"http://example.org/?a=1&b=2\">x</a> 1 < 2 > 0")


@step("talk: a long text")
def long_text(pair):
    both_say(pair, lambda word: word + "".join(f" {n:05}ß" for n in range(pair.driver.LONG // 8)) + " end")


@step("talk: an empty text does no harm")
def empty(pair):
    for speaker, listener in (pair.clients, pair.clients[::-1]):
        mark = listener.mark()
        word = marker()
        speaker.say("")
        pair.say(speaker, listener, word, word)
        got = [text for kind, text in listener.events()[mark:] if kind == MESSAGE and text.strip()]
        require(len(got) == 1 and listener.same(got[0], word), f"{listener.user} was shown {got}")


def compare(pair, asker, answerer, secrets, question=None):
    """An SMP; whether it succeeded for both."""
    equal = secrets[0] == secrets[1]
    marks = {client: client.mark() for client in pair.clients}
    if question:
        asker.smp_question(question, secrets[0])
    else:
        asker.smp_secret(secrets[0])
    asked = answerer.wait_for_word("smp asked", marks[answerer])
    if question:
        wait_until(lambda: question in asked or any(question in text for _, text in answerer.events()[marks[answerer]:]), 30 * PATIENCE,
                   f"{answerer.user} was not shown the question")
        answerer.smp_answer(secrets[1])
    else:
        answerer.smp_reply(secrets[1])
    for client in pair.clients:
        client.wait_for_word("smp succeeded" if equal else "smp failed", marks[client], 60)
    require(asker.is_trusted() == equal, f"after {'' if equal else 'un'}equal secrets {asker.user} "
            f"{'does not trust' if equal else 'trusts'} the key")
    pair.talk()


@step("SMP with a question by A, wrong answer: both are told that it failed")
def question_wrong(pair):
    compare(pair, pair.alice, pair.bob, ("mill", "well"), "where?")


@step("SMP with a question by A, right answer: A trusts the key")
def question_right(pair):
    compare(pair, pair.alice, pair.bob, ("mill", "mill"), "where?")


@step("SMP with a question by B, wrong answer: both are told that it failed")
def question_wrong_b(pair):
    compare(pair, pair.bob, pair.alice, ("mill", "well"), "when?")


@step("SMP with a question by B, right answer: B trusts the key")
def question_right_b(pair):
    compare(pair, pair.bob, pair.alice, ("mill", "mill"), "when?")


@step("SMP by shared secret, unequal: both are told that it failed, and A trusts nobody")
def secret_unequal(pair):
    compare(pair, pair.alice, pair.bob, ("tomorrow", "today"))


@step("SMP by shared secret, equal: both are told that it succeeded")
def secret_equal(pair):
    compare(pair, pair.alice, pair.bob, ("Käsefuß-23", "Käsefuß-23"))


@step("SMP by shared secret, begun by B, unequal")
def secret_unequal_b(pair):
    compare(pair, pair.bob, pair.alice, ("tomorrow", "today"))


@step("take trust away, and verify by fingerprint")
def verify(pair):
    for client in pair.clients:
        try:
            client.distrust()
            require(not client.is_trusted(), f"{client.user} still trusts the key after taking trust away")
        except NoCommand:
            pass
        client.trust()
        require(client.is_trusted(), f"{client.user} does not trust a key that was verified")
    pair.talk()


@step("a message in the clear during a session: shown, with a warning")
def clear_inside(pair):
    for speaker, listener in (pair.clients, pair.clients[::-1]):
        word = marker("clear")
        mark = listener.mark()
        pair.in_the_clear(speaker, word)
        listener.wait_for_word("in the clear", mark)
        require(any(word in text for _, text in listener.events()[mark:]), f"{listener.user} was not shown the message itself")
    pair.talk()


@step("A ends the session: B is told, and what B says then does not go out unnoticed in the clear")
def ends(pair):
    mark = pair.bob.mark()
    pair.alice.end_session()
    pair.bob.wait_for_word("ended by other", mark)
    word = marker("after")
    mark = pair.bob.mark()
    pair.bob.say(word)
    if pair.driver.CLEAR_AFTER_END:
        # This client shows that the conversation is in the clear now, and so it is.
        mark = pair.alice.mark()
        pair.bob.say(word)
        pair.alice.wait_for_message(word, mark)
    else:
        if "not sent" in pair.driver.WORDS:
            pair.bob.wait_for_word("not sent", mark)
        else:
            # It is silent. What is said after B has put an end to it too goes out in the clear, and comes later.
            pair.bob.end_session()
            later = marker("plain")
            pair.say(pair.bob, pair.alice, later, later, secret=False)
        require(not pair.on_the_wire(word), "what B said after the end went out in the clear")


@step("B starts a session; trust is still there")
def b_starts(pair):
    if not pair.driver.CLEAR_AFTER_END:
        pair.bob.end_session()
    pair.secure(pair.bob.start_session)
    for client in pair.clients:
        require(client.is_trusted(), f"{client.user} does not trust a key that was verified in the session before")
    pair.talk()


@step("restart A: the same key, and trust is still there")
def restart(pair):
    before = pair.alice.own_fingerprint()
    another_second()
    pair.alice.quit()
    pair.alice.start()
    pair.require_mapped(pair.alice)
    after = pair.alice.own_fingerprint()
    require(before == after, f"A's fingerprint was {before} before the restart, and is {after}")
    pair.secure(pair.alice.start_session)
    for client in pair.clients:
        require(client.is_trusted(), f"{client.user} does not trust the key after the restart")
    pair.talk()


def another_second():
    """Let the clock go on by more than a second. A client that has lost its instance tag is another instance when it comes back, and
    libotr takes the instance that was heard last for the best, to the second."""
    begun = time.time()
    wait_until(lambda: time.time() > begun + 1.1, 10, "the clock stands still")


def crash(pair, survivor, crashed):
    """A power cut for the one; the other talks on, and begins a new session then."""
    told = survivor.mark()
    another_second()
    crashed.kill()
    crashed.start()
    pair.require_mapped(crashed)
    word = marker("lost")
    mark = crashed.mark()
    if pair.driver.ENDS_WHEN_OFFLINE:
        # The survivor was told that the session is over, which it is, and goes on in the clear.
        survivor.wait_for_word("ended by other", told)
        survivor.say(word)
        crashed.wait_for_message(word, mark)
    else:
        survivor.say(word)
        # libotr says nothing of a message for a version 3 instance that it does not know.
        if pair.on_ours(crashed) and not pair.driver.TAG_LOST_IN_CRASH:
            crashed.wait_for_word("unreadable", mark)
    pair.secure(survivor.renew)
    require(pair.driver.ENDS_WHEN_OFFLINE or not pair.on_the_wire(word), "what was said to nobody went out in the clear")
    for client in pair.clients:
        if client is crashed and pair.driver.TRUST_LOST_IN_CRASH:
            client.trust()
        require(client.is_trusted(), f"{client.user} does not trust the key after the crash")
    pair.talk()


@step("B's client crashes while A talks: nothing goes out in the clear unnoticed, and A begins a new session")
def crash_of_b(pair):
    crash(pair, pair.alice, pair.bob)


@step("A's client crashes while B talks: the same, and B begins a new session")
def crash_of_a(pair):
    crash(pair, pair.bob, pair.alice)


@step("B is logged in twice: a session with the second login, then again with the first")
def twice(pair):
    if pair.driver.NETWORK == "irc":
        raise NotHere("IRC knows one login for each nick")
    pair.second = second = pair.make("bob", "alice", 1, "bob-again")
    second.start()
    pair.require_mapped(second)
    second.generate_key()
    begun = [client.mark() for client in (pair.alice, pair.bob, second)]
    second.start_session()
    try:
        pair.alice.wait_for_word("secure", begun[0], 20)
        second.wait_for_word("secure", begun[2], 20)
    except Failure:
        # In version 2 both logins may have answered at once, and undone each other's exchange. Users try once more.
        second.renew()
        pair.alice.wait_for_word("secure", begun[0], 60)
        second.wait_for_word("secure", begun[2], 60)
    word = marker("second")
    pair.say(second, pair.alice, word, word)
    # Which of the two logins gets the answer is for the client and the server to say. One of them reads it, or has been told (once)
    # that there are messages for another.
    word = marker("answer")
    pair.alice.say(word)
    other = pair.driver.WORDS.get("for another login", "$^")
    wait_until(lambda: any(word in text if kind == MESSAGE else re.search(other, text)
                           for client, mark in zip((pair.bob, second), begun[1:]) for kind, text in client.events()[mark:]),
               30 * PATIENCE, "what A said was read by neither of B's logins")
    require(not pair.on_the_wire(word), "what A said went over the wire in the clear")
    seen, keys = pair.alice.their_fingerprint(), [client.own_fingerprint() for client in (pair.bob, second)]
    require(seen in keys, f"A sees {seen}, which is the key of neither of B's logins: {keys}")
    second.quit()
    pair.second = None
    pair.secure(pair.bob.renew)
    pair.talk()


@step("quit, in good order")
def quit_both(pair):
    for client in pair.clients:
        client.quit()
