"""Input for the programs: conversations recorded between peers with libotr and potr, and damaged copies of them."""

import base64
import hashlib
import hmac
import os
import random
import struct
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INTEROP = ROOT / "tests" / "interop"
sys.path.insert(0, str(INTEROP))

import potr_peer  # noqa: E402
from peers import Peer, pump  # noqa: E402

# libotr's policies: versions, and what starts a session.
V1, V2, V3, TAG, TAG_STARTS = 0x01, 0x02, 0x04, 0x10, 0x20


class Recorder:
    """Carries messages between peers, and notes what went over the wire."""

    def __init__(self):
        self.wire = []

    def pump(self, *peers):
        """As peers.pump."""
        taps = [(peer, peer.recv) for peer in peers]
        for peer, receive in taps:
            def tapped(sender, wire, receive=receive):
                self.wire.append(wire)
                receive(sender, wire)
            peer.recv = tapped
        finished = pump(*peers)
        for peer, receive in taps:
            peer.recv = receive
        return finished


def libotr_conversations(prefix, work):
    """What two peers on the library under test write in each version: a dictionary of lists of messages."""
    program = os.path.join(work, "peer")
    subprocess.run(["cc", "-O1", "-std=c11", "-D_GNU_SOURCE", str(INTEROP / "peer.c"), str(INTEROP / "peer_common.c"), "-o",
                    program, "-lotr", "-ldl"], check=True, capture_output=True)
    environment = dict(os.environ, LD_LIBRARY_PATH=os.path.join(prefix, "lib"))

    def couple(policy):
        return [Peer(name, [program, name, os.path.join(work, f"{name}.keys")], environment, policy)
                for name in ("alice", "bob")]

    recorded = {}
    for name, policy in (("version 1", V1), ("version 2", V2), ("version 3", V3)):
        record = Recorder()
        alice, bob = couple(policy | TAG | TAG_STARTS)
        alice.send("bob", "a text with a whitespace tag")
        record.pump(alice, bob)
        for number in range(4):
            for one, other in ((alice, "bob"), (bob, "alice")):
                one.send(other, f"text {number} " + "long " * 20 * number)
                record.pump(alice, bob)
        if policy != V1:
            alice.smp("bob", "secret", "a question")
            record.pump(alice, bob)
            bob.respond("alice", "secret")
            record.pump(alice, bob)
        bob.close("alice")
        record.pump(alice, bob)
        recorded[name] = record.wire
        for peer in (alice, bob):
            peer.quit()
    # Pieces of messages, queries, and an error: in the end one of the two has lost its session.
    for name, policy, query in (("fragments of version 2", V2, "?OTRv2?"), ("fragments of version 3", V3, "?OTRv3?")):
        record = Recorder()
        alice, bob = couple(policy)
        for peer in (alice, bob):
            peer.command("mms 200")
        alice.send("bob", query)
        record.pump(alice, bob)
        alice.send("bob", "a text in pieces " * 20)
        record.pump(alice, bob)
        bob.quit()
        _, bob = couple(policy)
        alice.command("mms 0")
        alice.send("bob", "a text that cannot be read")
        record.pump(alice, bob)
        for peer in (alice, bob):
            peer.quit()
        recorded[name] = record.wire
    return recorded


class PotrConversation:
    """A conversation of version 2 between two of potr's, which let us see their keys."""

    def __init__(self):
        self.pairs = []
        engine = potr_peer.crypt.DHSession
        derive = engine.create.__func__

        def noted(cls, dh, y):
            session = derive(cls, dh, y)
            self.pairs.append((dh, y, session))
            return session

        engine.create = classmethod(noted)
        record = Recorder()
        alice, bob = potr_peer.PotrPeer("alice", V2), potr_peer.PotrPeer("bob", V2)
        alice.send("bob", "?OTRv2?")
        record.pump(alice, bob)
        for number in range(4):
            for one, other in ((alice, "bob"), (bob, "alice")):
                one.send(other, f"text {number}, \u00fc and so on")
                record.pump(alice, bob)
        alice.close("bob")
        record.pump(alice, bob)
        engine.create = classmethod(derive)
        self.wire = record.wire
        self.key = potr_peer.PotrPeer.key

    def data_messages(self):
        """Each data message with the session of potr's that wrote it."""
        for message in self.wire:
            if message.startswith(b"?OTR:AAID"):
                raw = base64.b64decode(message[5:-1])
                length, = struct.unpack(">I", raw[12:16])
                covered = raw[:16 + length + 8]
                size, = struct.unpack(">I", raw[len(covered):len(covered) + 4])
                end = len(covered) + 4 + size
                for _, _, session in self.pairs:
                    if hmac.new(session.sendmac, raw[:end], hashlib.sha1).digest() == raw[end:end + 20]:
                        yield message, session
                        break


def data_message(version, mac_key, encrypted, revealed=b"", keyids=(1, 2), dh=b"\x05" * 192, counter=bytes(7) + b"\x01"):
    """A data message by hand, in any version."""
    raw = bytes([0, version, 3])
    if version == 3:
        raw += struct.pack(">II", 0x101, 0xfffffffe)
    if version > 1:
        raw += b"\x01"
    raw += struct.pack(">III", *keyids, len(dh)) + dh + counter + struct.pack(">I", len(encrypted)) + encrypted
    raw += hmac.new(mac_key, raw, hashlib.sha1).digest() + struct.pack(">I", len(revealed)) + revealed
    return b"?OTR:" + base64.b64encode(raw) + b"."


def damage(message, dice):
    """A message with something wrong in it, mostly."""
    try:
        raw = bytearray(base64.b64decode(message[5:].split(b".")[0] + b"==")) if message.startswith(b"?OTR:") else None
    except ValueError:
        raw = None
    way = dice.randrange(9)
    if raw and way < 4:
        if way == 0:
            raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
        elif way == 1:
            del raw[dice.randrange(len(raw)):]
        elif way == 2:
            raw += dice.randbytes(dice.randrange(1, 40))
        else:
            # Lengths are four bytes somewhere; these are odd ones.
            start = dice.randrange(max(1, len(raw) - 4))
            raw[start:start + 4] = struct.pack(">I", dice.choice((0, 1, 5, 19, 20,
                                               0x7fffffff, 0x80000000, 0xfffffffb, 0xffffffff)))
        return b"?OTR:" + base64.b64encode(raw) + dice.choice((b".", b".", b".", b"", b"="))
    text = bytearray(message)
    if way == 4:
        del text[dice.randrange(len(text) + 1):]
    elif way == 5:
        at = dice.randrange(len(text) + 1)
        text[at:at] = dice.choice((b"\0", b".", b"=", b"?OTR:", b"\n", b"\xff", b" \t  \t\t\t\t \t \t \t  ", b"?", b":", b"{z"))
    elif way == 6 and text:
        text[dice.randrange(len(text))] = dice.randrange(256)
    elif way == 7:
        at = dice.randrange(min(len(text), 14) + 1)
        text[at:at + 1] = bytes([dice.choice(b"ACDEIKMRSQ:?O")])
    else:
        text = b"?OTR:AA" + dice.choice((b"MC", b"MK", b"MR", b"MS", b"MD", b"IC", b"ID", b"EK", b"ED", b"XX")) + dice.choice(
            (b"", base64.b64encode(dice.randbytes(dice.randrange(60))), dice.randbytes(dice.randrange(60))))
    return bytes(text)


def garbage(messages, seed, count):
    """So many damaged messages and pieces of noise, the same for the same seed."""
    dice = random.Random(seed)
    for _ in range(count):
        text = damage(dice.choice(messages), dice)
        while dice.randrange(4) == 0:
            text = damage(text, dice) if text else text + dice.randbytes(9)
        yield text + dice.choice((b"", b"\n", b".", b"\r\n", dice.randbytes(dice.randrange(30))))
