"""A person at an IRC client: sends lines, sees lines, and waits for expected ones.

A line seen is kept as an IRC user sees it: "<@root> text" in the control channel, "<bob> text" in a query window,
"-bob- text" for a notice. mIRC's colour and bold marks are removed from `text`; `raw` keeps them.
"""

import re
import socket
import threading
import time

from processes import Failure

CONTROL_CHANNEL = "&bitlbee"
_MARKS = re.compile(r"\x03(?:\d{1,2}(?:,\d{1,2})?)?|[\x02\x0f\x16\x1d\x1f]")


class Line:
    """Something seen: who, in which window, by which command, and what."""

    def __init__(self, nick, command, target, raw, shown_nick):
        self.nick = nick
        self.command = command
        self.target = target
        self.raw = raw
        self.text = _MARKS.sub("", raw)
        self.shown = f"-{shown_nick}- {self.text}" if command == "NOTICE" else f"<{shown_nick}> {self.text}"


class Person:
    """Connected to a BitlBee as `nick`. `watcher(person, shown)` is called for every line said or seen."""

    def __init__(self, nick, port, watcher=None):
        self.nick = nick
        self.lines = []
        self._watcher = watcher
        self._operators = set()
        self._members = set()
        self._position = 0
        self._changed = threading.Condition()
        self._closed = False
        self._socket = socket.create_connection(("127.0.0.1", port), 10)
        self._socket.settimeout(None)
        self._raw(f"NICK {nick}")
        self._raw(f"USER {nick} {nick} localhost :{nick}")
        threading.Thread(target=self._read, daemon=True).start()
        self.wait(lambda: nick in self._members, 10, f"{nick} did not get into the control channel")

    def close(self):
        self._closed = True
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()

    def command(self, text):
        """Say something in the control channel, where root listens."""
        self._show(f"<{self._decorated(self.nick)}> {text}")
        self._raw(f"PRIVMSG {CONTROL_CHANNEL} :{text}")

    def say(self, buddy, text):
        """Send a message to a buddy, in the buddy's query window."""
        self._show(f"<{self.nick}> {text}")
        self._raw(f"PRIVMSG {buddy} :{text}")

    def say_lines(self, buddy, lines):
        """Paste several lines to a buddy at once; not shown to the watcher."""
        self._raw("\r\n".join(f"PRIVMSG {buddy} :{line}" for line in lines))

    def skip(self):
        """Let expect() start after everything seen so far."""
        with self._changed:
            self._position = len(self.lines)

    def expect(self, pattern, nick=None, timeout=10.0):
        """Wait for a line (after the last one expected) in whose text the pattern is found."""
        return self._await(lambda line: re.search(pattern, line.text), nick, timeout, f"/{pattern}/")

    def expect_text(self, text, nick=None, timeout=10.0):
        """Wait for a line (after the last one expected) with exactly this text."""
        return self._await(lambda line: line.text == text, nick, timeout, repr(text))

    def seen(self, pattern, since=0):
        """The lines seen since an index of `lines` in whose text the pattern is found; does not wait."""
        with self._changed:
            return [line for line in self.lines[since:] if re.search(pattern, line.text)]

    def is_here(self, nick):
        """Whether a nick is in the control channel (a buddy: online)."""
        return nick in self._members

    def wait(self, condition, timeout, what):
        """Wait until condition() is true, looking again after every line from the server."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while not condition():
                left = deadline - time.monotonic()
                if left <= 0:
                    raise Failure(f"{what}: not within {timeout:g} seconds{self._recent()}")
                self._changed.wait(left)

    def _await(self, fits, nick, timeout, description):
        found = []

        def look():
            for index in range(self._position, len(self.lines)):
                line = self.lines[index]
                if (nick is None or line.nick == nick) and fits(line):
                    self._position = index + 1
                    found.append(line)
                    return True
            return False

        who = f" from {nick}" if nick else ""
        self.wait(look, timeout, f"{self.nick} did not see {description}{who}")
        return found[0]

    def _recent(self):
        shown = [line.shown[:120] for line in self.lines[self._position:][-8:]]
        return f"; seen meanwhile: {shown}" if shown else "; nothing was seen meanwhile"

    def _read(self):
        buffer = b""
        while True:
            try:
                data = self._socket.recv(65536)
            except OSError:
                data = b""
            if not data:
                return
            buffer += data
            *complete, buffer = buffer.split(b"\n")
            for each in complete:
                with self._changed:
                    self._take(each.rstrip(b"\r").decode("utf-8", "replace"))
                    self._changed.notify_all()

    def _take(self, text):
        prefix = ""
        if text.startswith(":"):
            prefix, _, text = text[1:].partition(" ")
        nick = prefix.partition("!")[0]
        head, _, trailing = text.partition(" :")
        words = head.split()
        command = words[0] if words else ""
        if command == "PING":
            self._raw(f"PONG :{trailing}")
        elif command in ("PRIVMSG", "NOTICE") and len(words) > 1:
            line = Line(nick, command, words[1], trailing, self._shown_nick(nick, words[1]))
            self.lines.append(line)
            self._show(line.shown)
        elif command == "353":
            for member in trailing.split():
                self._members.add(member.lstrip("@%+"))
                if member.startswith("@"):
                    self._operators.add(member.lstrip("@%+"))
        elif command == "JOIN":
            self._members.add(nick)
        elif command in ("PART", "QUIT"):
            self._members.discard(nick)
            self._operators.discard(nick)
        elif command == "MODE" and len(words) > 3 and words[1] == CONTROL_CHANNEL:
            self._change_operators(words[2], words[3:])

    def _change_operators(self, modes, nicks):
        adding = True
        remaining = list(nicks)
        for letter in modes:
            if letter in "+-":
                adding = letter == "+"
            elif letter in "ohv" and remaining:
                nick = remaining.pop(0)
                if letter == "o":
                    (self._operators.add if adding else self._operators.discard)(nick)

    def _shown_nick(self, nick, target):
        return self._decorated(nick) if target == CONTROL_CHANNEL else nick

    def _decorated(self, nick):
        return f"@{nick}" if nick in self._operators else nick

    def _show(self, shown):
        if self._watcher:
            self._watcher(self, shown)

    def _raw(self, text):
        try:
            self._socket.sendall(text.encode("utf-8") + b"\r\n")
        except OSError as error:
            if not self._closed:
                raise Failure(f"{self.nick}'s IRC connection to BitlBee is gone ({error})") from error
