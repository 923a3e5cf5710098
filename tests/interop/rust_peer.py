"""The crate otrr, an implementation of OTR version 3 in Rust, with the interface of peers.Peer.

What it says of itself is in otrr/src/main.rs, which cargo compiles in the build directory, with the crates that otrr/Cargo.lock
names."""

import atexit
import os
import shutil
import subprocess
from pathlib import Path

from peers import Peer, Stranger

HERE = Path(__file__).resolve().parent / "otrr"


class RustPeer(Stranger, Peer):
    """The crate in a process of its own. It makes a key when it starts, which takes a second or two, so that a process that is done
    with one conversation is kept for another one."""

    label = "otrr"
    versions = (3,)
    # It asks for a session when a text must not go out in the clear, but forgets the text.
    sends_held_back = False
    has_extra_key = False
    sends_raw_tlvs = False
    abort_event = Stranger.FAILURE
    # It does not tell whose key it has seen.
    tells_their_print = False
    # It counts messages for all keys together.
    only_in_turn = True
    faulty = True
    program = keys = None
    idle = []

    def __init__(self, name, policy):
        for number, process in enumerate(self.idle):
            if process.args[1] == name:
                del self.idle[number]
                self.attach(name, process)
                break
        else:
            super().__init__(name, [str(self.program), name, str(self.keys / f"otrr-{name}.profile")], os.environ)
        self.command(f"policy {policy}")

    def quit(self):
        """The session is lost, and the process is kept."""
        self.command("policy 0")
        self.idle.append(self.process)

    @classmethod
    def end(cls):
        """Ends the processes that are kept."""
        for process in cls.idle:
            process.stdin.close()
            process.wait(timeout=20)
            process.stdout.close()
        cls.idle.clear()

    @classmethod
    def install(cls, build):
        """Has the program in the build directory. Returns what hinders that, if anything does."""
        target = build / "otrr"
        cls.program, cls.keys = target / "debug/otrr-peer", build
        if not shutil.which("cargo"):
            return "cargo is missing"
        cargo = subprocess.run(["cargo", "build", "--quiet", "--locked", "--target-dir", target], cwd=HERE, capture_output=True,
                               text=True)
        if cargo.returncode:
            return f"cargo could not build it, which takes crates from crates.io:\n{cargo.stderr}"
        atexit.register(cls.end)
        return None
