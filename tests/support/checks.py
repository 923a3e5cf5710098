"""Counting checks, and running commands, for tests and scripts in Python.

A pytest test gets a `Checks` from the fixture `checks` (counting.py): it may make thousands of checks, goes on after one that fails, and
fails at its end. Other programs make one themselves, and end with `finish`."""

import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# So many lines of the reason for a failure.
LINES = 40


class Checks:
    """Counts checks, and keeps what failed and why."""

    def __init__(self, tell=print):
        self.passed = 0
        self.known = 0
        self.failures = []
        self.skipped = []
        self.tell = tell

    @property
    def failed(self):
        """How many checks failed."""
        return len(self.failures)

    def ok(self, good, what, why="", known_defect=False):
        """Counts one check, which passed when `good` is true. Returns that. A known defect of the C libotr is not counted."""
        if good:
            self.passed += 1
            return True
        if known_defect:
            self.known += 1
            return False
        reason = str(why).strip().splitlines()
        self.failures.append("\n".join([f"FAIL {what}", *(f"     {line}" for line in reason[:LINES])]))
        self.tell(self.failures[-1])
        return False

    def check(self, what, good, why=""):
        """`ok`, with what is checked first."""
        return self.ok(good, what, why)

    def equal(self, what, found, expected):
        """Counts one check, that two values are equal."""
        return self.ok(found == expected, what, f"found    {found}\nexpected {expected}")

    def same_names(self, what, found, expected):
        """Counts one check, that two sets of names are equal."""
        missing, extra = sorted(set(expected) - set(found)), sorted(set(found) - set(expected))
        return self.ok(not missing and not extra, what,
                       f"missing ({len(missing)}): {' '.join(missing)}\nnot expected ({len(extra)}): {' '.join(extra)}")

    def none(self, what, problems):
        """Counts one check, that a list of problems is empty."""
        return self.ok(not problems, what, "\n".join(map(str, problems)))

    def runs(self, what, command, **options):
        """Counts one check, that a command succeeds, and returns what it wrote to its standard output."""
        done = command_output(command, **options)
        self.ok(done.returncode == 0, what,
                f"{' '.join(map(str, command))}\nexit status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def skip(self, what, why):
        """Counts one check that cannot be made here."""
        self.skipped.append(f"{what}: {why}")

    def finish(self):
        """For a program: prints the count as the last line, and ends the program accordingly."""
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed or not self.passed else 0)


def command_output(command, **options):
    """Runs a command to its end. A command that is not there, or hangs, is one that fails."""
    try:
        return subprocess.run(command, check=False, stdin=options.pop("stdin", subprocess.DEVNULL),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                              timeout=options.pop("timeout", 120), **options)
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 127, "", str(error))


def installed_prefix(temporary, abi=5):
    """For a program: the prefix of the installation to look at, OTR_PREFIX, or else one made below the directory `temporary`."""
    given = os.environ.get("OTR_PREFIX")
    if given:
        return given
    prefix = os.path.join(temporary, "prefix")
    done = command_output(["make", "-C", ROOT, "install", "DESTDIR=", f"PREFIX={prefix}", f"ABI={abi}"], timeout=1200)
    if done.returncode:
        print(f"{done.stdout}{done.stderr}\nThe library could not be built and installed.")
        print("0 passed, 1 failed")
        sys.exit(1)
    return prefix


def scratch():
    """A directory for temporary files, which is removed at the end of its `with` block."""
    return tempfile.TemporaryDirectory(prefix="libotr-test-")
