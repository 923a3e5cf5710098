"""The base class of all clients. A driver is a subclass: it knows the client's commands and messages.

A client shows two kinds of things: messages from the correspondent, and notices (everything else). Both are kept in the order in
which they are shown, and mark() is a point between two of them.
"""

import os
import re

from library import mapped_libotr
from processes import Failure, wait_until

MESSAGE, NOTICE = "message", "notice"

# Waits are this many times as long: more than 1 for valgrind, less while a driver is written.
PATIENCE = float(os.environ.get("OTR_CLIENTS_PATIENCE", "1"))


def write_new(directory, files):
    """Writes the files of a profile, as (name, text), except those that the client has already."""
    os.makedirs(directory, mode=0o700, exist_ok=True)
    for name, text in files:
        path = os.path.join(directory, name)
        if not os.path.exists(path):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)


class NoCommand(Exception):
    """The client has no command for this; the text says what is missing."""


class Client:
    """One user's client. `home` outlives a restart; `environment` decides which libotr is loaded."""

    NAME = None                 # as it is called on the command line and in the documents
    PACKAGES = []               # Debian's, the one with the client first
    NETWORK = None              # "xmpp" or "irc"
    GRAPHICAL = False
    DRIVEN = None               # how, in a few words
    EXACT = True                # False: what is shown has lost its line ends, and is compared without blanks
    LONG = 6000                 # bytes of the long text
    CLEAR_AFTER_END = False     # True: when the correspondent has ended the session, it says so and goes on in the clear
    ENDS_WHEN_OFFLINE = False   # True: it ends the session itself when the correspondent goes off line, and says so

    TAG_LOST_IN_CRASH = False   # True: it writes its instance tag only when it quits, and is another instance after a crash

    TRUST_LOST_IN_CRASH = False # True: it writes whom the user trusts only when it quits
    OPPORTUNISTIC = False       # True: a text in the clear brings about a session, and nobody has to start one

    CRASHES = False             # True: it crashes now and then by its own fault, which README.md tells

    # What it says that has nothing to do with OTR, and may differ each time.
    NOISE = r"^$"

    # Steps in which what it says differs from run to run, whatever the library.
    UNSURE = r"^$"

    # What it says, as regular expressions.
    WORDS = {}

    def __init__(self, user, buddy, home, address, environment):
        self.user = user
        self.buddy = buddy
        self.home = home
        self.address = address
        self.environment = {"HOME": home, "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8", "TERM": "screen-256color", **environment}
        self.pid = None
        os.makedirs(home, mode=0o700, exist_ok=True)

    # The process.

    def start(self):
        """Start it, log in, and open the window of the conversation."""
        raise NotImplementedError

    def quit(self):
        """End it by its own command; Failure if it crashes on the way."""
        raise NotImplementedError

    def kill(self):
        """End it as a power cut would."""
        raise NotImplementedError

    def ending(self):
        """None while it runs, else how it ended."""
        raise NotImplementedError

    def mapped_libotr(self):
        return mapped_libotr(self.pid)

    # What it has told: (kind, text), the first first.

    def events(self):
        raise NotImplementedError

    def look(self):
        """Its screen, for the report of a failure."""
        return "\n".join(f"{kind}: {text}" for kind, text in self.events()[-25:])

    def mark(self):
        return len(self.events())

    def wait_for(self, kind, test, since, timeout, what):
        """The first event after `since` of this kind that passes the test; its text."""
        def found():
            ended = self.ending()
            if ended:
                raise Failure(f"{self.user}'s client has ended by itself ({ended})")
            return [text for which, text in self.events()[since:] if which == kind and test(text)]
        timeout *= PATIENCE
        try:
            return wait_until(found, timeout, "")[0]
        except Failure as failure:
            if str(failure).startswith(": not within"):
                told = "; ".join(f"{kind} {text[:100]!r}" for kind, text in self.events()[since:][-6:]) or "nothing"
                raise Failure(f"{self.user} was not told {what} within {timeout:g} s, but {told}") from None
            raise

    def wait_for_message(self, text, since, timeout=30.0):
        """Wait until the correspondent's message is shown, just as it was said, in one piece or (IRC) in several."""
        text = self.shown(text)

        def test(shown):
            pieces = "".join(piece for kind, piece in self.events()[since:] if kind == MESSAGE)
            return self.same(shown, text) or re.sub(r"\s", "", pieces) == re.sub(r"\s", "", text)
        return self.wait_for(MESSAGE, test, since, timeout, f"the message {text[:60]!r}")

    def wait_for_word(self, word, since, timeout=30.0):
        """Wait for one of WORDS."""
        pattern = self.WORDS.get(word)
        if pattern is None:
            raise NoCommand(f"it says nothing of this: {word}")
        return self.wait_for(NOTICE, lambda text: re.search(pattern, text), since, timeout, f"/{pattern}/ ({word})")

    def shown(self, said):
        """How a text that was said in a session is shown."""
        return said

    def same(self, shown, said):
        if self.EXACT:
            return shown == said
        return re.sub(r"\s", "", shown) == re.sub(r"\s", "", said)

    # The commands.

    def say(self, text):
        raise NotImplementedError

    def generate_key(self):
        """Have a key made. The fingerprint is in own_fingerprint() afterwards."""
        raise NotImplementedError

    def without_session(self):
        """End the session for which the keys were made, if that is how the client makes them."""

    def own_fingerprint(self):
        raise NotImplementedError

    def their_fingerprint(self):
        """That of the correspondent in this session."""
        raise NotImplementedError

    def start_session(self):
        raise NotImplementedError

    def renew(self):
        """Start a session instead of one that the correspondent may have lost."""
        raise NotImplementedError

    def end_session(self):
        raise NotImplementedError

    def smp_question(self, question, secret):
        raise NoCommand("it cannot ask a question")

    def smp_answer(self, answer):
        raise NoCommand("it cannot answer a question")

    def smp_secret(self, secret):
        raise NoCommand("it has no comparison of secrets without a question")

    def smp_reply(self, secret):
        """The reply to smp_secret()."""
        self.smp_secret(secret)

    def trust(self):
        """Say that the correspondent's fingerprint has been compared."""
        raise NoCommand("it cannot verify a fingerprint")

    def distrust(self):
        raise NoCommand("it cannot take trust away")

    def is_trusted(self):
        """What it says of the correspondent's fingerprint."""
        raise NotImplementedError


def fingerprint_in(text):
    """40 digits, out of a text with a fingerprint in groups of eight."""
    found = re.search(r"\b([0-9A-F]{8})[ ]?([0-9A-F]{8})[ ]?([0-9A-F]{8})[ ]?([0-9A-F]{8})[ ]?([0-9A-F]{8})\b", text, re.IGNORECASE)
    return "".join(found.groups()).upper() if found else None
