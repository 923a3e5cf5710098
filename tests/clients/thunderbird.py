"""Thunderbird: its own chat and OTR modules, in the running program, by Marionette; the conversation is shown in its chat tab."""

import html
import json
import os
import re

from client import fingerprint_in
from desktop import PACKAGES, DesktopClient
from marionette import Marionette
from processes import Failure, wait_until
from xmpp_server import DOMAIN, PASSWORD, free_port

PREFERENCES = {
    "mail.provider.suppress_dialog_on_startup": True,
    "mail.spotlight.firstRunDone": True,
    "mail.rights.version": 1,
    "mailnews.start_page.enabled": False,
    "datareporting.policy.dataSubmissionPolicyBypassNotification": True,
    "app.donation.eoy.version.viewed": 999,
    "app.update.enabled": False,
    "chat.otr.enable": True,
    "chat.otr.default.requireEncryption": False,
    "chat.otr.default.verifyNudge": False,
    "messenger.conversations.autoAcceptChatInvitations": 0,
}

# What every script begins with.
MODULES = """
const { IMServices } = ChromeUtils.importESModule("resource:///modules/IMServices.sys.mjs");
const { OTR } = ChromeUtils.importESModule("resource:///modules/OTR.sys.mjs");
const { OTRLib } = ChromeUtils.importESModule("resource:///modules/OTRLib.sys.mjs");
const account = IMServices.accounts.getAccounts()[0];
"""

# Everything that is shown in a conversation is kept, and what OTR asks of its windows.
RECORD = """
Services.told = [];
const watch = (subject, topic, data) => {
    if (topic != "new-text")
        return;
    if (subject.system || subject.notification)
        Services.told.push(["notice", subject.displayMessage || subject.message]);
    else if (subject.incoming)
        Services.told.push(["message", subject.displayMessage || subject.message]);
};
Services.obs.addObserver({ observe: watch }, "new-text");
OTR.addObserver({ observe: (subject, topic) => {
    if (topic == "otr:auth-ask" )
        Services.told.push(["notice", "authentication asked: " + (subject.question || "")]);
    if (topic == "otr:msg-state")
        Services.told.push(["notice", "state " + OTR.trust(subject)]);
    if (topic == "otr:auth-update")
        Services.told.push(["notice", "authentication " + subject.progress + " " + subject.success]);
} });
"""


class Thunderbird(DesktopClient):
    NAME = "thunderbird"
    PACKAGES = ["thunderbird", "prosody", *PACKAGES]
    NETWORK = "xmpp"
    DRIVEN = "its own chat and OTR modules, called by Marionette"
    CRASHES = True
    # A text in the clear offers a session, and it comes about.
    OPPORTUNISTIC = True
    NOISE = "^(state |.* is now |authentication [1-9][05]? |The identity of )"
    # When it quits, it signs off (and says goodbye) or just ends, depending on the moment.
    UNSURE = "^restart"
    WORDS = {
        "secure": r"^state [12]$",
        "smp asked": r"^authentication asked",
        "smp succeeded": r"^authentication 100 true",
        "smp failed": r"^authentication 100 false",
        "ended by other": r"has ended their encrypted conversation",
        "not sent": r"your message was not sent",
        "unreadable": r"is unreadable, as you are not currently communicating|unreadable encrypted message",
        "in the clear": r"was not encrypted",
    }

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.profile = os.path.join(self.home, "profile")
        os.makedirs(self.profile, mode=0o700, exist_ok=True)
        self._before, self._marionette = [], None

    def start(self):
        port = free_port()
        with open(os.path.join(self.profile, "user.js"), "w", encoding="utf-8") as file:
            for name, value in {**PREFERENCES, "marionette.port": port}.items():
                file.write(f"user_pref({json.dumps(name)}, {json.dumps(value)});\n")
        self.open(["thunderbird", "--no-remote", "--profile", self.profile, "--marionette", "--remote-allow-system-access"])
        self._marionette = Marionette(port)
        wait_until(lambda: "messenger.xhtml" in (self._marionette.run(
            "return Services.wm.getMostRecentWindow('mail:3pane')?.location.href || ''")), 60, f"{self.user}'s window did not open")
        self.script("""
            if (!IMServices.core.initialized) IMServices.core.init();
            if (!account) {
                const fresh = IMServices.accounts.createAccount(given[0], "prpl-jabber");
                fresh.password = given[1];
                fresh.setString("server", given[2]);
                fresh.setInt("port", given[3]);
                fresh.setString("connection_security", "allow_unencrypted_plain_auth");
                fresh.save();
                fresh.connect();
            } else {
                account.setString("server", given[2]);
                account.setInt("port", given[3]);
                if (!account.connected && !account.connecting) account.connect();
            }
            Services.wm.getMostRecentWindow("mail:3pane").document.getElementById("tabmail").openTab("chat", {});
            """, f"{self.user}@{DOMAIN}/{os.path.basename(self.home)}", PASSWORD, self.address[0], self.address[1])
        self.get_online()
        self.script(RECORD)
        self.script(self.CONVERSATION + " return conv.name;")

    def get_online(self):
        try:
            wait_until(lambda: self.script("return account.connected;"), 60, "")
        except Failure:
            told = self.script("return [account.connecting, account.disconnected, account.connectionErrorMessage || ''];")
            raise Failure(f"{self.user}'s Thunderbird is not on line within a minute: {told}") from None

    # The conversation with the buddy: the one that is there, or a new one.
    CONVERSATION = """
        const find = () => IMServices.conversations.getConversations().find(each => !each.isChat &&
                                                                             each.normalizedName.startsWith(BUDDY));
        if (!find())
            account.createConversation(BUDDY);
        const conv = find();
    """

    def script(self, text, *arguments):
        text = text.replace("BUDDY", json.dumps(f"{self.buddy}@{DOMAIN}"))
        return self._marionette.run_async(MODULES + text, *arguments)

    def events(self):
        if self._marionette is None or self.ending():
            return self._before
        told = self.script("return Services.told || []")
        return self._before + [(kind, self.plain(text)) for kind, text in told]

    @staticmethod
    def plain(text):
        """A text without its markup."""
        return html.unescape(re.sub(r"<[^>]*>", "", text))

    def shown(self, said):
        """What is encrypted is taken for HTML."""
        return self.plain(said)

    def keep(self):
        """Keep what was told, and leave the program alone."""
        self._before = self.events()
        self._marionette.close()
        self._marionette = None

    def wait_for_word(self, word, since, timeout=30.0):
        """Of a session that takes the place of another only one side is told; talking shows that there is one."""
        if word == "secure" and self.talk("return OTR.trust(context);") in (1, 2):
            return "secure"
        return super().wait_for_word(word, since, timeout)

    def quit(self):
        self._before = self.events()
        try:
            self._marionette.send("Marionette:Quit", {"flags": ["eAttemptQuit"]})
        except Failure:
            # It may be gone before it answers.
            pass
        self._marionette.close()
        self._marionette = None
        self.wait_for_end()

    def kill(self):
        self.keep()
        super().kill()

    def close(self):
        if self._marionette:
            self._marionette.close()
            self._marionette = None
        super().close()

    def talk(self, text, *arguments):
        """A script with `conv`, the conversation, and `context`, libotr's."""
        return self.script(self.CONVERSATION + "const context = OTR.getContext(conv);" + text, *arguments)

    def say(self, text):
        self.talk("if (given[0]) IMServices.conversations.getUIConversation(conv).sendMsg(given[0], false, false);", text)

    def generate_key(self):
        """Thunderbird makes one by itself for each new account, in a worker thread."""
        wait_until(self.own_fingerprint, 120, f"{self.user}'s Thunderbird has made no key")

    def own_fingerprint(self):
        told = self.script("return OTR.privateKeyFingerprint(account.normalizedName, account.protocol.normalizedName) || '';")
        return fingerprint_in(told)

    def their_fingerprint(self):
        return fingerprint_in(self.talk("return OTR.hashToHuman(context.fingerprint);"))

    def is_trusted(self):
        return self.talk("return OTR.trust(context) == OTR.trustState.TRUST_PRIVATE;")

    def start_session(self):
        self.talk("OTR.sendQueryMsg(conv);")

    def renew(self):
        self.end_session()
        self.start_session()

    def end_session(self):
        self.talk("OTR.disconnect(conv, false);")

    def smp_question(self, question, secret):
        self.talk("OTR.sendSecret(context, given[1], given[0]);", question, secret)

    def smp_secret(self, secret):
        self.talk("OTR.sendSecret(context, given[0]);", secret)

    def smp_answer(self, answer):
        self.talk("OTR.sendResponse(context, given[0]);", answer)

    def smp_reply(self, secret):
        self.smp_answer(secret)

    def trust(self):
        self.talk("OTR.setTrust(context.fingerprint, true, context);")

    def distrust(self):
        self.talk("OTR.setTrust(context.fingerprint, false, context);")

    def picture(self, path):
        self.talk("""
            const window = Services.wm.getMostRecentWindow("mail:3pane");
            window.document.getElementById("tabmail").openTab("chat", {});
            const chat = window.chatHandler || window.eval("chatHandler");
            chat.focusConversation(IMServices.conversations.getUIConversation(conv));
            await new Promise(done => window.setTimeout(done, 2000));""")
        super().picture(path)
