"""What the test scripts in Python share: a list of checks that counts them, and the installation they look at."""

import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Checklist:
    """Counts checks, and tells those that fail and why."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    def check(self, what, good, why=""):
        """Counts one check, which passed when `good` is true."""
        if good:
            self.passed += 1
            return
        self.failed += 1
        print(f"FAIL {what}")
        for line in str(why).strip().splitlines()[:25]:
            print(f"     {line}")

    def equal(self, what, found, expected):
        """Counts one check, that two values are equal."""
        self.check(what, found == expected, f"found    {found}\nexpected {expected}")

    def same_names(self, what, found, expected):
        """Counts one check, that two sets of names are equal."""
        missing, extra = sorted(set(expected) - set(found)), sorted(set(found) - set(expected))
        self.check(what, not missing and not extra,
                   f"missing ({len(missing)}): {' '.join(missing)}\nnot expected ({len(extra)}): {' '.join(extra)}")

    def runs(self, what, command, **options):
        """Counts one check, that a command succeeds, and returns what it wrote to its standard output."""
        done = command_output(command, **options)
        self.check(what, done.returncode == 0,
                   f"{' '.join(map(str, command))}\nexit status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def finish(self):
        """Prints the count as the last line, and ends the program accordingly."""
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed else 0)


def command_output(command, **options):
    """Runs a command to its end. A command that is not there, or hangs, is one that fails."""
    try:
        return subprocess.run(command, check=False, stdin=options.pop("stdin", subprocess.DEVNULL),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                              timeout=options.pop("timeout", 120), **options)
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 127, "", str(error))


def installed_prefix(temporary, abi=5):
    """The prefix of the installation to test: OTR_PREFIX, or else one made below the directory `temporary`."""
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
    """A directory for temporary files, which goes away when its `with` block ends."""
    return tempfile.TemporaryDirectory(prefix="libotr-test-")
