"""The npm package otr, an independent implementation of OTR versions 2 and 3, with the interface of peers.Peer.

The package is in pure JavaScript and needs no other; what it says of itself is in npm/peer.js. It is installed in the
build directory, in the version that npm/package-lock.json names.
"""

import os
import shutil
import subprocess
from pathlib import Path

from peers import Peer, Stranger

HERE = Path(__file__).resolve().parent / "npm"


class NpmPeer(Stranger, Peer):
    """The package in a process of its own."""

    versions = (2, 3)
    label = "npm otr"
    faulty = True
    can_provoke_fault = True
    modules = keys = None

    def __init__(self, name, policy):
        command = ["node", str(HERE / "peer.js"), name, str(self.keys / f"npm-{name}.json")]
        super().__init__(name, command, {**os.environ, "NODE_PATH": str(self.modules)}, policy)

    def send_tlv(self, to, text, tlvs):
        """A text with a raw chain of TLV bytes behind it, which may be broken."""
        self.command(f"sendtlv {to} {text.hex()} {tlvs.hex()}")

    def powers_agree(self):
        """The exponentiation with which npm/peer.js replaces the package's gives the same results."""
        return self.command("powers") == [["powers", "agree"]]

    @classmethod
    def install(cls, build):
        """Has the package in the build directory. Returns what hinders that, if anything does."""
        for tool in ("node", "npm"):
            if not shutil.which(tool):
                return f"{tool} is missing: install Node.js with npm (Debian's packages nodejs and npm)."
        place = build / "npm"
        cls.modules, cls.keys = place / "node_modules", build
        lists = [HERE / "package.json", HERE / "package-lock.json"]
        done = place / "installed"
        if done.exists() and done.read_bytes() == lists[1].read_bytes():
            return None
        place.mkdir(exist_ok=True)
        for file in lists:
            shutil.copy(file, place)
        # The package has an optional dependency with a script to compile it, which nothing here needs.
        npm = subprocess.run(["npm", "ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund"], cwd=place,
                             stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if npm.returncode:
            return f"npm could not install the package otr:\n{npm.stdout}{npm.stderr}"
        shutil.copy(lists[1], done)
        return None
