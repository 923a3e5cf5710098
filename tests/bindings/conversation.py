"""A conversation of two users in one process, by the binding of binding.py:   conversation.py LIBRARY DIRECTORY

Prints a line of TAP for each check, and a comment for each callback; the comments are the same with any libotr."""

import ctypes
import sys
import threading
from ctypes import POINTER, byref, c_char_p, c_ubyte, c_void_p, cast, pointer, string_at

sys.dont_write_bytecode = True

import binding
from binding import CALLBACKS, TYPES, Context, Ops, Tlv

PROTOCOL = b"prpl-ctypes"
MASTER, BEST = 0, 1
POLICY_MANUAL = 0x02 | 0x04
SEND_SKIP, SEND_ALL = 0, 1
SMP = {0: "none", 1: "error", 2: "abort", 3: "cheated", 4: "asks for the answer", 5: "asks for the secret", 6: "in progress",
       7: "success", 8: "failure"}

checks = []


def ok(good, what):
    checks.append(bool(good))
    print(f"{'ok' if good else 'not ok'} - {what}")


class User:
    """A user state, and its callbacks, whose methods below are called by the library."""

    def __init__(self, otr, name, other, directory):
        self.otr, self.name, self.other, self.directory = otr, name, other, directory
        self.us = otr.otrl_userstate_create()
        self.outbox, self.shown, self.smp, self.keys, self.lent = [], [], [], [], {}
        self.mms = 0
        self.throws = False
        # ctypes forgets a callback that nobody else holds.
        self.held = {name: TYPES[name](getattr(self, name, None) or self.told(name)) for name in CALLBACKS}
        self.ops = Ops(**self.held)

    def file(self, kind):
        return f"{self.directory}/{self.name.decode()}.{kind}".encode()

    def say(self, what):
        print(f"# {self.name.decode()}: {what}")

    def told(self, name):
        return lambda *_: self.say(name)

    # Callbacks, in the order of OtrlMessageAppOps. Those that are left out are only told.

    def policy(self, opdata, context):
        assert opdata == 77 and context_at(context).username == self.other
        return POLICY_MANUAL

    def create_privkey(self, _, account, protocol):
        self.say("create_privkey")
        ok(self.otr.otrl_privkey_generate(self.us, self.file("keys"), account, protocol) == 0, "a key is made inside a callback")

    def is_logged_in(self, *_):
        return 1

    def inject_message(self, _, account, protocol, recipient, message):
        assert (account, protocol, recipient) == (self.name, PROTOCOL, self.other)
        self.outbox.append(message)

    def new_fingerprint(self, _, us, account, protocol, username, fingerprint):
        self.say("new_fingerprint")
        assert us == self.us and username == self.other
        self.fingerprint = bytes(fingerprint[:20])

    def gone_secure(self, _, context):
        self.say(f"gone_secure, version {context_at(context).protocol_version}")

    def still_secure(self, _, context, is_reply):
        self.say(f"still_secure {is_reply}")

    def max_message_size(self, _, context):
        return self.mms

    def lend(self, text):
        space = ctypes.create_string_buffer(text)
        self.lent[ctypes.addressof(space)] = space
        return ctypes.addressof(space)

    def give_back(self, address):
        del self.lent[address]

    def account_name(self, _, account, protocol):
        return self.lend(account)

    def account_name_free(self, _, address):
        self.give_back(address)

    def received_symkey(self, _, context, use, data, length, key):
        self.say(f"received_symkey {use} {string_at(data, length)}")
        self.keys.append(bytes(key[:32]))

    def otr_error_message(self, _, context, code):
        self.say(f"otr_error_message {code}")
        return self.lend(b"an error")

    def otr_error_message_free(self, _, address):
        self.give_back(address)

    def resent_msg_prefix(self, _, context):
        return self.lend(b"[again]")

    def resent_msg_prefix_free(self, _, address):
        self.give_back(address)

    def handle_smp_event(self, _, event, context, percent, question):
        self.say(f"SMP {SMP[event]}, {percent} per cent, question {question}")
        self.smp.append(SMP[event])
        if self.throws:
            raise RuntimeError("thrown in a callback")

    def handle_msg_event(self, _, event, context, message, error):
        self.say(f"message event {event} {message}")

    def create_instag(self, _, account, protocol):
        self.say("create_instag")
        self.otr.otrl_instag_generate(self.us, self.file("tags"), account, protocol)

    def convert_msg(self, _, context, kind, destination, source):
        text = source.replace(b":-)", b"smile") if kind == 0 else source.replace(b"smile", b":-)")
        destination[0] = self.lend(text)

    def convert_free(self, _, context, address):
        self.give_back(address)

    # What a client does.

    def context(self):
        return self.otr.otrl_context_find(self.us, self.other, self.name, PROTOCOL, BEST, 1, None, None, None)

    def send(self, text, tlvs=None):
        message, context = c_void_p(), c_void_p()
        fragments = SEND_ALL if self.mms else SEND_SKIP
        error = self.otr.otrl_message_sending(self.us, byref(self.ops), 77, self.name, PROTOCOL, self.other, BEST, text, tlvs,
                                              byref(message), fragments, byref(context), None, None)
        ok(error == 0, f"{self.name.decode()} sends {text[:20]}")
        if fragments == SEND_SKIP:
            self.outbox.append(string_at(message) if message.value else text)
        self.otr.otrl_message_free(message)

    def receive(self, wire):
        text, context, tlvs = c_void_p(), c_void_p(), POINTER(Tlv)()
        hidden = self.otr.otrl_message_receiving(self.us, byref(self.ops), 77, self.name, PROTOCOL, self.other, wire, byref(text),
                                                 byref(tlvs), byref(context), None, None)
        if not hidden:
            self.shown.append(string_at(text) if text.value else wire)
        for tlv in chain(tlvs):
            self.say(f"TLV {tlv.type}")
        self.otr.otrl_tlv_free(tlvs)
        self.otr.otrl_message_free(text)

    def respond(self, secret):
        self.otr.otrl_message_respond_smp(self.us, byref(self.ops), 77, self.context(), secret, len(secret))


def context_at(address):
    return cast(address, POINTER(Context)).contents


def chain(tlv):
    while tlv:
        yield tlv.contents
        tlv = tlv.contents.next


def pump(*users):
    while any(user.outbox for user in users):
        for user, other in (users, users[::-1]):
            if user.outbox:
                other.receive(user.outbox.pop(0))


def key_in_thread(otr, user):
    """A key made in three steps, of which another thread does the long one, as clients with windows do."""
    new = c_void_p()
    ok(otr.otrl_privkey_generate_start(user.us, user.name, PROTOCOL, byref(new)) == 0, "a new key is begun")
    thread = threading.Thread(target=otr.otrl_privkey_generate_calculate, args=(new,))
    thread.start()
    thread.join()
    ok(otr.otrl_privkey_generate_finish(user.us, new, user.file("keys")) == 0, "and made in a thread")


def private(alice, bob):
    """The fields of both contexts when there is a session."""
    a, b = alice.context().contents, bob.context().contents
    ok(a.msgstate == b.msgstate == 1 and a.protocol_version == b.protocol_version == 3, "both contexts say: encrypted, version 3")
    ok(a.sessionid_len == 8 and bytes(a.sessionid[:8]) == bytes(b.sessionid[:8]), "one session id")
    ok(a.our_instance == b.their_instance >= 0x100 and a.their_instance == b.our_instance, "the instance tags of each other")
    for user, context in ((alice, a), (bob, b)):
        ok(bytes(context.active_fingerprint.contents.fingerprint[:20]) == user.fingerprint, "the active fingerprint is the new one")
    ok(context_at(a.m_context).their_instance == MASTER and a.username == b"bob", "a child context with its master")


def own_print(otr, user):
    space = ctypes.create_string_buffer(45)
    otr.otrl_privkey_fingerprint(user.us, space, user.name, PROTOCOL)
    return space.value


def seen_print(otr, user):
    space = ctypes.create_string_buffer(45)
    otr.otrl_privkey_hash_to_human(space, (c_ubyte * 20)(*user.fingerprint))
    return space.value


def texts(alice, bob):
    for text in ("Gr\u00fc\u00dfe \U0001f600".encode(), b":-) <b>", b"x" * 5000):
        for user, other in ((alice, bob), (bob, alice)):
            other.shown.clear()
            user.send(text)
            ok(all(text not in wire for wire in user.outbox), "encrypted")
            pump(alice, bob)
            ok(other.shown == [text], "and shown as it was")


def prove(alice, bob, question, secret, answer):
    alice.smp.clear()
    bob.smp.clear()
    if question:
        alice.otr.otrl_message_initiate_smp_q(alice.us, byref(alice.ops), 77, alice.context(), question, secret, len(secret))
    else:
        alice.otr.otrl_message_initiate_smp(alice.us, byref(alice.ops), 77, alice.context(), secret, len(secret))
    pump(alice, bob)
    bob.respond(answer)
    pump(alice, bob)
    wanted = "success" if secret == answer else "failure"
    ok(alice.smp[-1] == bob.smp[-1] == wanted, f"SMP, question {question}: {wanted} for both")
    trust = alice.context().contents.active_fingerprint.contents.trust
    ok((trust == b"smp") == (secret == answer), "and trust, or none")


def converse(otr, directory):
    alice, bob = User(otr, b"alice", b"bob", directory), User(otr, b"bob", b"alice", directory)
    key_in_thread(otr, bob)
    query = otr.otrl_proto_default_query_msg(b"alice", POLICY_MANUAL)
    ok(string_at(query).startswith(b"?OTRv23?"), "a query for versions 2 and 3")
    alice.outbox.append(string_at(query))
    otr.otrl_message_free(query)
    pump(alice, bob)
    private(alice, bob)
    ok(own_print(otr, alice) == seen_print(otr, bob) and own_print(otr, bob) == seen_print(otr, alice), "fingerprints for people")
    texts(alice, bob)
    alice.mms, bob.mms = 200, 300
    texts(alice, bob)
    alice.mms = bob.mms = 0
    for question in (None, b"which?"):
        prove(alice, bob, question, b"secret", b"other")
        prove(bob, alice, question, b"secret", b"secret")
        prove(alice, bob, question, b"secret", b"secret")
    # A binding swallows what is thrown in a callback.
    seen = []
    sys.unraisablehook = lambda thrown: seen.append(str(thrown.exc_value))
    alice.throws = True
    prove(alice, bob, None, b"secret", b"secret")
    ok(set(seen) == {"thrown in a callback"}, "callbacks that throw")
    alice.throws = False
    key = (c_ubyte * 32)()
    otr.otrl_message_symkey(alice.us, byref(alice.ops), 77, alice.context(), 5, b"data", 4, key)
    pump(alice, bob)
    ok(bob.keys == [bytes(key)], "the extra symmetric key is one for both")
    data = (c_ubyte * 3)(1, 2, 3)
    alice.send(b"with a TLV of our own", pointer(Tlv(0x0123, 3, data, None)))
    pump(alice, bob)
    otr.otrl_message_poll(alice.us, byref(alice.ops), 77)
    files(otr, alice, directory)
    otr.otrl_message_disconnect(alice.us, byref(alice.ops), 77, b"alice", PROTOCOL, b"bob", alice.context().contents.their_instance)
    pump(alice, bob)
    ok(bob.context().contents.msgstate == 2, "the session is over")
    ok(not alice.lent and not bob.lent, "every text that a callback has lent was given back")
    for user in (alice, bob):
        otr.otrl_userstate_free(user.us)


def files(otr, user, directory):
    ok(otr.otrl_privkey_write_fingerprints(user.us, user.file("prints")) == 0, "fingerprints are written")
    with open(user.file("prints").decode(), "rb") as file:
        ok(file.read().split(b"\t")[:3] == [b"bob", b"alice", PROTOCOL], "for whom they should be")
    again = otr.otrl_userstate_create()
    ok(otr.otrl_privkey_read(again, user.file("keys")) == 0, "the key is read again")
    otr.otrl_userstate_free(again)


def main():
    otr = binding.load(sys.argv[1])
    ok(otr.otrl_init(4, 1, 1) == 0 and otr.otrl_version() == b"4.1.1", "libotr 4.1.1")
    converse(otr, sys.argv[2])
    print(f"1..{len(checks)}")
    return 0 if all(checks) else 1


if __name__ == "__main__":
    sys.exit(main())
