"""A terminal in tmux: what is typed into it, and what is on its screen.

The screen is much higher than a real one, so that nothing relevant is scrolled away between two reads.
"""

import os
import re
import shlex
import subprocess
import tempfile
import time

from processes import Failure, find_program, wait_until

WIDTH, HEIGHT = 180, 700

# Open terminals: tmux does not end with the process that started it.
_open = []


def end_terminals():
    for terminal in list(_open):
        terminal.close()


class Terminal:
    """One program in a terminal. It is tmux's child; `pid` is the program's own."""

    def __init__(self, name, command, directory, environment):
        self.name = name
        # A name of its own each time: the server of the last one may not be quite gone.
        self._socket = tempfile.mktemp(prefix="tmux-", dir=directory)
        # What was on the screen the last time; looking takes a process.
        self._text, self._looked = "", 0.0
        self._tmux_program = find_program("tmux")
        settings = os.path.join(directory, "tmux.conf")
        with open(settings, "w", encoding="utf-8") as file:
            file.write("set -g status off\nset -g remain-on-exit on\nset -s escape-time 0\n")
        line = "exec env " + " ".join(shlex.quote(f"{key}={value}") for key, value in environment.items())
        line += " " + " ".join(shlex.quote(word) for word in command)
        _open.append(self)
        self._tmux("-f", settings, "new-session", "-d", "-x", str(WIDTH), "-y", str(HEIGHT), line)
        self.pid = int(self._tmux("display-message", "-p", "#{pane_pid}"))

    def type(self, text):
        """The keys of this text, and Return."""
        self.keys_of(text)
        self.key("Enter")

    def keys_of(self, text):
        """The keys of this text, in pieces that fit into a command line of tmux."""
        for at in range(0, len(text), 2000):
            self._tmux("send-keys", "-l", "--", text[at:at + 2000])

    def key(self, *names):
        self._tmux("send-keys", *names)

    def text(self):
        """What is on the screen, without the blanks at the ends of lines."""
        if time.monotonic() > self._looked + 0.1:
            self._text = "\n".join(line.rstrip() for line in self._tmux("capture-pane", "-p").splitlines()).strip("\n")
            self._looked = time.monotonic()
        return self._text

    def wait_for(self, pattern, timeout=20.0):
        return wait_until(lambda: re.search(pattern, self.text()), timeout, f"{self.name}'s screen did not show /{pattern}/")

    def is_running(self):
        return self._ended() is None

    def wait_for_end(self, timeout=20.0):
        """Wait until the program has ended by itself. Failure if it ended by a signal."""
        how = wait_until(self._ended, timeout, f"{self.name} did not end")
        if how.startswith("signal"):
            raise Failure(f"{self.name} ended by {how}")

    def ended_by(self):
        """None while the program runs; else 'exit N' or 'signal N'."""
        return self._ended()

    def close(self):
        """The end of tmux, and of whatever still runs in it."""
        subprocess.run([self._tmux_program, "-S", self._socket, "kill-server"], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False)
        if self in _open:
            _open.remove(self)

    def _ended(self):
        if os.path.exists(f"/proc/{self.pid}") and not self._is_zombie():
            return None
        dead, status, number = self._tmux("display-message", "-p", "#{pane_dead},#{pane_dead_status},#{pane_dead_signal}").split(",")
        if dead != "1":
            return None
        return f"signal {number}" if number.strip() else f"exit {status}"

    def _is_zombie(self):
        try:
            with open(f"/proc/{self.pid}/stat", encoding="utf-8", errors="replace") as file:
                return file.read().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            return True

    def _tmux(self, *arguments):
        done = subprocess.run([self._tmux_program, "-S", self._socket, *arguments], capture_output=True, text=True, check=False,
                              errors="replace", env={**os.environ, "TERM": "screen-256color", "LC_ALL": "C.UTF-8"})
        if done.returncode:
            raise Failure(f"tmux {arguments[0]} for {self.name}: {done.stderr.strip()}")
        return done.stdout.rstrip("\n")
