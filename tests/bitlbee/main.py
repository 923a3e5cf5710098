"""Runs the scenarios and reports one line for each: "ok - name", "not ok - name" with the reason and the logs' ends, or
"not run - name" with what is not there."""

import os
import shutil
import sys
import time
import traceback

# Nothing is to be left in the source tree.
sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
PROJECT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(PROJECT, "tests", "support"))

import library
from processes import Failure, Missing
from scenario import SCENARIOS, NotRun, Stage

# Imported for the scenarios they register, which run in this order.
import loading
import keys
import policies
import session
import offline
import smp
import built
import older

# A healthy run takes half a minute, and a minute more when BitlBee must be built. Past this, what is left fails unrun.
TIME_LIMIT = 600.0


def main(words):
    try:
        stage = Stage(library.from_environment(), os.environ.get("OTR_PREFIX"),
                      os.path.join(PROJECT, "target", "bitlbee"))
    except (Missing, Failure) as problem:
        print(f"The BitlBee tests cannot run: {problem}", file=sys.stderr)
        return 2
    print(f"# BitlBee on {stage.library.real_path}", flush=True)
    chosen = [(name, play) for name, play in SCENARIOS if not words or any(word in name for word in words)]
    if not chosen:
        print(f"No scenario's name contains any of: {' '.join(words)}", file=sys.stderr)
        return 2
    deadline = time.monotonic() + TIME_LIMIT
    outcomes = [run_one(stage, name, play, deadline) for name, play in chosen]
    passed, failed = outcomes.count(True), outcomes.count(False)
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


def run_one(stage, name, play, deadline):
    """True if the scenario passed, None if it was not run. It is not even begun, and has failed, after the deadline."""
    begun = time.monotonic()
    if begun > deadline:
        print(f"not ok - {name}\n#   not run: the scenarios before it took more than {TIME_LIMIT / 60:g} minutes", flush=True)
        return False
    try:
        play(stage)
    except NotRun as reason:
        print(f"not run - {name}: {reason}", flush=True)
        return None
    except (Failure, Missing) as problem:
        reason = chain(problem)
    except Exception:
        reason = traceback.format_exc().rstrip().splitlines()
    else:
        print(f"ok - {name} ({time.monotonic() - begun:.1f} s)", flush=True)
        return True
    print(f"not ok - {name}")
    for line in reason:
        print(f"#   {line}")
    keep_logs(stage, name)
    sys.stdout.flush()
    return False


def chain(problem):
    """The problem, and the ones it followed on (a BitlBee's crash follows on the line that then did not come)."""
    told = []
    while problem is not None:
        told.append(f"{problem}")
        problem = problem.__context__
    return told


def keep_logs(stage, name):
    """Copy the logs to the build directory and print their ends."""
    directory, tail = stage.logs()
    if directory is None or not os.path.isdir(directory):
        return
    kept = os.path.join(stage.build_directory, "failed", "".join(c if c.isalnum() else "-" for c in name)[:60])
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(directory, kept)
    for line in tail:
        print(f"#   {line}")
    print(f"#   all of it is kept in {kept}")


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        sys.exit(130)
