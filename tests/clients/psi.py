"""Psi+ with its OTR plugin: its windows by the accessibility interface."""

import os
import re

from client import MESSAGE, NOTICE, PATIENCE, fingerprint_in, write_new
from desktop import PACKAGES, DesktopClient
from processes import Failure, wait_until
from xmpp_server import DOMAIN, PASSWORD

ACCOUNTS = """\
<!DOCTYPE accounts>
<accounts xmlns="http://psi-im.org/options" version="1.4.554">
 <accounts comment="Accounts">
  <a0>
   <name type="QString">{user}</name>
   <id type="QString">{{00000000-0000-0000-0000-000000000001}}</id>
   <enabled type="bool">true</enabled>
   <auto type="bool">true</auto>
   <log type="bool">true</log>
   <reconn type="bool">false</reconn>
   <keep-alive type="bool">false</keep-alive>
   <compress type="bool">false</compress>
   <automatic-resource type="bool">false</automatic-resource>
   <resource type="QString">{resource}</resource>
   <jid type="QString">{jid}</jid>
   <password type="QString">{password}</password>
   <opt-pass type="bool">true</opt-pass>
   <use-host type="bool">true</use-host>
   <host type="QString">{address}</host>
   <port type="int">{port}</port>
   <ssl type="QString">no</ssl>
   <allow-plain type="QString">always</allow-plain>
   <security-level type="int">0</security-level>
   <ignore-SSL-warnings type="bool">true</ignore-SSL-warnings>
  </a0>
 </accounts>
</accounts>
"""

# Passwords are in the file, no port is opened for files, and texts are shown as they are.
OPTIONS = """\
<!DOCTYPE options>
<options xmlns="http://psi-im.org/options" version="1.4.554">
 <options>
  <keychain><enabled type="bool">false</enabled></keychain>
  <p2p><bytestreams><listen-port type="int">0</listen-port></bytestreams></p2p>
  <ui>
   <chat><history><preload-history-size type="int">0</preload-history-size></history></chat>
   <tip><show type="bool">false</show></tip>
   <emoticons><use-emoticons type="bool">false</use-emoticons></emoticons>
  </ui>
 </options>
 <plugins><auto-load><otr type="bool">true</otr></auto-load></plugins>
</options>
"""
SERVICE = ("org.psi-im.Psi", "/Main", "org.psi_im.Psi.Main")
WAYS = ["Question and answer", "Shared secret", "Fingerprint verification"]
# Widgets in the window of a conversation: the plugin's button, what was said, and the line to type in.
BUTTON = {"role": "push button", "name": "OTR Messaging.*", "pattern": True}
LOG = {"role": "text", "nth": 1}
ENTRY = {"role": "text", "nth": -1}


def hidden(password, jid):
    """How Psi writes a password down."""
    return "".join(f"{ord(letter) ^ ord(jid[at % len(jid)]):04x}" for at, letter in enumerate(password))


class Psi(DesktopClient):
    NAME = "psi-plus"
    PACKAGES = ["psi-plus", "psi-plus-plugins", "prosody", *PACKAGES]
    NETWORK = "xmpp"
    DRIVEN = "its windows and dialogs (AT-SPI); keys for the plugin's menu"
    # The days, who comes and goes, and where one is logged in.
    NOISE = r"is now (Online|Offline)|^Contact has been switched|^\d{4}-\d\d-\d\d$"
    WORDS = {
        "secure": r"(Unverified|Private) conversation (started|refreshed)|conversation refreshed",
        "ended by other": r"has ended the private conversation with you",
        "not sent": r"message was not sent",
        "unreadable": r"cannot be read|unreadable",
        "in the clear": r"was (<i>)?not(</i>)? encrypted",
        "closed": r"conversation closed",
    }
    # What is said in dialogs.
    DIALOGS = {
        "smp asked": r"wants to authenticate you",
        "smp succeeded": r"Authentication successful|You have been successfully authenticated",
        "smp failed": r"Authentication failed",
    }

    def __init__(self, *arguments):
        super().__init__(*arguments)
        profile = os.path.join(self.home, ".config", "psi+", "profiles", "default")
        jid = f"{self.user}@{DOMAIN}"
        values = {"user": self.user, "jid": jid, "resource": os.path.basename(self.home), "password": hidden(PASSWORD, jid),
                  "address": self.address[0], "port": self.address[1]}
        write_new(profile, [("accounts.xml", ACCOUNTS.format(**values)), ("options.xml", OPTIONS)])
        self.window = f"{self.buddy}@{DOMAIN}"
        self._before = []
        self._open = False

    def start(self):
        # The accessibility bus, which is started for who first asks, has to be there before Qt asks: it does so once.
        self.desktop.ask("titles")
        self.open(["psi-plus"])
        # It is on line when it shows its contacts.
        wait_until(self._shows_buddy, 90 * PATIENCE, f"{self.user}'s Psi+ shows no contacts")
        wait_until(self._talks_to_buddy, 30, f"{self.user}'s Psi+ opens no conversation")
        self._open = True

    def _shows_buddy(self):
        try:
            return self.desktop.ask("place", window="Psi+", role="table cell", name=self.window)
        except Failure:
            return None

    def _talks_to_buddy(self):
        try:
            self.desktop.ask("call", bus_name=SERVICE[0], path=SERVICE[1], interface=SERVICE[2], method="openURI",
                             arguments=[f"xmpp:{self.window}?message;type=chat"])
            return self.desktop.ask("place", window=self.window, **BUTTON)
        except Failure:
            return None

    def quit(self):
        self._before, self._open = self.events(), False
        self.desktop.try_to("click", window="Psi+", role="menu item", name="Quit", hidden=True)
        self.wait_for_end()

    def kill(self):
        self._before, self._open = self.events(), False
        super().kill()

    def events(self):
        if not self._open or self.ending():
            return self._before
        text = self.desktop.ask("read", window=self.window, **LOG)
        told = []
        # U+FFFC stands for an icon: what kind of line it is, and that a message has been delivered.
        for line in re.split(r"(?:^|\n)\ufffc(?:\[[\d:]+\] )?", text):
            line = line.rstrip(" \ufffc").replace("\u2028", "\n")
            if line.startswith("*** "):
                told.append((NOTICE, re.sub(r"<icon [^>]*> *", "", line[4:])))
            elif line.startswith(f"<{self.window}> "):
                told.append((MESSAGE, line.partition("> ")[2]))
        return self._before + told

    def say(self, text):
        self.desktop.try_to("put", text=text, window=self.window, **ENTRY)
        self.desktop.try_to("focus", window=self.window, **ENTRY)
        self.desktop.xdotool("key", "Return")

    def wait_for_word(self, word, since, timeout=30.0):
        if word not in self.DIALOGS:
            return super().wait_for_word(word, since, timeout)
        pattern = self.DIALOGS[word]

        def found():
            return [line for line in self.desktop.ask("tree") if re.search(pattern, line)]
        line = wait_until(found, timeout * PATIENCE, f"{self.user} was not shown /{pattern}/ ({word})")[0]
        if word == "smp asked":
            return "\n".join(self.desktop.ask("tree", window="Authenticate"))
        self.press("OK", "Psi OTR")
        self.leave()
        return line

    def press(self, button, window):
        self.desktop.try_to("click", window=window, role="push button", name=button)

    def hit(self, **where):
        """Click in its middle."""
        x, y, width, height = self.desktop.try_to("place", **where)
        self.desktop.xdotool("mousemove", str(x + width // 2), str(y + height // 2), "click", "1")

    def menu(self, letter):
        """Choose from the plugin's menu, which the accessibility interface does not show, by the letter that is underlined."""
        self.drop_down(window=self.window, **BUTTON)
        self.desktop.xdotool("key", letter)

    def drop_down(self, **where):
        """Click on what opens a list or a menu, which is a window of its own."""
        def windows():
            try:
                return set(self.desktop.xdotool("search", "--onlyvisible", "--class", "psi").split())
            except Failure:
                # A window has gone while xdotool was looking.
                return set()
        before = wait_until(windows, 20, f"{self.user}'s Psi+ shows no window")
        self.hit(**where)
        wait_until(lambda: windows() - before, 20, f"{self.user}'s Psi+ opens nothing for {where}")

    def generate_key(self):
        """The plugin makes a key when it is needed, and it is needed for a session."""
        # Which the other side may have begun, when it had made its own key.
        asked = self.is_asked(5)
        if not asked:
            self.menu("s")
        mark = self.mark()
        self.press("Yes", "Psi OTR")
        self.desktop.try_to("place", window="Psi OTR", role="push button", name="OK")
        self.press("OK", "Psi OTR")
        if asked:
            self.wait_for_word("secure", mark, 60)

    def is_asked(self, seconds):
        """Whether it asks for leave to make a key."""
        def found():
            return any(re.search(r"^\s*push button 'Yes'", line) for line in self.desktop.ask("tree", window="Psi OTR"))
        try:
            return wait_until(found, seconds * PATIENCE, "")
        except Failure:
            return False

    def without_session(self):
        if "encrypted" in self.status() or "finished" in self.status():
            self.menu("e")
            wait_until(lambda: "encrypted" not in self.status(), 20, f"{self.user}'s session did not end")

    def status(self):
        """What the plugin's button says."""
        for line in self.desktop.ask("tree", window=self.window):
            found = re.search(r"OTR Messaging \[([^]]*)\]", line)
            if found:
                return found.group(1)
        raise Failure(f"{self.user}'s window has no button of the plugin")

    def own_fingerprint(self):
        mark = self.mark()
        self.menu("f")
        told = self.wait_for(NOTICE, lambda text: text.startswith("Fingerprint for account"), mark, 20, "its fingerprint")
        return fingerprint_in(told)

    def authenticate(self, way):
        """Open the dialog, and choose one of its three ways."""
        self.menu("a")
        self.drop_down(window="Authenticate", role="combo box")
        self.desktop.xdotool("key", "Home", *["Down"] * WAYS.index(way), "Return")
        self.desktop.try_to("place", window="Authenticate", role="combo box", name=way)

    def leave(self):
        """Close the dialog, if it is still there."""
        try:
            self.desktop.ask("click", window="Authenticate", role="push button", name="Cancel")
        except Failure:
            pass

    def their_fingerprint(self):
        self.authenticate("Fingerprint verification")
        try:
            # The first one is one's own.
            return fingerprint_in(self.desktop.try_to("read", window="Authenticate", role="label", name=r"[0-9A-F ]{44}",
                                                      pattern=True, nth=1))
        finally:
            self.leave()

    def is_trusted(self):
        status = self.status()
        if "encrypted" not in status:
            raise Failure(f"{self.user}'s button says {status}")
        return "unverified" not in status

    def start_session(self):
        self.menu("s")

    renew = start_session

    def end_session(self):
        self.menu("e")

    def smp_question(self, question, secret):
        self.authenticate("Question and answer")
        self.desktop.try_to("put", text=question, window="Authenticate", role="text", nth=0)
        self.smp_answer(secret)

    def smp_secret(self, secret):
        self.authenticate("Shared secret")
        self.smp_answer(secret)

    def smp_answer(self, answer):
        self.desktop.try_to("put", text=answer, window="Authenticate", role="text", nth=-1)
        self.press("Authenticate", "Authenticate")

    def smp_reply(self, secret):
        self.smp_answer(secret)

    def verify(self, answer):
        self.authenticate("Fingerprint verification")
        self.press("Authenticate", "Authenticate")
        self.press(answer, "Psi OTR")
        self.leave()

    def trust(self):
        self.verify("Yes")
        wait_until(self.is_trusted, 10, f"{self.user} does not trust a key that was verified")

    def distrust(self):
        self.verify("No")
        wait_until(lambda: not self.is_trusted(), 10, f"{self.user} trusts a key after taking trust away")
