"""Alice and Bob with the same client: a server between them, a relay in front of each, and the library of each."""

import os
import uuid

from processes import Failure, wait_until
from relay import Relay
from servers import IrcServer
from xmpp_server import DOMAIN, XmppServer


class Pair:
    """`libraries` are those of Alice and of Bob (library.Library), `names` what they are called: ours, real."""

    def __init__(self, driver, directory, libraries, names):
        self.driver = driver
        self.names = names
        self.directory = directory
        self.libraries = libraries
        self.server = (XmppServer if driver.NETWORK == "xmpp" else
                       lambda place, _users: IrcServer(place))(os.path.join(directory, "server"), ["alice", "bob"])
        self.relays = [relay(self.server.port) for _ in libraries]
        self.clients = []
        for at, (user, buddy) in enumerate((("alice", "bob"), ("bob", "alice"))):
            self.clients.append(self.make(user, buddy, at))
        self.alice, self.bob = self.clients
        self.second = None

    def make(self, user, buddy, at, home=None):
        relay = self.relays[at]
        return self.driver(user, buddy, os.path.join(self.directory, home or user), (relay.address, relay.port),
                           self.libraries[at].by_library_path())

    def close(self):
        for client in self.clients + ([self.second] if self.second else []):
            client.close()
        for relay in self.relays:
            relay.close()
        self.server.stop()

    def on_ours(self, client):
        return self.names[self.clients.index(client)] == "ours"

    def relay_of(self, client):
        return self.relays[self.clients.index(client)]

    def require_mapped(self, client):
        """The client has mapped its library and no other libotr."""
        intended = self.libraries[0 if client.user == "alice" else 1].real_path
        wait_until(client.mapped_libotr, 20, f"{client.user}'s client has mapped no libotr")
        mapped = client.mapped_libotr()
        if mapped != [intended]:
            raise Failure(f"{client.user}'s client has mapped {mapped}, not just {intended}")

    def in_the_clear(self, client, text):
        """Have the server take a message from this client that the client itself knows nothing of, and that is not encrypted."""
        relay = self.relay_of(client)
        if self.driver.NETWORK == "irc":
            relay.insert(f"PRIVMSG {client.buddy} :{text}\r\n".encode())
        else:
            relay.insert(f'<message to="{client.buddy}@{DOMAIN}" type="chat" id="{uuid.uuid4().hex}"><body>{text}</body></message>'
                         .encode())

    def on_the_wire(self, word):
        """Whether a word went over one of the connections, as it is."""
        return any(word.encode() in relay.everything() for relay in self.relays)

    def secure(self, begin):
        """begin() starts a session; both are told that there is one."""
        marks = [client.mark() for client in self.clients]
        begin()
        for client, mark in zip(self.clients, marks):
            client.wait_for_word("secure", mark, 60)

    def say(self, speaker, listener, text, word, secret=True):
        """What the one says, the other reads, and nobody else if it is secret. `word` is in the text and nowhere else."""
        mark = listener.mark()
        speaker.say(text)
        listener.wait_for_message(text, mark, 60)
        if self.on_the_wire(word) == secret:
            raise Failure(f"{word!r} " + ("went over the wire in the clear" if secret else "was not on the wire, though nothing hid it"))

    def talk(self):
        """A message in both directions, in a session."""
        for speaker, listener in (self.clients, self.clients[::-1]):
            word = marker()
            self.say(speaker, listener, word, word)


def relay(server_port):
    """A relay at a port at which no client expects TLS from the first byte on."""
    while True:
        made = Relay(server_port)
        if made.port != 5223:
            return made
        made.close()


def marker(prefix="zebra"):
    """A word that occurs nowhere else."""
    return prefix + uuid.uuid4().hex[:12]
