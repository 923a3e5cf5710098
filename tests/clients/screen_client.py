"""A client whose messages and notices are read from the screen: lines that begin with a time, and their continuation lines."""

import re

from client import MESSAGE, NOTICE
from terminal_client import TerminalClient


class ScreenClient(TerminalClient):
    EXACT = False
    # A line of the conversation that begins something new; its groups are what stands before the text, and the text.
    LINE = None

    def __init__(self, *arguments):
        super().__init__(*arguments)
        # What was told before a restart.
        self._before = []
        self._frozen = False

    def events(self):
        return self._before + ([] if self._frozen or not self.terminal else self._on_screen())

    def open(self, command):
        super().open(command)
        self._frozen = False

    def freeze(self):
        """Keep what the screen shows: the client clears it when it ends."""
        self._before = self.events()
        self._frozen = True

    def end_by(self, command):
        self.freeze()
        super().end_by(command)

    def kill(self):
        self.freeze()
        super().kill()

    def conversation(self):
        """The screen's lines that belong to the conversation."""
        raise NotImplementedError

    def kind_of(self, before):
        """MESSAGE, NOTICE, or None for what the user has said."""
        raise NotImplementedError

    def _on_screen(self):
        told = []
        for line in self.conversation():
            match = re.match(self.LINE, line)
            if match:
                told.append([self.kind_of(match.group(1)), match.group(2)])
            elif told:
                told[-1][1] += "\n" + line
        return [(kind, text.rstrip("\n")) for kind, text in told if kind]
