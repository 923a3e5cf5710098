#!/usr/bin/env python3
"""Inside the chroot of tests/deb: irssi loads its OTR plugin, and this prints which libotr.so it has mapped then."""

import os
import pty
import re
import select
import signal
import sys
import tempfile
import time
from pathlib import Path


def mapped(process, screen):
    """The files named libotr.so* of the process, once it has any; none after ten seconds."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        # A terminal that nobody reads from would stop it.
        if select.select([screen], [], [], 0.1)[0]:
            os.read(screen, 65536)
        found = set(re.findall(r"/\S*/libotr\.so\S*", Path(f"/proc/{process}/maps").read_text(encoding="utf-8")))
        if found:
            return sorted(found)
    return []


def main():
    with tempfile.TemporaryDirectory() as home:
        Path(home, "startup").write_text("load otr\n", encoding="utf-8")
        process, screen = pty.fork()
        if process == 0:
            os.environ["TERM"] = "vt100"
            os.execvp("irssi", ["irssi", f"--home={home}", "--noconnect"])
        try:
            found = mapped(process, screen)
        finally:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
    print(" ".join(found))
    sys.exit(0 if found else 1)


main()
