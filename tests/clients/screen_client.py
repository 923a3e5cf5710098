"""A client whose messages and notices are read from the screen: lines that begin with a time, and what goes on below them."""

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

    def events(self):
        return self._before + (self._on_screen() if self.terminal else [])

    def close(self):
        if self.terminal:
            self._before += self._on_screen()
        super().close()

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
