"""Alice and Bob: one XMPP server, and for each of them a relay, a BitlBee and a person at an IRC client.

Alice's buddy is called bob in her BitlBee, Bob's is called alice in his.
"""

import os
import shutil

from bitlbee import BitlBee
from irc import Person
from processes import Failure
from relay import Relay
from xmpp_server import DOMAIN, PASSWORD, XmppServer

REGISTRATION = "open-sesame"
# Pure waiting for a DSA key: parameters of 1024 bits are found by trial.
KEY_GENERATION_TIMEOUT = 120.0


class Side:
    """One of the two: user name, buddy's name, relay, BitlBee, and (when at the keyboard) person."""

    def __init__(self, user, buddy, directory, server_port, installation, environment, watcher):
        self.user = user
        self.buddy = buddy
        self.account = f"{user}@{DOMAIN}"
        self.relay = Relay(server_port)
        self.bitlbee = BitlBee(user, directory, installation, environment)
        self.person = None
        self._watcher = watcher

    def start(self):
        """Start BitlBee and connect to it by IRC."""
        self.bitlbee.start()
        self.person = Person(self.user, self.bitlbee.port, self._watcher)

    def sign_up(self):
        """A first visit: register with BitlBee and add the XMPP account, not yet on line."""
        self.person.command(f"register {REGISTRATION}")
        self.person.expect("Account successfully created")
        self.person.command(f"account add jabber {self.account} {PASSWORD}")
        self.person.expect("Account successfully added")
        # Connecting is said aloud each time, because the relay's address may be another one then.
        self._set("auto_connect", "false")
        for name, value in self.bitlbee.installation.in_the_clear:
            self._set(name, value)
        self._set_server()
        self.save()

    def sign_in_without_key(self):
        """A later visit when the account has no OTR key yet: BitlBee begins to make one at once."""
        self.person.command(f"identify {REGISTRATION}")
        self.person.expect_text(f"otr: starting background keygen for {self.account}/jabber", "root")

    def sign_in(self):
        """A later visit: identify, which loads settings and OTR keys."""
        self.person.command(f"identify {REGISTRATION}")
        self.person.expect("Password accepted")
        self._set_server()

    def go_online(self):
        self.person.command("account jabber on")
        self.person.expect("Logged in", timeout=20)

    def go_offline(self):
        self.person.command("account jabber off")
        self.person.expect("Signing off")

    def generate_key(self):
        """Have BitlBee make the account's OTR key in its background process."""
        self.person.command(f"otr keygen {self.bitlbee.installation.first_account}")
        self.person.expect(f"otr keygen for {self.account}/jabber complete", "root", KEY_GENERATION_TIMEOUT)

    def save(self):
        self.person.command("save")
        self.person.expect("Configuration saved")

    def set_policy(self, policy):
        self.person.command(f"set otr_policy {policy}")
        self.person.expect(f"otr_policy = `{policy}'")

    def wait_for_buddy(self):
        self.person.wait(lambda: self.person.is_here(self.buddy), 15, f"{self.user} did not see {self.buddy} come on line")

    def wait_for_buddy_to_leave(self):
        self.person.wait(lambda: not self.person.is_here(self.buddy), 15, f"{self.user} did not see {self.buddy} go off line")

    def leave(self):
        """Close IRC and BitlBee in an orderly way."""
        if self.person:
            self.person.close()
            self.person = None
        self.bitlbee.stop()

    def crash(self):
        """Lose BitlBee without warning."""
        self.person.close()
        self.person = None
        self.bitlbee.kill()

    def come_back(self):
        """Start BitlBee again with the stored settings, sign in and go on line."""
        self.start()
        self.sign_in()
        self.go_online()

    def _set(self, name, value):
        self.person.command(f"account jabber set {name} {value}")
        self.person.expect(f"{name} = `{value}'")

    def _set_server(self):
        self._set(self.bitlbee.installation.server_setting, self.relay.address)
        self._set("port", str(self.relay.port))


class Couple:
    """Use as a context manager: everything is ended on the way out, and a BitlBee that crashed turns into a Failure."""

    def __init__(self, directory, installation, environment, watcher=None, homes=None):
        """`homes`: a directory made by keep_homes(), whose settings and keys both begin with."""
        self.directory = directory
        self.server = XmppServer(os.path.join(directory, "prosody"), ["alice", "bob"])
        self.sides = []
        for user, buddy in (("alice", "bob"), ("bob", "alice")):
            home = os.path.join(directory, user)
            if homes:
                shutil.copytree(os.path.join(homes, user), home)
            self.sides.append(Side(user, buddy, home, self.server.port, installation, environment, watcher))
        self.alice, self.bob = self.sides

    def __enter__(self):
        return self

    def __exit__(self, kind, _value, _trace):
        failures = []
        for side in self.sides:
            try:
                side.leave()
            except Failure as failure:
                failures.append(str(failure))
            side.relay.close()
        self.server.stop()
        # A crash explains whatever else went wrong, so it is told even when another failure is on its way.
        if failures:
            raise Failure("; ".join(failures))

    def start(self, signed_up=True):
        """Both start BitlBee and sign in (sign up when signed_up is False)."""
        for side in self.sides:
            side.start()
            side.sign_in() if signed_up else side.sign_up()

    def go_online(self):
        """Both go on line and wait until they see each other."""
        for side in self.sides:
            side.go_online()
        for side in self.sides:
            side.wait_for_buddy()
        for side in self.sides:
            side.person.skip()

    def connect_otr(self, trust="untrusted!"):
        """Alice types otr connect; both see the conversation go off the record."""
        self.alice.person.command("otr connect bob")
        self.expect_secure(trust)

    def expect_secure(self, trust="untrusted!"):
        for side in self.sides:
            side.person.expect_text(f"conversation is now off the record ({trust})", side.buddy)

    def keep_homes(self, directory):
        """Copy both homes (of a couple that has left) for other couples to begin with."""
        for side in self.sides:
            shutil.copytree(side.bitlbee.directory, os.path.join(directory, side.user))

    def logs(self, lines=6):
        """The ends of the logs of everything that ran, for a failure's report."""
        told = []
        for directory, _, files in sorted(os.walk(self.directory)):
            for name in sorted(files):
                if name.endswith(".log"):
                    path = os.path.join(directory, name)
                    with open(path, "rb") as log:
                        tail = log.read().decode("utf-8", "replace").splitlines()[-lines:]
                    if tail:
                        told += [f"--- {os.path.relpath(path, self.directory)}"] + tail
        return told
