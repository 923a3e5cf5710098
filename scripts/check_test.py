#!/usr/bin/env python3
"""Checks the runner of the checks: that no way for a suite to go wrong counts as success."""

import contextlib
import io
import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import check  # noqa: E402
from checklist import Checklist, scratch  # noqa: E402

CARGO = "     Running unittests src/lib.rs (target/debug/deps/otr-1)\n{}   Doc-tests otr\n{}"
RESULT = "test result: {}. {} passed; {} failed; {} ignored; 0 measured; 0 filtered out; finished in 0.00s\n"

# How a result is read, the exit status, the output; the passed and failed checks that must come of it.
CASES = [
    ("a command that succeeds", check.STATUS, 0, "", (1, 0)),
    ("a command that fails", check.STATUS, 1, "", (0, 1)),
    ("a count", check.LAST_LINE, 0, "hello\n12 passed, 0 failed\n", (12, 0)),
    ("a count with failures", check.LAST_LINE, 1, "FAIL x\n12 passed, 3 failed\n\n", (12, 3)),
    ("failures, and exit status 0", check.LAST_LINE, 0, "12 passed, 3 failed\n", (12, 3)),
    ("no output", check.LAST_LINE, 0, "", (0, 1)),
    ("no count", check.LAST_LINE, 0, "all is well\n", (0, 1)),
    ("a count that is not the last line", check.LAST_LINE, 0, "12 passed, 0 failed\nSegmentation fault\n", (0, 1)),
    ("no failure, but an exit status", check.LAST_LINE, 139, "12 passed, 0 failed\n", (12, 1)),
    ("no check at all", check.LAST_LINE, 0, "0 passed, 0 failed\n", (0, 1)),
    ("cargo", check.CARGO_TEST, 0, CARGO.format(RESULT.format("ok", 5, 0, 0), RESULT.format("ok", 2, 0, 0)), (7, 0)),
    ("cargo with failures", check.CARGO_TEST, 101,
     CARGO.format(RESULT.format("FAILED", 5, 2, 0), RESULT.format("ok", 2, 0, 0)), (7, 2)),
    ("cargo, and a test program that died", check.CARGO_TEST, 101, CARGO.format("", RESULT.format("ok", 2, 0, 0)), (2, 1)),
    ("cargo, and ignored tests", check.CARGO_TEST, 0,
     CARGO.format(RESULT.format("ok", 5, 0, 3), RESULT.format("ok", 2, 0, 0)), (7, 3)),
    ("cargo that could not compile", check.CARGO_TEST, 101, "error: could not compile `libotr`\n", (0, 1)),
    ("cargo that died after the tests", check.CARGO_TEST, 101,
     CARGO.format(RESULT.format("ok", 5, 0, 0), RESULT.format("ok", 2, 0, 0)), (7, 1)),
]


def outcome(command, minutes):
    """The counts of a suite of this command, and what the runner says of it."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        counts = check.run_suite(check.Suite("sample", command, check.LAST_LINE, minutes=minutes), dict(os.environ))
    return counts, said.getvalue()


def together(checks, logs):
    """Which suites run at the same time, and what follows from a library that cannot be built."""
    held = os.path.join(logs, "held")
    holds = ["sh", "-c", f"mkdir {held} && sleep 0.5 && rmdir {held} && echo '1 passed, 0 failed'"]
    # Fails when more than two are there.
    crowd = os.path.join(logs, "crowd")
    counts = ["sh", "-c", f"mkdir -p {crowd}; mine=$(mktemp {crowd}/XXXXXX); [ $(ls {crowd} | wc -l) -le 2 ] && sleep 0.5 && "
                          "rm $mine && echo '1 passed, 0 failed'"]

    def meeting(where, number):
        """So many commands, each of which waits until all of them are there."""
        place = os.path.join(logs, where)
        os.mkdir(place)
        return [["sh", "-c", f"mktemp {place}/XXXXXX; for i in $(seq 100); do [ $(ls {place} | wc -l) = {number} ] && break; "
                             f"sleep 0.1; done; [ $(ls {place} | wc -l) = {number} ] && echo '1 passed, 0 failed'"]] * number

    fine = ["echo", "1 passed, 0 failed"]
    for what, suites, expected in (
        ("two with one lock do not run together", [{"command": holds, "lock": "a"}] * 2, (2, 0)),
        ("two without do", [{"command": command} for command in meeting("two", 2)], (2, 0)),
        ("three without do not", [{"command": counts}] * 3, (3, 0)),
        ("one that waits runs beside two",
         [{"command": command, "waits": not i} for i, command in enumerate(meeting("three", 3))], (3, 0)),
        ("two that wait do not run together", [{"command": holds, "waits": True}] * 2, (2, 0)),
        ("a library that cannot be built fails what needs it",
         [{"name": "build", "command": ["false"]}, {"command": fine, "needs_install": True}, {"command": fine}], (1, 2)),
        ("a suite waits for the library",
         [{"command": ["rmdir", held + "-b"], "counts": check.STATUS, "needs_install": True},
          {"name": "build", "command": ["mkdir", held + "-b"], "counts": check.STATUS}], (2, 0)),
    ):
        run = check.Run([check.Suite(**{"name": f"sample{i}", "counts": check.LAST_LINE, **suite})
                         for i, suite in enumerate(suites)], dict(os.environ))
        with contextlib.redirect_stdout(io.StringIO()):
            run.all()
        checks.equal(what, (run.passed, run.failed), expected)
    check.FAILURES.clear()


def quick_run(checks):
    """What `--quick` leaves of the suites, and of those that are named."""
    named = {suite.name: suite for suite in check.choose(["--quick"])}
    checks.same_names("the suites of the quick run", named,
                      ["rust", "rust-core", "rust-abi2", "abi-check", "c", "c-abi2", "differential"])
    checks.equal("the command of one that is quick with arguments", named["differential"].command,
                 ["tests/differential/run", "--sample", "50"])
    checks.equal("the same suite in the run of everything", check.choose(["differential"])[0].command, ["tests/differential/run"])
    checks.equal("a suite by name", [suite.name for suite in check.choose(["--quick", "c", "robustness"])], ["c"])


def main():
    checks = Checklist()
    quick_run(checks)
    for what, how, status, output, expected in CASES:
        checks.equal(what, check.count(how, status, output)[:2], expected)
    with scratch() as logs:
        check.LOGS = logs
        together(checks, logs)
        checks.equal("a script that is not there", outcome(["tests/no/such/script"], 1)[0], (0, 1))
        counts, said = outcome(["sh", "-c", "echo '3 passed, 0 failed'; sleep 60 & sleep 4"], 1)
        checks.equal("a suite of four seconds", counts, (3, 0))
        checks.check("a progress line after two seconds", "sample: running, 2 s" in said, said)
        started = time.monotonic()
        counts, said = outcome(["sh", "-c", "echo '3 passed, 0 failed'; sleep 60"], 0.02)
        checks.equal("a suite that takes too long", counts, (0, 1))
        checks.check("it is ended, and so are its children", time.monotonic() - started < 15, said)
    checks.finish()


main()
