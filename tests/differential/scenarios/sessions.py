"""The life of a session: heartbeats, texts that are sent again, errors, the end."""

from steps import *


def session_lost(w):
    """one side forgets the session and the other goes on, with and without starting again by itself."""
    for policy in (V2, V3, V2 | ERROR_STARTS, V3 | ERROR_STARTS, ALWAYS, OPPORTUNISTIC):
        alice, bob = in_session(w, policy)
        talk(w)
        bob.context("plaintext")
        w.clock(10)
        alice.send("lost")
        w.pump()
        talk(w)
        w.clock(100)
        talk(w)
        bob.context("plaintext")
        bob.send("plain")
        w.pump()
        talk(w)
        fresh(w)


def heartbeats(w):
    """heartbeats after a minute, and not before."""
    for policy in (V2, V3):
        alice, bob = in_session(w, policy)
        talk(w)
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
        fresh(w)


def heartbeats_and_logged_in(w):
    """whether the other side is there, and what that changes."""
    for logged_in in (1, 0, -1):
        alice, bob = w.users or w.pair(OPPORTUNISTIC)
        alice.set(logged_in=logged_in)
        bob.set(logged_in=logged_in)
        alice.send("hello")
        w.pump()
        talk(w)
        w.clock(61)
        talk(w)
        bob.close()
        w.pump()
        start(w)
        fresh(w)


def resend(w):
    """the last text is sent again, when the exchange is young."""
    for seconds in (1, 59, 60, 61, 1000):
        for policy in (V2 | ERROR_STARTS, V3 | ERROR_STARTS, V23):
            alice, bob = in_session(w, policy)
            alice.send("lost text")
            w.wires.clear()
            w.clock(seconds)
            bob.context("plaintext")
            alice.recv("?OTR Error: you sent something that I cannot read")
            w.pump()
            talk(w)
            fresh(w)


def resend_required(w):
    """a text that waited is sent again, once."""
    for seconds in (1, 59, 61, 1000):
        alice, bob = w.users or w.pair(ALWAYS)
        alice.send("waits")
        alice.send("waits, too")
        w.clock(seconds)
        w.pump()
        talk(w)
        start(w)
        fresh(w)


def resend_prefix(w):
    """the words before a text that is sent again."""
    for results, ops in ((0, 0), (4, 0), (0, 1 << 16), (0, 1 << 17)):
        alice, bob = w.users or w.pair(V3 | ERROR_STARTS)
        alice.set(null_results=results, null_ops=ops)
        start(w)
        alice.send("lost text")
        w.wires.clear()
        bob.context("plaintext")
        alice.recv("?OTR Error: unreadable")
        w.pump()
        fresh(w)


def empty_text_not_resent(w):
    """an empty internal message is the last one when the session is lost."""
    alice, bob = w.session(V2 | ERROR_STARTS)
    talk(w)
    alice.smp("secret")
    w.wires.clear()
    bob.context("plaintext")
    alice.recv("?OTR Error: unreadable")
    w.pump()


def resend_to_another_key(w):
    """another key answers when a text is due to be sent again."""
    alice, bob = w.session(V2 | ERROR_STARTS)
    alice.send("for one key alone")
    w.wires.clear()
    bob.context("plaintext")
    bob.call("files", "readkeys", w.pool.key("bob", 1))
    alice.recv("?OTR Error: unreadable")
    w.pump()


def finished(w):
    """everything in a finished session."""
    for fragments in (SKIP, ALL_BUT_FIRST, ALL_BUT_LAST):
        alice, bob = w.users or w.pair(V3)
        start(w)
        bob.close()
        w.pump()
        alice.send("one", fragments=fragments)
        alice.send("two", fragments=fragments)
        alice.send("?OTR?", fragments=fragments)
        w.wires.clear()
        alice.smp("secret")
        alice.abort()
        alice.symkey()
        alice.recv("plain")
        alice.recv("?OTR Error: hm")
        alice.poll()
        alice.close()
        alice.send("plain")
        w.pump()
        fresh(w)


def finished_and_all_sent(w):
    """a text in a finished session, when the library sends."""
    alice, bob = w.session(V3)
    bob.close()
    w.pump()
    alice.send("text", fragments=ALL)
    w.pump()


def both_close(w):
    """both close at once, and once more."""
    for policy in (V2, V3):
        alice, bob = in_session(w, policy)
        alice.close()
        bob.close()
        w.pump()
        alice.close()
        bob.close(instance=MASTER)
        w.pump()
        talk(w)


def forced_states(w):
    """the client forces states."""
    alice, bob = w.session(V3)
    talk(w)
    for what in ("finish", "plaintext", "plaintext", "finish"):
        alice.context(what)
        alice.send(f"after {what}")
        w.pump()
        bob.send("from bob")
        w.pump()
    alice.context("plaintext")
    start(w)
    talk(w)
    alice.context("finish", instance=MASTER)
    talk(w)


def errors(w):
    """error messages, with and without restarting."""
    for policy in (V23, V23 | ERROR_STARTS, V2 | ERROR_STARTS, V3 | ERROR_STARTS, 0, ERROR_STARTS, ALWAYS):
        alice, bob = w.users or w.pair()
        alice.set(policy=policy)
        for text in ("?OTR Error: something", "?OTR Error:", "?OTR Error", "?OTR Error:x", "?OTR Error: ?OTR Error: y",
                     "?OTR Error: ?OTRv2?", "?OTR error: x", " ?OTR Error: z", "?OTR Error:" + TAG + TAG_V2):
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
        fresh(w)


def error_texts(w):
    """what goes out when a message cannot be read, by what the client says."""
    for results, ops in ((0, 0), (0, 1 << 14), (0, 1 << 15)):
        alice, bob = w.users or w.pair(V3)
        bob.set(null_results=results, null_ops=ops)
        start(w)
        alice.send("text")
        data = bytearray(decoded(w.take()))
        data[-40] ^= 1
        bob.recv(encoded(bytes(data)))
        bob.recv(encoded(bytes(data[:-40])))
        bob.recv(encoded(bytes(data[:14])))
        w.wires.clear()
        bob.context("plaintext")
        bob.recv(encoded(bytes(data)))
        w.pump()
        fresh(w)


def polling(w):
    """unfinished exchanges expire."""
    for policy in (V2, V3):
        alice, bob = both(w, policy)
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
            talk(w)
            fresh(w)


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
        talk(w)
        fresh(w)


def late_answer_without_polling(w):
    """an answer comes after a minute, to a client that does not poll."""
    alice, bob = w.pair(V3)
    alice.recv("?OTRv23?")
    w.clock(61)
    w.pump()


def heartbeat_conditions(w):
    """what is answered with a heartbeat after a minute, and what is not."""
    w.pair()
    for policy in (V2, V3, V2 | REQUIRE):
        for what in ("empty", "record", "unreadable", "error", "plain", "query", "smp", "symkey", "text", "close"):
            w.say(f"> {what}")
            alice, bob = in_session(w, policy)
            talk(w)
            alice.send("unreadable")
            data = bytearray(decoded(w.take()))
            data[-40] ^= 1
            w.clock(61)
            if what == "empty":
                alice.send("")
            elif what == "record":
                alice.send("", tlvs=b"\0\x09\0\x01x")
            elif what == "unreadable":
                bob.recv(encoded(bytes(data)))
            elif what == "error":
                bob.recv("?OTR Error: x")
            elif what == "plain":
                bob.recv("plain")
            elif what == "query":
                start(w)
            elif what == "smp":
                alice.smp("secret")
            elif what == "symkey":
                alice.symkey()
            elif what == "text":
                alice.send("text")
            else:
                alice.close()
            w.pump()
            talk(w)
            w.clock(61)
            talk(w)
            w.anew()


def resend_to_a_trusted_key(w):
    """a text is sent again to another key, which the user trusts."""
    alice, bob = w.session(V2 | ERROR_STARTS)
    bob.call("files", "readkeys", w.pool.key("bob", 1))
    bob.send("?OTR?")
    w.pump()
    for number in (0, 1):
        alice.context("trust", number, to_hex("verified"))
    bob.call("files", "readkeys", w.pool.key("bob", 0))
    bob.send("?OTR?")
    w.pump()
    alice.send("for whoever is trusted")
    w.wires.clear()
    bob.context("plaintext")
    bob.call("files", "readkeys", w.pool.key("bob", 1))
    alice.recv("?OTR Error: unreadable")
    w.pump()
    talk(w)


def resent_more_than_once(w):
    """a text is lost again when it is sent again, and others follow it."""
    for policy in (V2 | ERROR_STARTS, V3 | ERROR_STARTS, ALWAYS):
        alice, bob = in_session(w, policy)
        alice.send("lost text")
        for _ in range(3):
            w.wires.clear()
            bob.context("plaintext")
            alice.recv("?OTR Error: unreadable")
            for _ in range(4):
                w.deliver()
        w.pump()
        alice.send("one")
        alice.send("two")
        w.wires.clear()
        bob.context("plaintext")
        alice.send("three")
        w.pump()
        talk(w)
        fresh(w)


def restarted(w):
    """a client ends and starts anew, with the fingerprints that it wrote."""
    for policy in (V2, V3 | ERROR_STARTS, ALWAYS):
        alice, bob = in_session(w, policy)
        talk(w)
        path = w.pool.directory / f"{os.getpid()}.prints"
        alice.context("trust", 0, to_hex("verified"), instance=MASTER)
        alice.call("files", "writeprints", path)
        w.say("> alice starts anew")
        alice.ask("user", "alice", 77)
        alice.set(policy=policy)
        alice.call("files", "readkeys", w.pool.key("alice", 0))
        alice.call("files", "readtags", w.pool.tag("alice", 0))
        alice.call("files", "readprints", path)
        path.unlink()
        bob.send("to one who has forgotten")
        w.pump()
        talk(w)
        start(w)
        talk(w)
        fresh(w)


def resent_by_who_began(w):
    """a text waits for a session that its sender begins himself."""
    w.pair()
    for policy in (V1 | REQUIRE, V2 | REQUIRE, V3 | REQUIRE):
        for lost in (False, True):
            alice, bob = both(w, policy)
            if lost:
                start(w)
                alice.send("lost")
                alice.recv("?OTR Error: unreadable")
            else:
                alice.send("waits")
            w.wires.clear()
            bob.send("?OTR?")
            w.pump()
            w.anew()
