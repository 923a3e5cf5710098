"""mcabber."""

import html
import os
import re

from client import MESSAGE, NOTICE, fingerprint_in
from screen_client import ScreenClient
from processes import Failure, wait_until
from xmpp_server import DOMAIN, PASSWORD

CONFIGURATION = """\
set jid = {user}@{domain}
set password = {password}
set server = {address}
set port = {port}
set tls = 0
set log_win_height = 60
set log_display_sender = 1
set otr = 1
set otr_dir = {home}/otr/
set tracelog_level = 1
set tracelog_file = {home}/trace
set disable_chatstates = 1
otrpolicy default manual
"""


class McAbber(ScreenClient):
    NAME = "mcabber"
    PACKAGES = ["mcabber", "prosody"]
    NETWORK = "xmpp"
    DRIVEN = "keys in a terminal; its screen and its trace"
    CLEAR_AFTER_END = True
    # The line that is typed has room for a thousand bytes.
    LONG = 800
    LINE = r"^(?:\d\d-\d\d )?\d\d:\d\d (\*\*\*|<.=|-.>|<==|-->|==>|---) ?(.*)$"
    WORDS = {
        "secure": r"OTR: channel established",
        "smp asked": r"Received SMP Initiation",
        "smp succeeded": r"Protocol: Success",
        "smp failed": r"Protocol: Failure",
        "ended by other": r"OTR: channel closed",
        "unreadable": r"unreadable|not.*decrypt|encrypted message",
        "in the clear": r"[Uu]nencrypted|not encrypted|plain",
    }

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.trace = os.path.join(self.home, "trace")
        os.makedirs(os.path.join(self.home, "otr"), mode=0o700, exist_ok=True)
        self.configuration = os.path.join(self.home, "mcabberrc")
        with open(self.configuration, "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(user=self.user, domain=DOMAIN, password=PASSWORD, address=self.address[0],
                                            port=self.address[1], home=self.home))
        os.chmod(self.configuration, 0o600)

    def start(self):
        before = self.traced()
        self.open(["mcabber", "-f", self.configuration])
        wait_until(lambda: "Your status has been set" in self.traced()[len(before):], 60, f"{self.user} did not get on line")
        self.type("/otrpolicy default manual")
        self.type("/roster hide")
        wait_until(self.find_buddy, 30, f"{self.buddy} did not get into {self.user}'s roster")
        # Into the conversation: before, the log is shown.
        self.terminal.key("Enter")

    def quit(self):
        self.end_by("/quit")

    def find_buddy(self):
        self.type(f"/roster search {self.buddy}@{DOMAIN}")
        try:
            return self.terminal.wait_for(f"Buddy: {self.buddy}@{DOMAIN}", 1)
        except Failure:
            return None

    def traced(self):
        """What is in the log window."""
        if not os.path.exists(self.trace):
            return ""
        with open(self.trace, encoding="utf-8", errors="replace") as file:
            return file.read()

    def ask(self, command, pattern):
        """The answer that a command gives in the log window."""
        before = len(self.traced())
        self.type(command)
        return wait_until(lambda: re.search(pattern, self.traced()[before:]), 20, f"{command} did not answer /{pattern}/").group()

    def conversation(self):
        lines = []
        for line in self.terminal.text().split("\n"):
            if re.match(r"^.?\[.\] Buddy: ", line):
                break
            lines.append(line)
        return lines

    def kind_of(self, before):
        if before == "***":
            return NOTICE
        return MESSAGE if before.startswith("<") else None

    def shown(self, said):
        """mcabber takes what is encrypted for HTML, and reads the entities in it."""
        return html.unescape(said)

    def say(self, text):
        self.type(text)

    def generate_key(self):
        """mcabber makes one by itself when it first goes on line."""
        wait_until(lambda: "OTR key generated" in self.traced(), 120, f"{self.user}'s mcabber has made no key")

    def own_fingerprint(self):
        return fingerprint_in(self.ask("/otr key", rf"{self.user}@{DOMAIN}: [0-9A-F ]+"))

    def their_fingerprint(self):
        return fingerprint_in(self.ask("/otr fingerprint", r"\[[0-9A-F]{8}[0-9A-F ]+\]"))

    def is_trusted(self):
        return "untrusted" not in self.ask("/otr fingerprint", r"\[[0-9A-F]{8}[0-9A-F ]+\]: (un)?trusted")

    def start_session(self):
        self.type("/otr start")

    def renew(self):
        self.type("/otr stop")
        self.type("/otr start")

    def end_session(self):
        self.type("/otr stop")

    def smp_secret(self, secret):
        self.type(f"/otr smpq . {secret}")

    def smp_reply(self, secret):
        self.type(f"/otr smpr . {secret}")

    def trust(self):
        self.type(f"/otr fingerprint . {self.spaced(self.their_fingerprint())}")
        wait_until(self.is_trusted, 10, f"{self.user} does not trust a key that was verified")

    def distrust(self):
        self.type("/otr fingerprint . none")
        wait_until(lambda: not self.is_trusted(), 10, f"{self.user} trusts a key after taking trust away")

    def spaced(self, digits):
        return " ".join(digits[at:at + 8] for at in range(0, 40, 8))
