"""A client in a terminal: commands are typed."""

import os
import signal

from client import Client
from processes import wait_until
from terminal import Terminal


class TerminalClient(Client):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.terminal = None

    def open(self, command):
        """Start the program in a new terminal."""
        self.terminal = Terminal(f"{self.user}'s {self.NAME}", [*self.wrapper(), *command], self.home, self.environment)
        self.pid = self.terminal.pid

    def wrapper(self):
        """What the program is run under: OTR_CLIENTS_UNDER, for instance valgrind with its arguments."""
        return os.environ.get("OTR_CLIENTS_UNDER", "").split()

    def type(self, text):
        self.terminal.type(text)

    def command_then(self, command, word, timeout=30.0):
        """Type a command, and wait for what it answers."""
        mark = self.mark()
        self.type(command)
        return self.wait_for_word(word, mark, timeout)

    def ending(self):
        return self.terminal.ended_by() if self.terminal else "not started"

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        wait_until(self.terminal.ended_by, 10, f"{self.terminal.name} outlived SIGKILL")
        self.close()

    def end_by(self, command):
        self.type(command)
        self.terminal.wait_for_end(60)
        self.close()

    def close(self):
        if self.terminal:
            self.terminal.close()
            self.terminal = None

    def look(self):
        if not self.terminal:
            return super().look()
        return "\n".join([line for line in self.terminal.text().splitlines() if line.strip(" │")][-25:])
