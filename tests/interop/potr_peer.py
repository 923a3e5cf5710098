"""python-potr, an independent implementation of OTR version 2, with the interface of peers.Peer.

potr was written for PyCrypto. This module replaces its DSA and AES objects: DSA by plain arithmetic on the numbers, AES by
pycryptodome, which Debian packages under the name Cryptodome.
"""

import logging
import secrets

from Cryptodome.Cipher import AES
from Cryptodome.PublicKey import DSA
from potr import context as potr_context
from potr import crypt, proto
from potr.compatcrypto import common, pycrypto
from potr.utils import bytes_to_long, read_mpi

from peers import Peer, Stranger, to_hex

# What potr calls the bits of libotr's policies. It starts a session for every whitespace tag.
POLICY = {"ALLOW_V2": 0x02, "REQUIRE_ENCRYPTION": 0x08, "SEND_TAG": 0x10}


def aes_ctr(key, counter=0):
    prefix = counter if isinstance(counter, int) else counter.prefix
    return AES.new(key, AES.MODE_CTR, nonce=prefix.to_bytes(8, "big"), initial_value=0)


class Key(common.PK):
    """A DSA key: p, q, g, y and perhaps x."""

    keyType = 0x0000

    def __init__(self, numbers):
        self.p, self.q, self.g, self.y = numbers[:4]
        self.x = numbers[4] if len(numbers) > 4 else None

    def getPublicPayload(self):
        return (self.p, self.q, self.g, self.y)

    def getPrivatePayload(self):
        return (self.p, self.q, self.g, self.y, self.x)

    def fingerprint(self):
        return crypt.SHA1(self.getSerializedPublicPayload())

    def sign(self, data):
        k = secrets.randbelow(self.q - 1) + 1
        r = pow(self.g, k, self.p) % self.q
        s = pow(k, -1, self.q) * (bytes_to_long(data) + self.x * r) % self.q
        return r.to_bytes(20, "big") + s.to_bytes(20, "big")

    def verify(self, data, signature):
        r, s = bytes_to_long(signature[:20]), bytes_to_long(signature[20:])
        if not (0 < r < self.q and 0 < s < self.q):
            return False
        w = pow(s, -1, self.q)
        u1, u2 = bytes_to_long(data) * w % self.q, r * w % self.q
        return pow(self.g, u1, self.p) * pow(self.y, u2, self.p) % self.p % self.q == r

    def __hash__(self):
        return bytes_to_long(self.fingerprint())

    def __eq__(self, other):
        return isinstance(other, Key) and self.fingerprint() == other.fingerprint()

    @classmethod
    def generate(cls):
        key = DSA.generate(1024)
        return cls([int(n) for n in (key.p, key.q, key.g, key.y, key.x)])

    @classmethod
    def parsePayload(cls, data, private=False):
        numbers = []
        for _ in range(5 if private else 4):
            number, data = read_mpi(data)
            numbers.append(number)
        return cls(numbers), data


def install():
    logging.getLogger("potr").setLevel(logging.CRITICAL)
    pycrypto.AESCTR = aes_ctr
    crypt.AESCTR = aes_ctr
    common.pkTypes[0x0000] = Key


class Context(potr_context.Context):
    def getPolicy(self, key):
        return bool(self.user.peer.policy & POLICY.get(key, 0))

    def inject(self, msg, appdata=None):
        self.user.peer.outbox.append((self.peer, bytes(msg)))


class Account(potr_context.Account):
    contextclass = Context

    def __init__(self, peer, key):
        super().__init__(peer.name, "prpl-interop", 0, key)
        self.peer = peer

    def loadPrivkey(self):
        return self.privkey

    def savePrivkey(self):
        pass

    def saveTrusts(self):
        pass


class PotrPeer(Stranger):
    """The same words as peers.Peer, for potr, and what happens told in the same way."""

    versions = (2,)
    label = "potr"
    # potr asks for a session when a text must not go out in the clear, but forgets the text.
    sends_held_back = False
    # It answers an unequal secret with an abort.
    tells_unequal = False
    has_extra_key = False
    key = None

    def __init__(self, name, policy):
        install()
        self.name = name
        self.policy = policy
        self.outbox, self.shown, self.log = [], [], []
        if PotrPeer.key is None:
            PotrPeer.key = Key.generate()
        self.account = Account(self, PotrPeer.key)

    def context(self, other):
        return self.account.getContext(other)

    def command(self, line):
        word, number = line.split()
        if word == "mms":
            self.account.maxMessageSize = int(number)
        elif word == "policy":
            self.policy = int(number)
        else:
            raise ValueError(f"potr knows no {word}")

    def send(self, to, text):
        try:
            rest = self.context(to).sendMessage(potr_context.FRAGMENT_SEND_ALL, text.encode())
        except potr_context.NotEncryptedError:
            self.log.append(["refused", "finished"])
            return
        if rest is not None:
            self.outbox.append((to, bytes(rest)))

    def send_tlv(self, to, text, tlvs):
        """A text with a raw chain of TLV bytes behind it, which may be broken."""

        class Raw:
            def __bytes__(self):
                return tlvs

        self.context(to).sendMessage(potr_context.FRAGMENT_SEND_ALL, text, tlvs=[Raw()])

    def recv(self, sender, wire):
        try:
            text, tlvs = self.context(sender).receiveMessage(wire)
            if text:
                self.shown.append(text)
            for tlv in tlvs:
                self.tell(self.context(sender), tlv)
        except potr_context.NotOTRMessage as plain:
            self.shown.append(bytes(plain.args[0]))
        except (potr_context.UnencryptedMessage, potr_context.NotEncryptedError, potr_context.ErrorReceived,
                crypt.InvalidParameterError) as error:
            self.log.append(["error", type(error).__name__])

    def tell(self, context, tlv):
        if isinstance(tlv, proto.DisconnectTLV):
            self.log.append(["tlv", "1", "0"])
        elif isinstance(tlv, proto.SMP1QTLV):
            self.log.append(["smp", "4", "25", to_hex(tlv.msg)])
        elif isinstance(tlv, proto.SMP1TLV):
            self.log.append(["smp", "5", "25", "-"])
        elif isinstance(tlv, proto.SMPABORTTLV):
            self.log.append(["smp", "2", "0", "-"])
        elif isinstance(tlv, (proto.SMP3TLV, proto.SMP4TLV)):
            events = {crypt.SMPPROG_SUCCEEDED: "7", crypt.SMPPROG_FAILED: "8", crypt.SMPPROG_CHEATED: "3"}
            self.log.append(["smp", events[context.crypto.smp.prog], "100", "-"])

    def smp(self, to, secret, question=None):
        self.context(to).smpInit(secret.encode(), question.encode() if question is not None else None)

    def respond(self, to, secret):
        self.context(to).smpGotSecret(secret.encode())

    def abort(self, to):
        self.context(to).smpAbort()

    def close(self, to):
        self.context(to).disconnect()

    def state(self, other):
        context = self.context(other)
        key, private = context.getCurrentKey(), context.state == potr_context.STATE_ENCRYPTED
        states = {potr_context.STATE_PLAINTEXT: 0, potr_context.STATE_ENCRYPTED: 1, potr_context.STATE_FINISHED: 2}
        return {"msgstate": states[context.state], "version": 2 if private else 0,
                "print": key.cfingerprint() if key else "-", "session": context.crypto.sessionId.hex() if private else "-",
                "own": self.key.cfingerprint()}

    private, saw, forget = Peer.private, Peer.saw, Peer.forget

    def quit(self):
        pass

    kill = quit
