"""otr3, an implementation of OTR versions 2 and 3 in Go, as Debian packages it, with the interface of peers.Peer.

What it says of itself is in otr3/peer.go, which is compiled with Debian's Go in the build directory."""

import os
import shutil
import subprocess
from pathlib import Path

from peers import Peer, Stranger

SOURCE = Path(__file__).resolve().parent / "otr3" / "peer.go"
GOPATH = Path("/usr/share/gocode")


class GoPeer(Stranger, Peer):
    """The package in a process of its own."""

    label = "otr3"
    versions = (2, 3)
    # Only a new run ends the one before.
    can_abort = False
    # It answers an unequal secret with an abort.
    tells_unequal = False
    has_extra_key = False
    sends_raw_tlvs = False
    # Whoever has a session takes no notice of a query for a minute.
    answers_soon = False
    # After its own DH-commit has won, it waits for what only the other side of an exchange gets.
    yields = False
    # It sends an empty piece behind a message that its pieces have already filled.
    faulty = True
    program = keys = None

    def __init__(self, name, policy):
        super().__init__(name, [str(self.program), name, str(self.keys / f"otr3-{name}.key")], os.environ, policy)

    @classmethod
    def install(cls, build):
        """Has the program in the build directory. Returns what hinders that, if anything does."""
        cls.program, cls.keys = build / "otr3-peer", build
        if not shutil.which("go"):
            return "Go is missing (Debian's package golang-go)"
        if not (GOPATH / "src/github.com/twstrike/otr3").is_dir():
            return "otr3 is missing (Debian's package golang-github-twstrike-otr3-dev)"
        env = {**os.environ, "GO111MODULE": "off", "GOPATH": str(GOPATH), "GOCACHE": str(build / "go-cache"), "CGO_ENABLED": "0",
               "GOFLAGS": ""}
        go = subprocess.run(["go", "build", "-o", cls.program, SOURCE], cwd=build, env=env, capture_output=True, text=True)
        return f"otr3/peer.go does not compile:\n{go.stderr}" if go.returncode else None
