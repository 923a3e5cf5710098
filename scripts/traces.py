"""Whether instructions and addresses depend on a secret, on a machine that qemu emulates.

The cases and the secrets are those of tests/robustness/traces. Each case runs in several processes that differ only in their secrets,
with a plugin of qemu's (emulated.c there) that tells of every block of instructions and every address. All must tell the same."""

import os
import re
import shutil
import struct
import subprocess
import tempfile

from machines import build_plugin

PIECE = 1 << 20
DIVISION, END = b"\xff" * 8, 2**64 - 2


def words(piece):
    """Whole words of what was told."""
    return struct.unpack(f"={len(piece) // 8}Q", piece[:len(piece) // 8 * 8])


def division(piece):
    """Which word tells of a division, if there is one."""
    at = piece.find(DIVISION)
    while at > 0 and at % 8:
        at = piece.find(DIVISION, at + 1)
    return at // 8 if at >= 0 else None


class Follower:
    """Follows one program on one machine. `runner` are the words that run it: qemu and its options. `tools` is what the names of
    the machine's binutils begin with."""

    def __init__(self, runner, program, tools):
        self.runner, self.program, self.tools = runner, program, tools
        self.loaded_at, self.secrets = 0, 0
        self.directory = tempfile.mkdtemp(prefix="otr-traces-")
        self.plugin = os.path.join(self.directory, "emulated.so")
        build_plugin("tests/robustness/traces/emulated.c", self.plugin)

    def end(self):
        """Removes what was made."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def cases(self):
        """The number of each case, its name, and whether it must be found to leak."""
        address, secrets, *lines = subprocess.check_output([*self.runner, self.program], text=True).splitlines()
        symbols = subprocess.check_output([f"{self.tools}nm", self.program], text=True)
        self.loaded_at = int(address, 16) - int(re.search(r"^([0-9a-f]+) T getrandom$", symbols, re.M)[1], 16)
        self.secrets = int(secrets.split()[0])
        for number, line in enumerate(lines):
            kind, name = line.split(maxsplit=1)
            yield number, name, kind == "leaks"

    def start(self, case, secret):
        """Starts a process. The process, and what it tells."""
        listen, tell = os.pipe()
        # The addresses are the same in each.
        command = ["setarch", "-R", self.runner[0], "-plugin", f"{self.plugin},to=/dev/fd/{tell}", *self.runner[1:], self.program,
                   str(case), str(secret)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=[tell])
        os.close(tell)
        return process, open(listen, "rb")  # noqa: SIM115

    def follow(self, case):
        """Runs a case with each secret. How many instructions that took, or a sentence about what differs."""
        started = [self.start(case, secret) for secret in range(self.secrets)]
        try:
            return self.compare([stream for _, stream in started])
        finally:
            for process, stream in started:
                process.kill()
                process.wait()
                stream.close()

    def compare(self, streams):
        """Reads what all of them tell, until two differ or all have come to the end."""
        last = b""
        while True:
            pieces = [stream.read(PIECE) for stream in streams]
            if any(piece != pieces[0] for piece in pieces):
                return self.difference(words(last), [words(piece) for piece in pieces])
            if (at := division(pieces[0])) is not None:
                return "there is a division " + self.around(words(pieces[0]), at)
            if len(pieces[0]) < PIECE:
                told = words(last + pieces[0])
                ended = len(told) >= 2 and told[-2] == END
                return told[-1] if ended else f"it broke off {self.around(told, len(told))}"
            last = pieces[0][-16:]

    def difference(self, last, pieces):
        """Where two of them part."""
        first, *others = pieces
        at = min(next((at for at, (own, theirs) in enumerate(zip(first, other)) if own != theirs), min(len(first), len(other)))
                 for other in others)
        return "with another secret it goes on otherwise " + self.around((*last, *first), at + len(last))

    def around(self, told, at):
        """The last addresses before a place, as functions where they are known."""
        addresses = [f"{word - self.loaded_at:x}" for word in told[max(0, at - 3):at] if word >= self.loaded_at]
        known = subprocess.run([f"{self.tools}addr2line", "-Cfpe", self.program, *addresses], capture_output=True, text=True, check=False)
        return "after " + "; ".join(known.stdout.splitlines())
