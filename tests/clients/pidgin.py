"""Pidgin with pidgin-otr: messages over its D-Bus interface, everything else in its windows."""

import html
import os
import re

from client import MESSAGE, NOTICE, PATIENCE, fingerprint_in, write_new
from desktop import PACKAGES, DesktopClient
from processes import Failure, wait_until
from xmpp_server import DOMAIN, PASSWORD

ACCOUNTS = """\
<?xml version='1.0' encoding='UTF-8' ?>
<account version='1.0'><account>
<protocol>prpl-jabber</protocol><name>{user}@{domain}/{resource}</name><password>{password}</password>
<settings>
<setting name='connection_security' type='string'>opportunistic_tls</setting>
<setting name='auth_plain_in_clear' type='bool'>1</setting>
<setting name='connect_server' type='string'>{address}</setting>
<setting name='port' type='int'>{port}</setting>
</settings>
<settings ui='gtk-gaim'><setting name='auto-login' type='bool'>1</setting></settings>
</account></account>
"""
PREFERENCES = """\
<?xml version='1.0' encoding='UTF-8' ?>
<pref version='1' name='/'>
<pref name='pidgin'>
<pref name='plugins'><pref name='loaded' type='pathlist'><item value='/usr/lib/pidgin/pidgin-otr.so'/></pref></pref>
<pref name='blist'><pref name='list_visible' type='bool' value='1'/>
<pref name='x' type='int' value='640'/><pref name='y' type='int' value='20'/>
<pref name='width' type='int' value='240'/><pref name='height' type='int' value='300'/></pref>
</pref>
<pref name='OTR'><pref name='enabled' type='bool' value='1'/><pref name='automatic' type='bool' value='0'/>
<pref name='onlyprivate' type='bool' value='0'/><pref name='avoidloggingotr' type='bool' value='1'/>
<pref name='showotrbutton' type='bool' value='1'/></pref>
<pref name='purple'><pref name='savedstatus'><pref name='startup_current_status' type='bool' value='1'/></pref>
<pref name='logging'><pref name='log_ims' type='bool' value='0'/></pref></pref>
</pref>
"""
SERVICE = ("im.pidgin.purple.PurpleService", "/im/pidgin/purple/PurpleObject", "im.pidgin.purple.PurpleInterface")
SETTINGS, AUTHENTICATE = "Off-the-Record Messaging", "Authenticate Buddy"
START = "Start private conversation"
SENT, RECEIVED, SYSTEM = 1, 2, 4


class Pidgin(DesktopClient):
    NAME = "pidgin"
    PACKAGES = ["pidgin", "pidgin-otr", "prosody", *PACKAGES]
    NETWORK = "xmpp"
    DRIVEN = "D-Bus for messages; its menus and dialogs (AT-SPI)"
    # It shows this when a window gets the focus, or somewhat later.
    NOISE = "^The privacy status of the current conversation is now"
    WORDS = {
        "secure": r"(Unverified|Private) conversation with .* started|refreshed the private|Successfully refreshed",
        "ended by other": r"has ended (his/her|their) private conversation",
        "not sent": r"message was not sent",
        "unreadable": r"unreadable|not currently communicating privately",
        "for another login": r"intended for a different session",
        "in the clear": r"was not encrypted",
    }
    # What is said in dialogs.
    DIALOGS = {
        "smp asked": r"label '(Authentication from|Authenticate) ",
        "smp succeeded": r"Authentication successful|authenticated you",
        "smp failed": r"Authentication failed|failed to authenticate",
    }

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.directory = os.path.join(self.home, ".purple")
        values = {"user": self.user, "resource": os.path.basename(self.home), "domain": DOMAIN, "password": PASSWORD,
                  "address": self.address[0], "port": self.address[1]}
        write_new(self.directory, [("accounts.xml", ACCOUNTS.format(**values)), ("prefs.xml", PREFERENCES)])
        self._before = []
        self._conversation = None
        self._told = {}

    def start(self):
        self.open(["pidgin", "-c", self.directory])
        account = wait_until(self._account, 60, f"{self.user}'s Pidgin is not on line")
        wait_until(lambda: self.purple("FindBuddy", account, f"{self.buddy}@{DOMAIN}"), 30, f"{self.user} has no {self.buddy}")
        # The numbers of messages begin anew in each process.
        self._told = {}
        self._conversation = self.purple("ConversationNew", 1, account, f"{self.buddy}@{DOMAIN}")
        self.desktop.try_to("place", window=f"{self.buddy}@", role="menu item", name=START, hidden=True)

    def purple(self, method, *arguments):
        return self.desktop.ask("call", bus_name=SERVICE[0], path=SERVICE[1], interface=SERVICE[2], method="Purple" + method,
                                arguments=list(arguments))

    def _account(self):
        try:
            accounts = self.purple("AccountsGetAllActive")
            return accounts[0] if accounts and self.purple("AccountIsConnected", accounts[0]) else None
        except Failure:
            return None

    def quit(self):
        self._before = self.events()
        self._conversation = None
        try:
            self.purple("CoreQuit")
        except Failure:
            # It may be gone before it answers.
            pass
        self.wait_for_end()

    def kill(self):
        self._before = self.events()
        self._conversation = None
        super().kill()

    def events(self):
        if self._conversation is None or self.ending():
            return self._before
        told = []
        for number in reversed(self.purple("ConversationGetMessageHistory", self._conversation)):
            if number not in self._told:
                flags = self.purple("ConversationMessageGetFlags", number)
                text = self.purple("ConversationMessageGetMessage", number)
                kind = NOTICE if flags & SYSTEM else MESSAGE if flags & RECEIVED else None
                self._told[number] = kind, html.unescape(re.sub(r"<[^>]*>", "", text))
            if self._told[number][0]:
                told.append(self._told[number])
        return self._before + told

    def say(self, text):
        self.purple("ConvImSend", self.purple("ConvIm", self._conversation), html.escape(text, quote=False))

    def wait_for_word(self, word, since, timeout=30.0):
        if word not in self.DIALOGS:
            return super().wait_for_word(word, since, timeout)
        pattern = self.DIALOGS[word]

        def found():
            return [line for line in self.desktop.ask("tree") if re.search(pattern, line)]
        line = wait_until(found, timeout * PATIENCE, f"{self.user} was not shown /{pattern}/ ({word})")[0]
        if word != "smp asked":
            self.press("OK", "Authenti")
        return "\n".join(self.desktop.ask("tree", window="Authenti")) if word == "smp asked" else line

    def press(self, button, window):
        self.desktop.try_to("click", window=window, role="push button", name=button)

    def menu(self, item):
        """Choose from the menu OTR of the conversation's window. `item` is a regular expression."""
        self.desktop.try_to("click", window=f"{self.buddy}@", role="menu item", name=item, pattern=True, hidden=True)

    def configure(self):
        """Open the window of the plugin's settings."""
        self.desktop.try_to("click", window="Buddy List", role="menu item", name="Plugins", hidden=True)
        self.desktop.try_to("select", window="Plugins", role="table cell", name="Off-the-Record.*", pattern=True, hidden=True)
        self.press("Configure Plugin", "Plugins")
        self.desktop.try_to("place", window=SETTINGS, role="push button", name="Generate")

    def leave_settings(self):
        self.press("Close", SETTINGS)
        self.press("Close", "Plugins")

    def generate_key(self):
        self.configure()
        self.press("Generate", SETTINGS)
        self.desktop.try_to("read", window=SETTINGS, role="label", name="Fingerprint: .*", pattern=True)
        self.press("OK", "Generating private key")
        self.leave_settings()

    def own_fingerprint(self):
        self.configure()
        try:
            return fingerprint_in(self.desktop.try_to("read", window=SETTINGS, role="label", name="Fingerprint: .*", pattern=True))
        finally:
            self.leave_settings()

    def authenticate(self, how):
        """Open the dialog, and choose one of its three ways."""
        self.menu("(Authenticate|Reauthenticate) buddy")
        self.desktop.try_to("choose", item=how, role="combo box", window=AUTHENTICATE)

    def their_fingerprint(self):
        self.authenticate("Manual fingerprint verification")
        try:
            text = self.desktop.try_to("read", window=AUTHENTICATE, role="label", name="Fingerprint for you.*", pattern=True)
            return fingerprint_in(text.partition("Purported")[2])
        finally:
            self.press("Cancel", AUTHENTICATE)

    def is_trusted(self):
        """The button in the conversation's window says it."""
        for name in (" Private", " Unverified"):
            try:
                self.desktop.ask("place", window=f"{self.buddy}@", role="push button", name=name)
                return name == " Private"
            except Failure:
                continue
        raise Failure(f"{self.user}'s button shows neither Private nor Unverified")

    def start_session(self):
        self.menu(START)

    def renew(self):
        self.menu("Refresh private conversation")

    def end_session(self):
        self.menu("End private conversation")

    def smp_question(self, question, secret):
        self.authenticate("Question and answer")
        self.desktop.try_to("put", text=question, window=AUTHENTICATE, role="text", nth=0)
        self.desktop.try_to("put", text=secret, window=AUTHENTICATE, role="text", nth=1)
        self.press("Authenticate", AUTHENTICATE)

    def smp_secret(self, secret):
        self.authenticate("Shared secret")
        self.desktop.try_to("put", text=secret, window=AUTHENTICATE, role="text", nth=0)
        self.press("Authenticate", AUTHENTICATE)

    def smp_answer(self, answer):
        """The dialog asks for the same in both cases."""
        self.desktop.try_to("put", text=answer, window=AUTHENTICATE, role="text", nth=-1)
        self.press("Authenticate", AUTHENTICATE)

    def smp_reply(self, secret):
        self.smp_answer(secret)

    def verify(self, choice):
        self.authenticate("Manual fingerprint verification")
        self.desktop.try_to("choose", item=choice, role="combo box", nth=1, window=AUTHENTICATE)
        self.press("Authenticate", AUTHENTICATE)

    def trust(self):
        self.verify("I have")
        wait_until(self.is_trusted, 10, f"{self.user} does not trust a key that was verified")

    def distrust(self):
        self.verify("I have not")
        wait_until(lambda: not self.is_trusted(), 10, f"{self.user} trusts a key after taking trust away")
