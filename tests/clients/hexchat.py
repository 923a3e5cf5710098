"""HexChat with its OTR plugin: typed into its window; what is shown is read from its own log files."""

import html
import os
import re

from client import MESSAGE, NOTICE, NoCommand, fingerprint_in
from desktop import PACKAGES, DesktopClient
from processes import Failure, wait_until

CONFIGURATION = """\
version = 2.16.1
gui_slist_skip = 1
gui_slist_select = 0
gui_join_dialog = 0
gui_quit_dialog = 0
gui_tray = 0
gui_win_left = 10
gui_win_top = 20
gui_win_width = 860
gui_win_height = 560
gui_autoopen_dialog = 1
gui_single = 1
identd = 0
irc_logging = 1
irc_logmask = %c.log
stamp_log = 0
net_throttle = 0
net_auto_reconnect = 0
irc_nick1 = {user}
irc_user_name = {user}
irc_real_name = {user}
completion_auto = 0
flood_msg_num = 10000
flood_msg_time = 1
flood_ctcp_num = 10000
"""
SERVICE = ("org.hexchat.service", "/org/hexchat/Remote", "org.hexchat.plugin")


class HexChat(DesktopClient):
    NAME = "hexchat"
    PACKAGES = ["hexchat", "hexchat-otr", "ngircd", *PACKAGES]
    NETWORK = "irc"
    DRIVEN = "its input line (AT-SPI); its own log files"
    # What it shows in a line is cut off after 4086 bytes.
    LONG = 3000
    TAG_LOST_IN_CRASH = True
    TRUST_LOST_IN_CRASH = True
    NOISE = (r"^$|^\* |Failed loading notification|\*\*\*\* |has address|^\*\t|Looking up|Connect|Disconnect|Stopped|"
             r"Hexchat OTR loaded|(created|no|loaded|saved) ")
    WORDS = {
        "connected": r"End of MOTD",
        "key made": r"Key generation for .*: completed",
        "secure": r"OTR: (gone|still) secure",
        "smp asked": r"wants to authenticate",
        "smp succeeded": r"Authentication successful",
        "smp failed": r"Authentication failed",
        "ended by other": r"has finished the OTR conversation",
        "trusted": r"Trusting fingerprint",
    }

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.directory = os.path.join(self.home, "hexchat")
        os.makedirs(self.directory, mode=0o700, exist_ok=True)
        with open(os.path.join(self.directory, "hexchat.conf"), "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(user=self.user))
        self._seen = {}

    def start(self):
        mark = self.mark()
        self.open(["hexchat", "-d", self.directory])
        if os.geteuid() == 0:
            # It advises against being root.
            self.desktop.try_to("click", window="Warning", role="push button", name="OK")
        server = f"server {self.address[0]} {self.address[1]}"
        wait_until(lambda: self.command(server), 30, f"{self.user}'s HexChat does not answer")
        self.wait_for_word("connected", mark, 60)
        self.command(f"query {self.buddy}")
        self.desktop.try_to("place", window=f"Dialog with {self.buddy}", role="push button", name=self.user)

    def quit(self):
        self.command("quit")
        self.desktop.try_to("click", window=f"Dialog with {self.buddy}", role="menu item", name="Quit", hidden=True)
        self.wait_for_end()

    def command(self, text):
        """A command over D-Bus, for what is not the conversation."""
        try:
            self.desktop.ask("call", bus_name=SERVICE[0], path=SERVICE[1], interface=SERVICE[2], method="Command", arguments=[text])
            return True
        except Failure:
            return False

    def events(self):
        told = []
        for name in ("server", self.buddy):
            path = os.path.join(self.directory, "logs", f"{name}.log")
            if not os.path.exists(path):
                continue
            with open(path, encoding="utf-8", errors="replace") as file:
                for number, line in enumerate(file):
                    if line.endswith("\n"):
                        told.append((name, number, line.rstrip("\n")))
        # The order between the two files is the one in which their lines were seen.
        for entry in told:
            if entry not in self._seen:
                self._seen[entry] = self._event(entry[2])
        return [event for event in self._seen.values() if event]

    def _event(self, line):
        # <bob> in the clear, *bob* when the plugin has decrypted it.
        match = re.match(r"^[<*](\S+?)[>*]\t(.*)$", line)
        if not match:
            return NOTICE, line
        return (MESSAGE, match.group(2)) if match.group(1) == self.buddy else None

    def say(self, text):
        """Type into the line at the bottom of the window."""
        self.desktop.try_to("put", text=text, window=f"Dialog with {self.buddy}", role="text", nth=-1)
        self.desktop.try_to("click", window=f"Dialog with {self.buddy}", role="text", nth=-1)

    def shown(self, said):
        """The plugin takes what is encrypted for HTML, and reads the entities in it."""
        return html.unescape(said)

    def generate_key(self):
        mark = self.mark()
        self.say(f"/otr genkey {self.user}@irc.test.example")
        self.wait_for_word("key made", mark, 120)

    def own_fingerprint(self):
        return self._told_fingerprint(r"Your fingerprint is: ([0-9A-F ]+)")

    def their_fingerprint(self):
        return self._told_fingerprint(r"'s fingerprint: ([0-9A-F ]+)")

    def _told_fingerprint(self, pattern):
        """It shows fingerprints only when a session begins with somebody who is not trusted."""
        for _, text in reversed(self.events()):
            match = re.search(pattern, text)
            if match:
                return fingerprint_in(match.group(1))
        raise NoCommand("it shows no fingerprint outside a session")

    def is_trusted(self):
        """It says so when it begins a session with somebody who is not trusted, and when that changes."""
        trusted = False
        for _, text in self.events():
            if re.search(r"OTR: gone secure|OTR: Trusting|Authentication successful", text):
                trusted = True
            elif re.search(r"Your peer is not authenticated|Authentication failed", text):
                trusted = False
        return trusted

    def start_session(self):
        self.say("/otr start")

    def renew(self):
        self.say("/otr finish")
        self.say("/otr start")

    def end_session(self):
        self.say("/otr finish")

    def smp_question(self, question, secret):
        self.say(f"/otr authq {self.buddy} {question} {secret}")

    def smp_answer(self, answer):
        self.say(f"/otr auth {answer}")

    def smp_secret(self, secret):
        self.say(f"/otr auth {secret}")

    def trust(self):
        mark = self.mark()
        self.say("/otr trust")
        self.wait_for_word("trusted", mark)
        wait_until(self.is_trusted, 10, f"{self.user} does not trust a key that was verified")
