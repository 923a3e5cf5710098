"""profanity."""

import re

from client import MESSAGE, NOTICE, fingerprint_in
from processes import Failure, wait_until
from screen_client import ScreenClient
from xmpp_server import DOMAIN, PASSWORD


class Profanity(ScreenClient):
    NAME = "profanity"
    PACKAGES = ["profanity", "prosody"]
    NETWORK = "xmpp"
    DRIVEN = "keys in a terminal; its screen"
    CLEAR_AFTER_END = True
    ENDS_WHEN_OFFLINE = True
    LINE = r"^\d\d:\d\d:\d\d (!|~ .*?:|- .*?:|<.*?>|\S+ .*?:) ?(.*)$"
    WORDS = {
        "key made": r"key generated|OTR key",
        "secure": r"OTR session (started|refreshed)",
        "own fingerprint": r"Your OTR fingerprint: ",
        "their fingerprint": r"'s OTR fingerprint: ",
        "smp asked": r"wants to authenticate your identity",
        "smp succeeded": r"Authentication successful|successfully authenticated you",
        "smp failed": r"Authentication failed|failed to authenticate",
        "ended by other": r"ended the OTR session|OTR session ended",
        "unreadable": r"unreadable|not.*decrypt|OTR: ?received|encrypted message",
        "in the clear": r"[Uu]nencrypted|not encrypted|plain",
    }

    def start(self):
        self.open(["profanity"])
        self.terminal.wait_for(r"\[\d\d:\d\d\]|Welcome|for help", 60)
        for command in ("/splash off", "/notify chat off", "/intype off", "/states off", "/wrap off", "/autoping set 0"):
            self.type(command)
        address, port = self.address
        self.type(f"/connect {self.user}@{DOMAIN} server {address} port {port} tls disable")
        self.terminal.wait_for("[Pp]assword:", 30)
        self.type(PASSWORD)
        self.terminal.wait_for("logged in successfully|Connected|\\[online\\]", 60)
        self.type(f"/msg {self.buddy}@{DOMAIN}")
        wait_until(lambda: f"{self.buddy}@{DOMAIN}" in self.title(), 20, f"{self.user}'s chat window did not open")

    def title(self):
        return self.terminal.text().partition("\n")[0]

    def quit(self):
        self.end_by("/quit")

    def conversation(self):
        lines = self.terminal.text().split("\n")[1:]
        while lines and not re.match(r"^ ?\[\d\d:\d\d\]", lines.pop()):
            pass
        return lines

    def kind_of(self, before):
        if before == "!":
            return NOTICE
        return None if re.search(r"\bme:$", before) else MESSAGE

    def say(self, text):
        self.type(text)

    def generate_key(self):
        self.type("/otr gen")
        wait_until(self.own_fingerprint, 120, f"{self.user} has no key")

    def own_fingerprint(self):
        try:
            return fingerprint_in(self.command_then("/otr myfp", "own fingerprint", 10))
        except Failure:
            return None

    def their_fingerprint(self):
        return fingerprint_in(self.command_then("/otr theirfp", "their fingerprint"))

    def is_trusted(self):
        title = self.terminal.wait_for(r"\[OTR\]", 10) and self.title()
        return "[trusted]" in title

    def start_session(self):
        self.type("/otr start")

    def renew(self):
        self.type("/otr end")
        self.type("/otr start")

    def end_session(self):
        self.type("/otr end")

    def smp_question(self, question, secret):
        self.type(f'/otr question "{question}" "{secret}"')

    def smp_answer(self, answer):
        self.type(f'/otr answer "{answer}"')

    def smp_secret(self, secret):
        self.type(f'/otr secret "{secret}"')

    def trust(self):
        self.type("/otr trust")
        wait_until(self.is_trusted, 10, f"{self.user}'s window does not say that the session is trusted")

    def distrust(self):
        self.type("/otr untrust")
        wait_until(lambda: not self.is_trusted(), 10, f"{self.user}'s window says that the session is trusted")
