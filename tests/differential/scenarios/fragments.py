"""Fragments, well-formed and malformed."""

import itertools

from steps import *


def fragment_sizes(w):
    """texts in fragments of many sizes, under every policy of sending."""
    for policy in (V2, V3):
        alice, bob = in_session(w, policy)
        for size in (0, 40, 60, 100, 141, 299, 350, 1000, 5000):
            alice.set(mms=size)
            for fragments in (SKIP, ALL, ALL_BUT_FIRST, ALL_BUT_LAST):
                alice.send("t" * 200, fragments=fragments)
                if fragments == ALL_BUT_FIRST and len(w.wires) > 1:
                    w.wires.insert(0, w.wires.pop())
                w.pump()
        alice.set(mms=0)
        fresh(w)


def fragmented_exchange(w):
    """the exchange itself through a narrow network."""
    for policy in (V2, V3, V1):
        for size in (60, 100, 200, 400):
            alice, bob = w.users or w.pair()
            alice.set(policy=policy, mms=size)
            bob.set(policy=policy, mms=size + 13)
            alice.send("?OTR?", fragments=ALL_BUT_LAST)
            w.pump()
            talk(w)
            alice.set(mms=0)
            bob.set(mms=0)
            fresh(w)


def internal_messages_in_fragments(w):
    """heartbeats and goodbyes through a narrow network."""
    alice, bob = w.session(V3)
    talk(w)
    alice.set(mms=200)
    w.clock(61)
    bob.send("a heartbeat comes back")
    w.pump()
    alice.close()
    w.pump()


def long_texts_in_the_clear(w):
    """long plaintext and narrow networks."""
    alice, bob = w.pair(V23, mms=100)
    for policy in (V23, OPPORTUNISTIC, 0, ALWAYS):
        alice.set(policy=policy)
        for fragments in (SKIP, ALL, ALL_BUT_FIRST, ALL_BUT_LAST):
            alice.send("p" * 500, fragments=fragments)
            w.wires.clear()
        fresh(w)


def _pieces(w, policy, size=120):
    """The fragments of one text in a session."""
    alice, bob = w.users or w.pair()
    both(w, policy)
    if not bob.private():
        start(w)
    alice.set(mms=size)
    alice.send("a text in fragments", fragments=ALL)
    alice.set(mms=0)
    pieces = [wire.message for wire in w.wires]
    w.wires.clear()
    return bob, pieces


def fragments_malformed(w):
    """fragments with every kind of fault."""
    for policy in (V2, V3):
        for number in range(26):
            w.clock(1)
            bob, pieces = _pieces(w, policy)
            first, second, rest = pieces[0], pieces[1], pieces[2:]
            head = first[:first.index(b",")]
            tail = first.split(b",", 3)[3]
            count = first.split(b",")[2]
            bad = [head + b",0," + count + b"," + tail, head + b",1,0," + tail, head + b",2,1," + tail, head + b",99999," + count +
                   b"," + tail, head + b",1,65536," + tail, head + b",65537," + count + b"," + tail, head + b",-1," + count + b"," + tail,
                   head + b",1," + count + b",", head + b",1," + count + b",,", head + b",1," + count, head + b",1", head + b",",
                   head + b",x,y," + tail, head + b", 1 , " + count + b"," + tail, head + b",1," + count + b"," + tail + b",",
                   head + b",1," + count + b"," + tail[:-1], b" " + first, head + b",+1,+" + count + b"," + tail, head + b",01,0" +
                   count + b"," + tail, head + b",0x1," + count + b"," + tail, b"?OTR|1|2,1,1,hello,", b"?OTR|zz|yy,1,2,x,",
                   b"?OTR||,1,2,x,", b"?OTR,1,1,hello,", b"?OTR|1111|1000|1,1,1,x,", first.replace(b",", b";")][number]
            w.say(f"> fault {number}")
            for position in (0, 1, len(pieces)):
                for piece in pieces[:position] + [bad] + pieces[position:]:
                    bob.recv(piece)
                bob, pieces = _pieces(w, policy)
        fresh(w)


def fragments_out_of_order(w):
    """fragments overtake each other, are lost, and mix with other messages."""
    for policy in (V2, V3):
        for number in range(9):
            bob, pieces = _pieces(w, policy)
            alice = w.users[0]
            orders = [pieces[::-1], pieces[1:], pieces[:-1], pieces[:1] + pieces[2:], pieces[1:2] + pieces[:1] + pieces[2:],
                      pieces[:2] + ["plain text"] + pieces[2:], pieces[:2] + pieces, pieces[:-1] + pieces[:1] + pieces[-1:],
                      pieces[:2] + ["?OTR Error: x"] + pieces[2:]]
            w.say(f"> order {number}")
            for piece in orders[number]:
                bob.recv(piece)
            alice.send("whole")
            w.pump()
            for piece in pieces:
                bob.recv(piece)
            w.pump()
        fresh(w)


def fragments_of_two_messages(w):
    """fragments of two messages come mixed."""
    bob, one = _pieces(w, V3)
    bob, two = _pieces(w, V3, 150)
    for piece in [p for pair in itertools.zip_longest(one, two) for p in pair if p]:
        bob.recv(piece)
    for piece in two + one:
        bob.recv(piece)
    w.pump()
    talk(w)


def fragment_twice(w):
    """a fragment comes twice."""
    bob, pieces = _pieces(w, V3)
    for piece in pieces[:2] + pieces[1:]:
        bob.recv(piece)
    w.pump()


def fragments_for_other_instances(w):
    """fragments for and from other instances."""
    bob, pieces = _pieces(w, V3)
    for old, new in ((b"1111", b"2222"), (b"1111", b"0000"), (b"1000", b"3333"), (b"1000", b"0000"), (b"1000", b"00f0"),
                     (b"1111", b"00f0")):
        for piece in pieces:
            bob.recv(piece.replace(old, new, 1))
        w.pump()
    for piece in pieces:
        bob.recv(piece)


def fragments_in_plaintext_state(w):
    """fragments of ordinary texts, tags and queries."""
    alice, bob = w.pair(OPPORTUNISTIC)
    for text in ("hello there", "?OTRv23?", "hello" + TAG + TAG_V2, "?OTR Error: x", "?OTR,1,1,x,"):
        half = len(text) // 2
        for head in ("?OTR", "?OTR|1111|1000", "?OTR|1111|0"):
            alice.recv(f"{head},1,2,{text[:half]},")
            alice.recv(f"{head},2,2,{text[half:]},")
            alice.recv(f"{head},1,1,{text},")
            w.wires.clear()
    alice.set(policy=0)
    alice.recv("?OTR,1,2,hel,")
    alice.recv("?OTR,2,2,lo,")


def fragment_function(w):
    """otrl_proto_fragment_create by itself."""
    alice, bob = w.session(V3)
    for size, count, text in ((100, 3, "x" * 100), (60, 5, "y" * 100), (1000, 1, "z" * 10), (50, 10, "abc" * 30)):
        alice.context("pieces", size, count, to_hex(text))
    alice.context("pieces", 100, 2, to_hex("x" * 100), instance=MASTER)
