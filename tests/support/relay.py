"""A relay between one BitlBee (or another client) and its server that records every byte: the traffic as an
eavesdropper sees it.

BitlBee's jabber module only connects to a handful of ports, so the relay listens on one of those
on a random address of 127.0.0.0/8, which Linux answers for without configuration.
"""

import html
import random
import re
import socket
import threading
import time

from processes import Failure

# The unprivileged ports that BitlBee 3.6 accepts for an XMPP account.
XMPP_PORTS = [5222, 5223, 5220, 5221, 5224, 5225, 5226, 5227, 5228, 5229]

SENT = "sent"          # from BitlBee to the server
RECEIVED = "received"  # from the server to BitlBee


class Relay:
    """Listens at (address, port); `records` is the list of (seconds, SENT or RECEIVED, bytes)."""

    def __init__(self, server_port):
        self._server_port = server_port
        self._listener = _listen_somewhere()
        self.address, self.port = self._listener.getsockname()
        self.records = []
        self._lock = threading.Lock()
        self._to_garble = None
        self._replacements = []
        self._sockets = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        for each in [self._listener] + list(self._sockets):
            _shut(each)

    def mark(self):
        """A point in time to ask from: pass it to stream() and bodies()."""
        with self._lock:
            return len(self.records)

    def stream(self, direction, since=0):
        """Every byte that passed in one direction since a mark."""
        with self._lock:
            return b"".join(data for _, way, data in self.records[since:] if way == direction)

    def everything(self, since=0):
        """Every byte that passed, both ways."""
        return self.stream(SENT, since) + self.stream(RECEIVED, since)

    def bodies(self, direction, since=0):
        """The chat messages' texts (<body>) that passed in one direction."""
        text = self.stream(direction, since).decode("utf-8", "replace")
        found = re.findall(r"<body>(.*?)</body>", text, re.DOTALL)
        return [html.unescape(body) for body in found]

    def garble_next(self, beginning):
        """Spoil the next message that BitlBee sends with this beginning, 60 characters after it (records keep it unspoilt)."""
        self._to_garble = beginning

    def replace(self, old, new):
        """From now on change these bytes in what BitlBee sends, as an active attacker could (records keep the original)."""
        self._replacements.append((old, new))

    def insert(self, data):
        """Have the server take these bytes as sent by the client, over the newest connection, while nothing else is under way."""
        self._sockets[-1].sendall(data)

    def wait_for_body(self, direction, pattern, since=0, timeout=10.0):
        """The first body since a mark in which the pattern is found."""
        deadline = time.monotonic() + timeout
        while True:
            for body in self.bodies(direction, since):
                if re.search(pattern, body):
                    return body
            if time.monotonic() > deadline:
                raise Failure(f"no message matching {pattern!r} was {direction} within {timeout:g} seconds; "
                              f"there were {[shorten(b, 60) for b in self.bodies(direction, since)]}")
            time.sleep(0.02)

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._server_port))
            except OSError:
                _shut(client)
                continue
            self._sockets += [client, server]
            for source, sink, direction in ((client, server, SENT), (server, client, RECEIVED)):
                threading.Thread(target=self._pump, args=(source, sink, direction), daemon=True).start()

    def _pump(self, source, sink, direction):
        try:
            while data := source.recv(65536):
                with self._lock:
                    self.records.append((time.monotonic(), direction, data))
                sink.sendall(self._changed(data) if direction == SENT else data)
        except OSError:
            pass
        _shut(source)
        _shut(sink)

    def _changed(self, data):
        for old, new in self._replacements:
            data = data.replace(old, new)
        at = data.find(self._to_garble) if self._to_garble else -1
        if at >= 0:
            at += len(self._to_garble) + 60
            self._to_garble = None
            data = data[:at] + (b"A" if data[at:at + 1] != b"A" else b"B") + data[at + 1:]
        return data


def shorten(text, length):
    """The text on one line, its middle left out when it is longer than `length`."""
    text = text.replace("\n", " ")
    if len(text) <= length:
        return text
    kept = length - 20
    return f"{text[:kept]}... ({len(text)} bytes)"


def _listen_somewhere():
    for _ in range(200):
        address = f"127.{random.randint(1, 254)}.{random.randint(0, 254)}.{random.randint(2, 254)}"
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, random.choice(XMPP_PORTS)))
        except OSError:
            listener.close()
            continue
        listener.listen()
        return listener
    raise Failure("no loopback address with a free XMPP port was found for the relay")


def _shut(each):
    try:
        each.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    each.close()
